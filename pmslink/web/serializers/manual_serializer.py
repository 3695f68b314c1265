"""JSON forms of what was done by hand, and of what the PMS says of it."""

from __future__ import annotations

from typing import Any, Literal

from pmslink.hotel.manual_changes import ManualChange, ManualChanges, Outcome
from pmslink.hotel.rooms import Guest, serialize_guest
from pmslink.timestamps import format_timestamp_ms
from pmslink.web.serializers.redaction import redact_guest

_DECISION_BY_OUTCOME: dict[Outcome, Literal["keep", "take", "pms"]] = {
    "kept": "keep",
    "taken": "take",
    "overruled": "pms",
}


def serialize_manual_changes(manual: ManualChanges, sees_guests: bool) -> dict[str, Any]:
    """Return the JSON form of all changes by hand of a hotel, oldest first, and how many there are."""
    changes = manual.by_id.values()
    return {
        "changes": [serialize_manual_change(change, sees_guests) for change in changes],
        "waiting": manual.counts.waiting,
        "differ": manual.counts.differ,
        "agreed": sum(change.outcome == "agreed" for change in changes),
    }


def serialize_manual_change(change: ManualChange, sees_guests: bool) -> dict[str, Any]:
    """Return the JSON form of a change by hand, with its guests redacted unless the caller sees guests."""
    agrees = None if change.outcome == "waiting" else change.outcome == "agreed"
    return {
        "id": change.id,
        "what": change.what,
        "room": change.room,
        "to": change.to,
        "by": change.by,
        "at": format_timestamp_ms(change.at),
        "guest": _serialize_guest(change.guest, sees_guests),
        "agrees": agrees,
        "ours": _ours(change, sees_guests),
        "pms": None if agrees is None else _of_pms(change, sees_guests),
        "decided": _DECISION_BY_OUTCOME.get(change.outcome),
        "until": None if change.until is None else format_timestamp_ms(change.until),
    }


def serialize_mark(change: ManualChange) -> dict[str, Any]:
    """Return the mark of a room that is not as the PMS has it."""
    return {"what": change.what, "by": change.by, "at": format_timestamp_ms(change.at)}


def _ours(change: ManualChange, sees_guests: bool) -> dict[str, Any]:
    if change.guest_room is None:
        return {"room": change.room, "guest": None}
    return {"room": change.guest_room, "guest": _serialize_guest(change.guest, sees_guests)}


def _of_pms(change: ManualChange, sees_guests: bool) -> dict[str, Any]:
    if change.outcome == "agreed":
        return _ours(change, sees_guests)
    if change.pms_guest is not None:
        return {
            "room": change.guest_room or change.room,
            "guest": _serialize_guest(change.pms_guest, sees_guests),
        }
    guest = None if change.pms_room is None else _serialize_guest(change.guest, sees_guests)
    return {"room": change.room, "guest": guest}


def _serialize_guest(guest: Guest, sees_guests: bool) -> dict[str, Any]:
    serialized = serialize_guest(guest)
    return serialized if sees_guests else redact_guest(serialized)
