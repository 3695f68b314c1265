"""Records: an id of two characters, then fields, each followed by a bar (|).

``GI|RN101|G#5001|GSN|GNAdams|`` is a check-in (``GI``) with four fields. Parsing is tolerant, because there
are many dialects: the last bar may be missing, and unknown records and fields are accepted. A field may be
empty, or occur twice (a room move has two ``GS``, each for the room before it), so the fields are an ordered
list and not a map. Building is strict: a value that FIAS cannot represent is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from attrs import frozen

from pmslink.errors import FieldError

Field = tuple[str, str]
"""A field's two-character code and its value, which may be empty."""

BAR = "|"
_CONTROL_PATTERN = re.compile("[\x00-\x1f\x7f-\x9f]")


@frozen
class Record:
    """One record as it is on the wire, between STX and ETX; any text is accepted.

    The fields are parsed on first access, because most records of a busy link are only counted and stored.
    """

    text: str

    @cached_property
    def id(self) -> str:
        """The text before the first bar: two characters in every FIAS record."""
        return self.text.partition(BAR)[0]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields in the order of the wire, including repeated and empty ones."""
        return tuple([(part[:2], part[2:]) for part in self.text.split(BAR)[1:] if part])

    @cached_property
    def _first_values(self) -> dict[str, str]:
        """The value of the first field with each code."""
        return dict(reversed(self.fields))

    def get(self, code: str, default: str | None = None) -> str | None:
        """Return the value of the first field with this code."""
        return self._first_values.get(code, default)

    def all(self, code: str) -> Iterator[str]:
        """Iterate over the values of all fields with this code, in order."""
        return (value for field_code, value in self.fields if field_code == code)

    def __contains__(self, code: str) -> bool:
        return code in self._first_values


def build_record(record_id: str, fields: Iterable[Field] = ()) -> Record:
    """Build a valid record.

    Raises FieldError, which names the field, for an id or code that is not two characters long and
    for a value with a bar (FIAS has no escape for it) or a control character.
    """
    _require_writable("id", record_id, exactly=2)
    parts = [record_id]
    for code, value in fields:
        _require_writable(code, code, exactly=2)
        _require_writable(code, value)
        parts.append(code + value)
    return Record(BAR.join(parts) + BAR)


def _require_writable(code: str, text: str, exactly: int | None = None) -> None:
    if exactly is not None and len(text) != exactly:
        raise FieldError(code, f"{text!r} is not {exactly} characters long")
    if BAR in text:
        raise FieldError(
            code, f"{text!r} contains a bar, which FIAS cannot represent; use / or a blank instead"
        )
    if _CONTROL_PATTERN.search(text):
        raise FieldError(code, f"{text!r} contains a control character, which FIAS cannot represent")
