"""Parsers of the control API's bodies: one validator per key, and an error that names an invalid key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmslink.validation.validators import Validator
from pmslink.web.http.api_errors import ApiError

INVALID_VALUE_CODE = "bad_value"
"""Error code of an invalid value in a body or a query."""


def parse_values(validators: Mapping[str, Validator], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parsed values of a body by key.

    Raises ApiError 400: `unknown_key` for a key without a validator, `bad_value` for an invalid value.
    """
    return {name: parse_value(validators, name, value) for name, value in body.items()}


def parse_value(validators: Mapping[str, Validator], name: str, value: Any) -> Any:
    """Return the parsed value of one key. Raises ApiError 400 like `parse_values`."""
    if name not in validators:
        raise ApiError(400, "unknown_key", f"unknown key; the keys are {', '.join(validators)}", name)
    validator = validators[name]
    try:
        return validator(value)
    except ValueError:
        message = f"{name} must be {validator.expected}, not {value!r}"
        raise ApiError(400, INVALID_VALUE_CODE, message, name) from None
