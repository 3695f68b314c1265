"""What a phone tells the PMS: the status of its room, the sign at the door, voicemail, wake-ups.

Each becomes one record, and what of it the house is to know as well is a `Change`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from attrs import evolve, frozen

from pmslink.fias.field_values import write_date, write_time
from pmslink.fias.record import Field, Record, write
from pmslink.hotel.events import Awoken
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import House, Now
from pmslink.hotel.stays import settle_room
from pmslink.hotel.wake_ups import TooManyWakeUps, call_off, order, status_of
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import (
    ROOM,
    BodyError,
    Key,
    matching,
    must,
    read,
    read_key,
    required,
    whole,
    yes_or_no,
)

PhoneType = Literal[
    "status", "dnd", "make_up_room", "voicemail", "wake_up", "wake_up_cancel", "wake_up_result"
]
"""What a row of the outbox is about that is no posting."""

Results = Literal["answered", "busy", "no_answer"]
"""What a PBX may say of an attempt to wake."""

_DND_ON, _MAKE_UP_ON, _SIGNS_OFF = "8", "9", "10"
"""RS of the signs; FIAS takes DN from the PMS only, and has one RS that takes both signs away."""
_TOLD_BY_PHONES = frozenset({"status", "dnd", "make_up_room", "wake_up", "wake_up_cancel"})
"""What the house is to know of."""
_JUST_NOW = timedelta(minutes=1)
_FURTHEST = timedelta(days=366)


@frozen
class Change:
    """What the house is to know: a value, or the moment of a wake-up in the hotel's local time."""

    type: PhoneType
    room: str
    value: Any


@frozen
class Told:
    """A record for the PMS. `subject`: what a newer one takes the place of; `until`: in milliseconds,
    when the PMS need not hear of it any more."""

    type: PhoneType
    room: str
    body: Mapping[str, object]
    record: Record
    subject: str | None = None
    until: int | None = None
    change: Change | None = None


def told_status(room: str, body: Mapping[str, object], codes: Mapping[str, int]) -> Told:
    """RE with RS; `codes` say what the hotel's phones dial for it. Raises BodyError."""
    value = read({"status": must(_right_of_status(codes), _status_reader(codes))}, body, "a status")["status"]
    return _equipment("status", room, {"status": value}, [("RS", str(value))], "status", value)


def _right_of_status(codes: Mapping[str, int]) -> str:
    return f"one of the hotel's codes {', '.join(codes)}" if codes else "a whole number from 1 to 6"


def _status_reader(codes: Mapping[str, int]) -> Any:
    if not codes:
        return whole(1, 6)

    def dialled(raw: Any) -> object:
        status = codes.get(str(raw)) if type(raw) in (int, str) else None
        return required(status, status)

    return dialled


def told_dnd(room: str, body: Mapping[str, object]) -> Told:
    """RE with the RS of the sign. Raises BodyError."""
    on = _read_on(body)
    fields = [("RS", _DND_ON if on else _SIGNS_OFF)]
    return _equipment("dnd", room, {"on": on}, fields, "sign", on)


def told_make_up_room(room: str, body: Mapping[str, object]) -> Told:
    """RE with the RS of the sign; there is one sign at a door, so it takes do-not-disturb away.

    Raises BodyError.
    """
    on = _read_on(body)
    fields = [("RS", _MAKE_UP_ON if on else _SIGNS_OFF)]
    return _equipment("make_up_room", room, {"on": on}, fields, "sign", False)


def _read_on(body: Mapping[str, object]) -> bool:
    on: bool = read({"on": must("true or false", yes_or_no)}, body, "a sign")["on"]
    return on


def told_voicemail(room: str, body: Mapping[str, object]) -> Told:
    """RE with VM: how many messages are unread and read. Raises BodyError."""
    count = Key("a whole number from 0 to 99", whole(0, 99), default=0)
    counts = read({"unread": evolve(count, required=True), "read": count}, body, "a voicemail")
    fields = [("VM", f"{counts['unread']:02}{counts['read']:02}")]
    return evolve(_equipment("voicemail", room, counts, fields, "voicemail", None), change=None)


def _equipment(
    type: PhoneType, room: str, body: Mapping[str, object], fields: list[Field], subject: str, value: Any
) -> Told:
    record = write("RE", [("RN", _read_room(room)), *fields])
    return Told(type, room, body, record, subject, change=Change(type, room, value))


def told_wake_up(room: str, body: Mapping[str, object], now: datetime, rules: Rules) -> Told:
    """WR: a guest has ordered it on the phone. Raises BodyError."""
    at = read({"at": must(_AT, _read_local)}, body, "a wake-up")["at"]
    at = rules.meant(at, to_ms(now - _JUST_NOW))
    instant = rules.instant(at)
    if not now - _JUST_NOW <= datetime.fromtimestamp(instant / 1000, UTC) <= now + _FURTHEST:
        raise BodyError("at", "at must be in the future, and within a year")
    return _wake_up("wake_up", "WR", room, at, instant)


def told_wake_up_cancel(room: str, at: str | None, rules: Rules) -> Told:
    """WC: the guest has cancelled one, or without a moment all. Raises BodyError."""
    if at is None:
        record = write("WC", [("RN", _read_room(room)), ("DA", ""), ("TI", "")])
        return Told("wake_up_cancel", room, {}, record, change=Change("wake_up_cancel", room, None))
    moment = read_key("at", must(_AT, _read_local), {"at": at})
    return _wake_up("wake_up_cancel", "WC", room, moment, rules.instant(moment))


def _wake_up(type: PhoneType, id: str, room: str, at: datetime, instant: int) -> Told:
    record = write(id, [("RN", _read_room(room)), ("DA", write_date(at)), ("TI", write_time(at.time()))])
    body = {"at": at.isoformat()}
    return Told(type, room, body, record, until=instant, change=Change(type, room, at))


def told_result(awoken: Awoken) -> Told:
    """WA: how a wake-up ended, said of the very date and time that it was ordered with."""
    wake_up = awoken.wake_up
    fields = [
        ("RN", awoken.room),
        ("DA", wake_up.date),
        ("TI", wake_up.time),
        ("AS", status_of(awoken.result)),
    ]
    body = {"at": wake_up.at.isoformat(), "result": awoken.result}
    return Told("wake_up_result", awoken.room, body, write("WA", fields))


def change_of(type: str, room: str, body: str) -> Change | None:
    """What the house is to know of a row of the outbox; None for one that no phone has told."""
    if type not in _TOLD_BY_PHONES:  # each posting asks, when it is sent
        return None
    told = json.loads(body)
    match type:
        case "status":
            return Change("status", room, told["status"])
        case "dnd":
            return Change("dnd", room, told["on"])
        case "make_up_room":
            return Change("make_up_room", room, False)
        case "wake_up":
            return Change("wake_up", room, _read_local(told["at"]))
        case "wake_up_cancel":
            return Change("wake_up_cancel", room, _read_local(told["at"]) if told else None)
    return None


def read_result(body: Mapping[str, object]) -> tuple[int, int | None, Results]:
    """Id, attempt and result of what a PBX tells of a wake-up. Raises BodyError."""
    told = read(_RESULT, body, "a wake-up's result")
    return told["id"], told["attempt"], told["result"]


def apply(house: House, change: Change, now: Now) -> None:
    """What a phone has told the PMS is so. Of a room that the PMS has not named only what has to be known.

    Raises TooManyWakeUps.
    """
    settle_room(house, change.room, now)
    has_to_be_known = change.type == "wake_up" or change.value is True
    room = house.room(change.room) if has_to_be_known else house.rooms.get(change.room)
    match change:
        case Change(type="wake_up", value=at):
            spelled = (write_date(at), write_time(at.time()))
            if room is None or not order(house, room, at, spelled, now, "pbx"):
                raise TooManyWakeUps(f"room {change.room} has as many wake-ups as it may")
        case _ if room is None:
            pass
        case Change(type="status"):
            house.put(evolve(room, status=change.value), now, "pbx")
        case Change(type="dnd" | "make_up_room"):
            house.put(evolve(room, do_not_disturb=change.value), now, "pbx")
        case Change(type="wake_up_cancel", value=at):
            call_off(house, room, at, now, "pbx")


def _read_room(room: str) -> str:
    name: str = read_key("room", ROOM, {"room": room})
    return name


def _read_local(raw: Any) -> datetime:
    try:
        at = datetime.fromisoformat(required(isinstance(raw, str), raw))
    except ValueError:
        raise ValueError from None
    required(at.tzinfo is None and 2000 <= at.year <= 2099 and "T" in raw, raw)
    return at.replace(microsecond=0)


_AT = 'a date and time of the hotel without an offset, such as "2026-11-20T07:00"'
_RESULT = {
    "id": must("the id of a wake-up, from wake_up.due", whole(1, 2**53 - 1)),
    "attempt": Key("the number of the attempt, from wake_up.due", whole(1, 10)),
    "result": must("answered, busy or no_answer", matching("answered|busy|no_answer")),
}


def body_text(told: Told) -> str:
    """What was asked for, in JSON, as the outbox keeps it."""
    return json.dumps(dict(told.body))
