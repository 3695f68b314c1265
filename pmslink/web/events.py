"""What happened to a link, as events: records from the PMS, and changes of state."""

from __future__ import annotations

from typing import Any, TypeGuard

from pmslink.fias.record import Record
from pmslink.store.entries import Changed, Entry, Recorded
from pmslink.web.described import changed_json, fields_json, timestamp


def is_event(entry: Entry) -> TypeGuard[Recorded | Changed]:
    """Whether this is told as an event."""
    return isinstance(entry, Changed) or (isinstance(entry, Recorded) and entry.direction == "in")


def event_json(entry: Entry) -> dict[str, Any]:
    """One event."""
    assert isinstance(entry, Recorded | Changed)  # noqa: S101
    told: dict[str, Any] = {"seq": entry.seq, "at": timestamp(entry.at), "link": entry.link}
    if isinstance(entry, Changed):
        return told | {
            "type": "link.changed",
            "room": None,
            "extensions": [],
            "resync": False,
            "transition": changed_json(entry),
        }
    record = Record(entry.text)
    return told | {
        "type": "record",
        "room": record.get("RN") or None,
        "extensions": [],
        "resync": "SF" in record,
        "record": {"type": entry.type, "text": entry.text, "fields": fields_json(record)},
    }
