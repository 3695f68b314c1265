"""JSON form of what was last set in a room: by whom, when, and whether the PMS has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import format_timestamp_ms

_SUBJECT_BY_TYPE: Mapping[str, str] = {
    "status": "status",
    "dnd": "do_not_disturb",
    "make_up_room": "make_up_room",
    "voicemail": "voicemail",
    "wake_up": "wake_ups",
    "wake_up_cancel": "wake_ups",
}
"""What each type of update sets; the results of wake-ups set nothing."""


def serialize_room_updates(newest_first: Iterable[OutboxRow]) -> dict[str, Any]:
    """Return the last update of each subject in the rows of a room, by subject."""
    updates: dict[str, Any] = {}
    for row in newest_first:
        subject = _SUBJECT_BY_TYPE.get(row.type)
        if subject is not None and subject not in updates:
            updates[subject] = {
                "by": json.loads(row.body).get("by"),
                "at": format_timestamp_ms(row.created),
                "posting": row.id,
                "state": row.state,
            }
    return updates
