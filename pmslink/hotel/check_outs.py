"""Check-outs: complete them at once, or after the time in which a check-in makes them a move."""

from __future__ import annotations

from collections.abc import Iterable

from pmslink.hotel.guest_fields import SHARE_NO, SHARE_YES
from pmslink.hotel.hotel_state import Context, HotelState, PendingCheckOut
from pmslink.hotel.rooms import Guest, Room, serialize_guest
from pmslink.hotel.wake_ups import emit_removed_wake_ups


def check_out_guests(
    state: HotelState,
    room: Room,
    departed: Iterable[Guest],
    context: Context,
    resync: bool = False,
    share: str | None = None,
) -> None:
    """Remove guests from a room. The last one vacates the room, unless `share` (GS) is Y."""
    for guest in departed:
        room = state.rooms[room.room]
        room = room.without_guests(guest)
        state.room_by_guest.pop(guest.number, None)
        pop_pending_check_out(state, room.room, guest.number)
        vacant = not room.guests and share != SHARE_YES
        if vacant or (resync and state.has_only_new_guests(room)):
            reset_room = room.vacated() if vacant else room.reset_for_new_guests(state.preserved_wake_ups)
            room = _reset_room(state, room, reset_room, resync)
        payload = {"guest": serialize_guest(guest), "vacant": vacant}
        state.emit("guest.checked_out", room.room, payload, resync)
        state.set_room(room, context, resync=resync)


def vacate(state: HotelState, room: Room, context: Context, resync: bool = False) -> None:
    """Check out all guests of a room and reset it, even if no guest of it is stored."""
    if room.guests:
        check_out_guests(state, room, room.guests, context, resync)
    else:
        state.set_room(_reset_room(state, room, room.vacated(), resync), context, resync=resync)


def _reset_room(state: HotelState, room: Room, reset_room: Room, resync: bool) -> Room:
    emit_removed_wake_ups(state, room, reset_room, resync)
    state.add_departure(room.room)
    return reset_room


def complete_check_out(state: HotelState, room_name: str, reservation_number: str, context: Context) -> None:
    """Complete a pending check-out."""
    pending = pop_pending_check_out(state, room_name, reservation_number)
    if pending is None:  # completed with the check-out of another guest
        return
    room = state.rooms[room_name]
    departed = room.guests if pending.share == SHARE_NO else room.guests_with_number(reservation_number)
    check_out_guests(state, room, departed, context, share=pending.share)


def complete_room_check_outs(state: HotelState, room_name: str | None, context: Context) -> None:
    """Complete all pending check-outs of a room, for example when another record is about it."""
    for number in tuple(state.pending_check_outs.get(room_name or "", ())):
        complete_check_out(state, room_name or "", number, context)


def complete_all_check_outs(state: HotelState, context: Context) -> None:
    """Complete all pending check-outs of the hotel."""
    for name in tuple(state.pending_check_outs):
        complete_room_check_outs(state, name, context)


def pop_pending_check_out(
    state: HotelState, room_name: str, reservation_number: str
) -> PendingCheckOut | None:
    """Remove a pending check-out and return it; None if there is none."""
    guests = state.pending_check_outs.get(room_name, {})
    pending = guests.pop(reservation_number, None)
    if pending is not None and not guests:
        del state.pending_check_outs[room_name]
    return pending
