"""Guests as the control interface reads and shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from attrs import asdict

from pmslink.simulator.control.http_site import ApiError, read
from pmslink.simulator.hotel.hotel_model import Guest, Hotel

_CODES = {
    "RN": "room",
    "GN": "name",
    "GF": "first_name",
    "GT": "title",
    "GL": "language",
    "GV": "vip",
}


def named(code: str) -> str:
    """The JSON name of a record's field."""
    return _CODES.get(code, code)


def shown(guest: Guest, hotel: Hotel) -> dict[str, Any]:
    """A guest as JSON, with the room's class of service; ``sharer``: somebody else stays there too."""
    return {
        **asdict(
            guest,
            value_serializer=lambda _, __, value: value.isoformat() if isinstance(value, date) else value,
        ),
        "class_of_service": hotel.equipment(guest.room).class_of_service,
        "sharer": hotel.occupied(guest.room, besides=guest.number),
    }


def details(given: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Guest's attributes from JSON; null is "not known". Raises ApiError 400 that names the key."""
    read = {name: _read(name, value) for name, value in given.items()}
    for name in required:
        if not read.get(name):
            raise ApiError(400, "missing", f"{name} is needed", name)
    return read


def _read(name: str, value: Any) -> Any:
    if value is None and name in _READERS:
        return "" if _READERS[name] is _text else None
    return read(_READERS, name, value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise ValueError("text of at most 200 characters")
    return value


def _day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a date such as 2026-11-20") from None
    if day.year // 100 != 20:  # FIAS has two digits for the year
        raise ValueError("a date between 2000 and 2099")
    return day


def class_of_service(value: Any) -> int:
    """CS from JSON. Raises ValueError with what would be right."""
    if isinstance(value, bool) or value not in (0, 1, 2, 3):
        raise ValueError("0 (barred), 1 (local), 2 (national) or 3 (unrestricted)")
    return int(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "room": _text,
    "name": _text,
    "first_name": _text,
    "title": _text,
    "language": _text,
    "arrival": _day,
    "departure": _day,
    "vip": _text,
    "class_of_service": class_of_service,
}
