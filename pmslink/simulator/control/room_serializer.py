"""Rooms and wake-ups in the JSON of the control API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict

from pmslink.simulator.control.body_parser import parse_value, parse_values
from pmslink.simulator.control.guest_serializer import CLASS_OF_SERVICE
from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.hotel.room_equipment import Equipment
from pmslink.validation.validators import Validator, boolean_validator, choice_validator, require
from pmslink.web.http.api_errors import ApiError


def serialize_room(room: str, guests: Sequence[Guest], equipment: Equipment) -> dict[str, Any]:
    """Serialize a room, its equipment state, and the numbers of its guests."""
    return {
        "room": room,
        "guests": [guest.number for guest in guests],
        **asdict(equipment),
        "do_not_disturb": equipment.do_not_disturb,
    }


def parse_room_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the arguments of `Desk.change_equipment`. Raises ApiError 400 that names the key."""
    if not body:
        raise ApiError(400, "missing", f"one of {', '.join(_SETTING_VALIDATORS)} is required")
    return parse_values(_SETTING_VALIDATORS, body)


def parse_wake_up_order(body: Mapping[str, Any]) -> datetime:
    """Parse the time of a wake-up order. Raises ApiError 400 that names the key."""
    if "at" not in body:
        raise ApiError(400, "missing", "at is required", "at")
    at: datetime = parse_values(_WAKE_UP_VALIDATORS, body)["at"]
    return at


def parse_wake_up_cancellation(at: str | None) -> datetime | None:
    """Parse the time of a wake-up to cancel; no text means all wake-ups. Raises ApiError 400."""
    return parse_value(_WAKE_UP_VALIDATORS, "at", at) if at else None


def _convert_local_time(value: Any) -> datetime:
    require(isinstance(value, str), value)
    at = datetime.fromisoformat(value)
    # FIAS has local time, and two digits for the year
    return require(at.tzinfo is None and at.year // 100 == 20, at)  # type: ignore[no-any-return]


_SETTING_VALIDATORS: Mapping[str, Validator] = {
    "class_of_service": CLASS_OF_SERVICE,
    "message_light": boolean_validator(),
    "do_not_disturb": boolean_validator(),
    "status": choice_validator("123456", "1 to 6 as text: the housekeeping status of FIAS (RS)"),
}
_WAKE_UP_VALIDATORS: Mapping[str, Validator] = {
    "at": Validator(
        "a time from 2000 to 2099 in the hotel's local time, for example 2026-11-20T07:00",
        _convert_local_time,
    )
}
