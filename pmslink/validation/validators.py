"""Validators: parse a value from TOML or JSON, or raise an error that says what is expected.

Settings, JSON bodies and the simulator's control API share them, so each rule is implemented once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen


class InvalidValueError(ValueError):
    """Report a value that a validator rejects.

    `expected` completes the sentence "must be …"; `detail` says more about this value, and may be empty.
    The text of the error is both, separated by a comma.
    """

    def __init__(self, expected: str, detail: str = "") -> None:
        super().__init__(f"{expected}, {detail}" if detail else expected)
        self.expected = expected
        self.detail = detail


class NestedValueError(ValueError):
    """Report the one part of a structured value that is wrong.

    `key` is the dotted path inside the value, `value` what is there (None: missing). `expected` is a
    clause ("must be …"), or empty if the expectation of the whole value says enough.
    """

    def __init__(self, key: str, value: object, expected: str = "") -> None:
        super().__init__(key, value, expected)
        self.key = key
        self.value = value
        self.expected = expected


@frozen
class Validator:
    """Call it with a value to get the parsed value.

    `expected` completes the sentence "must be …". `convert` returns the parsed value or raises ValueError;
    the text of that error becomes the detail. Calling a validator raises InvalidValueError, or
    NestedValueError if only one part of the value is wrong.
    """

    expected: str
    convert: Callable[[Any], Any]

    def __call__(self, raw: object) -> Any:
        """Return the parsed value. Raises InvalidValueError or NestedValueError."""
        try:
            return self.convert(raw)
        except NestedValueError:
            raise
        except InvalidValueError as error:
            raise InvalidValueError(self.expected, error.detail) from None
        except ValueError as error:
            raise InvalidValueError(self.expected, str(error)) from None


def require(condition: object, value: Any) -> Any:
    """Return the value if the condition is true. Raises ValueError otherwise."""
    if not condition:
        raise ValueError
    return value


def integer_validator(minimum: int, maximum: int, expected: str = "") -> Validator:
    """Accept a whole number within the bounds, both included."""
    return Validator(
        expected or f"a whole number from {minimum} to {maximum}",
        # not isinstance(…, int): a bool is an int to Python
        lambda raw: require(type(raw) is int and minimum <= raw <= maximum, raw),
    )


def number_validator(minimum: float, maximum: float, expected: str = "") -> Validator:
    """Accept a whole number or a fraction within the bounds, both included."""
    return Validator(
        expected or f"a number from {minimum} to {maximum}",
        # not isinstance(…, float): whole numbers are accepted as well, but a bool is an int to Python
        lambda raw: require(type(raw) in (int, float) and minimum <= raw <= maximum, raw),
    )


def boolean_validator(expected: str = "true or false") -> Validator:
    """Accept true and false."""
    return Validator(expected, lambda raw: require(isinstance(raw, bool), raw))


def text_validator(expected: str, is_valid: Callable[[str], object]) -> Validator:
    """Accept text for which the predicate holds."""
    return Validator(expected, lambda raw: require(isinstance(raw, str) and is_valid(raw), raw))


def pattern_validator(expected: str, pattern: str) -> Validator:
    """Accept text that a regular expression matches from end to end."""
    return text_validator(expected, re.compile(pattern).fullmatch)


def choice_validator(choices: Sequence[str], expected: str = "") -> Validator:
    """Accept one of these texts."""
    quoted = " or ".join(f'"{choice}"' for choice in choices)
    return text_validator(expected or quoted, lambda text: text in choices)


def is_parseable(parse: Callable[[str], object], raw: str) -> bool:
    """Return whether a function parses the text without ValueError, KeyError or OSError."""
    try:
        parse(raw)
    except (ValueError, KeyError, OSError):
        return False
    return True


def is_host(name: str) -> bool:
    """Return whether the text can be a host name or an IP address; IPv6 addresses have no brackets."""
    if not 0 < len(name) <= 253:
        return False
    if ":" in name:
        return is_parseable(ipaddress.IPv6Address, name)
    if not name.isprintable() or set(name) & set(" ,/[]"):
        return False
    return is_parseable(lambda host: host.encode("idna"), name)  # the form in which DNS is queried


def is_path(name: str) -> bool:
    """Return whether the text can be the path of a file or directory."""
    return bool(name) and "\0" not in name
