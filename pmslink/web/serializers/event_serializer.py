"""What has happened to a hotel and its link, as events for the PBX."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from pmslink.store.tables.log_entries import Changed, Entry, Happened
from pmslink.store.tables.outbox_rows import told_row
from pmslink.timestamps import timestamp
from pmslink.web.http.json_responses import written
from pmslink.web.serializers.link_serializer import changed_json
from pmslink.web.serializers.posting_serializer import row_json


def is_event(entry: Entry) -> TypeGuard[Happened | Changed]:
    """Whether this is told as an event."""
    return isinstance(entry, Happened | Changed)


def event_json(entry: Entry) -> dict[str, Any]:
    """One event."""
    assert isinstance(entry, Happened | Changed)  # noqa: S101
    begun: dict[str, Any] = {"seq": entry.seq, "at": timestamp(entry.at), "link": entry.link}
    if isinstance(entry, Changed):
        nowhere: dict[str, Any] = {"type": "link.changed", "room": None, "extensions": [], "resync": False}
        return begun | nowhere | {"transition": changed_json(entry)}
    told: dict[str, Any] = json.loads(entry.text)
    if "posting" in told:
        told["posting"] = row_json(told_row(told["posting"]))
    return begun | {"type": entry.type, "room": entry.room} | told


def event_body(entry: Entry) -> bytes:
    """One event, as a webhook gets it."""
    return written(event_json(entry))
