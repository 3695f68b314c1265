"""Fields that several request bodies have in common: text for a FIAS field, and the room."""

from __future__ import annotations

from pmslink.validation.json_body import required_field
from pmslink.validation.validators import Validator, pattern_validator

# Half of a surrogate pair can occur in JSON, but in no character set and no database.
_FIAS_CHARACTER = r"[^|\x00-\x1f\x7f-\x9f\ud800-\udfff]"


def fias_text_validator(max_chars: int) -> Validator:
    """Accept text that is valid in a FIAS field."""
    expected = f'text of 1 to {max_chars} characters without "|" and control characters'
    return pattern_validator(expected, f"{_FIAS_CHARACTER}{{1,{max_chars}}}")


ROOM_FIELD = required_field(fias_text_validator(40), "RN")
"""The room of a request."""
