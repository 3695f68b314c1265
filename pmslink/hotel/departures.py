"""Departures: guests who leave a room, by check-out, by a move, or displaced by the next guest.

A guest who leaves is *departing* for the move window, and stays in the room's list of guests until its end.
If a record puts the guest into another room meanwhile, the departure is a move; else it ends as a check-out.
`guest_settings` decides where the room's settings go.
"""

from __future__ import annotations

from collections.abc import Iterable

from pmslink.frozen_values import evolve
from pmslink.hotel.events import StayChange, Vacated
from pmslink.hotel.guest_fields import SHARE_NO, SHARE_YES
from pmslink.hotel.guest_settings import close_window, settle, take_back, update_room
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.parties import include_arrivals, open_window
from pmslink.hotel.room_window import MOVE_WINDOW_MS, Arrival, Departure, Party, is_in_window
from pmslink.hotel.rooms import Guest, Room
from pmslink.hotel.wake_ups import cancel_wake_ups_by_id


def begin_departure(
    state: HotelState,
    room_name: str,
    number: str,
    context: Context,
    share: str | None = None,
    resync: bool = False,
    is_stated: bool = False,
) -> None:
    """Begin the departure of a guest who is in a room. `share` is GS of the record that states it."""
    window = open_window(state, room_name)
    departure = window.departure(number)
    if departure is not None and departure.is_open:
        state_departure(state, room_name, number, share, is_stated)
        return
    if window.arrival(number) is not None:
        include_arrivals(state, room_name, number)
        window = state.windows[room_name]
    party = window.party
    departure = Departure(number, context.now_ms, share, resync, is_stated)
    guests = party.guests if number in party.guests else (*party.guests, number)
    party = evolve(party, guests=guests).with_departure(departure)
    state.windows[room_name] = evolve(window, party=party)


def state_departure(
    state: HotelState, room_name: str, number: str, share: str | None, is_stated: bool = True
) -> bool:
    """Add what a record says of a departure that has begun, and return whether there is one."""
    window = state.windows.get(room_name)
    party = None if window is None else window.party_of(number)
    departure = None if party is None else party.departure(number)
    if window is None or party is None or departure is None:
        return False
    share = departure.share if share is None else share
    departure = evolve(departure, share=share, is_stated=departure.is_stated or is_stated)
    state.windows[room_name] = window.with_party(party, party.with_departure(departure))
    return True


def depart_others(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Begin the departure of those who were in a room with a guest: that one has left it empty.

    Guests who have come back within the window stay, because the order of its records is free.
    """
    window = open_window(state, room_name)
    party = window.party_of(number) or Party()
    for guest in state.staying_guests(room_name):
        has_returned = window.has_returned(guest.number, context.now_ms)
        if guest.number in party.guests and guest.number != number and not has_returned:
            begin_departure(state, room_name, guest.number, context)


def displace_others(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Begin the departure of the others in a room: a guest has come who is alone there.

    Sharers who have come within the window stay, because the order of its records is free.
    """
    window = open_window(state, room_name)
    has_first = any(one.share == SHARE_NO and not one.resync for one in window.arrivals)
    for guest in state.staying_guests(room_name):
        arrival = window.arrival(guest.number)
        is_sharer = arrival is not None and (
            arrival.resync
            or (arrival.share == SHARE_YES and not has_first and is_in_window(arrival.at, context.now_ms))
        )
        is_sharer = is_sharer or window.has_returned(guest.number, context.now_ms)
        if guest.number != number and not is_sharer:
            begin_departure(state, room_name, guest.number, context)


def cancel_departure(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Cancel the departure of a guest who is in the room after all."""
    window = state.windows.get(room_name)
    party = None if window is None else window.party_of(number)
    if window is None or party is None or party.departure(number) is None:
        return
    window = window.with_party(party, party.without_departure(number))
    returned = Arrival(number, context.now_ms)
    state.windows[room_name] = evolve(window, returns=(*window.returns, returned))
    take_back(state, room_name, number, context)
    update_room(state, room_name, context)


def is_return(state: HotelState, room_name: str, number: str, old_room: str, context: Context) -> bool:
    """Check whether a guest who now leaves `old_room` has moved there from a room within its window."""
    window = state.windows.get(room_name)
    departure = None if window is None else window.departure(number)
    return (
        departure is not None
        and departure.new_room == old_room
        and is_in_window(departure.since, context.now_ms)
    )


def close_settled_windows(state: HotelState, room_names: tuple[str, str], context: Context) -> bool:
    """Close the windows of two rooms before their time, if all has been said of who left them.

    A guest who comes back to the first room from the second begins another act. If the guest had joined
    others there, the windows stay. Return whether they are closed.
    """
    windows = [state.windows[name] for name in room_names if name in state.windows]
    is_open = any(one.is_open for window in windows for one in window.departures)
    if is_open or (room_names[1] in state.windows and state.has_staying_party(room_names[1])):
        return False
    for name in room_names:
        if name in state.windows:
            close_window(state, name, context)
    return True


def move_out(
    state: HotelState, old: Room, guest: Guest, new_room: str, context: Context, resync: bool
) -> bool:
    """Remove a guest who is in another room now, and return whether the old room is vacant."""
    window = state.windows[old.room]
    party = window.party_of(guest.number)
    departure = None if party is None else party.departure(guest.number)
    if party is not None and departure is not None:
        departure = evolve(departure, new_room=new_room, resync=departure.resync or resync)
        state.windows[old.room] = window.with_party(party, party.with_departure(departure))
    state.set_room(state.rooms[old.room].without_guests(guest), context, resync=resync)
    return state.is_vacant(old.room)


def complete_check_out(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """End a departure as a check-out."""
    guest, window = state.rooms[room_name].guest(number), state.windows[room_name]
    party = window.party_of(number)
    departure = None if party is None else party.departure(number)
    if guest is None or party is None or departure is None:
        return
    state.windows[room_name] = window.with_party(party, party.with_departure(evolve(departure, is_over=True)))
    settle(state, room_name, context, departure.resync)
    state.room_by_guest.pop(number, None)
    state.set_room(state.rooms[room_name].without_guests(guest), context, resync=departure.resync)
    update_room(state, room_name, context, departure.resync)
    is_vacant = state.is_vacant(room_name)
    state.emit_guest("guest.checked_out", room_name, guest, context, departure.resync, vacant=is_vacant)
    state.add_stay_change(StayChange("ended", room_name, number))
    if is_vacant:
        state.add_stay_change(StayChange("vacant", room_name))


def check_out_now(
    state: HotelState, room_name: str, numbers: tuple[str, ...], context: Context, resync: bool = False
) -> None:
    """Check guests out without waiting: they cannot turn up in another room."""
    for number in numbers:
        begin_departure(state, room_name, number, context, resync=resync)
    for number in numbers:
        complete_check_out(state, room_name, number, context)


def advance_departures(state: HotelState, context: Context) -> None:
    """End the departures and the windows that are over."""
    for room_name, window in tuple(state.windows.items()):
        for guest in state.rooms[room_name].guests:
            departure = window.departure(guest.number)
            if departure and departure.is_open and not is_in_window(departure.since, context.now_ms):
                complete_check_out(state, room_name, guest.number, context)
    for room_name in tuple(state.windows):
        _close_past_window(state, room_name, context)


def end_windows(state: HotelState, context: Context) -> None:
    """End all departures and windows before their time: the next record was made later than that.

    A resync's windows end with it.
    """
    if not state.resyncing:
        advance_departures(state, evolve(context, now_ms=context.now_ms + MOVE_WINDOW_MS))


def complete_oldest_departure(state: HotelState, room_name: str, context: Context) -> bool:
    """End the oldest departure from a full room before its time. Return whether there was one."""
    window = state.windows.get(room_name)
    departures = () if window is None else window.departures
    oldest = min((one for one in departures if one.is_open), key=lambda one: one.since, default=None)
    if oldest is not None:
        complete_check_out(state, room_name, oldest.number, context)
    return oldest is not None


def close_past_windows(state: HotelState, room_names: Iterable[str | None], context: Context) -> None:
    """Close the windows of these rooms if they are over, and those that have been open for longest."""
    for room_name in room_names:
        _close_past_window(state, room_name or "", context)
    while _close_past_window(state, next(iter(state.windows), ""), context):
        pass


def _close_past_window(state: HotelState, room_name: str, context: Context) -> bool:
    window = state.windows.get(room_name)
    is_over = window is not None and window.is_over(context.now_ms, state.resyncing)
    if is_over:
        close_window(state, room_name, context)
    return is_over


def reset_vacant_room(state: HotelState, room_name: str, context: Context, resync: bool = False) -> None:
    """Reset a room without known guests, which the PMS reports as vacant."""
    state.windows.pop(room_name, None)
    room = state.rooms[room_name]
    cancel_wake_ups_by_id(state, room, tuple(one.id for one in room.wake_ups), context, resync)
    room = evolve(
        state.rooms[room_name],
        class_of_service=None,
        message_light=False,
        do_not_disturb=False,
        make_up_room=False,
    )
    state.set_room(room, context, resync=resync)
    state.add_departure(Vacated(room_name, None, context.now_ms))
