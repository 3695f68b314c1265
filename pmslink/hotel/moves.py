"""Moves: a guest moves to another room, and so do the guest's wake-ups and room settings."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from pmslink.hotel.check_outs import check_out_guests, pop_pending_check_out
from pmslink.hotel.equipment import with_class_of_service
from pmslink.hotel.guest_fields import SHARE_NO, SHARE_YES, is_sharer
from pmslink.hotel.hotel_state import MOVE_WINDOW_MS, Context, HotelState
from pmslink.hotel.rooms import Guest, Room, serialize_guest
from pmslink.hotel.wake_ups import transfer_wake_ups


def move_guest(
    state: HotelState,
    guest: Guest,
    old: Room,
    new: Room,
    field_values: Mapping[str, str],
    gs_flags: tuple[str | None, str | None],
    context: Context,
    resync: bool = False,
) -> None:
    """Move a guest from the `old` room to the `new` one; `gs_flags` are GS of the new and the old room."""
    new_share, old_share = gs_flags
    pending = pop_pending_check_out(state, old.room, guest.number)
    if pending is not None:
        old_share = pending.share
    elif old_share is None and guest.number and not resync:
        _store_recent_move(state, guest.number, old.room, context)
    if old_share == SHARE_NO:
        others = tuple(other for other in old.guests if other.number != guest.number)
        check_out_guests(state, old, others, context, resync)
    if new_share == SHARE_NO and not resync:
        check_out_guests(state, new, new.guests, context)
    old, new = state.rooms[old.room], state.rooms.get(new.room, new)
    remaining = old.without_guests(*old.guests_with_number(guest.number))
    is_first = not new.guests
    guest = evolve(guest, sharer=is_sharer(new_share, new))
    vacant = not remaining.guests and old_share != SHARE_YES
    payload = {"guest": serialize_guest(guest), "from_room": old.room, "vacant": vacant}
    state.emit("guest.moved", new.room, payload, resync)
    # whether the wake-ups and the settings of the old room belong to this guest
    was_alone = vacant or (resync and state.has_only_new_guests(remaining))
    if was_alone:
        remaining = (
            remaining.vacated() if vacant else remaining.reset_for_new_guests(state.preserved_wake_ups)
        )
        new = transfer_wake_ups(state, old, remaining, new, resync)
        state.add_departure(old.room, new.room)
    if is_first and not resync:
        new = evolve(new, class_of_service=None, do_not_disturb=False, message_light=False)
    if is_first and was_alone:
        new = evolve(new, class_of_service=old.class_of_service, message_light=old.message_light)
    state.set_room(remaining, context, resync=resync)
    state.set_guest(guest, with_class_of_service(new, field_values), context, resync)


def _store_recent_move(state: HotelState, reservation_number: str, old_room: str, context: Context) -> None:
    state.recent_moves = {
        number: move
        for number, move in state.recent_moves.items()
        if context.now_ms < move[1] + MOVE_WINDOW_MS
    }
    state.recent_moves[reservation_number] = (old_room, context.now_ms)


def completes_recent_move(state: HotelState, reservation_number: str, room: Room, context: Context) -> bool:
    """Check whether a check-out completes a move: the guest has just checked in to another room."""
    old_room, since = state.recent_moves.pop(reservation_number, ("", 0))
    return old_room == room.room and since <= context.now_ms < since + MOVE_WINDOW_MS
