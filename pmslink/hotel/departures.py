"""Departures: guests who leave a room, by check-out, by a move, or displaced by the next guest.

A guest who leaves is *departing* for the move window, and stays in the room's list of guests until its end.
If a record puts the guest into another room meanwhile, the departure is a move; else it ends as a check-out.
`guest_settings` decides where the room's settings go.
"""

from __future__ import annotations

from attrs import evolve

from pmslink.hotel.departure_group import Departure, DepartureGroup
from pmslink.hotel.events import StayChange
from pmslink.hotel.guest_settings import reset, restore_settings, settle
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.move_window import is_in_window
from pmslink.hotel.rooms import Guest, Room, serialize_guest
from pmslink.hotel.wake_ups import cancel_wake_ups_by_id


def begin_departure(
    state: HotelState,
    room_name: str,
    guest: Guest,
    context: Context,
    share: str | None = None,
    resync: bool = False,
) -> Departure:
    """Begin the departure of a guest, or add to it what another record says; return it.

    `share` is GS of the record.
    """
    group = state.departing.get(room_name, DepartureGroup())
    departure = group.find(guest.number)
    if departure is None:
        departure = Departure(guest.number, context.now_ms, share, resync)
        group = group.reopened()
    elif share is not None:
        departure = evolve(departure, share=share)
    state.departing[room_name] = group.with_departure(departure)
    return departure


def depart_others(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Begin the departure of the others in a room: a check-out or a move says that the guest was the last.

    Guests who came after that guest stay. The order of the records of a window is free.
    """
    for guest in state.staying_guests(room_name):
        is_other = guest.number != number
        if is_other and not state.window.is_newcomer(guest.number, room_name, (number,), context.now_ms):
            begin_departure(state, room_name, guest, context)


def displace_others(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Begin the departure of the others in a room: a guest has come who is alone there.

    Sharers of that guest whom the PMS reported before stay, and those whom the resync in progress reports.
    """
    for guest in state.staying_guests(room_name):
        here = state.window.find(guest.number, room_name, "here", context.now_ms)
        arrival = state.window.arrival(guest.number, room_name, context.now_ms)
        is_sharer = arrival is not None and arrival.awaits_first
        is_reported = state.resyncing and here is not None and here.resync
        if guest.number != number and not is_sharer and not is_reported:
            begin_departure(state, room_name, guest, context)


def cancel_departure(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Cancel the departure of a guest who is in the room after all."""
    group = state.departing.get(room_name)
    if group is None or group.find(number) is None:
        return
    restore_settings(state, room_name, group, context)
    if others := group.others(number):
        state.departing[room_name] = DepartureGroup(others)  # the settings stay with the room
    else:
        del state.departing[room_name]


def move_out(
    state: HotelState,
    old: Room,
    guest: Guest,
    new_room: str,
    context: Context,
    share: str | None = None,
    resync: bool = False,
) -> bool:
    """Remove a guest who is in another room now, and return whether the old room is vacant.

    The settings of the old room are not settled yet: the guest is not in the new room yet.
    """
    departure = begin_departure(state, old.room, guest, context, share, resync)
    moved = evolve(departure, new_room=new_room, resync=resync)
    state.departing[old.room] = state.departing[old.room].with_departure(moved)
    return _remove_guest(state, old, guest, context, resync)


def complete_check_out(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """End a departure as a check-out."""
    room, group = state.rooms[room_name], state.departing[room_name]
    departure, guest = group.find(number), room.guest(number)
    if departure is None or guest is None:
        return
    state.departing[room_name] = group.with_departure(evolve(departure, is_over=True))
    settle(state, room_name, context, departure.resync)
    state.room_by_guest.pop(number, None)
    vacant = _remove_guest(state, state.rooms[room_name], guest, context, departure.resync)
    payload = {"guest": serialize_guest(guest), "vacant": vacant}
    state.emit("guest.checked_out", room_name, payload, departure.resync)
    state.add_stay_change(StayChange("ended", room_name, number))
    if vacant:
        state.add_stay_change(StayChange("vacant", room_name))


def check_out_now(
    state: HotelState, room_name: str, guests: tuple[Guest, ...], context: Context, resync: bool = False
) -> None:
    """Check guests out without waiting: they cannot turn up in another room."""
    for guest in guests:
        begin_departure(state, room_name, guest, context, resync=resync)
    for guest in guests:
        complete_check_out(state, room_name, guest.number, context)
    forget_past_departures(state, room_name, context)


def advance_departures(state: HotelState, context: Context) -> None:
    """End the departures whose move window has ended."""
    for room_name, group in tuple(state.departing.items()):
        for guest in state.rooms[room_name].guests:
            departure = group.find(guest.number)
            if departure and departure.is_open and not is_in_window(departure.since, context.now_ms):
                complete_check_out(state, room_name, guest.number, context)
        settle(state, room_name, context)
        forget_past_departures(state, room_name, context)


def complete_oldest_departure(state: HotelState, room_name: str, context: Context) -> bool:
    """End the oldest departure from a full room before its time. Return whether there was one."""
    group = state.departing.get(room_name, DepartureGroup())
    oldest = min((one for one in group.departures if one.is_open), key=lambda one: one.since, default=None)
    if oldest is not None:
        complete_check_out(state, room_name, oldest.number, context)
        forget_past_departures(state, room_name, context)
    return oldest is not None


def forget_past_departures(state: HotelState, room_name: str, context: Context) -> None:
    """Forget the departures of a room once they cannot matter any more."""
    group = state.departing.get(room_name)
    if group is None or any(departure.is_open for departure in group.departures):
        return
    if group.settings is not None:  # they wait for the guests of another room
        return
    remaining = tuple(
        one
        for one in group.departures
        if not one.is_over and (is_in_window(one.since, context.now_ms) or (one.resync and state.resyncing))
    )
    if remaining and not group.is_settled:
        state.departing[room_name] = evolve(group, departures=remaining)
    else:
        del state.departing[room_name]


def forget_departure(state: HotelState, room_name: str, number: str, context: Context) -> bool:
    """Forget that a guest has left a room: the guest comes back.

    Return whether the guest still has the settings there: nobody else has departed, and they are not settled.
    """
    group = state.departing.get(room_name)
    if group is None or group.find(number) is None:
        return False
    if group.others(number):
        state.departing[room_name] = evolve(group, departures=group.others(number))
        return False
    cancel_departure(state, room_name, number, context)
    return group.settings is not None


def add_share_of_moved_guest(state: HotelState, room_name: str, number: str, share: str | None) -> None:
    """Add GS to the departure of a guest who has moved out of a room already."""
    group = state.departing.get(room_name)
    departure = None if group is None else group.find(number)
    if group is not None and departure is not None and share is not None:
        state.departing[room_name] = group.with_departure(evolve(departure, share=share))


def reset_vacant_room(state: HotelState, room_name: str, context: Context, resync: bool = False) -> None:
    """Reset a room without known guests, which the PMS reports as vacant."""
    room = state.rooms[room_name]
    cancel_wake_ups_by_id(state, room, tuple(one.id for one in room.wake_ups), context, resync)
    state.set_room(reset(state.rooms[room_name]), context, resync=resync)
    state.add_departure(room_name, None, context.now_ms)


def _remove_guest(state: HotelState, room: Room, guest: Guest, context: Context, resync: bool) -> bool:
    """Remove a departing guest from the list of a room, and return whether the room is vacant."""
    room = room.without_guests(guest)
    state.set_room(room, context, resync=resync)
    return not room.guests and not state.departing[room.room].leaves_unknown_guests
