"""JSON forms of rooms and of wake-up calls after an attempt."""

from __future__ import annotations

from typing import Any

from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.rooms import Room, WakeUp, serialize_guest, serialize_wake_up
from pmslink.timestamps import format_timestamp_ms
from pmslink.web.serializers.manual_serializer import serialize_mark
from pmslink.web.serializers.redaction import redact_guest


def serialize_room(
    room: Room, policy: HotelPolicy, sees_guests: bool, change: ManualChange | None = None
) -> dict[str, Any]:
    """Return the JSON form of a room, with its guests redacted unless the caller sees guests.

    `change` is what was done by hand, if the room is not as the PMS has it for that reason.
    """
    guests = map(serialize_guest, room.guests)
    return {
        "room": room.room,
        "extensions": list(policy.extensions_of_room(room.room)),
        "guests": list(guests if sees_guests else map(redact_guest, guests)),
        "class_of_service": room.class_of_service,
        "do_not_disturb": room.do_not_disturb,
        "make_up_room": room.make_up_room,
        "message_light": room.message_light,
        "status": room.status,
        "wake_ups": [
            serialize_wake_up(wake_up) | {"attempts": wake_up.attempts} for wake_up in room.wake_ups
        ],
        "by_hand": None if change is None else serialize_mark(change),
        "changed": format_timestamp_ms(room.changed) if room.changed else None,
    }


def serialize_wake_up_result(wake_up: WakeUp) -> dict[str, Any]:
    """Return the JSON form of a wake-up call after an attempt, with the time of the next attempt, if any."""
    return serialize_wake_up(wake_up) | {
        "attempts": wake_up.attempts,
        "result": wake_up.result,
        "again": None if wake_up.again is None else format_timestamp_ms(wake_up.again),
    }
