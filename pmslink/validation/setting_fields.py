"""The kinds of settings: what may stand in one, how that is read, and what a form asks for it with."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from attrs import field, fields, frozen

SettingKind = Literal[
    "number", "whole", "yes_or_no", "choice", "text", "moment", "records", "codes", "tariff", "secret"
]


REDACTED = "***"
"""What stands for a secret, which is never told again."""


@frozen
class Setting:
    """What one setting means, and what may stand in it.

    ``right`` completes the sentence "must be …". ``read`` makes the value of what a person wrote, and
    raises ValueError (NestedValueError, if it can tell the place) for anything that is not right.
    ``kind`` says what a form asks for it with, ``choices`` and ``bounds`` what may be chosen there.
    ``pattern`` is the regular expression that text must match from end to end, if there is one. ``schema``
    holds JSON Schema keywords that do not follow from the others, such as ``maxLength``.
    What is ``secret`` is never told again: wherever it would stand, there is ``REDACTED``.
    """

    meaning: str
    expected: str
    parse: Callable[[Any], object]
    unit: str = ""
    kind: SettingKind = "text"
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    pattern: str = ""
    schema: Mapping[str, Any] = field(factory=dict)

    @property
    def secret(self) -> bool:
        return self.kind == "secret"


class NestedValueError(ValueError):
    """Only one part of a value is wrong: what stands under ``key``, dotted; None if it is missing.

    ``right`` tells what would be right ("must be …"), if that can be said more closely than of the whole.
    """

    def __init__(self, key: str, value: object, expected: str = "") -> None:
        super().__init__(key, value, expected)
        self.key = key
        self.value = value
        self.expected = expected


def setting_of(cls: type, name: str) -> Setting:
    """The metadata of a field of one of the classes that hold settings."""
    found: Setting = getattr(fields(cls), name).metadata["setting"]
    return found


# What follows makes the metadata of a field: one function per kind of value.


def setting_metadata(
    meaning: str, expected: str, parse: Callable[[Any], object], **more: Any
) -> Mapping[str, Setting]:
    return {"setting": Setting(meaning, expected, parse, **more)}


def seconds(meaning: str, minimum: float = 0.1, maximum: float = 86400) -> Mapping[str, Setting]:
    def read(raw: object) -> object:
        # not isinstance(…, float): whole numbers are as good, but a bool is an int to Python
        return _require(type(raw) in (int, float) and minimum <= raw <= maximum, raw)  # type: ignore[operator]

    right = f"a number of seconds from {minimum} to {maximum}"
    return setting_metadata(meaning, right, read, unit="s", kind="number", bounds=(minimum, maximum))


def integer(meaning: str, minimum: int, maximum: int, unit: str = "") -> Mapping[str, Setting]:
    def read(raw: object) -> object:
        return _require(type(raw) is int and minimum <= raw <= maximum, raw)

    right = f"a whole number from {minimum} to {maximum}"
    return setting_metadata(meaning, right, read, unit=unit, kind="whole", bounds=(minimum, maximum))


def boolean(meaning: str) -> Mapping[str, Setting]:
    return setting_metadata(
        meaning, "true or false", lambda raw: _require(isinstance(raw, bool), raw), kind="yes_or_no"
    )


def choice(choices: object, meaning: str) -> Mapping[str, Setting]:
    words = get_args(choices)
    right = " or ".join(f'"{word}"' for word in words)
    return setting_metadata(
        meaning,
        right,
        lambda raw: _require(isinstance(raw, str) and raw in words, raw),
        kind="choice",
        choices=words,
    )


def text(
    meaning: str, expected: str, is_valid: Callable[[str], object], **more: Any
) -> Mapping[str, Setting]:
    def read(raw: object) -> object:
        return _require(isinstance(raw, str) and is_valid(raw), raw)

    return setting_metadata(meaning, expected, read, **more)


def matching_text(meaning: str, right: str, pattern: str, **more: Any) -> Mapping[str, Setting]:
    """Describe text that a regular expression matches from end to end."""
    return text(meaning, right, re.compile(pattern).fullmatch, pattern=pattern, **more)


def _require(condition: object, value: object) -> object:
    if not condition:
        raise ValueError
    return value


def is_host(name: str) -> bool:
    """Whether this can be a host's name or an IP address; an address of IPv6 stands without brackets."""
    if ":" in name:
        return is_parseable(ipaddress.IPv6Address, name)
    if not (0 < len(name) <= 253 and name.isprintable()) or set(name) & set(" ,/[]"):
        return False
    return is_parseable(lambda host: host.encode("idna"), name)  # what the DNS can be asked for


def is_path(name: str) -> bool:
    """Whether this can be the path of a file or directory."""
    return bool(name) and "\0" not in name


def is_parseable(parse: Callable[[str], object], raw: str) -> bool:
    """Whether this can be read."""
    try:
        parse(raw)
    except (ValueError, KeyError, OSError):
        return False
    return True
