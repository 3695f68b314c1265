"""Rooms and guests, as values: what the PMS last said of them.

They are kept as JSON: `serialize_room` and `parse_room` are each other's reverse.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import evolve, field, fields, frozen

MAX_ROOM_NAME_CHARS = 40
"""Characters of a room's name; FIAS has 8, and PMSs have more."""
MAX_WAKE_UPS = 100
"""Wake-ups of one room, and moments of finished ones that a room remembers."""

WakeUpResult = Literal["answered", "busy", "no_answer", "unreported", "missed"]
"""How a wake-up ended. `unreported`: the PBX never said; `missed`: it could not be told in time."""


@frozen
class Guest:
    """One stay of one person. `arrival` and `departure` are dates in ISO 8601.

    `number` is the reservation number (G#), empty where the PMS keeps the link by room. `sharer`: the
    room was another's already when this guest came.
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


@frozen
class WakeUp:
    """One wake-up of a room; `due` and `again` in milliseconds since 1970 in UTC.

    `at` is the hotel's local time, its `fold` 1 in the second of two hours that are called the same. `date`
    and `time` are that as DA and TI spelled it, for the result has to say it in the same way. While it
    rings, `again` is when this attempt is over.
    """

    id: int
    at: datetime
    date: str
    time: str
    due: int
    attempts: int = 0
    again: int | None = None
    result: WakeUpResult | None = None

    @property
    def next_due_at(self) -> int:
        """When something is to be done about it."""
        return self.due if self.again is None else self.again


@frozen
class Room:
    """A room; `changed` in milliseconds since 1970 in UTC.

    `over` are the moments, in local time, of wake-ups that have ended: a PMS which repeats one does
    not mean another.
    """

    room: str
    guests: tuple[Guest, ...] = ()
    class_of_service: int | None = None
    do_not_disturb: bool = False
    message_light: bool = False
    status: int | None = None
    wake_ups: tuple[WakeUp, ...] = ()
    over: tuple[str, ...] = ()
    changed: int = field(default=0, eq=False)

    def guest(self, number: str) -> Guest | None:
        """The one with this number."""
        return next((guest for guest in self.guests if guest.number == number), None)

    def guests_with_number(self, number: str) -> tuple[Guest, ...]:
        """Find all guests with this reservation number."""
        return tuple(guest for guest in self.guests if guest.number == number)

    def without_guests(self, *departed: Guest) -> Room:
        """Without these guests."""
        return evolve(self, guests=tuple(guest for guest in self.guests if guest not in departed))

    def with_guest(self, guest: Guest) -> Room:
        """With this guest in the place of the one with the same number, or added."""
        if self.guest(guest.number) is None:
            return evolve(self, guests=(*self.guests, guest))
        return evolve(self, guests=tuple(guest if one.number == guest.number else one for one in self.guests))

    def reset_for_new_guests(self, preserved: Container[int]) -> Room:
        """Without what was of guests who have left, while new ones stay, whose wake-ups have these ids."""
        wake_ups = tuple(one for one in self.wake_ups if one.id in preserved)
        return evolve(self, do_not_disturb=False, message_light=False, wake_ups=wake_ups)

    def without_wake_ups(self, *removed: WakeUp) -> Room:
        """Remove these wake-ups, by their ids."""
        ids = {wake_up.id for wake_up in removed}
        return evolve(self, wake_ups=tuple(one for one in self.wake_ups if one.id not in ids))

    def vacated(self) -> Room:
        """As a room is that nobody stays in."""
        return Room(self.room, status=self.status, over=self.over)


PERSONAL_FIELDS = ("name", "first_name", "title", "group")
"""What of a guest tells who it is."""


_ROOM_NAME_PATTERN = re.compile(rf"[^\x00-\x1f\x7f-\x9f]{{1,{MAX_ROOM_NAME_CHARS}}}")


def is_room_name(name: str | None) -> bool:
    """Whether a record can mean a room by this: what holds control bytes could not be told back."""
    return name is not None and _ROOM_NAME_PATTERN.fullmatch(name) is not None


# As JSON.

_GUEST_FIELDS = tuple(one.name for one in fields(Guest))


def serialize_guest(guest: Guest) -> dict[str, Any]:
    """A guest, as the interface and the store have it."""
    return {name: getattr(guest, name) for name in _GUEST_FIELDS}


def serialize_room(room: Room) -> dict[str, Any]:
    """All that is kept of a room, but for its name and when it changed."""
    return {
        "guests": [serialize_guest(guest) for guest in room.guests],
        "class_of_service": room.class_of_service,
        "do_not_disturb": room.do_not_disturb,
        "message_light": room.message_light,
        "status": room.status,
        "wake_ups": [_serialize_stored_wake_up(wake_up) for wake_up in room.wake_ups],
        "over": list(room.over),
    }


def parse_room(room_name: str, stored: Mapping[str, Any], changed: int) -> Room:
    """What `serialize_room` gave."""
    values = dict(stored)
    values["guests"] = tuple(Guest(**guest) for guest in stored["guests"])
    values["wake_ups"] = tuple(_parse_stored_wake_up(one) for one in stored["wake_ups"])
    values["over"] = tuple(stored["over"])
    return Room(room_name, **values, changed=changed)


def _serialize_stored_wake_up(wake_up: WakeUp) -> dict[str, Any]:
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
    }


def _parse_stored_wake_up(stored: Mapping[str, Any]) -> WakeUp:
    values = dict(stored)
    at = datetime.fromisoformat(values["at"]).replace(fold=values.pop("fold"))
    return WakeUp(**{**values, "at": at})


def serialize_wake_up(wake_up: WakeUp) -> dict[str, Any]:
    """A wake-up as the interface shows it."""
    return {"id": wake_up.id, "at": wake_up.at.isoformat()}
