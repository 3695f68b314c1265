"""Stays: handlers of check-in (GI), data change (GC) and check-out (GO).

Each record says where a guest is, or is not. `_place` puts a guest into a room: that is a check-in, a change
or a move, depending on where the guest was. GS says whether other guests stay in the room *after* the record.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from pmslink.fias.record import Record
from pmslink.frozen_values import evolve
from pmslink.hotel import departures
from pmslink.hotel.equipment import parse_class_of_service
from pmslink.hotel.events import StayChange
from pmslink.hotel.guest_fields import (
    SHARE_NO,
    SHARE_YES,
    parse_gs_flags,
    parse_guest_fields,
    parse_reservation_number,
)
from pmslink.hotel.guest_settings import said_of, set_class_of_guest, settle
from pmslink.hotel.hotel_state import MAX_GUESTS, Context, HotelState
from pmslink.hotel.parties import keep_settings, open_window, separate_parties
from pmslink.hotel.room_window import Arrival, SaidSettings, is_in_window
from pmslink.hotel.rooms import Guest, Room, room_key
from pmslink.hotel.wake_ups import cancel_stale_wake_ups

MAX_ROOM_GUESTS = 100
"""Guests of one room; further check-ins are ignored."""

_NO_STAY = "0"
"""G# of a GC that is about a room's telephone number, not about a stay."""


@frozen
class Placement:
    """A record that puts a guest into a room. `share` is GS of that room, `old_share` GS of the old one.

    `resync`: the record repeats what happened earlier, so it resets no room and displaces nobody. `guest` is
    whose data are not those of a record.
    """

    number: str
    room: Room
    field_values: Mapping[str, str]
    share: str | None
    old_share: str | None = None
    resync: bool = False
    is_check_in: bool = True
    guest: Guest | None = None

    @property
    def class_of_service(self) -> int | None:
        """The class of service that the record has."""
        return parse_class_of_service(self.field_values.get("CS"))


def on_check_in(state: HotelState, record: Record, context: Context) -> None:
    """Handle GI: check a guest in; with SF, the PMS repeats a check-in."""
    field_values = dict(record.fields)
    room = state.room_of(record)
    if room is not None:
        number, resync = parse_reservation_number(field_values), "SF" in field_values
        _place(state, Placement(number, room, field_values, field_values.get("GS"), resync=resync), context)


def on_data_change(state: HotelState, record: Record, context: Context) -> None:
    """Handle GC: change a guest's data, or with RO move the guest to another room."""
    field_values = dict(record.fields)
    number = parse_reservation_number(field_values)
    room = state.room_of(record)
    if room is None or number == _NO_STAY:
        return
    share, old_share = parse_gs_flags(record)
    old_name = room_key(field_values.get("RO"))
    placement = Placement(number, room, field_values, share, old_share, is_check_in=False)
    if old_name is None and _has_moved_on(state, number, room.room, context):
        _update_guest_elsewhere(state, placement, context)
        return
    is_unknown = not number and state.find_guest("", room.room) is None
    if is_unknown and old_name is not None and state.find_guest("", old_name):  # found by room
        move(state, placement, state.rooms[old_name], context)
    else:
        _place(state, placement, context)
    if old_name is not None and old_name != room.room:
        _leave(state, old_name, number, old_share, context)


def on_check_out(state: HotelState, record: Record, context: Context) -> None:
    """Handle GO: check a guest out; with SF, the room is vacant.

    The guest is departing for the move window: a record that puts the guest into another room in that time
    makes it a move.
    """
    field_values = dict(record.fields)
    room = state.room_of(record)
    if room is None:
        return
    number, share = parse_reservation_number(field_values), field_values.get("GS")
    resync = "SF" in field_values
    state.set_room(room, context)
    if resync and state.resyncing:  # a later GI of the resync may move the guest; if none does, DE checks out
        state.mark_seen_vacant(room.room)
    elif number and share != SHARE_NO and resync and state.room_by_guest.get(number) == room.room:
        _leave(state, room.room, number, share, context, resync)
    elif not number or resync:
        _check_out_all(state, room, share, context, resync)
    else:
        _leave(state, room.room, number, share, context)
    if share != SHARE_YES and not state.rooms[room.room].guests:
        state.add_stay_change(StayChange("vacant", room.room))


def _place(state: HotelState, placement: Placement, context: Context) -> None:
    """Put a guest into a room, unless a later move of the same window has taken the guest on."""
    number, room = placement.number, placement.room
    current = state.find_guest(number, room.room)
    if current is not None and current[0].room == room.room:
        if placement.is_check_in:
            departures.cancel_departure(state, room.room, number, context)
        _update_guest(state, placement, current[1], context)
        return
    if placement.is_check_in and _has_moved_on(state, number, room.room, context):
        return
    if current is None and state.guest_count >= MAX_GUESTS:
        state.bound_problem = f"the hotel has {MAX_GUESTS} guests already"
        return
    if len(room.guests) >= MAX_ROOM_GUESTS:
        if not departures.complete_oldest_departure(state, room.room, context):
            state.bound_problem = f"the room has {MAX_ROOM_GUESTS} guests already"
            return
        room = evolve(state.rooms[room.room], spelling=room.spelling)
        placement = evolve(placement, room=room)
    if current is None:
        check_in(state, placement, context)
    else:
        move(state, placement, current[0], context)


def _has_moved_on(state: HotelState, number: str, room_name: str, context: Context) -> bool:
    """Check whether records of the window have taken the guest from this room to the present one."""
    window, present = state.windows.get(room_name), state.room_by_guest.get(number)
    departure = None if window is None else window.departure(number)
    if departure is None or present is None or departure.new_room != present:
        return False
    new_departure = state.windows[present].departure(number) if present in state.windows else None
    is_leaving = new_departure is not None and new_departure.is_open and new_departure.is_stated
    return departure.is_stated and is_in_window(departure.since, context.now_ms) and not is_leaving


def check_in(state: HotelState, placement: Placement, context: Context) -> None:
    """Check a guest in who is not in the hotel."""
    name, is_missed = placement.room.room, not placement.is_check_in
    resync = placement.resync or is_missed
    is_first = _prepare_room(state, placement, context, resets=not resync)
    guest = _parse_guest(placement, context, None)
    is_sharer = placement.share != SHARE_NO and (
        not is_first or (placement.resync and placement.share == SHARE_YES)
    )
    guest = evolve(guest, sharer=is_sharer)
    state.emit_guest("guest.checked_in", name, guest, context, resync)
    state.add_stay_change(StayChange("began", name, guest.number))
    _arrive(state, placement, guest, context, resync)


def move(state: HotelState, placement: Placement, old: Room, context: Context) -> None:
    """Move a guest who is in the room `old`."""
    name, resync, number = placement.room.room, placement.resync, placement.number
    found = old.guest(number)
    if found is None:
        return
    comes_back = departures.is_return(state, name, number, old.room, context)
    is_return = comes_back and not departures.close_settled_windows(state, (name, old.room), context)
    if is_return:
        is_first = not state.staying_guests(name)
        departures.cancel_departure(state, name, number, context)
    else:
        is_first = _prepare_room(state, placement, context, not resync, old.room)
    guest = _parse_guest(placement, context, found)
    is_sharer = placement.share == SHARE_YES or (placement.share != SHARE_NO and not is_first)
    guest = evolve(guest, sharer=is_sharer)
    departures.begin_departure(state, old.room, number, context, placement.old_share, resync)
    is_vacant = departures.move_out(state, old, found, name, context, resync)
    state.emit_guest("guest.moved", name, guest, context, resync, from_room=old.room, vacant=is_vacant)
    state.add_stay_change(StayChange("moved", name, number, old.room))
    if is_vacant:
        state.add_stay_change(StayChange("vacant", old.room))
    if is_return:
        _update_guest(state, placement, guest, context)
    else:
        _arrive(state, placement, guest, context, resync, old.room)
    settle(state, old.room, context, resync)


def _prepare_room(
    state: HotelState,
    placement: Placement,
    context: Context,
    resets: bool,
    old_room: str | None = None,
) -> bool:
    """Prepare a room for a guest who comes: displace others, and reset it for a first guest.

    A check-in that is repeated, or was missed, resets nothing. Returns whether the guest is the first one.
    """
    name, number = placement.room.room, placement.number
    state.rooms.setdefault(name, placement.room)
    if placement.share == SHARE_NO and not placement.resync:
        departures.displace_others(state, name, number, context)
        settle(state, name, context)
        _mark_as_sharers(state, name, context)
    state.windows[name] = open_window(state, name).without_guest(number)  # who comes back is a new guest
    separate_parties(state, name, placement.share, old_room)
    keep_settings(state, name)
    is_first = not state.staying_guests(name)
    if is_first:
        _begin_settings(state, name, context, resets)
    return is_first


def _begin_settings(state: HotelState, room_name: str, context: Context, resets: bool) -> None:
    """Begin the settings of a room with its first guest."""
    window, room = state.windows[room_name], state.rooms[room_name]
    said = window.said
    if resets:
        said = SaidSettings()
    elif not window.party.guests and not window.arrivals:
        said = said_of(room)
    state.windows[room_name] = evolve(window, said=said, is_separated=True)
    if resets:
        state.set_room(cancel_stale_wake_ups(state, room, context), context)


def _mark_as_sharers(state: HotelState, room_name: str, context: Context) -> None:
    """Mark the guests who stay as sharers: the PMS reported them before the room's first guest."""
    for guest in state.staying_guests(room_name):
        if not guest.sharer:
            changed = evolve(guest, sharer=True)
            state.set_room(state.rooms[room_name].with_guest(changed), context)
            state.emit_guest("guest.changed", room_name, changed, context)


def _arrive(
    state: HotelState,
    placement: Placement,
    guest: Guest,
    context: Context,
    resync: bool,
    old_room: str | None = None,
) -> None:
    """Add a guest to the list of a room."""
    name, value = placement.room.room, placement.class_of_service
    room = evolve(state.rooms[name], spelling=placement.room.spelling)
    state.set_guest(guest, room, context, resync)
    arrival = Arrival(
        guest.number, context.now_ms, placement.share, placement.resync, value is not None, old_room
    )
    window = state.windows[name]
    state.windows[name] = evolve(window, arrivals=(*window.arrivals, arrival))
    if value is not None:
        set_class_of_guest(state, name, guest.number, value, context, resync)
    settle(state, name, context, resync)


def _update_guest(state: HotelState, placement: Placement, before: Guest, context: Context) -> None:
    guest = evolve(_parse_guest(placement, context, before), sharer=before.sharer)
    name, resync, value = placement.room.room, placement.resync, placement.class_of_service
    if guest != before:
        state.emit_guest("guest.changed", name, guest, context, resync)
    room = evolve(state.rooms[name], spelling=placement.room.spelling)
    state.set_guest(guest, room, context, resync)
    if value is not None:
        set_class_of_guest(state, name, guest.number, value, context, resync)


def _update_guest_elsewhere(state: HotelState, placement: Placement, context: Context) -> None:
    """Change the data of a guest who has moved on since the record was made."""
    current = state.find_guest(placement.number, placement.room.room)
    if current is not None:
        room, guest = current
        values = {code: text for code, text in placement.field_values.items() if code != "CS"}
        _update_guest(state, evolve(placement, room=room, field_values=values), guest, context)


def _parse_guest(placement: Placement, context: Context, before: Guest | None) -> Guest:
    """Parse the guest's data. A check-in has all of them, a change only those that change."""
    if placement.guest is not None:
        return placement.guest
    parsed = parse_guest_fields(placement.field_values, context.policy.guest_fields)
    if before is None or placement.is_check_in:
        return Guest(placement.number, **parsed)
    return evolve(before, **{**parsed, "fields": {**before.fields, **parsed["fields"]}})


def _leave(
    state: HotelState,
    room_name: str,
    number: str,
    share: str | None,
    context: Context,
    resync: bool = False,
) -> None:
    """Handle the report that a guest leaves a room, or has left it. GS N: the room is empty then.

    From an unknown guest it is believed only of a room without known guests.
    """
    if room_name not in state.rooms:
        return
    is_known = state.rooms[room_name].guest(number) is not None
    if is_known:
        departures.begin_departure(state, room_name, number, context, share, resync, is_stated=True)
    else:
        is_known = departures.state_departure(state, room_name, number, share)
    if share == SHARE_NO and is_known:
        departures.depart_others(state, room_name, number, context)
    elif share == SHARE_NO and not state.rooms[room_name].guests:
        departures.reset_vacant_room(state, room_name, context)
    settle(state, room_name, context, resync)


def _check_out_all(state: HotelState, room: Room, share: str | None, context: Context, resync: bool) -> None:
    """Check all guests of a room out. One without a number cannot turn up elsewhere, and is gone at once."""
    if share == SHARE_YES:  # the record does not say which guest leaves
        return
    if not room.guests:
        departures.reset_vacant_room(state, room.room, context, resync)
        return
    for guest in room.guests:
        departures.begin_departure(state, room.room, guest.number, context, None, resync, is_stated=True)
    settle(state, room.room, context, resync)
    if room.guest("") is not None:
        departures.complete_check_out(state, room.room, "", context)
