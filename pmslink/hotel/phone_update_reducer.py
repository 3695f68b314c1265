"""Apply phone updates to the hotel state."""

from __future__ import annotations

from pmslink.fias.field_values import serialize_date, serialize_time
from pmslink.frozen_values import evolve
from pmslink.hotel.departures import close_past_windows
from pmslink.hotel.guest_settings import change_settings
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.phone_update_records import PhoneUpdate
from pmslink.hotel.room_window import SaidSettings
from pmslink.hotel.wake_ups import TooManyWakeUpsError, cancel_wake_ups, set_wake_up


def apply_phone_update(state: HotelState, update: PhoneUpdate, context: Context) -> None:
    """Apply a phone update. Only a wake-up or a sign adds a room that is not in the state yet.

    Raises TooManyWakeUpsError.
    """
    close_past_windows(state, (update.room,), context)
    must_be_stored = update.type == "wake_up" or update.value is True
    room = state.room_by_name(update.room) if must_be_stored else state.rooms.get(update.room)
    match update:
        case PhoneUpdate(type="wake_up", value=at):
            wire_date_time = (serialize_date(at), serialize_time(at.time()))
            if room is None or set_wake_up(state, room, at, wire_date_time, context, "pbx") != "set":
                raise TooManyWakeUpsError(f"room {update.room} has the maximum number of wake-ups")
        case _ if room is None:
            pass
        case PhoneUpdate(type="status"):
            state.set_room(evolve(room, status=update.value), context, "pbx")
        case PhoneUpdate(type="dnd", value=is_on):
            state.set_room(room, context, "pbx")
            change_settings(state, room.room, SaidSettings(do_not_disturb=is_on), context, "pbx")
        case PhoneUpdate(type="make_up_room", value=is_on):
            state.set_room(room, context, "pbx")
            change_settings(state, room.room, SaidSettings(make_up_room=is_on), context, "pbx")
        case PhoneUpdate(type="voicemail", value=is_on):
            state.set_room(room, context, "pbx")
            change_settings(state, room.room, SaidSettings(message_light=is_on), context, "pbx")
        case PhoneUpdate(type="wake_up_cancel", value=at):
            cancel_wake_ups(state, room, at, context, "pbx")
    state.emit_room_changes()
