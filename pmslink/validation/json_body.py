"""What may stand under the keys of a body, and what is said of one that is wrong.

It is about money and about guests, so nothing is guessed, shortened or replaced: a body says exactly what
is meant, or it is an error that names the key and tells what would be right.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from attrs import frozen

from pmslink.errors import PmslinkError


class BodyError(PmslinkError):
    """A wrong body: ``field`` is the key that is wrong, the text tells what would be right."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


@frozen
class BodyField:
    """What may stand under a key: ``right`` completes the sentence "must be …".

    ``read`` makes the value of what came, and raises ValueError, which may tell more, if that is not right.
    ``code`` is the field that carries it.
    """

    expected: str
    parse: Callable[[Any], object]
    code: str = ""
    encode: Callable[[Any], str] = str
    required: bool = False
    default: object = None


def parse_body(fields: Mapping[str, BodyField], body: Mapping[str, object], noun: str) -> dict[str, Any]:
    """The values of a body that has these keys; null stands for "not given". Raises BodyError."""
    told = {name: value for name, value in body.items() if value is not None}
    for name in told:
        if name not in fields:
            raise BodyError(name, f"there is no {quote_json(name)} in {noun}; {suggest_name(name, fields)}")
    return {name: parse_field(name, key, told) for name, key in fields.items()}


def parse_field(name: str, field: BodyField, given: Mapping[str, object]) -> Any:
    """The value of one. Raises BodyError."""
    if name not in given:
        if field.required:
            raise BodyError(name, f"{name} is missing: must be {field.expected}")
        return field.default
    try:
        return field.parse(given[name])
    except ValueError as problem:
        more = f", {problem}" if problem.args else ""
        raise BodyError(name, f"{name} must be {field.expected}{more}") from None


def suggest_name(name: str, candidates: Iterable[str]) -> str:
    """What may have been meant."""
    names = list(candidates)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is {names[0]}" if len(names) == 1 else f"there are {', '.join(names)}"


def quote_json(name: str) -> str:
    """As it stands in JSON."""
    return json.dumps(name, ensure_ascii=False)


# How values are read: one function per kind.


def require(condition: object, value: Any) -> Any:
    """The value, if it is right."""
    if not condition:
        raise ValueError
    return value


def integer_parser(minimum: int, maximum: int) -> Callable[[Any], object]:
    """A whole number."""
    # not isinstance(…, int): a bool is an int to Python
    return lambda raw: require(type(raw) is int and minimum <= raw <= maximum, raw)


def parse_boolean(raw: Any) -> object:
    """True or false."""
    return require(isinstance(raw, bool), raw)


def text_parser(is_valid: Callable[[str], object]) -> Callable[[Any], object]:
    """Text of which that holds."""
    return lambda raw: require(isinstance(raw, str) and is_valid(raw), raw)


def pattern_parser(pattern: str) -> Callable[[Any], object]:
    """Text that is as a whole like this."""
    return text_parser(re.compile(pattern).fullmatch)


def free_text(max_chars: int) -> tuple[str, Callable[[Any], object]]:
    """What is right, and how it is read: whatever FIAS can carry."""
    # half of a surrogate pair can stand in JSON, but in no charset and no database
    carried = r"[^|\x00-\x1f\x7f-\x9f\ud800-\udfff]"
    right = f'text of 1 to {max_chars} characters without "|" and control characters'
    return right, pattern_parser(f"{carried}{{1,{max_chars}}}")


required_field = partial(BodyField, required=True)
ROOM_FIELD = required_field(*free_text(40), "RN")
"""The room that something is about."""
