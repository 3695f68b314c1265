"""Updates of the PBX for the PMS: room status, door signs, voicemail, wake-ups and their results.

Each update becomes one record. If it also changes the hotel state, it has a `PhoneUpdate`.
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
from pmslink.hotel.request_fields import parse_room_name
from pmslink.hotel.rooms import Room
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
"""Types of outbox rows that are not postings."""

ReportedResult = Literal["answered", "busy", "no_answer"]
"""The results that a PBX can report for an attempt."""

_RS_DND_ON, _RS_MAKE_UP_ON, _RS_SIGNS_OFF = "8", "9", "10"
"""RS of the door signs. In FIAS only the PMS sends DN, and one RS removes both signs."""
_PHONE_UPDATE_TYPES = frozenset({"status", "dnd", "make_up_room", "wake_up", "wake_up_cancel"})
"""Types whose updates change the hotel state."""
_SIGN_TYPES = ("dnd", "make_up_room")
_MAX_REQUEST_DELAY = timedelta(minutes=1)
"""A wake-up whose time is at most this far in the past is accepted, and is due at once."""
_MAX_LEAD_TIME = timedelta(days=366)


@frozen
class PhoneUpdate:
    """A change of the hotel state. `value` is its value, or a wake-up's time in the hotel's local time."""

    type: PhoneType
    room: str
    value: Any


@frozen
class OutboundUpdate:
    """A record for the PMS, and the JSON body from which it is built.

    A newer update with the same `subject` replaces one that is still queued. From `until` on, in milliseconds
    since 1970 in UTC, it is no longer sent.
    """

    type: PhoneType
    room: str
    body: Mapping[str, object]
    record: Record
    subject: str | None = None
    until: int | None = None
    phone_update: PhoneUpdate | None = None


def status_update(room: str, body: Mapping[str, object], codes: Mapping[str, int]) -> OutboundUpdate:
    """Build an RE with RS. `codes` maps what the hotel's phones dial to RS. Raises BodyError."""
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
    """Build an RE with the RS of the do-not-disturb sign. Raises BodyError."""
    on = _parse_on(body)
    fields = [("RS", _RS_DND_ON if on else _RS_SIGNS_OFF)]
    return _equipment_update("dnd", room, {"on": on}, fields, "sign", on)


def make_up_room_update(room: str, body: Mapping[str, object]) -> OutboundUpdate:
    """Build an RE with the RS of the make-up-room sign. Raises BodyError."""
    on = _parse_on(body)
    fields = [("RS", _RS_MAKE_UP_ON if on else _RS_SIGNS_OFF)]
    return _equipment_update("make_up_room", room, {"on": on}, fields, "make_up_room", on)


def _parse_on(body: Mapping[str, object]) -> bool:
    on: bool = parse_body({"on": required_field(boolean_validator())}, body, "a sign")["on"]
    return on


def resolve_sign(update: PhoneUpdate, record: Record, room: Room | None) -> Record | None:
    """Return the record that a change of a door sign needs; None if it needs none.

    One RS removes both signs: switching one off while the other is on sends the other one again. A sign that
    is not on needs no record. `room` is the room before the change, None if nothing is known of it. Records
    of other updates are returned unchanged.
    """
    if update.type not in _SIGN_TYPES or update.value:
        return record
    signs = {"dnd": False, "make_up_room": False}
    if room is not None:
        signs = {"dnd": room.do_not_disturb, "make_up_room": room.make_up_room}
    return with_present_sign(update, record, room) if signs[update.type] else None


def with_present_sign(update: PhoneUpdate, record: Record, room: Room | None) -> Record:
    """Return the record that switches a door sign off, with the RS of the other sign if that is on.

    Records of other updates are returned unchanged.
    """
    if update.type not in _SIGN_TYPES or update.value:
        return record
    code = _RS_SIGNS_OFF
    if room is not None and update.type == "dnd" and room.make_up_room:
        code = _RS_MAKE_UP_ON
    elif room is not None and update.type == "make_up_room" and room.do_not_disturb:
        code = _RS_DND_ON
    return build_record(record.id, ((name, code if name == "RS" else value) for name, value in record.fields))


def sign_not_on_reason(update: PhoneUpdate) -> str:
    """Return the text for a sign that was switched off although it was not on."""
    sign = "do-not-disturb" if update.type == "dnd" else "make-up-room"
    return f"{sign} is not on in room {update.room}: nothing is sent"


def voicemail_update(room: str, body: Mapping[str, object]) -> OutboundUpdate:
    """Build an RE with VM, the counts of unread and read messages. Raises BodyError.

    A body with `light` also switches the message light of the room. FIAS has no record for that from the
    PBX: it happens once, and what the PMS says of the light later holds.
    """
    counts = parse_body(_VOICEMAIL_FIELDS, body, "a voicemail")
    light = counts.pop("light")
    fields = [("VM", f"{counts['unread']:02}{counts['read']:02}")]
    update = _equipment_update("voicemail", room, counts, fields, "voicemail", light)
    return update if light is not None else evolve(update, phone_update=None)


def _equipment_update(
    update_type: PhoneType,
    room: str,
    body: Mapping[str, object],
    fields: list[Field],
    subject: str,
    value: Any,
) -> OutboundUpdate:
    record = build_record("RE", [("RN", parse_room_name(room)), *fields])
    return OutboundUpdate(
        update_type, room, body, record, subject, phone_update=PhoneUpdate(update_type, room, value)
    )


def wake_up_update(
    room: str, body: Mapping[str, object], now: datetime, policy: HotelPolicy
) -> OutboundUpdate:
    """Build a WR for a wake-up that a guest has requested by phone. Raises BodyError."""
    at = parse_body({"at": _AT_FIELD}, body, "a wake-up")["at"]
    at = policy.resolve_ambiguous(at, to_ms(now - _MAX_REQUEST_DELAY))
    due_ms = policy.to_utc_ms(at)
    if not now - _MAX_REQUEST_DELAY <= datetime.fromtimestamp(due_ms / 1000, UTC) <= now + _MAX_LEAD_TIME:
        raise BodyError("at", "at must be in the future, and within a year")
    return _timed_update("wake_up", "WR", room, at, due_ms)


def wake_up_cancel_update(room: str, at: str | None, policy: HotelPolicy) -> OutboundUpdate:
    """Build a WC for the wake-up at a local time; without `at`, for all wake-ups. Raises BodyError."""
    if at is None:
        record = build_record("WC", [("RN", parse_room_name(room)), ("DA", ""), ("TI", "")])
        return OutboundUpdate(
            "wake_up_cancel", room, {}, record, phone_update=PhoneUpdate("wake_up_cancel", room, None)
        )
    parsed_at = parse_field("at", _AT_FIELD, {"at": at})
    return _timed_update("wake_up_cancel", "WC", room, parsed_at, policy.to_utc_ms(parsed_at))


def _timed_update(
    update_type: PhoneType, record_id: str, room: str, at: datetime, due_ms: int
) -> OutboundUpdate:
    record = build_record(
        record_id,
        [("RN", parse_room_name(room)), ("DA", serialize_date(at)), ("TI", serialize_time(at.time()))],
    )
    body = {"at": at.isoformat()}
    return OutboundUpdate(
        update_type, room, body, record, until=due_ms, phone_update=PhoneUpdate(update_type, room, at)
    )


def wake_up_result_update(finished: WakeUpFinished) -> OutboundUpdate:
    """Build the WA with a wake-up's result. DA and TI are spelled as in the request."""
    wake_up = finished.wake_up
    fields = [
        ("RN", finished.room),
        ("DA", wake_up.date),
        ("TI", wake_up.time),
        ("AS", answer_status(finished.result)),
    ]
    body = {"at": wake_up.at.isoformat(), "result": finished.result}
    return OutboundUpdate("wake_up_result", finished.room, body, build_record("WA", fields))


def parse_phone_update(row_type: str, room: str, body: str) -> PhoneUpdate | None:
    """Parse the change of the hotel state from an outbox row; None for a row that does not change it."""
    if row_type not in _PHONE_UPDATE_TYPES:  # for example a posting, whose body need not be parsed
        return None
    values = json.loads(body)
    match row_type:
        case "status":
            return PhoneUpdate("status", room, values["status"])
        case "dnd":
            return PhoneUpdate("dnd", room, values["on"])
        case "make_up_room":
            return PhoneUpdate("make_up_room", room, values["on"])
        case "wake_up":
            return PhoneUpdate("wake_up", room, _parse_local_time(values["at"]))
        case "wake_up_cancel":
            at = values.get("at")  # none: all wake-ups
            return PhoneUpdate("wake_up_cancel", room, None if at is None else _parse_local_time(at))
    return None


def parse_wake_up_result(body: Mapping[str, object]) -> tuple[int, int | None, ReportedResult]:
    """Parse the id, attempt and result of a wake-up that a PBX reports. Raises BodyError."""
    values = parse_body(_RESULT_FIELDS, body, "a wake-up's result")
    return values["id"], values["attempt"], values["result"]


def _parse_local_time(raw: Any) -> datetime:
    try:
        at = datetime.fromisoformat(require(isinstance(raw, str), raw))
    except ValueError:
        raise ValueError from None
    require(at.tzinfo is None and 2000 <= at.year <= 2099 and "T" in raw, raw)
    return at.replace(microsecond=0)


_COUNT_FIELD = BodyField(integer_validator(0, 99), default=0)
_VOICEMAIL_FIELDS = {
    "unread": evolve(_COUNT_FIELD, required=True),
    "read": _COUNT_FIELD,
    "light": BodyField(boolean_validator()),
}
_AT_FIELD = required_field(
    Validator('a date and time of the hotel without an offset, such as "2026-11-20T07:00"', _parse_local_time)
)
_RESULT_FIELDS = {
    "id": required_field(integer_validator(1, 2**53 - 1, "the id of a wake-up, from wake_up.due")),
    "attempt": BodyField(integer_validator(1, 10, "the number of the attempt, from wake_up.due")),
    "result": required_field(pattern_validator("answered, busy or no_answer", "answered|busy|no_answer")),
}


def serialize_update_body(update: OutboundUpdate, author: str | None = None) -> str:
    """Serialize the body of an update for the outbox, with the name of the caller who set it."""
    return json.dumps(update.body if author is None else {**update.body, "by": author})
