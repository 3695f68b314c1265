"""What a room is set to: class of service, lights, status; and the night audit of the house."""

from __future__ import annotations

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel.hotel_state import House, Now

_YES_OR_NO = {"Y": True, "N": False}


def class_of_service(text: str | None) -> int | None:
    """CS: 0 barred, 1 local, 2 national, 3 unrestricted; None for anything else."""
    return int(text) if text is not None and len(text) == 1 and text in "0123456789" else None


def equipped(house: House, record: Record, now: Now) -> None:
    """RE: what is listed of the room is different now."""
    room = house.named(record)
    if room is None:
        return
    for code, value in record.fields:
        if code == "CS" and (number := class_of_service(value)) is not None:
            room = evolve(room, class_of_service=number)
        elif code == "DN" and value in _YES_OR_NO:
            room = evolve(room, do_not_disturb=_YES_OR_NO[value])
        elif code == "ML" and value in _YES_OR_NO:
            room = evolve(room, message_light=_YES_OR_NO[value])
        elif code == "RS" and len(value) <= 2 and value.isascii() and value.isdigit():
            room = evolve(room, status=int(value))
    house.put(room, now)


def audit_started(house: House, record: Record, now: Now) -> None:
    """NS: postings may be answered with NA until the audit ends."""
    stamp = f"{record.get('DA') or ''}{record.get('TI') or ''}"
    if house.auditing != stamp:  # else it is told twice
        audit_ended(house, record, now)  # if the NE of an earlier one was missed
        house.auditing = stamp
        house.tell("night_audit.started")


def audit_ended(house: House, record: Record, now: Now) -> None:
    """NE."""
    if house.auditing is not None:
        house.auditing = None
        house.tell("night_audit.ended")
