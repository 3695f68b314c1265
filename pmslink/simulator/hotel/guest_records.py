"""What a PMS tells of its guests and rooms: the records of check-in, change, move, check-out and resync,
of class of service, lights and wake-ups.

Each holds every field that the PMS knows; what the PBX declared is chosen from them later. GS says
whether others stay in the room after the event.
"""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.fias.record import Field, Record, build_record
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.room_equipment import WakeUp

_RESYNC_FLAG = ("SF", "")  # its presence says: part of a resync


def guest_fields(hotel: Hotel, guest: Guest) -> list[Field]:
    """What is said of a guest: room and number first, then the person, then the room's class of service."""
    service = hotel.equipment(guest.room).class_of_service
    return [*guest.fields(), *([] if service is None else [("CS", str(service))])]


def check_in_record(hotel: Hotel, guest: Guest, stamp: list[Field]) -> Record:
    """GI for a guest who is already counted in the hotel."""
    return _gi_record(hotel, guest, hotel.is_occupied(guest.room, excluding=guest.number), *stamp)


def check_out_record(hotel: Hotel, guest: Guest, room: str, stamp: list[Field]) -> Record:
    """GO for a guest who no longer stays in the room. It never carries the name."""
    share = _share_field(hotel.is_occupied(room, excluding=guest.number))
    return build_record("GO", [("RN", room), ("G#", guest.number), share, *stamp])


def guest_change_record(hotel: Hotel, guest: Guest, before: list[Field], stamp: list[Field]) -> Record | None:
    """GC with nothing but what changed since ``before`` was said; a value that was taken away comes empty.

    None where nothing changed.
    """
    old, new = dict(before), dict(guest_fields(hotel, guest))
    changed = [(code, new.get(code, "")) for code in {**old, **new} if old.get(code) != new.get(code)]
    share = _share_field(hotel.is_occupied(guest.room, excluding=guest.number))
    whole = [("RN", guest.room), ("G#", guest.number), share, *changed, *stamp]
    return build_record("GC", whole) if changed else None


def move_record(hotel: Hotel, before: Guest, after: Guest, stamp: list[Field]) -> Record:
    """GC from one room to another; each GS belongs to the room right before it."""
    room, number, *person = guest_fields(hotel, after)
    new_share = _share_field(hotel.is_occupied(after.room, excluding=after.number))
    old_share = _share_field(hotel.is_occupied(before.room, excluding=after.number))
    return build_record("GC", [room, new_share, number, *person, ("RO", before.room), old_share, *stamp])


def resync_records(hotel: Hotel, stamp: list[Field]) -> Iterator[Record]:
    """The heart of a resync: a GI for each guest, a GO for each vacant room, all with SF."""
    for room, guests in hotel.guests_by_room().items():
        for at, guest in enumerate(guests):
            yield _gi_record(hotel, guest, at > 0, _RESYNC_FLAG, *stamp)
        if not guests:
            yield build_record("GO", [("RN", room), _share_field(False), _RESYNC_FLAG, *stamp])


def equipment_record(
    room: str, class_of_service: int | None, message_light: bool | None, do_not_disturb: bool | None
) -> Record:
    """RE for what is not None."""
    told = {
        "CS": None if class_of_service is None else str(class_of_service),
        "ML": _flag_text(message_light),
        "DN": _flag_text(do_not_disturb),
    }
    return build_record(
        "RE", [("RN", room), *((code, text) for code, text in told.items() if text is not None)]
    )


def wake_up_record(room: str, moment: WakeUp) -> Record:
    """WR: somebody wants to be woken."""
    return build_record("WR", [("RN", room), ("DA", moment[0]), ("TI", moment[1])])


def wake_up_cancel_record(room: str, moment: WakeUp | None) -> Record:
    """WC; an empty date and time, for None, cancel all wake-ups of the room."""
    date, time = moment or ("", "")
    return build_record("WC", [("RN", room), ("DA", date), ("TI", time)])


def _gi_record(hotel: Hotel, guest: Guest, shares: bool, *more: Field) -> Record:
    room, number, *person = guest_fields(hotel, guest)
    return build_record("GI", [room, number, _share_field(shares), *person, *more])


def _share_field(shares: bool) -> Field:
    return ("GS", "Y" if shares else "N")


def _flag_text(value: bool | None) -> str | None:
    return None if value is None else "Y" if value else "N"
