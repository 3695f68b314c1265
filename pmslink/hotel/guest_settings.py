"""Guest settings: wake-ups, message light and class of service belong to the guests of a room.

They stay with the room as long as one of the guests stays who had them. When all of those have departed, they
follow the guest who left last: the one whose record says that the room is empty, else one who has moved. The
decision waits until it is known whether that guest moves or checks out. So it does not depend on the order of
the records.
"""

from __future__ import annotations

from attrs import evolve

from pmslink.hotel.departure_group import Departure, DepartureGroup, GuestSettings
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.move_window import is_in_window
from pmslink.hotel.rooms import Guest, Room
from pmslink.hotel.wake_ups import cancel_wake_ups_by_id, transfer_wake_ups


def settle(state: HotelState, room_name: str, context: Context, resync: bool = False) -> None:
    """Move the settings of a room, or end them, if its guests have departed and it is known where to."""
    group = state.departing.get(room_name)
    if group is None or group.is_settled:
        return
    staying = state.staying_guests(room_name)
    if group.settings is None and any(
        not _is_new(state, guest, room_name, group, context) for guest in staying
    ):
        return
    if state.has_unknown_guests(room_name) and not group.is_separated:
        state.departing[room_name] = evolve(group, settings=None)  # they stay with the unknown guests
        return
    group = _with_settings(state, room_name, group)
    state.departing[room_name] = group
    if staying and not group.is_separated:
        keeps_class = any(_keeps_class(state, guest, room_name, context) for guest in staying)
        room = state.rooms[room_name]
        state.set_room(reset(room, keeps_class), context, resync=resync)
        group = evolve(group, is_separated=True)
    candidates = group.last_to_leave()
    if not any(one.is_open for one in candidates):
        moved = [one for one in candidates if one.new_room is not None]
        heir = min(moved, key=lambda one: one.number, default=None)
        if heir is not None and _waits_for_others(state, heir, group, context):
            if not group.is_separated:
                state.set_room(reset(state.rooms[room_name]), context)
            state.departing[room_name] = evolve(group, is_separated=True)
            return
        if heir is not None:
            _transfer(state, room_name, group, heir, context, resync)
        else:
            _end(state, room_name, group, context, resync)
        group = evolve(group, settings=None, is_settled=True)
    state.departing[room_name] = group


def settle_arrivals(state: HotelState, room_name: str, context: Context) -> None:
    """Settle the rooms whose guests have moved to a room, after its former guests have departed."""
    for old_name, group in tuple(state.departing.items()):
        if not group.is_settled and any(one.new_room == room_name for one in group.departures):
            settle(state, old_name, context)


def _waits_for_others(state: HotelState, heir: Departure, group: DepartureGroup, context: Context) -> bool:
    """Check whether the new room has former guests, of whom it is open whether they are leaving it.

    If they are, as in a swap of rooms, their settings must not mix with those of the guest who comes.
    """
    name, now_ms = state.room_by_guest.get(heir.number, ""), context.now_ms
    members = {one.number for one in group.departures}
    others = [guest for guest in state.staying_guests(name) if guest.number not in members]
    if heir.resync:  # it is open until the resync has mentioned them, or has ended
        return state.seen_guests is not None and not all(state.is_seen(guest, name) for guest in others)
    return is_in_window(heir.since, now_ms) and any(
        state.window.is_newcomer(heir.number, name, (guest.number,), now_ms) for guest in others
    )


def separate(state: HotelState, room: Room) -> Room:
    """Reset a room whose guests have all departed: the next record is about the room, or its next guest.

    What the departed guests had is kept until it is settled.
    """
    group = state.departing.get(room.room)
    if group is None or group.is_separated or group.is_settled or state.staying_guests(room.room):
        return room
    state.departing[room.room] = evolve(_with_settings(state, room.room, group), is_separated=True)
    return reset(room)


def restore_settings(state: HotelState, room_name: str, group: DepartureGroup, context: Context) -> None:
    """Give a room back what its departing guests had: one of them stays."""
    if group.settings is not None and group.is_separated:
        room, settings = state.rooms[room_name], group.settings
        if room.class_of_service is None:
            room = evolve(room, class_of_service=settings.class_of_service)
        room = evolve(room, message_light=room.message_light or settings.message_light)
        state.set_room(room, context)


def _with_settings(state: HotelState, room_name: str, group: DepartureGroup) -> DepartureGroup:
    if group.settings is not None:
        return group
    room = state.rooms[room_name]
    has_next_guests = any(state.is_new_in_resync(one, room_name) for one in state.staying_guests(room_name))
    preserved = state.preserved_wake_ups if has_next_guests else ()
    ids = tuple(one.id for one in room.wake_ups if one.id not in preserved)
    return evolve(group, settings=GuestSettings(room.class_of_service, room.message_light, ids))


def _is_new(state: HotelState, guest: Guest, room_name: str, group: DepartureGroup, context: Context) -> bool:
    """Check whether a guest came into the room too late to have had its settings."""
    departed = [departure.number for departure in group.departures]
    return state.is_new_in_resync(guest, room_name) or state.window.is_newcomer(
        guest.number, room_name, departed, context.now_ms
    )


def _sets_class(state: HotelState, guest: Guest, room_name: str, context: Context) -> bool:
    here = state.window.find(guest.number, room_name, "here", context.now_ms)
    return here is not None and here.sets_class


def _keeps_class(state: HotelState, guest: Guest, room_name: str, context: Context) -> bool:
    """Check whether the class of service of the room is that of a guest who has come."""
    here = state.window.find(guest.number, room_name, "here", context.now_ms)
    if here is None or here.resync:
        return state.is_new_in_resync(guest, room_name)  # a resync resets nothing
    return here.sets_class


def reset(room: Room, keeps_class: bool = False) -> Room:
    """Reset what belongs to guests in a room, apart from its wake-ups."""
    class_of_service = room.class_of_service if keeps_class else None
    return evolve(
        room,
        class_of_service=class_of_service,
        do_not_disturb=False,
        make_up_room=False,
        message_light=False,
    )


def _transfer(
    state: HotelState,
    room_name: str,
    group: DepartureGroup,
    heir: Departure,
    context: Context,
    resync: bool,
) -> None:
    settings, target_name = group.settings, state.room_by_guest.get(heir.number, heir.new_room or "")
    if settings is None or target_name == room_name or target_name not in state.rooms:
        restore_settings(state, room_name, group, context)
        return
    room, target = state.rooms[room_name], state.rooms[target_name]
    target = transfer_wake_ups(state, room, settings.wake_up_ids, target, resync)
    members = {one.number for one in group.departures}
    staying = state.staying_guests(target_name)
    if all(guest.number in members for guest in staying):  # else they share the room of others
        own_class = any(_sets_class(state, guest, target_name, context) for guest in staying)
        if not own_class and (resync or target.class_of_service is None):
            target = evolve(target, class_of_service=settings.class_of_service)
        light = settings.message_light if resync else target.message_light or settings.message_light
        target = evolve(target, message_light=light)
    room = room.without_wake_ups(settings.wake_up_ids)
    state.set_room(room if group.is_separated else reset(room), context, resync=resync)
    state.set_room(target, context, resync=resync)
    state.add_departure(room_name, target_name, max(one.since for one in group.departures))


def _end(state: HotelState, room_name: str, group: DepartureGroup, context: Context, resync: bool) -> None:
    if group.settings is None:
        return
    cancel_wake_ups_by_id(state, state.rooms[room_name], group.settings.wake_up_ids, context, resync)
    if not group.is_separated:
        state.set_room(reset(state.rooms[room_name]), context, resync=resync)
    state.add_departure(room_name, None, max(one.since for one in group.departures))
