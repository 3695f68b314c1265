"""Values of fields: dates, times, durations and money. Parsing is tolerant, serializing is strict."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from pmslink.errors import FieldError
from pmslink.fias.record import Field

_MAX_DURATION_S = 99 * 3600 + 59 * 60 + 59
_DECIMAL_PATTERN = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def parse_date(code: str, text: str) -> date:
    """Parse ``YYMMDD`` as a date of the years 2000 to 2099. Raises FieldError for anything else."""
    if not _is_digits(text, 6):
        raise FieldError(code, f"{text!r} is not a date YYMMDD")
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError as problem:
        raise FieldError(code, f"{text!r} is not a date YYMMDD: {problem}") from None


def parse_time(code: str, text: str) -> time:
    """Parse ``HHMMSS``, or ``HHMM`` as some systems send it. Raises FieldError for anything else."""
    if not _is_digits(text, 6) and not _is_digits(text, 4):
        raise FieldError(code, f"{text!r} is not a time HHMMSS or HHMM")
    try:
        return time(int(text[:2]), int(text[2:4]), int(text[4:] or 0))
    except ValueError as problem:
        raise FieldError(code, f"{text!r} is not a time HHMMSS: {problem}") from None


def parse_duration(code: str, text: str) -> int:
    """Parse a duration ``HHMMSS`` into seconds. Raises FieldError for anything else."""
    if not _is_digits(text, 6) or int(text[2:4]) > 59 or int(text[4:]) > 59:
        raise FieldError(code, f"{text!r} is not a duration HHMMSS")
    return int(text[:2]) * 3600 + int(text[2:4]) * 60 + int(text[4:])


def parse_money(code: str, text: str) -> int:
    """Parse an amount into minor units. FIAS implies two decimals; a PMS may write a decimal point.

    ``1050`` and ``10.50`` are both 1050. Raises FieldError for anything else.
    """
    match = _DECIMAL_PATTERN.fullmatch(text)
    if match is None:
        raise FieldError(code, f"{text!r} is not an amount such as 1050 or 10.50")
    sign, units, decimals = match.groups()
    minor = int(units) if decimals is None else int(units) * 100 + int(decimals.ljust(2, "0"))
    return -minor if sign else minor


def serialize_date(day: date) -> str:
    """Serialize a date as ``YYMMDD``."""
    return day.strftime("%y%m%d")


def serialize_time(time_of_day: time) -> str:
    """Serialize a time of day as ``HHMMSS``."""
    return time_of_day.strftime("%H%M%S")


def serialize_duration(code: str, seconds: int) -> str:
    """Serialize seconds as ``HHMMSS``. Raises FieldError outside 0 to 99:59:59."""
    if not 0 <= seconds <= _MAX_DURATION_S:
        raise FieldError(
            code, f"{seconds} s cannot be written as HHMMSS; it must be 0 to {_MAX_DURATION_S} s"
        )
    return f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"


def serialize_money(minor: int) -> str:
    """Serialize an amount in minor units, without a decimal point: FIAS implies two decimals."""
    return str(minor)


def date_time_fields(now: datetime) -> list[Field]:
    """Build the ``DA`` and ``TI`` fields of a date and time in the hotel's local time."""
    return [("DA", serialize_date(now)), ("TI", serialize_time(now.time()))]


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()
