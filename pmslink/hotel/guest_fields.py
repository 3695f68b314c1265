"""Parse the guest fields of a record: reservation number, personal data, share flag."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Mapping
from typing import Any

from pmslink.errors import FieldError
from pmslink.fias.field_values import parse_date
from pmslink.fias.record import Record

MAX_RESERVATION_NUMBER_CHARS = 40
"""Characters of a reservation number; FIAS has 10."""
MAX_GUEST_TEXT_CHARS = 200
"""Characters that are stored of a guest's name, title and other texts."""
SHARE_NO = "N"
"""GS: after this record, no other guest stays in the room."""
SHARE_YES = "Y"
"""GS: after this record, other guests stay in the room."""

_TEXT_FIELDS = {
    "GN": "name",
    "GF": "first_name",
    "GT": "title",
    "GL": "language",
    "GV": "vip",
    "GG": "group",
}
_DATE_FIELDS = {"GA": "arrival", "GD": "departure"}
_FLAGS = {"Y": True, "N": False}
_OTHER_FIELDS = frozenset({"RN", "RO", "G#", "GS", "CS", "NP", "SF", "DA", "TI", "WS"})
"""Fields that say what happens, or that have a meaning of their own."""
MAX_OTHER_FIELDS = 40
"""Fields without an attribute of their own that are stored of one guest."""


def parse_guest_fields(
    field_values: Mapping[str, str], declared: Container[str] | None = None
) -> dict[str, Any]:
    """Parse the personal data in a record's fields, under the names of `Guest`'s attributes.

    An empty text and an invalid date are None; a field that the record does not have is not in the result.
    `fields` has the other fields, as far as they are `declared` (None: all).
    """
    parsed: dict[str, Any] = {
        name: clean_text(field_values[code])[:MAX_GUEST_TEXT_CHARS] or None
        for code, name in _TEXT_FIELDS.items()
        if code in field_values
    }
    for code, name in _DATE_FIELDS.items():
        if code in field_values:
            parsed[name] = _parse_optional_date(code, field_values[code])
    if "NP" in field_values:
        parsed["no_post"] = _FLAGS.get(field_values["NP"].strip())
    others = {
        code: clean_text(value)[:MAX_GUEST_TEXT_CHARS]
        for code, value in field_values.items()
        if code not in _TEXT_FIELDS
        and code not in _DATE_FIELDS
        and code not in _OTHER_FIELDS
        and (declared is None or code in declared)
    }
    parsed["fields"] = dict(list(others.items())[:MAX_OTHER_FIELDS])
    return parsed


def clean_text(text: str) -> str:
    """Replace the control characters in a text by blanks, and remove the blanks around it."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return text.strip()


def _parse_optional_date(code: str, text: str) -> str | None:
    try:
        return parse_date(code, text).isoformat()
    except FieldError:
        return None


def parse_reservation_number(field_values: Mapping[str, str]) -> str:
    """Parse G#; empty where the PMS identifies guests by room."""
    return clean_text(field_values.get("G#", ""))[:MAX_RESERVATION_NUMBER_CHARS]


def parse_gs_flags(record: Record) -> tuple[str | None, str | None]:
    """Parse GS of the new room and GS of the old room. Each GS belongs to the RN or RO before it."""
    flag_by_room_field: dict[str, str] = {}
    room_field = "RN"
    for code, value in record.fields:
        if code in ("RN", "RO"):
            room_field = code
        elif code == "GS":
            flag_by_room_field.setdefault(room_field, value)
    return flag_by_room_field.get("RN"), flag_by_room_field.get("RO")
