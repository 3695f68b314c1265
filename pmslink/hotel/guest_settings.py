"""Guest settings: wake-ups, message light and class of service belong to the guests of a room.

They stay with the room as long as one of the guests stays who had them. When all of those have left, they go
to the room to which one of them has moved, or they end. What is said of a room meanwhile is about the guests
who are in it and not leaving, or about the room itself.
"""

from __future__ import annotations

from pmslink.frozen_values import evolve
from pmslink.hotel.events import Author, Vacated
from pmslink.hotel.guest_fields import SHARE_NO, SHARE_YES
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.parties import keep_settings, separate_wake_ups
from pmslink.hotel.room_window import Departure, GuestSettings, Inheritance, Party, SaidSettings, is_in_window
from pmslink.hotel.rooms import Room
from pmslink.hotel.wake_ups import cancel_wake_ups_by_id, transfer_wake_ups


def change_settings(
    state: HotelState,
    room_name: str,
    changes: SaidSettings,
    context: Context,
    by: Author | None = None,
    resync: bool = False,
) -> None:
    """Change settings of a room: of the guests who are in it and not leaving, or of the room itself."""
    values = changes.values
    separate_wake_ups(state, room_name)
    window = state.windows.get(room_name)
    if window is None or window.party.settings is None:
        state.set_room(evolve(state.rooms[room_name], **values), context, by, resync)
        return
    if not window.party.has_left:
        party = evolve(window.party, settings=evolve(window.party.settings, **values))
        window = evolve(window, party=party)
    elif not state.has_staying_party(room_name) and not window.is_separated:
        window = state.windows[room_name] = evolve(window, is_separated=True)
        if by == "pbx":  # the guests who leave take their settings with them, which no phone has changed
            update_room(state, room_name, context)
            state.emit_room_changes()
    state.windows[room_name] = evolve(window, said=evolve(window.said, **values))
    update_room(state, room_name, context, resync, by)


def set_class_of_guest(
    state: HotelState, room_name: str, number: str, value: int, context: Context, resync: bool
) -> None:
    """Set the class of service that a record about a guest has.

    The records of guests who come together may differ: that of a sharer (GS Y) applies.
    """
    window = state.windows.get(room_name)
    arrival = None if window is None else window.arrival(number)
    if window is not None and arrival is not None:
        if arrival.share == SHARE_NO and any(
            one.share == SHARE_YES and one.sets_class for one in window.arrivals
        ):
            return
        said = evolve(window.said, class_of_service=value)
        state.windows[room_name] = evolve(window, said=said)
        update_room(state, room_name, context, resync)
    elif window is not None and state.is_departing(room_name, number):
        if window.party.settings is None:
            state.set_room(evolve(state.rooms[room_name], class_of_service=value), context, resync=resync)
    else:
        change_settings(state, room_name, SaidSettings(value), context, resync=resync)


def update_room(
    state: HotelState, room_name: str, context: Context, resync: bool = False, by: Author | None = None
) -> None:
    """Set the settings of a room to what follows from all that its window has said."""
    window, room = state.windows.get(room_name), state.rooms[room_name]
    if window is None or window.party.settings is None:
        return
    is_party_there = state.has_staying_party(room_name)
    listed = {guest.number for guest in room.guests}
    has_left = window.party.is_settled or not listed & {*window.party.guests}
    if not is_party_there and (window.arrivals or has_left):
        window = evolve(window, is_separated=True)
        state.windows[room_name] = window
    settings = window.party.settings or GuestSettings()
    if window.is_separated and not is_party_there:
        settings = _settings_of_arrivals(state, room_name, settings)
    room = evolve(
        room,
        class_of_service=settings.class_of_service,
        message_light=settings.message_light,
        do_not_disturb=settings.do_not_disturb,
        make_up_room=settings.make_up_room,
    )
    state.set_room(evolve(room, **window.said.values), context, by, resync)


def _settings_of_arrivals(state: HotelState, room_name: str, former: GuestSettings) -> GuestSettings:
    """Return what guests have who have got a room from others: what they have brought, if all have.

    Guests of whom a resync is the first to speak have the class of service of the room: the resync may not
    have it.
    """
    window = state.windows[room_name]
    bringers = {number for one in window.inherited for number in one.guests}
    settings = GuestSettings()
    if all(guest.number in bringers for guest in state.staying_guests(room_name)):
        for one in window.inherited:  # door signs do not follow guests
            class_of_service, light = one.settings.class_of_service, one.settings.message_light
            settings = GuestSettings(
                class_of_service if settings.class_of_service is None else settings.class_of_service,
                settings.message_light or light,
            )
    elif any(one.resync and one.old_room is None for one in window.arrivals):
        settings = GuestSettings(former.class_of_service)
    return settings


def settle(state: HotelState, room_name: str, context: Context, resync: bool = False) -> None:
    """Move the settings of the parties that have left a room, or end them, if it is known where to."""
    window = state.windows.get(room_name)
    for party in () if window is None else window.parties:
        is_open = any(one.is_open for one in party.departures)
        if party.has_left and not party.is_settled and not (is_open and _find_heir(state, party) is None):
            _settle_party(state, room_name, party, context, resync)
    if room_name in state.rooms:
        update_room(state, room_name, context, resync)


def _settle_party(state: HotelState, room_name: str, party: Party, context: Context, resync: bool) -> None:
    window = state.windows[room_name]
    if party is window.party:
        if state.has_staying_party(room_name):
            return
        keep_settings(state, room_name)
        window = state.windows[room_name]
        party = window.party
    settings = party.settings or GuestSettings()
    state.windows[room_name] = window.with_party(party, evolve(party, is_settled=True))
    heir, new_room = _find_heir(state, party), None
    if heir is None:
        cancel_wake_ups_by_id(state, state.rooms[room_name], settings.wake_up_ids, context, resync)
    else:
        new_room = state.room_by_guest.get(heir.number, heir.new_room or "")
        _inherit(
            state,
            new_room,
            heir.number,
            Inheritance(context.next_id(), room_name, party.guests, settings),
            context,
            resync,
        )
    since = max(one.since for one in party.departures)
    next_since = min((one.order for one in window.inherited), default=None)
    state.add_departure(Vacated(room_name, new_room, since, next_since))


def _find_heir(state: HotelState, party: Party) -> Departure | None:
    """Find the guest with whom the settings go: who is said to have left last, of those who have moved.

    Who moved more than a window before the others left has gone without the settings.
    """
    last_ms = max((one.since for one in party.departures), default=0)
    moved = [
        one
        for one in party.departures
        if one.new_room is not None and (is_in_window(one.since, last_ms) or (one.resync and state.resyncing))
    ]
    return min(moved, key=lambda one: (one.share != SHARE_NO, one.number), default=None)


def _inherit(
    state: HotelState,
    room_name: str,
    heir: str,
    inheritance: Inheritance,
    context: Context,
    resync: bool,
) -> None:
    """Give a room what its guests have brought from another."""
    settings = inheritance.settings
    _move_wake_ups(state, inheritance.room, room_name, settings, context, resync)
    window = state.windows.get(room_name)
    party = None if window is None else window.party_of(heir)
    if window is not None and party is not None and party.has_left and party.settings is not None:
        # the guest is leaving again, and takes along what follows only now
        party_settings = evolve(
            party.settings, wake_up_ids=(*party.settings.wake_up_ids, *settings.wake_up_ids)
        )
        window = window.with_party(party, evolve(party, settings=party_settings))
        state.windows[room_name] = window
    if window is not None and window.party.settings is not None:
        state.windows[room_name] = evolve(window, inherited=(*window.inherited, inheritance))
        update_room(state, room_name, context, resync)


def take_back(state: HotelState, room_name: str, number: str, context: Context) -> None:
    """Take back what the party of a room has brought into others: a guest of it stays."""
    window = state.windows[room_name]
    party = window.party
    if number not in party.guests or not party.is_settled or party.settings is None:
        return
    state.windows[room_name] = evolve(window, party=evolve(party, is_settled=False))
    for name, other in tuple(state.windows.items()):
        inherited = tuple(one for one in other.inherited if one.room != room_name)
        if inherited != other.inherited:
            state.windows[name] = evolve(other, inherited=inherited)
            _move_wake_ups(state, name, room_name, party.settings, context)
            update_room(state, name, context)


def _move_wake_ups(
    state: HotelState,
    room_name: str,
    new_name: str,
    settings: GuestSettings,
    context: Context,
    resync: bool = False,
) -> None:
    if room_name != new_name:
        old, new = state.rooms[room_name], state.rooms[new_name]
        for room in transfer_wake_ups(old, settings.wake_up_ids, new):
            state.set_room(room, context, resync=resync)


def said_of(room: Room) -> SaidSettings:
    """Return the settings of a vacant room as what has been said of it."""
    return SaidSettings(
        room.class_of_service,
        room.message_light or None,
        room.do_not_disturb or None,
        room.make_up_room or None,
    )


def close_window(state: HotelState, room_name: str, context: Context) -> None:
    """End the window of a room. Of several wake-ups at the same time in a room, one remains."""
    window = state.windows.pop(room_name)
    new_rooms = {one.new_room for one in window.departures if one.new_room is not None}
    for name in (room_name, *sorted(new_rooms - {room_name})):
        _cancel_doubled_wake_ups(state, name, context)


def _cancel_doubled_wake_ups(state: HotelState, room_name: str, context: Context) -> None:
    room, departing = state.rooms[room_name], state.departing_wake_ups(room_name)
    kept: dict[object, int] = {}
    for wake_up in sorted(room.wake_ups, key=lambda one: (-one.attempts, one.id)):
        if wake_up.id not in departing:
            kept.setdefault(wake_up.at, wake_up.id)
    remaining = {*kept.values(), *departing}
    doubled = [wake_up.id for wake_up in room.wake_ups if wake_up.id not in remaining]
    if doubled:
        cancel_wake_ups_by_id(state, room, doubled, context, resync=False)
