"""Wake-ups: requested and cancelled by the PMS or a phone, and moved with a guest.

`wake_up_attempts` makes the calls. Times are milliseconds since 1970 in UTC, except `at`, which is
the hotel's local time.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from pmslink.errors import FieldError, PmslinkError
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.record import Record
from pmslink.hotel.events import Author
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.rooms import MAX_WAKE_UPS, Room, WakeUp, serialize_wake_up
from pmslink.hotel.wake_up_attempts import advance_room

MAX_REQUEST_AGE_MS = 24 * 3600 * 1000
"""Requests for a time longer ago than this are ignored."""


class TooManyWakeUpsError(PmslinkError):
    """The room has `MAX_WAKE_UPS` wake-ups already."""


def on_wake_up_request(state: HotelState, record: Record, context: Context) -> None:
    """Handle WR: set a wake-up. If its time has just passed, it is due at once."""
    room = state.room_of(record)
    at = _parse_requested_time(record)
    if room is not None and at is not None:
        set_wake_up(state, room, at, (record.get("DA") or "", record.get("TI") or ""), context, "pms")


def on_wake_up_clear(state: HotelState, record: Record, context: Context) -> None:
    """Handle WC: cancel the wake-up at this time; without a date and a time, all wake-ups of the room."""
    room = state.room_of(record)
    if room is None:
        return
    if not record.get("DA") and not record.get("TI"):
        cancel_wake_ups(state, room, None, context, "pms")
    elif (at := _parse_requested_time(record)) is not None:
        cancel_wake_ups(state, room, at, context, "pms")


def _parse_requested_time(record: Record) -> datetime | None:
    try:
        return datetime.combine(
            parse_date("DA", record.get("DA") or ""), parse_time("TI", record.get("TI") or "")
        )
    except FieldError:
        return None


def set_wake_up(
    state: HotelState, room: Room, at: datetime, wire_date_time: tuple[str, str], context: Context, by: Author
) -> bool:
    """Set a wake-up of a room, and return whether the room has it now.

    `wire_date_time` is `at` as DA and TI spell it. A request of the PMS for a wake-up that is finished is
    a repetition, and is ignored.
    """
    at = context.policy.resolve_ambiguous(at, context.now_ms - context.policy.wake_up_late_ms)
    due = context.policy.to_utc_ms(at)
    if existing := [wake_up for wake_up in room.wake_ups if wake_up.at == at]:
        state.preserve_wake_ups(*existing)
        return True
    is_finished = by == "pms" and at.isoformat() in room.over
    if is_finished or len(room.wake_ups) >= MAX_WAKE_UPS or context.now_ms - due > MAX_REQUEST_AGE_MS:
        return False
    wake_up = WakeUp(context.next_id(), at, *wire_date_time, due)
    state.emit("wake_up.set", room.room, {"wake_up": serialize_wake_up(wake_up), "by": by})
    state.preserve_wake_ups(wake_up)
    state.set_room(evolve(room, wake_ups=_sort_by_time(*room.wake_ups, wake_up)), context, by)
    if due <= context.now_ms:
        advance_room(state, room.room, context)
    return True


def cancel_wake_ups(state: HotelState, room: Room, at: datetime | None, context: Context, by: Author) -> None:
    """Cancel the wake-up of a room at a local time; without `at`, all of them."""
    cancelled = tuple(wake_up for wake_up in room.wake_ups if at in (None, wake_up.at))
    _emit_cancelled(state, room, cancelled, by)
    state.set_room(room.without_wake_ups(*cancelled), context, by)


def emit_removed_wake_ups(state: HotelState, old: Room, after: Room, resync: bool) -> None:
    """Emit `wake_up.cancelled` for each wake-up that `old` has and `after` does not have."""
    _emit_cancelled(state, old, _removed_wake_ups(old, after), "pms", resync)


def transfer_wake_ups(state: HotelState, old: Room, after: Room, new: Room, resync: bool) -> Room:
    """Add to the room `new` the wake-ups that `old` has and `after` does not have.

    If both rooms have a wake-up at the same time, that of `old` is cancelled.
    """
    removed = _removed_wake_ups(old, after)
    existing = {wake_up.at: wake_up for wake_up in new.wake_ups}
    added = tuple(wake_up for wake_up in removed if wake_up.at not in existing)
    duplicates = tuple(wake_up for wake_up in removed if wake_up.at in existing)
    _emit_cancelled(state, old, duplicates, "pms", resync)
    state.preserve_wake_ups(*added, *(existing[wake_up.at] for wake_up in duplicates))
    over = sorted({*new.over, *old.over})
    return evolve(new, wake_ups=_sort_by_time(*new.wake_ups, *added), over=tuple(over))


def _removed_wake_ups(old: Room, after: Room) -> tuple[WakeUp, ...]:
    return tuple(wake_up for wake_up in old.wake_ups if wake_up not in after.wake_ups)


def _sort_by_time(*wake_ups: WakeUp) -> tuple[WakeUp, ...]:
    return tuple(sorted(wake_ups, key=lambda wake_up: wake_up.at))


def _emit_cancelled(
    state: HotelState, room: Room, cancelled: tuple[WakeUp, ...], by: Author, resync: bool = False
) -> None:
    for wake_up in cancelled:
        state.emit("wake_up.cancelled", room.room, {"wake_up": serialize_wake_up(wake_up), "by": by}, resync)
