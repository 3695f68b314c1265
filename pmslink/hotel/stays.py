"""Stays: handlers of check-in (GI), data change (GC) and check-out (GO).

Each record says where a guest is, or is not. `_place` puts a guest into a room: that is a check-in, a change
or a move, depending on where the guest was. GS says whether other guests stay in the room *after* the record.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from pmslink.fias.record import Record
from pmslink.hotel import departures
from pmslink.hotel.equipment import parse_class_of_service, with_class_of_service
from pmslink.hotel.events import StayChange
from pmslink.hotel.guest_fields import (
    SHARE_NO,
    SHARE_YES,
    parse_gs_flags,
    parse_guest_fields,
    parse_reservation_number,
)
from pmslink.hotel.guest_settings import reset, separate, settle, settle_arrivals
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.move_window import Arrival, Statement
from pmslink.hotel.rooms import Guest, Room, room_key, serialize_guest
from pmslink.hotel.wake_ups import cancel_stale_wake_ups

MAX_GUESTS = 100
"""Guests of one room, those who are leaving included; further check-ins are ignored."""

_NO_STAY = "0"
"""G# of a GC that is about a room's telephone number, not about a stay."""


@frozen
class _Placement:
    """A record that puts a guest into a room. `share` is GS of that room, `old_share` GS of the old one.

    `resync`: the record repeats what happened earlier, so it resets no room and displaces nobody.
    """

    number: str
    room: Room
    field_values: Mapping[str, str]
    share: str | None
    old_share: str | None = None
    resync: bool = False
    is_check_in: bool = True

    @property
    def sets_class(self) -> bool:
        """Whether the record has a class of service."""
        return parse_class_of_service(self.field_values.get("CS")) is not None


def on_check_in(state: HotelState, record: Record, context: Context) -> None:
    """Handle GI: check a guest in; with SF, the PMS repeats a check-in."""
    field_values = dict(record.fields)
    room = state.room_of(record)
    if room is not None:
        number, resync = parse_reservation_number(field_values), "SF" in field_values
        _place(state, _Placement(number, room, field_values, field_values.get("GS"), resync=resync), context)


def on_data_change(state: HotelState, record: Record, context: Context) -> None:
    """Handle GC: change a guest's data, or with RO move the guest to another room."""
    field_values = dict(record.fields)
    number = parse_reservation_number(field_values)
    room = state.room_of(record)
    if room is None or number == _NO_STAY:
        return
    share, old_share = parse_gs_flags(record)
    old_name = room_key(field_values.get("RO"))
    placement = _Placement(number, room, field_values, share, old_share, is_check_in=False)
    if old_name is None and _has_moved_on(state, number, room.room, context):
        _update_guest_elsewhere(state, placement, context)
        return
    if old_name is not None:
        state.window.add(number, Statement(context.now_ms, old_name, "gone", old_share))
        if not number and state.find_guest("", room.room) is None and state.find_guest("", old_name):
            _move(state, placement, state.rooms[old_name], context)  # the PMS identifies guests by room
            return
    _place(state, placement, context)
    if old_name is not None and old_name != room.room and old_share == SHARE_NO:
        _empty(state, old_name, number, context)


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
        _check_out(state, room, number, share, context, resync)
    elif not number or resync:
        _check_out_all(state, room, share, context, resync)
    else:
        _check_out(state, room, number, share, context)
    if share != SHARE_YES and not state.rooms[room.room].guests:
        state.add_stay_change(StayChange("vacant", room.room))


def _place(state: HotelState, placement: _Placement, context: Context) -> None:
    """Put a guest into a room, unless a later move of the same window has taken the guest on."""
    number, room = placement.number, placement.room
    current = state.find_guest(number, room.room)
    is_present = current is not None and current[0].room == room.room
    if not is_present and len(room.guests) >= MAX_GUESTS:
        if not departures.complete_oldest_departure(state, room.room, context):
            return
        room = evolve(state.rooms[room.room], spelling=room.spelling)
        placement = evolve(placement, room=room)
    if current is None:
        _check_in(state, placement, context)
    elif not is_present:
        if not _has_moved_on(state, number, room.room, context):
            _move(state, placement, current[0], context)
    else:
        if placement.is_check_in:
            departures.cancel_departure(state, room.room, number, context)
            room = evolve(state.rooms[room.room], spelling=room.spelling)
        _state_here(state, placement, context)
        _update_guest(state, evolve(placement, room=room), current[1], context)
        settle_arrivals(state, room.room, context)


def _has_moved_on(state: HotelState, number: str, room_name: str, context: Context) -> bool:
    """Check whether another record of the window has already taken the guest from this room to another."""
    present, now_ms = state.room_by_guest.get(number), context.now_ms
    return (
        present is not None
        and present != room_name
        and state.window.is_gone(number, room_name, now_ms)
        and not state.window.is_gone(number, present, now_ms)
        and state.window.find(number, present, "here", now_ms) is not None
    )


def _check_in(state: HotelState, placement: _Placement, context: Context) -> None:
    room, missed = placement.room, not placement.is_check_in
    resync = placement.resync or missed
    room, is_first = _prepare_room(state, evolve(placement, resync=resync), context)
    guest = _parse_guest(placement, context, None)
    is_sharer = placement.share != SHARE_NO and (
        not is_first or (placement.resync and placement.share == SHARE_YES)
    )
    guest = evolve(guest, sharer=is_sharer)
    arrival = _arrival(state, placement, is_first, context)
    state.emit("guest.checked_in", room.room, {"guest": serialize_guest(guest)}, resync)
    state.add_stay_change(StayChange("began", room.room, guest.number))
    state.set_guest(guest, _with_class(state, placement, room, context), context, resync)
    _state_here(state, evolve(placement, resync=resync), context, arrival)
    settle(state, room.room, context, resync)


def _move(state: HotelState, placement: _Placement, old: Room, context: Context) -> None:
    resync = placement.resync
    found = old.guest(placement.number)
    if found is None:
        return
    room, is_first = _prepare_room(state, placement, context)
    guest = _parse_guest(placement, context, found)
    guest = evolve(
        guest, sharer=placement.share == SHARE_YES or (placement.share != SHARE_NO and not is_first)
    )
    arrival = _arrival(state, placement, is_first, context)
    old = state.rooms[old.room]
    vacant = departures.move_out(state, old, found, room.room, context, placement.old_share, resync)
    payload = {"guest": serialize_guest(guest), "from_room": old.room, "vacant": vacant}
    state.emit("guest.moved", room.room, payload, resync)
    state.add_stay_change(StayChange("moved", room.room, guest.number, old.room))
    if vacant:
        state.add_stay_change(StayChange("vacant", old.room))
    state.window.add(guest.number, Statement(context.now_ms, old.room, "left"))
    state.set_guest(guest, _with_class(state, placement, room, context), context, resync)
    _state_here(state, placement, context, arrival)
    if placement.old_share == SHARE_NO:
        departures.depart_others(state, old.room, guest.number, context)
    settle(state, old.room, context, resync)
    settle(state, room.room, context, resync)
    settle_arrivals(state, old.room, context)
    departures.forget_past_departures(state, old.room, context)


def _prepare_room(state: HotelState, placement: _Placement, context: Context) -> tuple[Room, bool]:
    """Prepare a room for a guest who comes: displace others, and reset it for a first guest.

    Returns the room, and whether the guest is the first one.
    """
    name, number = placement.room.room, placement.number
    keeps_settings = departures.forget_departure(state, name, number, context)
    if placement.share == SHARE_NO and not placement.resync and name in state.rooms:
        departures.displace_others(state, name, number, context)
        settle(state, name, context)
        settle_arrivals(state, name, context)
        _mark_as_sharers(state, name, context)
    room = evolve(state.rooms.get(name, placement.room), spelling=placement.room.spelling)
    is_first = not state.staying_guests(name)
    if is_first and not placement.resync and not keeps_settings:
        room = reset(cancel_stale_wake_ups(state, separate(state, room), context))
    return room, is_first


def _mark_as_sharers(state: HotelState, room_name: str, context: Context) -> None:
    """Mark the guests who stay as sharers: the PMS reported them before the room's first guest."""
    for guest in state.staying_guests(room_name):
        here = state.window.find(guest.number, room_name, "here", context.now_ms)
        if here is not None and here.arrival is not None and here.arrival.awaits_first:
            arrival = evolve(here.arrival, awaits_first=False)
            state.window.add(guest.number, evolve(here, at=context.now_ms, arrival=arrival))
        if not guest.sharer:
            changed = evolve(guest, sharer=True)
            state.set_room(state.rooms[room_name].with_guest(changed), context)
            state.emit("guest.changed", room_name, {"guest": serialize_guest(changed)})


def _with_class(state: HotelState, placement: _Placement, room: Room, context: Context) -> Room:
    """Set the class of service that the record has, unless that of a sharer of the same window applies."""
    if placement.share == SHARE_NO:
        for guest in state.staying_guests(room.room):
            here = state.window.find(guest.number, room.room, "here", context.now_ms)
            if here is not None and here.share == SHARE_YES and here.sets_class:
                return room
    return with_class_of_service(room, placement.field_values)


def _update_guest(state: HotelState, placement: _Placement, before: Guest, context: Context) -> None:
    guest = evolve(_parse_guest(placement, context, before), sharer=before.sharer)
    room, resync = placement.room, placement.resync
    if guest != before:
        state.emit("guest.changed", room.room, {"guest": serialize_guest(guest)}, resync)
    state.set_guest(guest, with_class_of_service(room, placement.field_values), context, resync)


def _update_guest_elsewhere(state: HotelState, placement: _Placement, context: Context) -> None:
    """Change the data of a guest who has moved on since the record was made."""
    current = state.find_guest(placement.number, placement.room.room)
    if current is not None:
        room, guest = current
        values = {code: text for code, text in placement.field_values.items() if code != "CS"}
        _update_guest(state, evolve(placement, room=room, field_values=values), guest, context)


def _parse_guest(placement: _Placement, context: Context, before: Guest | None) -> Guest:
    """Parse the guest's data. A check-in has all of them, a change only those that change."""
    parsed = parse_guest_fields(placement.field_values, context.policy.guest_fields)
    if before is None or placement.is_check_in:
        return Guest(placement.number, **parsed)
    return evolve(before, **{**parsed, "fields": {**before.fields, **parsed["fields"]}})


def _state_here(
    state: HotelState, placement: _Placement, context: Context, arrival: Arrival | None = None
) -> None:
    statement = Statement(
        context.now_ms,
        placement.room.room,
        "here",
        placement.share,
        placement.sets_class,
        placement.resync,
        arrival,
    )
    state.window.add(placement.number, statement)


def _arrival(state: HotelState, placement: _Placement, is_first: bool, context: Context) -> Arrival:
    """Judge how a guest comes into a room, before the guest is in it."""
    name, now_ms, share = placement.room.room, context.now_ms, placement.share
    arrivals = [
        (here.share, here.arrival)
        for guest in state.staying_guests(name)
        if (here := state.window.find(guest.number, name, "here", now_ms)) is not None and here.arrival
    ]
    if share == SHARE_NO:  # sharers who were reported before belong to this guest
        return state.window.new_arrival(max((one.party for _, one in arrivals), default=None))
    if joined := [one.party for other_share, one in arrivals if other_share != SHARE_YES]:
        return state.window.new_arrival(joined[-1])
    if share == SHARE_YES:
        party = max((one.party for _, one in arrivals if one.awaits_first), default=None)
        return state.window.new_arrival(party, awaits_first=True)
    return state.window.new_arrival(None if is_first else 0)


def _check_out(
    state: HotelState, room: Room, number: str, share: str | None, context: Context, resync: bool = False
) -> None:
    state.window.add(number, Statement(context.now_ms, room.room, "gone", share))
    guest = room.guest(number)
    if guest is not None:
        departures.begin_departure(state, room.room, guest, context, share, resync)
    else:
        departures.add_share_of_moved_guest(state, room.room, number, share)
    if share == SHARE_NO and guest is not None:
        departures.depart_others(state, room.room, number, context)
    elif share == SHARE_NO:
        _empty(state, room.room, number, context)
    settle(state, room.room, context, resync)
    settle_arrivals(state, room.room, context)


def _empty(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Handle the report that a room is empty, made with a guest who is not there (any more).

    It is believed if the guest has just left the room. Else it only resets a room without known guests.
    """
    if room_name not in state.rooms:
        return
    if state.window.find(number, room_name, "left", context.now_ms) is not None:
        departures.depart_others(state, room_name, number, context)
        settle(state, room_name, context)
    elif not state.rooms[room_name].guests:
        departures.reset_vacant_room(state, room_name, context)


def _check_out_all(state: HotelState, room: Room, share: str | None, context: Context, resync: bool) -> None:
    """Check all guests of a room out. One without a number cannot turn up elsewhere, and is gone at once."""
    if share == SHARE_YES:  # the record does not say which guest leaves
        return
    if not room.guests:
        departures.reset_vacant_room(state, room.room, context, resync)
        return
    for guest in room.guests:
        if guest.number:
            state.window.add(guest.number, Statement(context.now_ms, room.room, "gone", share))
        departures.begin_departure(state, room.room, guest, context, resync=resync)
    settle(state, room.room, context, resync)
    if room.guest("") is not None:
        departures.complete_check_out(state, room.room, "", context)
        departures.forget_past_departures(state, room.room, context)
