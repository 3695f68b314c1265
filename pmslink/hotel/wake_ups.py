"""Wake-ups: a promise. Each is due at the hotel's local time, and ends with one result.

    waiting ─▶ rings ─▶ answered
                 │  ▲
                 ▼  │ after the interval, up to the attempts that are made
              busy, no answer, or nothing told

Moments are milliseconds since 1970 in UTC, but for `at`, which is the hotel's local time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from pmslink.errors import FieldError, PmslinkError
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.record import Record
from pmslink.hotel.events import Author, WakeUpFinished
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.rooms import Room, WakeUp, WakeUpResult, serialize_wake_up
from pmslink.timestamps import format_timestamp_ms

MAX_WAKE_UPS = 100
"""Of one room."""
MAX_REQUEST_AGE_MS = 24 * 3600 * 1000
"""What was ordered for a moment that is longer ago does not count."""
FINISHED_RETENTION = timedelta(days=2)
"""So long a wake-up that is over is known, for a PMS may repeat it: by more than clocks are set, longer
than an order counts."""
_ANSWER_STATUS_BY_RESULT: dict[WakeUpResult, str] = {
    "answered": "OK",
    "busy": "BY",
    "no_answer": "NR",
    "unreported": "NR",  # nobody can say that the guest is awake
    "missed": "NR",
}


class UnknownWakeUpError(PmslinkError):
    """There is no such wake-up, or it is over."""


class TooManyWakeUpsError(PmslinkError):
    """A room has as many as it may."""


class WakeUpNotDueError(PmslinkError):
    """The wake-up has not rung yet."""


def answer_status(result: WakeUpResult) -> str:
    """AS of the WA that tells it."""
    return _ANSWER_STATUS_BY_RESULT[result]


# From the PMS.


def on_wake_up_request(state: HotelState, record: Record, context: Context) -> None:
    """WR. One whose time has come already, or a little ago, means now."""
    room = state.room_of(record)
    at = _parse_requested_time(record)
    if room is not None and at is not None:
        set_wake_up(state, room, at, (record.get("DA") or "", record.get("TI") or ""), context, "pms")


def on_wake_up_clear(state: HotelState, record: Record, context: Context) -> None:
    """WC: of this time, or without one of the whole room."""
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


# From the PMS or a phone.


def set_wake_up(
    state: HotelState, room: Room, at: datetime, wire_date_time: tuple[str, str], context: Context, by: Author
) -> bool:
    """A guest is to be woken; `spelled` is that moment as DA and TI spell it. Whether the room has it now.

    What a PMS says of a wake-up that is over, it only repeats.
    """
    at = context.policy.resolve_ambiguous(at, context.now_ms - context.policy.wake_up_late_ms)
    due = context.policy.to_utc_ms(at)
    if known := [wake_up for wake_up in room.wake_ups if wake_up.at == at]:
        state.preserve_wake_ups(*known)
        return True
    is_over = by == "pms" and at.isoformat() in room.over
    if is_over or len(room.wake_ups) >= MAX_WAKE_UPS or context.now_ms - due > MAX_REQUEST_AGE_MS:
        return False
    wake_up = WakeUp(context.next_id(), at, *wire_date_time, due)
    state.emit("wake_up.set", room.room, {"wake_up": serialize_wake_up(wake_up), "by": by})
    by_time = sorted((*room.wake_ups, wake_up), key=lambda one: one.at)
    state.preserve_wake_ups(wake_up)
    state.set_room(evolve(room, wake_ups=tuple(by_time)), context, by)
    if due <= context.now_ms:
        advance_room(state, room.room, context)
    return True


def cancel_wake_ups(state: HotelState, room: Room, at: datetime | None, context: Context, by: Author) -> None:
    """The guest is not to be woken then, or not at all."""
    gone = tuple(wake_up for wake_up in room.wake_ups if at in (None, wake_up.at))
    _emit_cancelled(state, room, gone, by)
    state.set_room(_without_wake_ups(room, *gone), context, by)


def emit_removed_wake_ups(state: HotelState, old: Room, after: Room, resync: bool) -> None:
    """Tell who is not to be woken any more, for the room is left so."""
    _emit_cancelled(state, old, _removed_wake_ups(old, after), "pms", resync)


def transfer_wake_ups(state: HotelState, old: Room, after: Room, new: Room, resync: bool) -> Room:
    """The new room with the wake-ups that the old one loses. Of two for the same moment one is enough."""
    gone = _removed_wake_ups(old, after)
    known = {wake_up.at: wake_up for wake_up in new.wake_ups}
    more = tuple(wake_up for wake_up in gone if wake_up.at not in known)
    doubled = tuple(wake_up for wake_up in gone if wake_up.at in known)
    _emit_cancelled(state, old, doubled, "pms", resync)
    state.preserve_wake_ups(*more, *(known[wake_up.at] for wake_up in doubled))
    by_time = sorted((*new.wake_ups, *more), key=lambda one: one.at)
    over = sorted({*new.over, *old.over})
    return evolve(new, wake_ups=tuple(by_time), over=tuple(over))


def _removed_wake_ups(old: Room, after: Room) -> tuple[WakeUp, ...]:
    return tuple(wake_up for wake_up in old.wake_ups if wake_up not in after.wake_ups)


def _emit_cancelled(
    state: HotelState, room: Room, removed: tuple[WakeUp, ...], by: Author, resync: bool = False
) -> None:
    for wake_up in removed:
        state.emit("wake_up.cancelled", room.room, {"wake_up": serialize_wake_up(wake_up), "by": by}, resync)


# The time, and what comes of it.


def advance_room(state: HotelState, room_name: str, context: Context) -> None:
    """Wake who is to be woken in this room, once more who has not been, and give up in the end."""
    for wake_up in state.rooms[room_name].wake_ups:
        if wake_up.attempts == 0:  # the time zone may be another than it was
            wake_up = _replace_wake_up(
                state, room_name, evolve(wake_up, due=context.policy.to_utc_ms(wake_up.at)), context
            )
        elif (
            wake_up.again is not None and wake_up.again > context.now_ms + context.policy.wake_up_interval_ms
        ):
            # the clock was set back while it rang
            wake_up = _replace_wake_up(
                state,
                room_name,
                evolve(wake_up, again=context.now_ms + context.policy.wake_up_interval_ms),
                context,
            )
        if wake_up.next_due_at > context.now_ms:
            continue
        late = context.now_ms - wake_up.next_due_at > context.policy.wake_up_late_ms
        if wake_up.attempts == 0 and late:
            _finish_wake_up(state, room_name, wake_up, "missed", context)
        elif late or wake_up.attempts >= context.policy.wake_up_attempts:
            _finish_wake_up(state, room_name, wake_up, wake_up.result or "unreported", context)
        else:
            _start_attempt(state, room_name, wake_up, context)


def record_attempt_result(
    state: HotelState, room_name: str, id: int, attempt: int | None, result: WakeUpResult, context: Context
) -> WakeUp:
    """The PBX tells how an attempt went, without a number the last; gives the wake-up as it is now,
    with no moment `again` if it is over.

    Raises UnknownWakeUpError and WakeUpNotDueError.
    """
    room, wake_up = _find_wake_up(state, room_name, id)
    if wake_up.attempts == 0:
        raise WakeUpNotDueError(f"wake-up {id} is due at {wake_up.at.isoformat()}, and has not rung yet")
    if attempt is not None and not 1 <= attempt <= wake_up.attempts:
        raise WakeUpNotDueError(
            f"of wake-up {id} there were {wake_up.attempts} attempts, and no number {attempt}"
        )
    if result != "answered" and attempt not in (None, wake_up.attempts):
        return wake_up  # of an attempt that was given up already
    wake_up = _replace_wake_up(state, room, evolve(wake_up, result=result), context)
    if result == "answered" or wake_up.attempts >= context.policy.wake_up_attempts:
        _finish_wake_up(state, room, wake_up, result, context)
        return evolve(wake_up, again=None)
    return wake_up


def _find_wake_up(state: HotelState, room_name: str, id: int) -> tuple[str, WakeUp]:
    """Also in another room, for the guest may have moved while it rang."""
    for room in (room_name, *state.rooms_with_wake_ups - {room_name}):
        for wake_up in state.rooms[room].wake_ups if room in state.rooms else ():
            if wake_up.id == id:
                return room, wake_up
    raise UnknownWakeUpError(f"room {room_name} has no wake-up {id}, or it is over")


def _start_attempt(state: HotelState, room_name: str, wake_up: WakeUp, context: Context) -> None:
    rung = evolve(
        wake_up,
        attempts=wake_up.attempts + 1,
        again=context.now_ms + context.policy.wake_up_interval_ms,
        result=None,
    )
    _replace_wake_up(state, room_name, rung, context)
    told = {
        "wake_up": serialize_wake_up(rung),
        "attempt": rung.attempts,
        "attempts": context.policy.wake_up_attempts,
        "until": format_timestamp_ms(rung.next_due_at),
    }
    state.emit("wake_up.due", room_name, told)


def _finish_wake_up(
    state: HotelState, room_name: str, wake_up: WakeUp, result: WakeUpResult, context: Context
) -> None:
    room = state.rooms[room_name]
    recent = (context.policy.to_local(context.now_ms) - FINISHED_RETENTION).isoformat()
    over = (*(at for at in room.over if at > recent), wake_up.at.isoformat())
    state.set_room(evolve(_without_wake_ups(room, wake_up), over=over[-MAX_WAKE_UPS:]), context)
    told = {"wake_up": serialize_wake_up(wake_up), "result": result, "attempts": wake_up.attempts}
    state.emit("wake_up.done", room_name, told)
    state.emit_wake_up_finished(WakeUpFinished(room_name, wake_up, result))


def _replace_wake_up(state: HotelState, room_name: str, wake_up: WakeUp, context: Context) -> WakeUp:
    room = state.rooms[room_name]
    wake_ups = tuple(wake_up if one.id == wake_up.id else one for one in room.wake_ups)
    state.set_room(evolve(room, wake_ups=wake_ups), context)
    return wake_up


def _without_wake_ups(room: Room, *removed: WakeUp) -> Room:
    ids = {wake_up.id for wake_up in removed}
    return evolve(room, wake_ups=tuple(one for one in room.wake_ups if one.id not in ids))
