"""Parsers of query parameters; each raises ApiError 400 for an invalid value."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from twisted.web.iweb import IRequest

from pmslink.validation.json_body import quote_json, suggest_name
from pmslink.web.http.api_errors import ApiError

_Choice = TypeVar("_Choice")
_SEPARATOR_RE = re.compile(b"[&;]")  # those of Twisted

MAX_SAFE_INTEGER = 2**53 - 1
"""The greatest integer that every JSON reader represents exactly (RFC 8259, section 6)."""
DEFAULT_LIST_LIMIT = 100
"""Entries in a list if the request sets no limit."""
MAX_LIST_LIMIT = 1000
"""Entries in a list at most."""
MAX_SEARCH_CHARS = 100
"""Characters of a text to search for."""


def require_known_keys(request: IRequest, known: Collection[str]) -> None:
    """Raise ApiError 400 if the query has a key that is not `known`, or a key without a value.

    So a misspelt key cannot turn a call for one thing into a call for all of them.
    """
    _, _, query = request.uri.partition(b"?")
    for part in filter(None, _SEPARATOR_RE.split(query)):
        # Twisted drops a key without "=": the request would be handled as if it were not there
        encoded, equals_sign, _ = part.partition(b"=")
        key = unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8", "replace")
        if key not in known:
            expected = suggest_name(key, known) if known else "this call takes no query"
            raise ApiError(400, "invalid", f"there is no {quote_json(key)} in the query; {expected}", key)
        if not equals_sign:
            raise ApiError(400, "invalid", f"{key} has no value: must be {key}=…", key)


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


def search_param(request: IRequest) -> str:
    """Return the text to search for, without white space around it; empty if there is none.

    Raises ApiError 400 for a text that is too long.
    """
    text = query_param(request, "q") or ""
    if len(text) > MAX_SEARCH_CHARS:
        raise ApiError(400, "invalid", f"q must have at most {MAX_SEARCH_CHARS} characters", "q")
    return text.strip()


def before_param(request: IRequest) -> int | None:
    """Return the id that all entries of a list must be older than, or None. Raises ApiError 400."""
    return int_param(request, "before", maximum=MAX_SAFE_INTEGER)
