"""Wake-ups: requested and cancelled by the PMS or a phone, and moved with a guest.

`wake_up_attempts` makes the calls. Times are milliseconds since 1970 in UTC, except `at`, which is
the hotel's local time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from pmslink.errors import FieldError, PmslinkError
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.record import Record
from pmslink.frozen_values import evolve
from pmslink.hotel.events import Author
from pmslink.hotel.guest_fields import clean_text
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.parties import leave_wake_up, separate_wake_ups
from pmslink.hotel.room_window import is_in_window
from pmslink.hotel.rooms import MAX_WAKE_UPS, Room, WakeUp, room_key, serialize_wake_up
from pmslink.hotel.wake_up_attempts import advance_room

MAX_REQUEST_AGE_MS = 24 * 3600 * 1000
"""A request for a time longer ago than this is not carried out."""
JUST_PASSED_MS = 60_000
"""A time without a date that has passed by at most this much means now, else the next day."""
MIDNIGHT_TIMES = ("2400", "240000")
"""TI of a wake-up at the beginning of the next day."""
MAX_EVENT_TEXT_CHARS = 200
"""Characters of a request that an event quotes."""


class TooManyWakeUpsError(PmslinkError):
    """The room has `MAX_WAKE_UPS` wake-ups already."""


SetWakeUpOutcome = Literal["set", "finished", "past", "full"]
"""The room has the wake-up, or it was over before, or it is too long ago, or the room has too many."""


def on_wake_up_request(state: HotelState, record: Record, context: Context) -> None:
    """Handle WR: set a wake-up. If its time has just passed, it is due at once.

    A request that cannot be understood or carried out is an event: a guest was promised a call.
    """
    room, at = state.room_of(record), parse_requested_time(record, context)
    if room is None or at is None:
        _emit_not_understood(state, record)
        return
    wire_date_time = (record.get("DA") or "", record.get("TI") or "")
    outcome = set_wake_up(state, room, at, wire_date_time, context, "pms")
    if outcome == "full" or (outcome == "past" and not state.resyncing):  # a resync repeats what is over
        _emit_not_understood(state, record)


def on_wake_up_clear(state: HotelState, record: Record, context: Context) -> None:
    """Handle WC: cancel the wake-up at this time; without a date and a time, all wake-ups of the room."""
    room = state.room_of(record)
    if room is not None and not record.get("DA") and not record.get("TI"):
        cancel_wake_ups(state, room, None, context, "pms")
    elif room is not None and (at := parse_requested_time(record, context)) is not None:
        cancel_wake_ups(state, room, at, context, "pms")
    else:
        _emit_not_understood(state, record)


def _emit_not_understood(state: HotelState, record: Record) -> None:
    text = clean_text(record.text)[:MAX_EVENT_TEXT_CHARS]
    state.emit("wake_up.not_understood", room_key(record.get("RN")), {"text": text})


def parse_requested_time(record: Record, context: Context) -> datetime | None:
    """Parse DA and TI in the hotel's local time; None if they are invalid.

    A time without a date is the next one. 24 hours are the beginning of the next day.
    """
    date_text, time_text = (record.get("DA") or "").strip(), (record.get("TI") or "").strip()
    is_midnight = time_text in MIDNIGHT_TIMES
    try:
        time_of_day = parse_time("TI", "0000" if is_midnight else time_text)
        if date_text:
            day = parse_date("DA", date_text) + timedelta(days=is_midnight)
            return datetime.combine(day, time_of_day)
    except FieldError:
        return None
    earliest = context.policy.to_local(context.now_ms - JUST_PASSED_MS)
    at = datetime.combine(earliest.date(), time_of_day)
    return at if at >= earliest else at + timedelta(days=1)


def set_wake_up(
    state: HotelState, room: Room, at: datetime, wire_date_time: tuple[str, str], context: Context, by: Author
) -> SetWakeUpOutcome:
    """Set a wake-up of a room. `wire_date_time` is `at` as DA and TI spell it.

    A request of the PMS for a past wake-up that is finished is a repetition, and is ignored.
    """
    at = context.policy.resolve_ambiguous(at, context.now_ms - context.policy.wake_up_late_ms)
    due = context.policy.to_utc_ms(at)
    separate_wake_ups(state, room.room)
    departing = state.departing_wake_ups(room.room, with_unknown_guests=True)
    for existing in room.wake_ups:
        if existing.at == at and existing.id not in departing:
            leave_wake_up(state, room.room, existing.id)
            repeated = evolve(existing, requested=context.now_ms, by=by)
            state.set_room(room.with_wake_up(repeated), context, by)
            return "set"
    is_finished = by == "pms" and at.isoformat() in room.over and due <= context.now_ms
    is_old = context.now_ms - due > MAX_REQUEST_AGE_MS and context.clock_settled  # else it may lie ahead
    if is_finished or is_old:
        return "finished" if is_finished else "past"
    if len(room.wake_ups) >= MAX_WAKE_UPS:
        return "full"
    wake_up = WakeUp(context.next_id(), at, *wire_date_time, due, requested=context.now_ms, by=by)
    state.emit("wake_up.set", room.room, {"wake_up": serialize_wake_up(wake_up), "by": by})
    state.set_room(evolve(room, wake_ups=_sort_by_time(*room.wake_ups, wake_up)), context, by)
    if due <= context.now_ms:
        advance_room(state, room.room, context)
    return "set"


def cancel_wake_ups(state: HotelState, room: Room, at: datetime | None, context: Context, by: Author) -> None:
    """Cancel the wake-up of a room at a local time; without `at`, all of them.

    Those of departing guests stay: whoever cancels speaks of the guests who are in the room.
    """
    departing = state.departing_wake_ups(room.room)
    ids = [one.id for one in room.wake_ups if at in (None, one.at) and one.id not in departing]
    _cancel(state, room, ids, context, by)


def cancel_stale_wake_ups(state: HotelState, room: Room, context: Context) -> Room:
    """Cancel the wake-ups of a vacant room for its next guest, and return the room.

    A wake-up that the PMS has just requested is for that guest: a PMS may send it before the check-in.
    """
    departing = state.departing_wake_ups(room.room)
    ids = [
        one.id
        for one in room.wake_ups
        if one.id not in departing and not (one.by == "pms" and is_in_window(one.requested, context.now_ms))
    ]
    _emit_cancelled(state, room, ids, context.author)
    return room.without_wake_ups(ids)


def cancel_wake_ups_by_id(
    state: HotelState, room: Room, ids: Collection[int], context: Context, resync: bool
) -> None:
    """Cancel these wake-ups of a room: the stay of the guests who had them has ended."""
    _cancel(state, room, ids, context, context.author, resync)


def transfer_wake_ups(old: Room, ids: Collection[int], new: Room) -> tuple[Room, Room]:
    """Transfer these wake-ups from the `old` room to the `new` one, and return both rooms."""
    moving = [one for one in old.wake_ups if one.id in ids]
    over = sorted({*new.over, *old.over})
    new = evolve(new, wake_ups=_sort_by_time(*new.wake_ups, *moving), over=tuple(over))
    return old.without_wake_ups(ids), new


def _sort_by_time(*wake_ups: WakeUp) -> tuple[WakeUp, ...]:
    return tuple(sorted(wake_ups, key=lambda wake_up: wake_up.at))


def _cancel(
    state: HotelState,
    room: Room,
    ids: Collection[int],
    context: Context,
    by: Author,
    resync: bool = False,
) -> None:
    _emit_cancelled(state, room, ids, by, resync)
    state.set_room(room.without_wake_ups(ids), context, by)


def _emit_cancelled(
    state: HotelState, room: Room, ids: Collection[int], by: Author, resync: bool = False
) -> None:
    for wake_up in room.wake_ups:
        if wake_up.id in ids:
            payload = {"wake_up": serialize_wake_up(wake_up), "by": by}
            state.emit("wake_up.cancelled", room.room, payload, resync)
