"""Compare what the PMS says of rooms and their wake-ups with what was done by hand.

What it says of a guest who was moved applies in the guest's room. What it says of guests who were checked out
is stored until they come back, and what it says of a room that differs until the difference is over.
"""

from __future__ import annotations

from pmslink.fias.record import Record
from pmslink.frozen_values import evolve
from pmslink.hotel.equipment import parse_settings
from pmslink.hotel.guest_settings import change_settings
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.record_rewrites import for_room, rebuild
from pmslink.hotel.room_window import SaidSettings
from pmslink.hotel.rooms import WakeUp
from pmslink.hotel.wake_ups import parse_requested_time


def reconcile_equipment(state: HotelState, record: Record, room_name: str, context: Context) -> Record | None:
    """Keep what the PMS says of a room that is not as the PMS has it; the housekeeping status applies."""
    changes = _differences(state, room_name)
    if not changes:
        return record
    moved = _moved_from(changes, room_name)
    said = parse_settings(record)
    if moved is None or moved.to is None:
        before = state.manual.pms_settings.get(room_name, SaidSettings())
        state.manual.pms_settings[room_name] = evolve(before, **said.values)
    elif said.values:
        change_settings(state, moved.to, said, context)
    return rebuild(record, (one for one in record.fields if one[0] in ("RN", "RS")))


def reconcile_wake_up(state: HotelState, record: Record, room_name: str, context: Context) -> Record | None:
    """Keep a wake-up for those whom the PMS means, and those of a room that it clears for the next guest."""
    changes = _differences(state, room_name)
    if (moved := _moved_from(changes, room_name)) is not None and moved.to is not None:
        return for_room(record, moved.to)
    if changes and state.manual.checked_out_of(room_name):
        _note_wake_up(state, room_name, record, context)
        return None
    is_sweeping = state.resyncing or not (record.get("DA") or record.get("TI"))
    is_by_hand = bool(changes or state.manual.with_guest_in(room_name))
    return None if is_by_hand and record.id == "WC" and is_sweeping else record


def _differences(state: HotelState, room_name: str) -> list[ManualChange]:
    """Return the open changes of a room, unless somebody is there of whom the PMS speaks."""
    if state.has_guest_of_pms(room_name):
        return []
    return state.manual.concerning(room_name)


def _moved_from(changes: list[ManualChange], room_name: str) -> ManualChange | None:
    """Find the change that has moved a guest out of a room where the PMS still has the guest."""
    return next((one for one in changes if one.what == "move" and one.pms_room == room_name), None)


def _note_wake_up(state: HotelState, room_name: str, record: Record, context: Context) -> None:
    """Note a wake-up that the PMS sets or clears for guests who were checked out by hand."""
    at = parse_requested_time(record, context)
    if record.id == "WC":
        state.manual.clear_suspended_wake_ups(room_name, at)
    elif at is not None:
        due = context.policy.to_utc_ms(at)
        wire_date_time = (record.get("DA") or "", record.get("TI") or "")
        wake_up = WakeUp(context.next_id(), at, *wire_date_time, due)
        state.manual.suspend(room_name, SaidSettings(), [wake_up])
