"""Rooms, guests and wake-ups as frozen values, and their JSON forms for the store and the API."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import field, fields, frozen

from pmslink.frozen_values import evolve

MAX_ROOM_NAME_CHARS = 40
"""Characters of a room name; FIAS allows 8, PMSs send more."""
MAX_WAKE_UPS = 100
"""Maximum number of wake-ups in a room, and of stored times of its finished wake-ups."""

WakeUpResult = Literal["answered", "busy", "no_answer", "unreported", "missed", "no_phone"]
"""The result of a wake-up.

`unreported`: the PBX reported no result; `missed`: no attempt began in time; `no_phone`: the room has no
extension.
"""


@frozen
class Guest:
    """One stay of one person. `arrival` and `departure` are dates in ISO 8601.

    `number` is the reservation number (G#), empty where the PMS identifies guests by room. `sharer`: others
    occupied the room when this guest checked in. `no_post`: no charges may be posted (NP); None if the PMS
    does not say. `fields` holds the declared fields without an attribute here, by code.
    """

    number: str = ""
    name: str | None = None
    first_name: str | None = None
    title: str | None = None
    language: str | None = None
    vip: str | None = None
    group: str | None = None
    arrival: str | None = None
    departure: str | None = None
    sharer: bool = False
    no_post: bool | None = None
    fields: Mapping[str, str] = field(factory=dict)


@frozen
class WakeUp:
    """One wake-up of a room; `due` and `again` in milliseconds since 1970 in UTC.

    `at` is the hotel's local time; its `fold` is 1 in the second of two equal hours. `date` and `time` are
    `at` as the DA and TI of the request spelled it, because the WA must repeat them. `again` is when the
    current attempt ends; None before the first one. `requested` is when it was last requested, `by` by whom.
    """

    id: int
    at: datetime
    date: str
    time: str
    due: int
    attempts: int = 0
    again: int | None = None
    result: WakeUpResult | None = None
    requested: int = 0
    by: Literal["pms", "pbx", "local"] = "pms"

    @property
    def next_due_at(self) -> int:
        """When the next attempt begins, or the current one ends."""
        return self.due if self.again is None else self.again


@frozen
class Room:
    """A room; `changed` in milliseconds since 1970 in UTC.

    `over` holds the local times, in ISO 8601, of finished wake-ups; a PMS that repeats one
    does not set it again. `do_not_disturb` and `make_up_room` are two signs. `spelling` is the name with the
    blanks around it that the PMS sends, None without any.
    """

    room: str
    guests: tuple[Guest, ...] = ()
    class_of_service: int | None = None
    do_not_disturb: bool = False
    message_light: bool = False
    status: int | None = None
    wake_ups: tuple[WakeUp, ...] = ()
    over: tuple[str, ...] = ()
    make_up_room: bool = False
    spelling: str | None = None
    changed: int = field(default=0, eq=False)

    def guest(self, number: str) -> Guest | None:
        """Find the guest with this reservation number."""
        return next((guest for guest in self.guests if guest.number == number), None)

    def without_guests(self, *departed: Guest) -> Room:
        """Remove these guests."""
        return evolve(self, guests=tuple(guest for guest in self.guests if guest not in departed))

    def with_guest(self, guest: Guest) -> Room:
        """Replace the guest with the same number, or add the guest."""
        if self.guest(guest.number) is None:
            return evolve(self, guests=(*self.guests, guest))
        return evolve(
            self, guests=tuple(guest if other.number == guest.number else other for other in self.guests)
        )

    def with_wake_up(self, wake_up: WakeUp) -> Room:
        """Replace the wake-up with the same id."""
        return evolve(self, wake_ups=tuple(wake_up if one.id == wake_up.id else one for one in self.wake_ups))

    def without_wake_ups(self, ids: Container[int]) -> Room:
        """Remove the wake-ups with these ids."""
        return evolve(self, wake_ups=tuple(one for one in self.wake_ups if one.id not in ids))


MANUAL_NUMBER_PREFIX = " by hand "
"""How the numbers of guests begin whom a person has checked in by hand. A reservation number has no blank
at its beginning, and these numbers never leave the service."""


def manual_number(change_id: int) -> str:
    """Return the number of a guest who is checked in by hand."""
    return f"{MANUAL_NUMBER_PREFIX}{change_id}"


def is_manual_number(number: str) -> bool:
    """Check whether a guest was checked in by hand, and is not known to the PMS."""
    return number.startswith(MANUAL_NUMBER_PREFIX)


PERSONAL_FIELDS = ("name", "first_name", "title", "group")
"""The attributes of a guest that identify the person; they are erased when the retention ends."""


_ROOM_NAME_PATTERN = re.compile(rf"[^\x00-\x1f\x7f-\x9f]{{1,{MAX_ROOM_NAME_CHARS}}}")
_BLANKS = "".join(map(chr, (*range(0x21), *range(0x7F, 0xA1))))
"""Blanks and control characters, which PMSs send around names."""


def room_key(name: str | None) -> str | None:
    """Return the name of a room without blanks and control characters around it; None if it is no room name.

    A name with control characters inside could not be sent to the PMS.
    """
    key = (name or "").strip(_BLANKS)
    return key if _ROOM_NAME_PATTERN.fullmatch(key) else None


def is_room_name(name: str | None) -> bool:
    """Check whether this can name a room."""
    return room_key(name) is not None


_GUEST_FIELDS = tuple(attribute.name for attribute in fields(Guest))


def serialize_guest(guest: Guest) -> dict[str, Any]:
    """Serialize a guest for the API. The number of one who was checked in by hand is empty."""
    number = "" if is_manual_number(guest.number) else guest.number
    return serialize_stored_guest(guest) | {"number": number}


def serialize_stored_guest(guest: Guest) -> dict[str, Any]:
    """Serialize a guest for the store."""
    return {name: getattr(guest, name) for name in _GUEST_FIELDS} | {"fields": dict(guest.fields)}


def serialize_room(room: Room) -> dict[str, Any]:
    """Serialize a room for the store, without its name and the time of its last change."""
    return {
        "guests": [serialize_stored_guest(guest) for guest in room.guests],
        "class_of_service": room.class_of_service,
        "do_not_disturb": room.do_not_disturb,
        "message_light": room.message_light,
        "status": room.status,
        "wake_ups": [serialize_stored_wake_up(wake_up) for wake_up in room.wake_ups],
        "over": list(room.over),
        "make_up_room": room.make_up_room,
        "spelling": room.spelling,
    }


def parse_room(room_name: str, stored: Mapping[str, Any], changed: int) -> Room:
    """Parse a room from what `serialize_room` returned; `changed` in milliseconds."""
    values = dict(stored)
    values["guests"] = tuple(Guest(**guest) for guest in stored["guests"])
    values["wake_ups"] = tuple(parse_stored_wake_up(wake_up) for wake_up in stored["wake_ups"])
    values["over"] = tuple(stored["over"])
    return Room(room_name, **values, changed=changed)


def serialize_stored_wake_up(wake_up: WakeUp) -> dict[str, Any]:
    """Serialize a wake-up for the store."""
    return {
        "id": wake_up.id,
        "at": wake_up.at.isoformat(),
        "fold": wake_up.at.fold,
        "date": wake_up.date,
        "time": wake_up.time,
        "due": wake_up.due,
        "attempts": wake_up.attempts,
        "again": wake_up.again,
        "result": wake_up.result,
        "requested": wake_up.requested,
        "by": wake_up.by,
    }


def parse_stored_wake_up(stored: Mapping[str, Any]) -> WakeUp:
    """Parse a wake-up from what `serialize_stored_wake_up` returned."""
    values = dict(stored)
    at = datetime.fromisoformat(values["at"]).replace(fold=values.pop("fold"))
    return WakeUp(**{**values, "at": at})


def serialize_wake_up(wake_up: WakeUp) -> dict[str, Any]:
    """Serialize a wake-up for the API."""
    return {"id": wake_up.id, "at": wake_up.at.isoformat()}
