"""Apply phone updates to the hotel state."""

from __future__ import annotations

from attrs import evolve

from pmslink.fias.field_values import serialize_date, serialize_time
from pmslink.hotel.guest_settings import separate
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.phone_update_records import PhoneUpdate
from pmslink.hotel.rooms import Room
from pmslink.hotel.wake_ups import TooManyWakeUpsError, cancel_wake_ups, set_wake_up


def apply_phone_update(state: HotelState, update: PhoneUpdate, context: Context) -> None:
    """Apply a phone update. Only a wake-up or a sign adds a room that is not in the state yet.

    Raises TooManyWakeUpsError.
    """
    must_be_stored = update.type == "wake_up" or update.value is True
    room = state.room_by_name(update.room) if must_be_stored else state.rooms.get(update.room)
    match update:
        case PhoneUpdate(type="wake_up", value=at):
            wire_date_time = (serialize_date(at), serialize_time(at.time()))
            if room is None or not set_wake_up(state, room, at, wire_date_time, context, "pbx"):
                raise TooManyWakeUpsError(f"room {update.room} has the maximum number of wake-ups")
        case _ if room is None:
            pass
        case PhoneUpdate(type="status"):
            state.set_room(evolve(room, status=update.value), context, "pbx")
        case PhoneUpdate(type="dnd"):
            room = _without_departed_guests(state, room, context)
            state.set_room(evolve(room, do_not_disturb=update.value), context, "pbx")
        case PhoneUpdate(type="make_up_room"):
            room = _without_departed_guests(state, room, context)
            state.set_room(evolve(room, make_up_room=update.value), context, "pbx")
        case PhoneUpdate(type="wake_up_cancel", value=at):
            cancel_wake_ups(state, room, at, context, "pbx")
    state.emit_room_changes()


def _without_departed_guests(state: HotelState, room: Room, context: Context) -> Room:
    """Reset a room whose guests are all leaving: the sign is of the room, or of its next guest."""
    state.set_room(separate(state, room), context)
    state.emit_room_changes()
    return state.rooms.get(room.room, room)
