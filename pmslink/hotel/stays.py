"""Stays: handlers of check-in (GI), data change (GC) and check-out (GO).

GS says whether other guests stay in the room *after* the record. Stored guests that it excludes check out.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel.check_outs import check_out_guests, complete_room_check_outs, vacate
from pmslink.hotel.equipment import with_class_of_service
from pmslink.hotel.guest_fields import (
    SHARE_NO,
    SHARE_YES,
    is_sharer,
    parse_gs_flags,
    parse_guest_fields,
    parse_reservation_number,
)
from pmslink.hotel.hotel_state import Context, HotelState, PendingCheckOut
from pmslink.hotel.moves import completes_recent_move, move_guest
from pmslink.hotel.rooms import Guest, Room, serialize_guest

MAX_GUESTS = 100
"""Guests of one room; further check-ins are ignored."""

_NO_STAY = "0"
"""G# of a GC that is about a room's telephone number, not about a stay."""


def on_check_in(state: HotelState, record: Record, context: Context) -> None:
    """Handle GI: check a guest in; with SF, the PMS repeats a check-in."""
    field_values = dict(record.fields)
    resync = "SF" in field_values
    room = state.room_of(record)
    if room is None:
        return
    guest = Guest(parse_reservation_number(field_values), **parse_guest_fields(field_values))  # type: ignore[arg-type]
    current = _find_guest(state, guest.number, room)
    if current is None and len(room.guests) >= MAX_GUESTS:
        return
    if current is None:
        _check_in(state, guest, room, field_values, context, resync)
    elif current[0] == room:
        guest = evolve(guest, sharer=current[1].sharer)
        _update_guest(state, room, guest, field_values, context, resync)
    else:
        gs_flags = field_values.get("GS"), None
        move_guest(state, guest, current[0], room, field_values, gs_flags, context, resync)


def on_data_change(state: HotelState, record: Record, context: Context) -> None:
    """Handle GC: change a guest's data, or with RO move the guest to another room."""
    field_values = dict(record.fields)
    room = state.room_of(record)
    if room is None:
        return
    number = parse_reservation_number(field_values)
    if number == _NO_STAY:
        return
    current = _find_guest(state, number, room)
    old_room = state.rooms.get(field_values.get("RO", ""))
    if current is None and not number and old_room is not None:  # the PMS identifies guests by room
        current = _find_guest(state, number, old_room)
    if current is None and len(room.guests) >= MAX_GUESTS:
        return
    if current is None:  # the check-in was missed
        current = room, Guest(number, sharer=bool(room.guests))
    old, guest = current[0], evolve(current[1], **parse_guest_fields(field_values))  # type: ignore[arg-type]
    if old == room:
        _update_guest(state, room, guest, field_values, context)
    else:
        move_guest(state, guest, old, room, field_values, parse_gs_flags(record), context)


def on_check_out(state: HotelState, record: Record, context: Context) -> None:
    """Handle GO: check a guest out; with SF, the room is vacant.

    The check-out of a guest with a reservation number is pending for `MOVE_WINDOW_MS`: a check-in to
    another room in that time makes it a move.
    """
    field_values = dict(record.fields)
    room = state.room_of(record)
    if room is None:
        return
    number = parse_reservation_number(field_values)
    resync = "SF" in field_values
    share = field_values.get("GS")
    if resync and state.resyncing:  # a later GI of the resync may move the guest; if none does, DE checks out
        state.mark_seen_vacant(room.room)
        state.set_room(room, context)
    elif not number or resync:
        complete_room_check_outs(state, room.room, context)
        room = state.rooms.get(room.room, room)
        state.set_room(room, context)
        if number and share != SHARE_NO:
            check_out_guests(state, room, room.guests_with_number(number), context, resync, share)
        elif share != SHARE_YES:  # GS Y without a number does not say which guest leaves
            vacate(state, room, context, resync)
    elif state.room_by_guest.get(number) == room.room:
        state.pending_check_outs.setdefault(room.room, {}).setdefault(
            number, PendingCheckOut(context.now_ms, share)
        )
    elif share == SHARE_NO and (not room.guests or completes_recent_move(state, number, room, context)):
        vacate(state, room, context)


def _check_in(
    state: HotelState,
    guest: Guest,
    room: Room,
    field_values: Mapping[str, str],
    context: Context,
    resync: bool,
) -> None:
    share = field_values.get("GS")
    if share == SHARE_NO and not resync:
        check_out_guests(state, room, room.guests, context)
        room = state.rooms.get(room.room, room)
    guest = evolve(guest, sharer=is_sharer(share, room))
    state.emit("guest.checked_in", room.room, {"guest": serialize_guest(guest)}, resync)
    if (
        not guest.sharer and not resync
    ):  # a sharer, or a guest who is perhaps in the room already, must not reset it
        room = evolve(room, class_of_service=None, do_not_disturb=False, message_light=False)
    state.set_guest(guest, with_class_of_service(room, field_values), context, resync)


def _update_guest(
    state: HotelState,
    room: Room,
    guest: Guest,
    field_values: Mapping[str, str],
    context: Context,
    resync: bool = False,
) -> None:
    if guest != room.guest(guest.number):
        state.emit("guest.changed", room.room, {"guest": serialize_guest(guest)}, resync)
    state.set_guest(guest, with_class_of_service(room, field_values), context, resync)


def _find_guest(state: HotelState, reservation_number: str, room: Room) -> tuple[Room, Guest] | None:
    """Find a guest and the guest's room; without a number, the guest without a number in `room`."""
    current = state.rooms.get(state.room_by_guest.get(reservation_number, "")) if reservation_number else room
    guest = None if current is None else current.guest(reservation_number)
    return None if current is None or guest is None else (current, guest)
