"""Rooms as the control interface reads and shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict

from pmslink.simulator.control.guest_serializer import parse_class_of_service
from pmslink.simulator.control.http_site import ApiError, parse_value
from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.hotel.room_equipment import Equipment


def serialize_room(room: str, guests: Sequence[Guest], equipment: Equipment) -> dict[str, Any]:
    """A room as JSON, with the numbers of its guests."""
    return {
        "room": room,
        "guests": [guest.number for guest in guests],
        **asdict(equipment),
        "do_not_disturb": equipment.do_not_disturb,
    }


def parse_room_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a room is to be set to, as Desk.equip takes it. Raises ApiError 400 that names the key."""
    if not given:
        raise ApiError(400, "missing", f"one of {', '.join(_SETTING_PARSERS)} is needed")
    return {name: parse_value(_SETTING_PARSERS, name, value) for name, value in given.items()}


def parse_wake_up_order(given: Mapping[str, Any]) -> datetime:
    """When a wake-up is wanted. Raises ApiError 400 that names the key."""
    if "at" not in given:
        raise ApiError(400, "missing", "at is needed", "at")
    moments = {name: parse_value(_WAKE_UP_PARSERS, name, value) for name, value in given.items()}
    at: datetime = moments["at"]
    return at


def parse_wake_up_cancellation(at: str) -> datetime | None:
    """Which wake-up is cancelled; None for all. Raises ApiError 400."""
    return parse_value(_WAKE_UP_PARSERS, "at", at) if at else None


def _parse_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _parse_local_time(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    # FIAS has local time, and two digits for the year
    if moment is None or moment.tzinfo is not None or moment.year // 100 != 20:
        raise ValueError("a moment of 2000 to 2099 in the hotel's local time, such as 2026-11-20T07:00")
    return moment


_SETTING_PARSERS: dict[str, Callable[[Any], Any]] = {
    "class_of_service": parse_class_of_service,
    "message_light": _parse_boolean,
    "do_not_disturb": _parse_boolean,
}
_WAKE_UP_PARSERS: dict[str, Callable[[Any], Any]] = {"at": _parse_local_time}
