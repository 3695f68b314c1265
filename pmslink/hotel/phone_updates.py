"""What a phone tells the PMS: the status of its room, the sign at the door, voicemail, wake-ups.

Each becomes one record, and what of it the house is to know as well is a `PhoneUpdate`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from attrs import evolve, frozen

from pmslink.fias.field_values import serialize_date, serialize_time
from pmslink.fias.record import Field, Record, build_record
from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.request_fields import ROOM_FIELD
from pmslink.hotel.wake_up_attempts import answer_status
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError, BodyField, parse_body, parse_field, required_field
from pmslink.validation.validators import (
    Validator,
    boolean_validator,
    integer_validator,
    pattern_validator,
    require,
)

PhoneType = Literal[
    "status", "dnd", "make_up_room", "voicemail", "wake_up", "wake_up_cancel", "wake_up_result"
]
"""What a row of the outbox is about that is no posting."""

ReportedResult = Literal["answered", "busy", "no_answer"]
"""What a PBX may say of an attempt to wake."""

_RS_DND_ON, _RS_MAKE_UP_ON, _RS_SIGNS_OFF = "8", "9", "10"
"""RS of the signs; FIAS takes DN from the PMS only, and has one RS that takes both signs away."""
_PHONE_UPDATE_TYPES = frozenset({"status", "dnd", "make_up_room", "wake_up", "wake_up_cancel"})
"""What the house is to know of."""
_PAST_TOLERANCE = timedelta(minutes=1)
_MAX_LEAD_TIME = timedelta(days=366)


@frozen
class PhoneUpdate:
    """What the house is to know: a value, or the moment of a wake-up in the hotel's local time."""

    type: PhoneType
    room: str
    value: Any


@frozen
class OutboundUpdate:
    """A record for the PMS. `subject`: what a newer one takes the place of; `until`: in milliseconds,
    when the PMS need not hear of it any more."""

    type: PhoneType
    room: str
    body: Mapping[str, object]
    record: Record
    subject: str | None = None
    until: int | None = None
    phone_update: PhoneUpdate | None = None


def status_update(room: str, body: Mapping[str, object], codes: Mapping[str, int]) -> OutboundUpdate:
    """RE with RS; `codes` say what the hotel's phones dial for it. Raises BodyError."""
    value = parse_body({"status": required_field(_status_validator(codes))}, body, "a status")["status"]
    return _equipment_update("status", room, {"status": value}, [("RS", str(value))], "status", value)


def _status_validator(codes: Mapping[str, int]) -> Validator:
    if not codes:
        return integer_validator(1, 6)

    def status_of(raw: Any) -> object:
        status = codes.get(str(raw)) if type(raw) in (int, str) else None
        return require(status, status)

    return Validator(f"one of the hotel's codes {', '.join(codes)}", status_of)


def dnd_update(room: str, body: Mapping[str, object]) -> OutboundUpdate:
    """RE with the RS of the sign. Raises BodyError."""
    on = _parse_on(body)
    fields = [("RS", _RS_DND_ON if on else _RS_SIGNS_OFF)]
    return _equipment_update("dnd", room, {"on": on}, fields, "sign", on)


def make_up_room_update(room: str, body: Mapping[str, object]) -> OutboundUpdate:
    """RE with the RS of the sign; there is one sign at a door, so it takes do-not-disturb away.

    Raises BodyError.
    """
    on = _parse_on(body)
    fields = [("RS", _RS_MAKE_UP_ON if on else _RS_SIGNS_OFF)]
    return _equipment_update("make_up_room", room, {"on": on}, fields, "sign", False)


def _parse_on(body: Mapping[str, object]) -> bool:
    on: bool = parse_body({"on": required_field(boolean_validator())}, body, "a sign")["on"]
    return on


def voicemail_update(room: str, body: Mapping[str, object]) -> OutboundUpdate:
    """RE with VM: how many messages are unread and read. Raises BodyError."""
    count = BodyField(integer_validator(0, 99), default=0)
    counts = parse_body({"unread": evolve(count, required=True), "read": count}, body, "a voicemail")
    fields = [("VM", f"{counts['unread']:02}{counts['read']:02}")]
    return evolve(_equipment_update("voicemail", room, counts, fields, "voicemail", None), phone_update=None)


def _equipment_update(
    type: PhoneType, room: str, body: Mapping[str, object], fields: list[Field], subject: str, value: Any
) -> OutboundUpdate:
    record = build_record("RE", [("RN", _parse_room_name(room)), *fields])
    return OutboundUpdate(type, room, body, record, subject, phone_update=PhoneUpdate(type, room, value))


def wake_up_update(
    room: str, body: Mapping[str, object], now: datetime, policy: HotelPolicy
) -> OutboundUpdate:
    """WR: a guest has ordered it on the phone. Raises BodyError."""
    at = parse_body({"at": _AT_FIELD}, body, "a wake-up")["at"]
    at = policy.resolve_ambiguous(at, to_ms(now - _PAST_TOLERANCE))
    instant = policy.to_utc_ms(at)
    if not now - _PAST_TOLERANCE <= datetime.fromtimestamp(instant / 1000, UTC) <= now + _MAX_LEAD_TIME:
        raise BodyError("at", "at must be in the future, and within a year")
    return _timed_update("wake_up", "WR", room, at, instant)


def wake_up_cancel_update(room: str, at: str | None, policy: HotelPolicy) -> OutboundUpdate:
    """WC: the guest has cancelled one, or without a moment all. Raises BodyError."""
    if at is None:
        record = build_record("WC", [("RN", _parse_room_name(room)), ("DA", ""), ("TI", "")])
        return OutboundUpdate(
            "wake_up_cancel", room, {}, record, phone_update=PhoneUpdate("wake_up_cancel", room, None)
        )
    moment = parse_field("at", _AT_FIELD, {"at": at})
    return _timed_update("wake_up_cancel", "WC", room, moment, policy.to_utc_ms(moment))


def _timed_update(type: PhoneType, id: str, room: str, at: datetime, due_ms: int) -> OutboundUpdate:
    record = build_record(
        id, [("RN", _parse_room_name(room)), ("DA", serialize_date(at)), ("TI", serialize_time(at.time()))]
    )
    body = {"at": at.isoformat()}
    return OutboundUpdate(type, room, body, record, until=due_ms, phone_update=PhoneUpdate(type, room, at))


def wake_up_result_update(finished: WakeUpFinished) -> OutboundUpdate:
    """WA: how a wake-up ended, said of the very date and time that it was ordered with."""
    wake_up = finished.wake_up
    fields = [
        ("RN", finished.room),
        ("DA", wake_up.date),
        ("TI", wake_up.time),
        ("AS", answer_status(finished.result)),
    ]
    body = {"at": wake_up.at.isoformat(), "result": finished.result}
    return OutboundUpdate("wake_up_result", finished.room, body, build_record("WA", fields))


def parse_phone_update(type: str, room: str, body: str) -> PhoneUpdate | None:
    """What the house is to know of a row of the outbox; None for one that no phone has told."""
    if type not in _PHONE_UPDATE_TYPES:  # each posting asks, when it is sent
        return None
    told = json.loads(body)
    match type:
        case "status":
            return PhoneUpdate("status", room, told["status"])
        case "dnd":
            return PhoneUpdate("dnd", room, told["on"])
        case "make_up_room":
            return PhoneUpdate("make_up_room", room, False)
        case "wake_up":
            return PhoneUpdate("wake_up", room, _parse_local_time(told["at"]))
        case "wake_up_cancel":
            return PhoneUpdate("wake_up_cancel", room, _parse_local_time(told["at"]) if told else None)
    return None


def parse_wake_up_result(body: Mapping[str, object]) -> tuple[int, int | None, ReportedResult]:
    """Id, attempt and result of what a PBX tells of a wake-up. Raises BodyError."""
    told = parse_body(_RESULT_FIELDS, body, "a wake-up's result")
    return told["id"], told["attempt"], told["result"]


def _parse_room_name(room: str) -> str:
    name: str = parse_field("room", ROOM_FIELD, {"room": room})
    return name


def _parse_local_time(raw: Any) -> datetime:
    try:
        at = datetime.fromisoformat(require(isinstance(raw, str), raw))
    except ValueError:
        raise ValueError from None
    require(at.tzinfo is None and 2000 <= at.year <= 2099 and "T" in raw, raw)
    return at.replace(microsecond=0)


_AT_FIELD = required_field(
    Validator('a date and time of the hotel without an offset, such as "2026-11-20T07:00"', _parse_local_time)
)
_RESULT_FIELDS = {
    "id": required_field(integer_validator(1, 2**53 - 1, "the id of a wake-up, from wake_up.due")),
    "attempt": BodyField(integer_validator(1, 10, "the number of the attempt, from wake_up.due")),
    "result": required_field(pattern_validator("answered, busy or no_answer", "answered|busy|no_answer")),
}


def serialize_update_body(update: OutboundUpdate) -> str:
    """What was asked for, in JSON, as the outbox keeps it."""
    return json.dumps(dict(update.body))
