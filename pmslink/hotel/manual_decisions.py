"""Close changes by hand: the PMS agrees, or what the PMS says is taken over, by a person or after a day.

What is taken over is told to the PBX like any record of the PMS.
"""

from __future__ import annotations

from pmslink.errors import NotApplicableError, PmslinkError
from pmslink.frozen_values import evolve
from pmslink.hotel import departures, stays
from pmslink.hotel.guest_settings import change_settings, close_window
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_changes import GRACE_MS, ManualChange, Outcome, SuspendedSettings
from pmslink.hotel.rooms import Guest, Room
from pmslink.hotel.wake_ups import set_wake_up


class UnknownManualChangeError(PmslinkError):
    """There is no change by hand with this id."""


def take(state: HotelState, change_id: int, context: Context) -> ManualChange:
    """Take over what the PMS says. Raises UnknownManualChangeError and NotApplicableError."""
    change = _find_differing(state, change_id)
    take_over(state, change, context)
    state.emit_room_changes()
    return state.manual.by_id[change_id]


def keep(state: HotelState, change_id: int) -> ManualChange:
    """Keep a change until the PMS is corrected. Raises UnknownManualChangeError and NotApplicableError."""
    change = _find_differing(state, change_id)
    until = None if change.pms_guest is None else change.until
    return state.manual.set(evolve(change, outcome="kept", until=until))


def _find_differing(state: HotelState, change_id: int) -> ManualChange:
    change = state.manual.by_id.get(change_id)
    if change is None:
        raise UnknownManualChangeError(f"there is no change by hand with the id {change_id}")
    if change.outcome == "waiting":
        raise NotApplicableError("not_compared", "the PMS has not been asked yet what it says of this guest")
    if not change.is_open:
        raise NotApplicableError("decided", "this change is over: the rooms are as the PMS says")
    return change


def mark_differing(state: HotelState, change: ManualChange, context: Context) -> ManualChange:
    """Note that the PMS says something else. A change that is kept stays kept."""
    if change.outcome == "waiting":
        change = evolve(change, outcome="differs", until=change.until or context.now_ms + GRACE_MS)
    return state.manual.set(change)


def close(
    state: HotelState,
    change: ManualChange,
    outcome: Outcome,
    context: Context,
    pms_guest: Guest | None = None,
) -> None:
    """Close a change. It is listed for a day."""
    until = context.now_ms + GRACE_MS
    state.manual.set(evolve(change, outcome=outcome, until=until, pms_guest=pms_guest))


def take_over(
    state: HotelState,
    change: ManualChange,
    context: Context,
    outcome: Outcome = "taken",
    pms_guest: Guest | None = None,
) -> None:
    """Close a change, and put its guest where the PMS has the guest."""
    suspended = SuspendedSettings()
    if change.what == "check_out":
        suspended = state.manual.suspended.pop(change.room, suspended)
    close(state, change, outcome, context, pms_guest)
    seen = None if state.seen_guests is None else {*state.seen_guests}
    if change.pms_room is not None:
        displace(state, change.pms_room, context)
    if change.guest_room is not None and change.pms_room is None:
        departures.check_out_now(state, change.guest_room, (change.number,), context, state.resyncing)
        _end_window(state, change.guest_room, context)
    elif change.what == "check_out" and change.pms_room is not None:
        _check_in_again(state, change, change.pms_room, suspended, context)
    elif change.guest_room is not None and change.pms_room is not None:
        _move_back(state, change, change.guest_room, change.pms_room, context)
    state.seen_guests = seen  # that a guest is put back somewhere is not said by the resync in progress
    for room in change.rooms:
        release_room(state, room, context)


def displace(state: HotelState, room_name: str, context: Context, pms_guest: Guest | None = None) -> None:
    """Take the guests out of a room who are there by hand: the PMS has another guest there."""
    while changes := state.manual.with_guest_in(room_name):
        take_over(state, changes[0], context, "overruled", pms_guest)


def overrule(state: HotelState, change: ManualChange, context: Context) -> bool:
    """Take over what the PMS says if it has named another guest in the room, and still has that one there."""
    other, room = change.pms_guest, state.rooms.get(change.guest_room or "")
    if other is None or room is None or room.guest(other.number) is None:
        return False
    take_over(state, change, context, "overruled", other)
    return True


def release_room(state: HotelState, room_name: str, context: Context, applies: bool = True) -> None:
    """Apply what the PMS has said of a room, once no open change concerns the room any more.

    Without `applies` it is dropped: what the PMS says now replaces it.
    """
    if state.manual.concerning(room_name):
        return
    settings = state.manual.pms_settings.pop(room_name, None)
    if settings is not None and applies and room_name in state.rooms:
        change_settings(state, room_name, settings, context, resync=state.resyncing)


def expire(state: HotelState, context: Context) -> None:
    """Take over what the PMS says where nobody has decided in time, and forget what was closed a day ago.

    If the clock was set back, the day begins again.
    """
    if not context.clock_settled:
        return
    for change_id in tuple(state.manual.by_id):
        change = state.manual.by_id[change_id]  # a change that is taken over may close others
        if change.until is None:
            continue
        if change.until > context.now_ms:
            state.manual.set(evolve(change, until=min(change.until, context.now_ms + GRACE_MS)))
        elif change.pms_guest is not None and change.is_open:
            if not overrule(state, change, context):
                _resume(state, change, context)
        elif change.is_open:
            take_over(state, change, context)
        else:
            state.manual.remove(change)


def _resume(state: HotelState, change: ManualChange, context: Context) -> None:
    """Let a change be as before: the other guest whom the PMS named in the room is there no longer."""
    until = context.now_ms + GRACE_MS if change.outcome == "differs" else None
    state.manual.set(evolve(change, pms_guest=None, until=until))


def _end_window(state: HotelState, room_name: str, context: Context) -> None:
    """End the window of a room: the guest whom the PMS has there brings nothing of the former one."""
    window = state.windows.get(room_name)
    if window is not None and not any(one.is_open for one in window.departures):
        close_window(state, room_name, context)


def _check_in_again(
    state: HotelState, change: ManualChange, room_name: str, suspended: SuspendedSettings, context: Context
) -> None:
    """Check a guest in again who was checked out by hand, with what the guests of the room had."""
    room = state.room_by_name(room_name) or Room(room_name)
    placement = stays.Placement(change.number, room, {}, None, guest=change.guest)
    stays.check_in(state, placement, context)
    if suspended.settings.values:
        change_settings(state, room_name, suspended.settings, context, resync=state.resyncing)
    for wake_up in suspended.wake_ups:
        if wake_up.due > context.now_ms:
            wire_date_time = (wake_up.date, wake_up.time)
            set_wake_up(state, state.rooms[room_name], wake_up.at, wire_date_time, context, "pms")


def _move_back(
    state: HotelState, change: ManualChange, room_name: str, pms_room: str, context: Context
) -> None:
    room = state.room_by_name(pms_room) or Room(pms_room)
    placement = stays.Placement(change.number, room, {}, None, is_check_in=False)
    stays.move(state, placement, state.rooms[room_name], context)
