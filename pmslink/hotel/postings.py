"""Postings: what a PBX charges to a room, as JSON tells it and as FIAS carries it.

It is about money, so nothing is guessed, shortened or replaced: a body says exactly what is meant, or it
is an error that names the key and tells what would be right.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, Literal

from attrs import evolve, frozen

from pmslink.errors import FieldError, PmslinkError
from pmslink.fias.record import BAR, Record, write
from pmslink.fias.values import stamp, write_duration, write_money

PostingType = Literal["call", "minibar", "charge"]


class PostingError(PmslinkError):
    """A wrong posting: ``field`` is the key that is wrong, the text tells what would be right."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


@frozen
class Posting:
    """A posting that FIAS can carry.

    ``started`` is aware, in UTC and whole milliseconds. ``given`` holds what else was told of it, under the
    keys of its type: normalised, with the defaults, ready for JSON.
    """

    type: PostingType
    room: str
    started: datetime
    given: Mapping[str, object]


def read_posting(body: Mapping[str, object], now: datetime) -> Posting:
    """A posting from an object of JSON; null stands for "not given". ``now`` is aware.

    Raises PostingError about the first thing that is wrong.
    """
    told = {"started": now.isoformat()} | {name: value for name, value in body.items() if value is not None}
    type: PostingType = _read("type", _COMMON["type"], told)
    keys = {**_COMMON, **_KEYS[type]}
    for name in told:
        if name not in keys:
            raise PostingError(name, _why_unknown(name, type))
    values = {name: _read(name, key, told) for name, key in keys.items()}
    _, room, started = (values.pop(name) for name in _COMMON)
    return Posting(type, room, started, {name: value for name, value in values.items() if value is not None})


def posting_json(posting: Posting) -> dict[str, object]:
    """A posting ready for JSON, such that ``read_posting`` makes the same of it again."""
    started = posting.started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": posting.type, "room": posting.room, "started": started, **posting.given}


def posting_record(posting: Posting, timezone: tzinfo | None) -> Record:
    """The PS of a posting, still without its number; None stands for the time zone of the system.

    DA and TI are the start, in the hotel's local time. Raises PostingError for what FIAS cannot carry.
    """
    keys = {name: key for name, key in _KEYS[posting.type].items() if name in posting.given}
    kind = "M" if posting.type == "minibar" else "C" if "amount" in keys else "T"  # T, M: priced by the PMS
    fields = [("RN", posting.room), ("PT", kind)]
    try:
        fields += [(key.code, key.write(posting.given[name])) for name, key in keys.items()]
        return write("PS", fields + stamp(posting.started.astimezone(timezone)))
    except FieldError as problem:
        name = next((name for name, key in keys.items() if key.code == problem.code), "room")
        raise PostingError(name, f"{name} cannot be sent: {problem}") from None


def with_number(record: Record, number: int) -> Record:
    """The PS with its posting number, P#."""
    return write(record.id, [*record.fields, ("P#", str(number))])


@frozen
class _Key:
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


def _read(name: str, key: _Key, told: Mapping[str, object]) -> Any:
    if name not in told:
        if key.required:
            raise PostingError(name, f"{name} is missing: must be {key.right}")
        return key.default
    try:
        return key.read(told[name])
    except ValueError as problem:
        more = f", {problem}" if problem.args else ""
        raise PostingError(name, f"{name} must be {key.right}{more}") from None


def _why_unknown(name: str, type: PostingType) -> str:
    if others := [other for other, keys in _KEYS.items() if name in keys]:
        return f"{name} belongs to {' and '.join(others)}, not to {type}"
    known = [*_COMMON, *_KEYS[type]]
    near = difflib.get_close_matches(name, known, n=1)
    right = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"there is no {json.dumps(name, ensure_ascii=False)} in a posting of type {type}; {right}"


def _required(right: object, raw: Any) -> Any:
    if not right:
        raise ValueError
    return raw


def _whole(least: int, most: int) -> Callable[[Any], object]:
    # not isinstance(…, int): a bool is an int to Python
    return lambda raw: _required(type(raw) is int and least <= raw <= most, raw)


def _text(is_right: Callable[[str], object]) -> Callable[[Any], object]:
    return lambda raw: _required(isinstance(raw, str) and is_right(raw), raw)


def _matching(pattern: str) -> Callable[[Any], object]:
    return _text(re.compile(pattern).fullmatch)


def _read_dialled(raw: Any) -> object:
    digits = _required(isinstance(raw, str), raw).translate(str.maketrans("", "", "+-() "))
    if stranger := re.search("[^0-9]", digits):
        raise ValueError(f"{json.dumps(stranger[0], ensure_ascii=False)} is not known")
    return _required(1 <= len(digits) <= 20, digits)


def _read_started(raw: Any) -> object:
    try:
        moment = datetime.fromisoformat(_required(isinstance(raw, str), raw))
        started = _required(moment.tzinfo, moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError from None
    _required(2000 <= started.year <= 2099, raw)  # DA has two digits for the year
    return started.replace(microsecond=started.microsecond // 1000 * 1000)  # JSON tells milliseconds


# half of a surrogate pair can stand in JSON, but in no charset and no database
_CARRIED = r"[^|\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_FREE_TEXT = 'text of 1 to {} characters without "|" and control characters'
_MOMENT = 'a moment of 2000 to 2099 with its offset, such as "2026-11-20T07:00:00Z"'

_must = partial(_Key, required=True)
_AMOUNT = _Key("a whole number of minor units from 0 to 10^14", _whole(0, 10**14), "TA", write_money)
_OUTLET = _Key(
    'text of 1 to 5 printable characters without "|"',
    _text(lambda text: len(text) in range(1, 6) and text.isprintable() and BAR not in text),
    "SO",
)
_COMMON: Mapping[str, _Key] = {
    "type": _must("call, minibar or charge", _matching("call|minibar|charge")),
    "room": _must(_FREE_TEXT.format(40), _matching(_CARRIED + "{1,40}"), "RN"),
    "started": _Key(_MOMENT, _read_started),
}
_KEYS: Mapping[PostingType, Mapping[str, _Key]] = {
    "call": {
        "amount": _AMOUNT,
        "dialled": _must("1 to 20 digits; + - ( ) and blanks are dropped", _read_dialled, "DD"),
        "duration": _must(
            "whole seconds from 0 to 359999", _whole(0, 359_999), "DU", partial(write_duration, "DU")
        ),
        "call_type": _Key("L (local), N (national) or I (international)", _matching("[LNI]"), "PC"),
    },
    "minibar": {
        "article": _must("text of 1 to 4 digits", _matching("[0-9]{1,4}"), "MA"),
        "count": _Key("a whole number from 1 to 99", _whole(1, 99), "M#", default=1),
    },
    "charge": {
        "amount": evolve(_AMOUNT, required=True),
        "outlet": _OUTLET,
        "text": _Key(_FREE_TEXT.format(20), _matching(_CARRIED + "{1,20}"), "CT"),
    },
}
