"""Bounds on the JSON of a body: it is checked before anything else looks at its values.

No valid body comes near the bounds. They keep every later step short, whatever it does with a value.
"""

from __future__ import annotations

from pmslink.web.http.api_errors import ApiError

MAX_TEXT_CHARS = 4096
"""Characters of a text, as many as the path of a file may have."""
MAX_NAME_CHARS = 100
"""Characters of a name in an object."""
MAX_NAMES = 200
"""Names in an object; a link has about 60 settings."""
MAX_ENTRIES = 1000
"""Entries in a list; a call tariff has up to 500 rates."""
MAX_DEPTH = 6
"""Objects and lists inside each other; the rates of a call tariff are the deepest values."""
MAX_NUMBER = 2**63
"""Greatest absolute value of a number."""


def require_bounded(body: dict[str, object], error_code: str) -> None:
    """Raise ApiError 400 of this code, which names the field, if a value of the body exceeds a bound."""
    _require_names(body, "the body", None, error_code)
    for name, value in body.items():
        _require_value(value, name, name, error_code, depth=2)


def _require_value(value: object, path: str, field: str, code: str, depth: int) -> None:
    match value:
        case str():
            _require(len(value) <= MAX_TEXT_CHARS, path, f"{MAX_TEXT_CHARS} characters", field, code)
        case int() | float():
            if not abs(value) <= MAX_NUMBER:
                raise ApiError(400, code, f"{path} must be a number from -2^63 to 2^63", field)
        case list() | dict():
            if depth > MAX_DEPTH:
                raise ApiError(400, code, f"{path} is nested too deeply", field)
            if isinstance(value, dict):
                _require_names(value, path, field, code)
                for name, part in value.items():
                    _require_value(part, f"{path}.{name}", field, code, depth + 1)
            else:
                _require(len(value) <= MAX_ENTRIES, path, f"{MAX_ENTRIES} entries", field, code)
                for number, part in enumerate(value, 1):
                    _require_value(part, f"{path}.{number}", field, code, depth + 1)


def _require_names(value: dict[str, object], path: str, field: str | None, code: str) -> None:
    _require(len(value) <= MAX_NAMES, path, f"{MAX_NAMES} names", field, code)
    for name in value:
        is_short = len(name) <= MAX_NAME_CHARS
        _require(is_short, f"a name in {path}", f"{MAX_NAME_CHARS} characters", field, code)


def _require(condition: bool, subject: str, maximum: str, field: str | None, code: str) -> None:
    if not condition:
        raise ApiError(400, code, f"{subject} must have at most {maximum}", field)
