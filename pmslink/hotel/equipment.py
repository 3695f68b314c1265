"""Room equipment (RE): class of service, lights and room status; and the night audit (NS, NE)."""

from __future__ import annotations

from pmslink.fias.record import Record
from pmslink.frozen_values import evolve
from pmslink.hotel.guest_settings import change_settings
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.room_window import SaidSettings

_BOOLEAN_BY_FLAG = {"Y": True, "N": False}
DOOR_SIGN_CODES = ("8", "9", "10")
"""RS of the door signs: do-not-disturb, make up room, none. They do not replace the housekeeping status."""


def parse_class_of_service(text: str | None) -> int | None:
    """Parse CS: 0 barred, 1 local, 2 national, 3 unrestricted. None for anything that is not one digit."""
    return int(text) if text is not None and len(text) == 1 and text in "0123456789" else None


def on_room_equipment(state: HotelState, record: Record, context: Context) -> None:
    """Handle RE: set the attributes of a room that the record lists. Invalid values are ignored.

    It speaks of the guests who stay in the room, or of the room itself if all are leaving.
    """
    room = state.room_of(record)
    if room is None:
        return
    for code, value in record.fields:
        if code == "RS" and is_housekeeping_status(value):
            room = evolve(room, status=int(value))
    changes = parse_settings(record)
    state.set_room(room, context)
    if changes.values:
        change_settings(state, room.room, changes, context)


def parse_settings(record: Record) -> SaidSettings:
    """Parse what a record says of a room's settings; of a field that it has twice, the last one counts."""
    changes = SaidSettings()
    for code, value in record.fields:
        if code == "CS" and (number := parse_class_of_service(value)) is not None:
            changes = evolve(changes, class_of_service=number)
        elif code == "DN" and value in _BOOLEAN_BY_FLAG:
            changes = evolve(changes, do_not_disturb=_BOOLEAN_BY_FLAG[value])
        elif code == "ML" and value in _BOOLEAN_BY_FLAG:
            changes = evolve(changes, message_light=_BOOLEAN_BY_FLAG[value])
    return changes


def is_housekeeping_status(text: str) -> bool:
    """Check whether RS is a housekeeping status: 1 to 6, or another number that the hotel has defined."""
    return len(text) <= 2 and text.isascii() and text.isdigit() and str(int(text)) not in DOOR_SIGN_CODES


def on_night_audit_start(state: HotelState, record: Record, context: Context) -> None:
    """Handle NS: a night audit begins. Until it ends, the PMS may answer postings with NA."""
    stamp = f"{record.get('DA') or ''}{record.get('TI') or ''}"
    if state.night_audit_stamp != stamp:  # equal: the PMS repeats the NS
        on_night_audit_end(state, record, context)  # the NE of an earlier audit may have been missed
        state.night_audit_stamp = stamp
        state.emit("night_audit.started")


def on_night_audit_end(state: HotelState, record: Record, context: Context) -> None:
    """Handle NE: the night audit ends."""
    if state.night_audit_stamp is not None:
        state.night_audit_stamp = None
        state.emit("night_audit.ended")
