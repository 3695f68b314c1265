"""Guests as the control interface reads and shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from attrs import asdict

from pmslink.simulator.control.http_site import ApiError, parse_value
from pmslink.simulator.hotel.hotel_model import Guest, Hotel

_JSON_NAMES = {
    "RN": "room",
    "GN": "name",
    "GF": "first_name",
    "GT": "title",
    "GL": "language",
    "GV": "vip",
}


def json_name(code: str) -> str:
    """The JSON name of a record's field."""
    return _JSON_NAMES.get(code, code)


def serialize_guest(guest: Guest, hotel: Hotel) -> dict[str, Any]:
    """A guest as JSON, with the room's class of service; ``sharer``: somebody else stays there too."""
    return {
        **asdict(
            guest,
            value_serializer=lambda _, __, value: value.isoformat() if isinstance(value, date) else value,
        ),
        "class_of_service": hotel.equipment(guest.room).class_of_service,
        "sharer": hotel.is_occupied(guest.room, excluding=guest.number),
    }


def parse_guest(given: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Guest's attributes from JSON; null is "not known". Raises ApiError 400 that names the key."""
    read = {name: _parse_value(name, value) for name, value in given.items()}
    for name in required:
        if not read.get(name):
            raise ApiError(400, "missing", f"{name} is needed", name)
    return read


def _parse_value(name: str, value: Any) -> Any:
    if value is None and name in _PARSERS:
        return "" if _PARSERS[name] is _parse_text else None
    return parse_value(_PARSERS, name, value)


def _parse_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise ValueError("text of at most 200 characters")
    return value


def _parse_date(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a date such as 2026-11-20") from None
    if day.year // 100 != 20:  # FIAS has two digits for the year
        raise ValueError("a date between 2000 and 2099")
    return day


def parse_class_of_service(value: Any) -> int:
    """CS from JSON. Raises ValueError with what would be right."""
    if isinstance(value, bool) or value not in (0, 1, 2, 3):
        raise ValueError("0 (barred), 1 (local), 2 (national) or 3 (unrestricted)")
    return int(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "room": _parse_text,
    "name": _parse_text,
    "first_name": _parse_text,
    "title": _parse_text,
    "language": _parse_text,
    "arrival": _parse_date,
    "departure": _parse_date,
    "vip": _parse_text,
    "class_of_service": parse_class_of_service,
}
