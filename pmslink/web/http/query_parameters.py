"""Parsers of query parameters; each raises ApiError 400 for an invalid value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from twisted.web.iweb import IRequest

from pmslink.web.http.api_errors import ApiError

_Choice = TypeVar("_Choice")

MAX_SAFE_INTEGER = 2**53 - 1
"""The greatest integer that every JSON reader represents exactly (RFC 8259, section 6)."""
DEFAULT_LIST_LIMIT = 100
"""Entries in a list if the request sets no limit."""
MAX_LIST_LIMIT = 1000
"""Entries in a list at most."""


def query_param(request: IRequest, name: str, error_code: str = "invalid") -> str | None:
    """Return a parameter of the query, or None.

    Raises ApiError 400 of this code if it is given more than once.
    """
    values = request.args.get(name.encode(), [])
    if len(values) > 1:
        raise ApiError(400, error_code, f"{name} is given {len(values)} times", name)
    return values[0].decode("utf-8", "replace") if values else None


def int_param(
    request: IRequest, name: str, maximum: int, minimum: int = 1, error_code: str = "invalid"
) -> int | None:
    """Return an integer of the query, or None.

    Raises ApiError 400 of this code unless it is within the bounds.
    """
    text = query_param(request, name, error_code)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and minimum <= int(text) <= maximum):
        raise ApiError(400, error_code, f"{name} must be a whole number from {minimum} to {maximum}", name)
    return int(text)


def enum_param(request: IRequest, name: str, choices: Sequence[_Choice]) -> _Choice | None:
    """Return the choice that the query names, or None. Raises ApiError 400 if it is not one of `choices`."""
    text = query_param(request, name)
    for choice in choices:
        if text == choice:
            return choice
    if text is not None:
        expected = " or ".join(f'"{choice}"' for choice in choices)
        raise ApiError(400, "invalid", f"{name} must be {expected}", name)
    return None


def limit_param(request: IRequest) -> int:
    """Return how many entries of a list to send. Raises ApiError 400."""
    return int_param(request, "limit", maximum=MAX_LIST_LIMIT) or DEFAULT_LIST_LIMIT


def before_param(request: IRequest) -> int | None:
    """Return the id that all entries of a list must be older than, or None. Raises ApiError 400."""
    return int_param(request, "before", maximum=MAX_SAFE_INTEGER)
