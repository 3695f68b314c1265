"""Postings: what a PBX charges to a room, as JSON tells it and as FIAS carries it.

Nothing is guessed: see `bodies`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, Literal

from attrs import evolve, frozen

from pmslink.errors import FieldError
from pmslink.fias.field_values import stamp, write_duration, write_money
from pmslink.fias.record import BAR, Record, write
from pmslink.timestamps import timestamp
from pmslink.validation import json_body
from pmslink.validation.json_body import (
    BodyError,
    Key,
    free_text,
    matching,
    must,
    read_key,
    required,
    text,
    whole,
)

PostingType = Literal["call", "minibar", "charge"]


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

    Raises BodyError about the first thing that is wrong.
    """
    told = {"started": now.isoformat()} | {name: value for name, value in body.items() if value is not None}
    type: PostingType = read_key("type", _COMMON["type"], told)
    keys = {**_COMMON, **_KEYS[type]}
    for name in told:
        if name not in keys:
            raise BodyError(name, _why_unknown(name, type))
    values = {name: read_key(name, key, told) for name, key in keys.items()}
    _, room, started = (values.pop(name) for name in _COMMON)
    return Posting(type, room, started, {name: value for name, value in values.items() if value is not None})


def posting_json(posting: Posting) -> dict[str, object]:
    """A posting ready for JSON, such that ``read_posting`` makes the same of it again."""
    started = timestamp(posting.started)
    return {"type": posting.type, "room": posting.room, "started": started, **posting.given}


def posting_record(posting: Posting, timezone: tzinfo | None) -> Record:
    """The PS of a posting, still without its number; None stands for the time zone of the system.

    DA and TI are the start, in the hotel's local time. Raises BodyError for what FIAS cannot carry.
    """
    keys = {name: key for name, key in _KEYS[posting.type].items() if name in posting.given}
    kind = "M" if posting.type == "minibar" else "C" if "amount" in keys else "T"  # T, M: priced by the PMS
    fields = [("RN", posting.room), ("PT", kind)]
    try:
        fields += [(key.code, key.write(posting.given[name])) for name, key in keys.items()]
        return write("PS", fields + stamp(posting.started.astimezone(timezone)))
    except FieldError as problem:
        name = next((name for name, key in keys.items() if key.code == problem.code), "room")
        raise BodyError(name, f"{name} cannot be sent: {problem}") from None


def with_number(record: Record, number: int) -> Record:
    """The PS with its posting number, P#."""
    return write(record.id, [*record.fields, ("P#", str(number))])


def _why_unknown(name: str, type: PostingType) -> str:
    if others := [other for other, keys in _KEYS.items() if name in keys]:
        return f"{name} belongs to {' and '.join(others)}, not to {type}"
    known = [*_COMMON, *_KEYS[type]]
    return (
        f"there is no {json_body.quoted(name)} in a posting of type {type}; {json_body.nearest(name, known)}"
    )


def _read_dialled(raw: Any) -> object:
    digits = required(isinstance(raw, str), raw).translate(str.maketrans("", "", "+-() "))
    if stranger := re.search("[^0-9]", digits):
        raise ValueError(f"{json.dumps(stranger[0], ensure_ascii=False)} is not known")
    return required(1 <= len(digits) <= 20, digits)


def _read_started(raw: Any) -> object:
    try:
        moment = datetime.fromisoformat(required(isinstance(raw, str), raw))
        started = required(moment.tzinfo, moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError from None
    required(2000 <= started.year <= 2099, raw)  # DA has two digits for the year
    return started.replace(microsecond=started.microsecond // 1000 * 1000)  # JSON tells milliseconds


_MOMENT = 'a moment of 2000 to 2099 with its offset, such as "2026-11-20T07:00:00Z"'

_AMOUNT = Key("a whole number of minor units from 0 to 10^14", whole(0, 10**14), "TA", write_money)
_OUTLET = Key(
    'text of 1 to 5 printable characters without "|"',
    text(lambda text: len(text) in range(1, 6) and text.isprintable() and BAR not in text),
    "SO",
)
_COMMON: Mapping[str, Key] = {
    "type": must("call, minibar or charge", matching("call|minibar|charge")),
    "room": json_body.ROOM,
    "started": Key(_MOMENT, _read_started),
}
_KEYS: Mapping[PostingType, Mapping[str, Key]] = {
    "call": {
        "amount": _AMOUNT,
        "dialled": must("1 to 20 digits; + - ( ) and blanks are dropped", _read_dialled, "DD"),
        "duration": must(
            "whole seconds from 0 to 359999", whole(0, 359_999), "DU", partial(write_duration, "DU")
        ),
        "call_type": Key("L (local), N (national) or I (international)", matching("[LNI]"), "PC"),
    },
    "minibar": {
        "article": must("text of 1 to 4 digits", matching("[0-9]{1,4}"), "MA"),
        "count": Key("a whole number from 1 to 99", whole(1, 99), "M#", default=1),
    },
    "charge": {
        "amount": evolve(_AMOUNT, required=True),
        "outlet": _OUTLET,
        "text": Key(*free_text(20), "CT"),
    },
}
