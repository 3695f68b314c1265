"""What stands in a field: dates, times, durations and money, read tolerantly and written strictly."""

from __future__ import annotations

import codecs
import re
from datetime import date, datetime, time
from functools import cache

from pmslink.errors import FieldError
from pmslink.fias.record import BAR, Field, Record

_MAX_DURATION_S = 99 * 3600 + 59 * 60 + 59
_DECIMAL_PATTERN = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def parse_date(code: str, text: str) -> date:
    """``YYMMDD`` as a date of this century. Raises FieldError for anything else."""
    if not _is_digits(text, 6):
        raise FieldError(code, f"{text!r} is not a date YYMMDD")
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError as problem:
        raise FieldError(code, f"{text!r} is not a date YYMMDD: {problem}") from None


def parse_time(code: str, text: str) -> time:
    """``HHMMSS``, or ``HHMM`` as some systems send it. Raises FieldError for anything else."""
    if not _is_digits(text, 6) and not _is_digits(text, 4):
        raise FieldError(code, f"{text!r} is not a time HHMMSS or HHMM")
    try:
        return time(int(text[:2]), int(text[2:4]), int(text[4:] or 0))
    except ValueError as problem:
        raise FieldError(code, f"{text!r} is not a time HHMMSS: {problem}") from None


def parse_duration(code: str, text: str) -> int:
    """``HHMMSS`` in seconds. Raises FieldError for anything else."""
    if not _is_digits(text, 6) or int(text[2:4]) > 59 or int(text[4:]) > 59:
        raise FieldError(code, f"{text!r} is not a duration HHMMSS")
    return int(text[:2]) * 3600 + int(text[2:4]) * 60 + int(text[4:])


def parse_money(code: str, text: str) -> int:
    """An amount in minor units (two implied decimals); a PMS may write a decimal point.

    ``1050`` and ``10.50`` are both 1050. Raises FieldError for anything else.
    """
    match = _DECIMAL_PATTERN.fullmatch(text)
    if match is None:
        raise FieldError(code, f"{text!r} is not an amount such as 1050 or 10.50")
    sign, whole, decimals = match.groups()
    minor = int(whole) if decimals is None else int(whole) * 100 + int(decimals.ljust(2, "0"))
    return -minor if sign else minor


def serialize_date(day: date) -> str:
    """A date as ``YYMMDD``."""
    return day.strftime("%y%m%d")


def serialize_time(moment: time) -> str:
    """A time of day as ``HHMMSS``."""
    return moment.strftime("%H%M%S")


def serialize_duration(code: str, seconds: int) -> str:
    """Seconds as ``HHMMSS``. Raises FieldError outside 0 to 99:59:59."""
    if not 0 <= seconds <= _MAX_DURATION_S:
        raise FieldError(code, f"{seconds} s cannot be written as HHMMSS; 0 to {_MAX_DURATION_S} s can")
    return f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"


def serialize_money(minor: int) -> str:
    """An amount in minor units, without a decimal point: FIAS implies two decimals."""
    return str(minor)


def date_time_fields(now: datetime) -> list[Field]:
    """The ``DA`` and ``TI`` that most records carry, in the hotel's local time."""
    return [("DA", serialize_date(now)), ("TI", serialize_time(now.time()))]


def is_usable_charset(name: str) -> bool:
    """Whether FIAS can be written in this charset: known to Python, and plain ASCII stays as it is."""
    protocol = "".join(map(chr, range(0x20, 0x7F)))
    try:
        return protocol.encode(name) == protocol.encode("ascii")
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return False


@cache
def _is_ascii_compatible(charset: str) -> bool:
    """Whether no bytes of ASCII can mean anything else: not so where they switch between alphabets."""
    return not codecs.lookup(charset).name.startswith(("iso2022", "utf-7", "hz"))


def decode(frame: bytes, charset: str) -> str:
    """A frame's text; what the charset does not know is replaced, never an error.

    Plain ASCII is decoded as such: most records are, and Python takes ten times as long for a code page.
    """
    if frame.isascii() and _is_ascii_compatible(charset):
        return frame.decode("ascii")
    return frame.decode(charset, "replace")


def encode(record: Record, charset: str) -> bytes:
    """A record's text in the link's charset. Raises FieldError that names the field it cannot carry."""
    try:
        return record.text.encode(charset)
    except UnicodeEncodeError as problem:
        before = record.text[: problem.start]
        code = before[before.rfind(BAR) + 1 :][:2] or record.id
        character = record.text[problem.start]
        raise FieldError(code, f"{character!r} does not exist in the link's charset {charset}") from None


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()
