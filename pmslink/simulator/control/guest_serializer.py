"""Guests in the JSON of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from attrs import asdict

from pmslink.simulator.control.body_parser import parse_value
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.validation.validators import Validator, integer_validator, require, text_validator
from pmslink.web.http.api_errors import ApiError

MAX_TEXT_CHARS = 200

_JSON_NAMES = {
    "RN": "room",
    "GN": "name",
    "GF": "first_name",
    "GT": "title",
    "GL": "language",
    "GV": "vip",
}


def json_name(code: str) -> str:
    """Return the JSON key of a record field; a field without a key returns its own code."""
    return _JSON_NAMES.get(code, code)


def serialize_guest(guest: Guest, hotel: Hotel) -> dict[str, Any]:
    """Serialize a guest, with the room's class of service.

    ``sharer`` says whether another guest stays in the room.
    """
    return {
        **asdict(
            guest,
            value_serializer=lambda _, __, value: value.isoformat() if isinstance(value, date) else value,
        ),
        "class_of_service": hotel.equipment(guest.room).class_of_service,
        "sharer": hotel.is_occupied(guest.room, excluding=guest.number),
    }


def parse_guest(body: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Parse attributes of a guest; null removes a value. Raises ApiError 400 that names the key."""
    attributes = {
        name: _EMPTY_VALUES[name]
        if value is None and name in _EMPTY_VALUES
        else parse_value(_VALIDATORS, name, value)
        for name, value in body.items()
    }
    for name in required:
        if not attributes.get(name):
            raise ApiError(400, "missing", f"{name} is required", name)
    return attributes


def _convert_date(value: Any) -> date:
    require(isinstance(value, str), value)
    day = date.fromisoformat(value)
    return require(day.year // 100 == 20, day)  # type: ignore[no-any-return] # FIAS: two digits of the year


_TEXT = text_validator(
    f"text of at most {MAX_TEXT_CHARS} characters", lambda text: len(text) <= MAX_TEXT_CHARS
)
_DATE = Validator("a date between 2000-01-01 and 2099-12-31, for example 2026-11-20", _convert_date)
CLASS_OF_SERVICE = integer_validator(0, 3, "0 (barred), 1 (local), 2 (national) or 3 (unrestricted)")
"""The class of service of a room, CS."""

_VALIDATORS: Mapping[str, Validator] = {
    "room": _TEXT,
    "name": _TEXT,
    "first_name": _TEXT,
    "title": _TEXT,
    "language": _TEXT,
    "arrival": _DATE,
    "departure": _DATE,
    "vip": _TEXT,
    "class_of_service": CLASS_OF_SERVICE,
}
_EMPTY_VALUES = {name: "" if validator is _TEXT else None for name, validator in _VALIDATORS.items()}
"""The value that null sets, by key."""
