"""Parse JSON bodies field by field.

Bodies contain charges and guest data, so no value is guessed, truncated or replaced: a body is valid, or
it causes an error that names the field and says what is expected.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from attrs import frozen

from pmslink.errors import PmslinkError
from pmslink.validation.validators import Validator


class BodyError(PmslinkError):
    """Report an invalid body: `field` names the invalid field, the text says what is expected."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


@frozen
class BodyField:
    """Describe one field of a body.

    `default` is the value of a field that is not given, unless it is `required`. `code` is the FIAS field
    that carries the value, `encode` makes the text of that field.
    """

    validator: Validator
    code: str = ""
    encode: Callable[[Any], str] = str
    required: bool = False
    default: object = None


required_field = partial(BodyField, required=True)


def parse_body(fields: Mapping[str, BodyField], body: Mapping[str, object], noun: str) -> dict[str, Any]:
    """Return the values of all fields by name; null stands for a field that is not given.

    `noun` names the kind of body in error texts. Raises BodyError for the first invalid or unknown field.
    """
    given = {name: value for name, value in body.items() if value is not None}
    for name in given:
        if name not in fields:
            raise BodyError(name, f"there is no {quote_json(name)} in {noun}; {suggest_name(name, fields)}")
    return {name: parse_field(name, field, given) for name, field in fields.items()}


def parse_field(name: str, field: BodyField, given: Mapping[str, object]) -> Any:
    """Return the value of one field, or its default. Raises BodyError."""
    if name not in given:
        if field.required:
            raise BodyError(name, f"{name} is missing: must be {field.validator.expected}")
        return field.default
    try:
        return field.validator(given[name])
    except ValueError as error:
        raise BodyError(name, f"{name} must be {error}") from None


def suggest_name(name: str, candidates: Iterable[str]) -> str:
    """Return the clause of an error text that offers the most similar name, or else all names."""
    names = list(candidates)
    if not names:
        return "it takes none"
    similar = [other for other in names if other.lower() == name.lower()]
    similar = similar or difflib.get_close_matches(name, names, n=1)
    if similar:
        return f"did you mean {similar[0]}?"
    return f"there is {names[0]}" if len(names) == 1 else f"there are {', '.join(names)}"


def quote_json(text: str) -> str:
    """Return the text as a JSON string, without ASCII escapes."""
    return json.dumps(text, ensure_ascii=False)
