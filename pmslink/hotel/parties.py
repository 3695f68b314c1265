"""Parties: the guests who have the settings of a room together, as the window of the room knows them."""

from __future__ import annotations

from pmslink.frozen_values import evolve
from pmslink.hotel.guest_fields import SHARE_NO, SHARE_YES
from pmslink.hotel.hotel_state import HotelState
from pmslink.hotel.room_window import GuestSettings, Party, RoomWindow


def open_window(state: HotelState, room_name: str) -> RoomWindow:
    """Return the window of a room. If it has none, its guests are the party of a new one."""
    window = state.windows.get(room_name)
    if window is None:
        room = state.rooms.get(room_name)
        guests = () if room is None else tuple(guest.number for guest in room.guests)
        window = state.windows[room_name] = RoomWindow(Party(guests))
    return window


def keep_settings(state: HotelState, room_name: str) -> None:
    """Keep what the party of a room has now, apart from what comes later."""
    window, room = state.windows[room_name], state.rooms[room_name]
    if window.party.settings is not None:
        return
    unsettled = [party.settings for party in window.former if party.settings and not party.is_settled]
    others = {one for settings in unsettled for one in settings.wake_up_ids}
    ids = tuple(wake_up.id for wake_up in room.wake_ups if wake_up.id not in others)
    settings = GuestSettings(
        room.class_of_service, room.message_light, room.do_not_disturb, room.make_up_room, ids
    )
    state.windows[room_name] = evolve(window, party=evolve(window.party, settings=settings))


def separate_wake_ups(state: HotelState, room_name: str) -> None:
    """Keep what a party has that leaves a room: what is said now is about the room itself."""
    window = state.windows.get(room_name)
    if window is not None and window.party.has_left:
        keep_settings(state, room_name)


def leave_wake_up(state: HotelState, room_name: str, wake_up_id: int) -> None:
    """Leave a wake-up to the guests who have come: it has been requested again."""
    window = state.windows.get(room_name)
    if window is not None and window.arrivals and window.party.settings is not None:
        settings = window.party.settings
        ids = tuple(one for one in settings.wake_up_ids if one != wake_up_id)
        party = evolve(window.party, settings=evolve(settings, wake_up_ids=ids))
        state.windows[room_name] = evolve(window, party=party)


def separate_parties(state: HotelState, room_name: str, share: str | None, old_room: str | None) -> None:
    """Separate a guest who comes from those who have come before, if they do not belong together.

    They do not if they come from different rooms into a room that the former guests have left, or if both
    have checked in alone (GS N).
    """
    window = state.windows[room_name]
    live = [one for one in window.arrivals if not one.resync]
    is_left = not window.party.guests or window.party.has_left
    come_together = any(one.old_room == old_room for one in window.arrivals)
    is_alone = share == SHARE_NO and old_room is None
    are_alone = is_alone and any(one.share == SHARE_NO and one.old_room is None for one in live)
    if is_left and live and (are_alone or not come_together):
        include_arrivals(state, room_name)


def include_arrivals(state: HotelState, room_name: str, number: str | None = None) -> None:
    """Let the guests who have come within the window be members of the room's party.

    If one of them leaves again (`number`), they are those who came before that guest, or as sharers (GS Y).
    If others of the party stay, all are one party. Else they are a new one.
    """
    window = state.windows[room_name]
    numbers = [one.number for one in window.arrivals]
    last = len(numbers) if number is None else numbers.index(number)
    included = [one for at, one in enumerate(window.arrivals) if at <= last or one.share == SHARE_YES]
    guests = tuple(one.number for one in included)
    former = tuple(party for party in window.former if not party.is_past)
    if state.has_staying_party(room_name):
        party = evolve(window.party, guests=(*window.party.guests, *guests), settings=None)
    else:
        if window.party.departures:
            keep_settings(state, room_name)
            former = (*former, state.windows[room_name].party)
        party = Party(guests)
    arrivals = tuple(one for one in window.arrivals if one not in included)
    has_first = any(one.share == SHARE_NO for one in included)
    sharers = () if has_first else tuple(one for one in included if one.number != number)
    state.windows[room_name] = RoomWindow(party, former, arrivals, (*window.returns, *sharers))
    if arrivals:
        keep_settings(state, room_name)
