"""The outputs of the reducer: events for the PBX, results of wake-ups for the PMS, and changes of stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from pmslink.hotel.rooms import WakeUp, WakeUpResult

EventType = Literal[
    "guest.checked_in",
    "guest.checked_out",
    "guest.changed",
    "guest.moved",
    "room.class_of_service",
    "room.do_not_disturb",
    "room.message_light",
    "room.status",
    "wake_up.set",
    "wake_up.cancelled",
    "wake_up.due",
    "wake_up.done",
    "wake_up.not_understood",
    "night_audit.started",
    "night_audit.ended",
    "resync.started",
    "resync.ended",
    "posting.refused",
    "posting.unknown",
    "link.changed",
]
"""The event types of the API; their names are part of its contract."""

Author = Literal["pms", "pbx", "local"]
"""Who requested a change: the PMS, a phone, or a person by hand while the PMS could not be reached."""


@frozen
class Event:
    """An event of a hotel. `payload` is JSON-compatible; `resync` is true if a resync caused it."""

    type: EventType
    room: str | None = None
    payload: Mapping[str, Any] = field(factory=dict)
    resync: bool = False


@frozen
class WakeUpFinished:
    """The final result of a wake-up, to be sent to the PMS as WA."""

    room: str
    wake_up: WakeUp
    result: WakeUpResult


@frozen
class StayChange:
    """A change of who stays where, for the charges of the guests.

    `began`: a guest checked in to `room`. `moved`: a guest moved from `from_room` to `room`. `ended`: a guest
    left `room` and the hotel. `vacant`: the last guest has left `room`, or the PMS reported that nobody is
    there; without a room, a complete resync reported this of every room without guests. `number` is the
    reservation number (G#), empty where the PMS identifies guests by room. `confirmed`: the PMS has named a
    guest who was checked in by hand, and who had `former_number` until then.
    """

    kind: Literal["began", "moved", "ended", "vacant", "confirmed"]
    room: str | None
    number: str = ""
    from_room: str | None = None
    former_number: str = ""


@frozen
class Vacated:
    """The guests who had a room's settings have left it, the last of them at `since`.

    `new_room` is the room to which the last one moved, None if that guest checked out. `next_since`: what has
    a store id above this one belongs to the next guests, who have brought something into the room already;
    None if nobody has. Times are milliseconds since 1970 in UTC.
    """

    room: str
    new_room: str | None
    since: int
    next_since: int | None = None
