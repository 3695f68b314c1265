"""Attempts of a wake-up: their start, the results that the PBX reports, and the final result.

    waiting ─▶ ringing ─▶ answered
                 │  ▲
                 ▼  │ after the interval, up to the number of attempts
           busy, no answer, or not reported

Times are milliseconds since 1970 in UTC, except `at`, which is the hotel's local time.
"""

from __future__ import annotations

from datetime import timedelta

from pmslink.errors import PmslinkError
from pmslink.frozen_values import evolve
from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.rooms import MAX_WAKE_UPS, WakeUp, WakeUpResult, serialize_wake_up
from pmslink.timestamps import format_timestamp_ms

FINISHED_RETENTION = timedelta(days=2)
"""How long a room stores the time of a finished wake-up, because a PMS may repeat the request.

Longer than `MAX_REQUEST_AGE_MS`, and than any step by which a clock is set."""
_ANSWER_STATUS_BY_RESULT: dict[WakeUpResult, str] = {
    "answered": "OK",
    "busy": "BY",
    "no_answer": "NR",
    "unreported": "NR",  # it is not certain that the guest is awake
    "missed": "NR",
    "no_phone": "NR",
}


class UnknownWakeUpError(PmslinkError):
    """There is no such wake-up, or it is finished."""


class WakeUpNotDueError(PmslinkError):
    """The wake-up, or this attempt of it, has not begun yet."""


def answer_status(result: WakeUpResult) -> str:
    """Map a wake-up's result to AS of the WA that reports it."""
    return _ANSWER_STATUS_BY_RESULT[result]


def advance_room(state: HotelState, room_name: str, context: Context) -> None:
    """Begin the attempts that are due in a room, and finish the wake-ups that have no attempts left.

    Those of guests who may be moving wait. While the clock is not settled, none is finished as missed.
    """
    for wake_up in state.due_wake_ups(room_name):
        wake_up = _adjust_to_clock(state, room_name, wake_up, context)
        if wake_up.next_due_at > context.now_ms:
            continue
        is_late = context.now_ms - wake_up.next_due_at > context.policy.wake_up_late_ms
        if is_late and not context.clock_settled:
            continue  # the clock may be ahead: the wake-up would be missed, or ring, before its time
        if wake_up.attempts == 0 and is_late:
            _finish_wake_up(state, room_name, wake_up, "missed", context)
        elif is_late or wake_up.attempts >= context.policy.wake_up_attempts:
            _finish_wake_up(state, room_name, wake_up, wake_up.result or "unreported", context)
        elif wake_up.attempts == 0 and not context.policy.extensions_of_room(room_name):
            _finish_wake_up(state, room_name, wake_up, "no_phone", context)
        else:
            _start_attempt(state, room_name, wake_up, context)


def _adjust_to_clock(state: HotelState, room_name: str, wake_up: WakeUp, context: Context) -> WakeUp:
    latest_retry_at = context.now_ms + context.policy.wake_up_interval_ms
    if wake_up.attempts == 0:  # the hotel's time zone may have changed
        due = context.policy.to_utc_ms(wake_up.at)
        return _replace_wake_up(state, room_name, evolve(wake_up, due=due), context)
    is_set_back = wake_up.again is not None and wake_up.again > latest_retry_at
    if is_set_back and context.clock_settled:
        return _replace_wake_up(state, room_name, evolve(wake_up, again=latest_retry_at), context)
    return wake_up


def record_attempt_result(
    state: HotelState,
    room_name: str,
    wake_up_id: int,
    attempt: int | None,
    result: WakeUpResult,
    context: Context,
) -> WakeUp:
    """Record the result of an attempt that the PBX reports, by default the last; return the changed wake-up.

    Its `again` is None if it is finished. Raises UnknownWakeUpError and WakeUpNotDueError.
    """
    room, wake_up = _find_wake_up(state, room_name, wake_up_id)
    if wake_up.attempts == 0:
        raise WakeUpNotDueError(
            f"wake-up {wake_up_id} is due at {wake_up.at.isoformat()}; it has no attempt yet"
        )
    if attempt is not None and not 1 <= attempt <= wake_up.attempts:
        raise WakeUpNotDueError(
            f"wake-up {wake_up_id} has {wake_up.attempts} attempts; there is no attempt {attempt}"
        )
    if result != "answered" and attempt not in (None, wake_up.attempts):
        return wake_up  # a later attempt has begun already
    wake_up = _replace_wake_up(state, room, evolve(wake_up, result=result), context)
    if result == "answered" or wake_up.attempts >= context.policy.wake_up_attempts:
        _finish_wake_up(state, room, wake_up, result, context)
        wake_up = evolve(wake_up, again=None)
    state.emit_room_changes()
    return wake_up


def _find_wake_up(state: HotelState, room_name: str, wake_up_id: int) -> tuple[str, WakeUp]:
    # also in other rooms: the guest may have moved since the attempt began
    for room in (room_name, *state.rooms_with_wake_ups - {room_name}):
        for wake_up in state.rooms[room].wake_ups if room in state.rooms else ():
            if wake_up.id == wake_up_id:
                return room, wake_up
    raise UnknownWakeUpError(f"room {room_name} has no wake-up {wake_up_id}, or it is finished")


def _start_attempt(state: HotelState, room_name: str, wake_up: WakeUp, context: Context) -> None:
    ringing = evolve(
        wake_up,
        attempts=wake_up.attempts + 1,
        again=context.now_ms + context.policy.wake_up_interval_ms,
        result=None,
    )
    _replace_wake_up(state, room_name, ringing, context)
    payload = {
        "wake_up": serialize_wake_up(ringing),
        "attempt": ringing.attempts,
        "attempts": context.policy.wake_up_attempts,
        "until": format_timestamp_ms(ringing.next_due_at),
    }
    state.emit("wake_up.due", room_name, payload)


def _finish_wake_up(
    state: HotelState, room_name: str, wake_up: WakeUp, result: WakeUpResult, context: Context
) -> None:
    room = state.rooms[room_name]
    oldest = (context.policy.to_local(context.now_ms) - FINISHED_RETENTION).isoformat()
    over = (*(at for at in room.over if at > oldest), wake_up.at.isoformat())
    state.set_room(evolve(room.without_wake_ups((wake_up.id,)), over=over[-MAX_WAKE_UPS:]), context)
    payload = {"wake_up": serialize_wake_up(wake_up), "result": result, "attempts": wake_up.attempts}
    state.emit("wake_up.done", room_name, payload)
    state.emit_wake_up_finished(WakeUpFinished(room_name, wake_up, result))


def _replace_wake_up(state: HotelState, room_name: str, wake_up: WakeUp, context: Context) -> WakeUp:
    state.set_room(state.rooms[room_name].with_wake_up(wake_up), context)
    return wake_up
