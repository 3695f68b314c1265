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
class Key:
    """What may stand under a key: ``right`` completes the sentence "must be …".

    ``read`` makes the value of what came, and raises ValueError, which may tell more, if that is not right.
    ``code`` is the field that carries it.
    """

    right: str
    read: Callable[[Any], object]
    code: str = ""
    write: Callable[[Any], str] = str
    required: bool = False
    default: object = None


def read(keys: Mapping[str, Key], body: Mapping[str, object], kind: str) -> dict[str, Any]:
    """The values of a body that has these keys; null stands for "not given". Raises BodyError."""
    told = {name: value for name, value in body.items() if value is not None}
    for name in told:
        if name not in keys:
            raise BodyError(name, f"there is no {quoted(name)} in {kind}; {nearest(name, keys)}")
    return {name: read_key(name, key, told) for name, key in keys.items()}


def read_key(name: str, key: Key, told: Mapping[str, object]) -> Any:
    """The value of one. Raises BodyError."""
    if name not in told:
        if key.required:
            raise BodyError(name, f"{name} is missing: must be {key.right}")
        return key.default
    try:
        return key.read(told[name])
    except ValueError as problem:
        more = f", {problem}" if problem.args else ""
        raise BodyError(name, f"{name} must be {key.right}{more}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """What may have been meant."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is {names[0]}" if len(names) == 1 else f"there are {', '.join(names)}"


def quoted(name: str) -> str:
    """As it stands in JSON."""
    return json.dumps(name, ensure_ascii=False)


# How values are read: one function per kind.


def required(right: object, raw: Any) -> Any:
    """The value, if it is right."""
    if not right:
        raise ValueError
    return raw


def whole(least: int, most: int) -> Callable[[Any], object]:
    """A whole number."""
    # not isinstance(…, int): a bool is an int to Python
    return lambda raw: required(type(raw) is int and least <= raw <= most, raw)


def yes_or_no(raw: Any) -> object:
    """True or false."""
    return required(isinstance(raw, bool), raw)


def text(is_right: Callable[[str], object]) -> Callable[[Any], object]:
    """Text of which that holds."""
    return lambda raw: required(isinstance(raw, str) and is_right(raw), raw)


def matching(pattern: str) -> Callable[[Any], object]:
    """Text that is as a whole like this."""
    return text(re.compile(pattern).fullmatch)


def free_text(longest: int) -> tuple[str, Callable[[Any], object]]:
    """What is right, and how it is read: whatever FIAS can carry."""
    # half of a surrogate pair can stand in JSON, but in no charset and no database
    carried = r"[^|\x00-\x1f\x7f-\x9f\ud800-\udfff]"
    right = f'text of 1 to {longest} characters without "|" and control characters'
    return right, matching(f"{carried}{{1,{longest}}}")


must = partial(Key, required=True)
ROOM = must(*free_text(40), "RN")
"""The room that something is about."""
