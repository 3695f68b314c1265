"""Fields that several request bodies have in common: text for a FIAS field, and the room."""

from __future__ import annotations

import re
from typing import Any

from pmslink.validation.json_body import parse_field, required_field
from pmslink.validation.validators import Validator, pattern_validator, require

# Half of a surrogate pair can occur in JSON, but in no character set and no database.
_FIAS_CHARACTER = r"[^|\x00-\x1f\x7f-\x9f\ud800-\udfff]"


def fias_text_validator(max_chars: int) -> Validator:
    """Accept text that is valid in a FIAS field."""
    return pattern_validator(_expected_text(max_chars), f"{_FIAS_CHARACTER}{{1,{max_chars}}}")


def _expected_text(max_chars: int) -> str:
    return f'text of 1 to {max_chars} characters without "|" and control characters'


_MAX_ROOM_CHARS = 40


def _parse_room(raw: Any) -> str:
    text: str = require(isinstance(raw, str) and re.fullmatch(f"{_FIAS_CHARACTER}+", raw), raw)
    name = text.strip()
    require(1 <= len(name) <= _MAX_ROOM_CHARS, name)
    return name


ROOM_FIELD = required_field(Validator(_expected_text(_MAX_ROOM_CHARS), _parse_room), "RN")
"""The room of a request, without blanks around its name."""


def parse_room_name(raw: str) -> str:
    """Return the name of a room that a request names, without blanks around it. Raises BodyError."""
    name: str = parse_field("room", ROOM_FIELD, {"room": raw})
    return name
