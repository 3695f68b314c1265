"""What comes out of records: events for the PBX, and results for the PMS."""

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
    "wake_up.set",
    "wake_up.cancelled",
    "wake_up.due",
    "wake_up.done",
    "night_audit.started",
    "night_audit.ended",
    "resync.started",
    "resync.ended",
    "posting.refused",
    "posting.unknown",
    "link.changed",
]
"""Every kind of event there is, by its stable name."""

Author = Literal["pms", "pbx"]
"""Who wanted a change."""


@frozen
class Event:
    """Something that has happened; `told` is what it tells beside the room, ready for JSON."""

    type: EventType
    room: str | None = None
    payload: Mapping[str, Any] = field(factory=dict)
    resync: bool = False


@frozen
class WakeUpFinished:
    """The one final result of a wake-up, which the PMS is to hear."""

    room: str
    wake_up: WakeUp
    result: WakeUpResult
