"""JSON form of postings and other rows of the outbox."""

from __future__ import annotations

import json
from typing import Any

from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import optional_from_ms
from pmslink.web.serializers.link_serializer import optional_timestamp


def serialize_row(row: OutboxRow) -> dict[str, Any]:
    """Return the JSON form of a row: the client's values, the state, and the PMS's answer."""
    return {
        "id": row.id,
        "number": row.number,
        "type": row.type,
        "room": row.room,
        **json.loads(row.body),
        "state": row.state,
        "attempts": row.attempts,
        "created": optional_timestamp(optional_from_ms(row.created)),
        "sent": optional_timestamp(optional_from_ms(row.sent)),
        "answered": optional_timestamp(optional_from_ms(row.answered)),
        "answer": row.answer,
        "text_answer": row.text_answer,
        "reason": row.reason,
        "room_sent": row.room_sent,
        "reservation": row.reservation,
    }
