"""Postings: charges from a PBX to a room, as a JSON body and as a FIAS record.

A value of the wrong type is an error and never converted: see `validation.json_body`.
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
from pmslink.fias.field_values import date_time_fields, serialize_duration, serialize_money
from pmslink.fias.record import BAR, Record, build_record
from pmslink.hotel.request_fields import ROOM_FIELD, fias_text_validator
from pmslink.timestamps import format_timestamp
from pmslink.validation import json_body
from pmslink.validation.json_body import BodyError, BodyField, parse_field, required_field
from pmslink.validation.validators import (
    Validator,
    integer_validator,
    pattern_validator,
    require,
    text_validator,
)

PostingType = Literal["call", "minibar", "charge"]


@frozen
class Posting:
    """A valid posting.

    ``started`` is aware, in UTC and whole milliseconds. ``details`` holds the keys of its type: normalised,
    with the defaults, JSON-compatible.
    """

    type: PostingType
    room: str
    started: datetime
    details: Mapping[str, object]


def parse_posting(body: Mapping[str, object], now: datetime) -> Posting:
    """Parse a posting from a JSON object. A null is a missing value; ``now`` (aware) is the default start.

    Raises BodyError for the first invalid value.
    """
    given = {"started": now.isoformat()} | {name: value for name, value in body.items() if value is not None}
    posting_type: PostingType = parse_field("type", _COMMON_FIELDS["type"], given)
    keys = {**_COMMON_FIELDS, **_FIELDS_BY_TYPE[posting_type]}
    for name in given:
        if name not in keys:
            raise BodyError(name, _unknown_field_message(name, posting_type))
    values = {name: parse_field(name, key, given) for name, key in keys.items()}
    _, room, started = (values.pop(name) for name in _COMMON_FIELDS)
    return Posting(
        posting_type, room, started, {name: value for name, value in values.items() if value is not None}
    )


def serialize_posting(posting: Posting) -> dict[str, object]:
    """Serialize a posting to a JSON object that ``parse_posting`` parses to an equal posting."""
    started = format_timestamp(posting.started)
    return {"type": posting.type, "room": posting.room, "started": started, **posting.details}


def build_posting_record(posting: Posting, timezone: tzinfo | None) -> Record:
    """Build the PS of a posting, without P#. A timezone of None is that of the system.

    DA and TI are the start in the hotel's local time. Raises BodyError if FIAS cannot represent a value.
    """
    keys = {name: key for name, key in _FIELDS_BY_TYPE[posting.type].items() if name in posting.details}
    kind = "M" if posting.type == "minibar" else "C" if "amount" in keys else "T"  # T, M: priced by the PMS
    fields = [("RN", posting.room), ("PT", kind)]
    try:
        fields += [(key.code, key.encode(posting.details[name])) for name, key in keys.items()]
        return build_record("PS", fields + date_time_fields(posting.started.astimezone(timezone)))
    except FieldError as problem:
        name = next((name for name, key in keys.items() if key.code == problem.code), "room")
        raise BodyError(name, f"{name} cannot be sent: {problem}") from None


def with_posting_number(record: Record, number: int) -> Record:
    """Add the posting number, P#, to a PS."""
    return Record(f"{record.text}P#{number}{BAR}")


def _unknown_field_message(name: str, posting_type: PostingType) -> str:
    if allowed_types := [key_type for key_type, keys in _FIELDS_BY_TYPE.items() if name in keys]:
        return f"{name} belongs to {' and '.join(allowed_types)}, not to {posting_type}"
    allowed = [*_COMMON_FIELDS, *_FIELDS_BY_TYPE[posting_type]]
    suggestion = json_body.suggest_name(name, allowed)
    return f"there is no {json_body.quote_json(name)} in a posting of type {posting_type}; {suggestion}"


def _parse_dialled(raw: Any) -> object:
    digits = require(isinstance(raw, str), raw).translate(str.maketrans("", "", "+-() "))
    if invalid := re.search("[^0-9]", digits):
        raise ValueError(f"{json.dumps(invalid[0], ensure_ascii=False)} is not allowed")
    return require(1 <= len(digits) <= 20, digits)


def _parse_started(raw: Any) -> object:
    try:
        parsed = datetime.fromisoformat(require(isinstance(raw, str), raw))
        started = require(parsed.tzinfo, parsed).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError from None
    require(2000 <= started.year <= 2099, raw)  # DA has two digits for the year
    return started.replace(microsecond=started.microsecond // 1000 * 1000)  # JSON has milliseconds


_STARTED_EXPECTED = 'a date and time from 2000 to 2099 with its offset, such as "2026-11-20T07:00:00Z"'

_AMOUNT_FIELD = BodyField(
    integer_validator(0, 10**14, "a whole number of minor units from 0 to 10^14"), "TA", serialize_money
)
_OUTLET_FIELD = BodyField(
    text_validator(
        'text of 1 to 5 printable characters without "|"',
        lambda text: len(text) in range(1, 6) and text.isprintable() and BAR not in text,
    ),
    "SO",
)
_COMMON_FIELDS: Mapping[str, BodyField] = {
    "type": required_field(pattern_validator("call, minibar or charge", "call|minibar|charge")),
    "room": ROOM_FIELD,
    "started": BodyField(Validator(_STARTED_EXPECTED, _parse_started)),
}
_FIELDS_BY_TYPE: Mapping[PostingType, Mapping[str, BodyField]] = {
    "call": {
        "amount": _AMOUNT_FIELD,
        "dialled": required_field(
            Validator("1 to 20 digits; + - ( ) and blanks are dropped", _parse_dialled), "DD"
        ),
        "duration": required_field(
            integer_validator(0, 359_999, "whole seconds from 0 to 359999"),
            "DU",
            partial(serialize_duration, "DU"),
        ),
        "call_type": BodyField(
            pattern_validator("L (local), N (national) or I (international)", "[LNI]"), "PC"
        ),
    },
    "minibar": {
        "article": required_field(pattern_validator("text of 1 to 4 digits", "[0-9]{1,4}"), "MA"),
        "count": BodyField(integer_validator(1, 99), "M#", default=1),
    },
    "charge": {
        "amount": evolve(_AMOUNT_FIELD, required=True),
        "outlet": _OUTLET_FIELD,
        "text": BodyField(fias_text_validator(20), "CT"),
    },
}
