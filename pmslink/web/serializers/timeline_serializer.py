"""JSON form of a link's timeline."""

from __future__ import annotations

import json
from typing import Any

from pmslink.store.tables.availability import Span, Timeline
from pmslink.timestamps import format_timestamp


def serialize_timeline(timeline: Timeline) -> dict[str, Any]:
    """Return the JSON form of a timeline: its spans, and the share of time in sync."""
    return {
        "from": format_timestamp(timeline.since),
        "until": format_timestamp(timeline.until),
        "spans": [_serialize_span(span) for span in timeline.spans],
        "in_sync": {
            "seconds": timeline.in_sync_time.total_seconds(),
            "known_seconds": timeline.observed_time.total_seconds(),
            "share": timeline.in_sync_ratio,
        },
    }


def _serialize_span(span: Span) -> dict[str, Any]:
    transition = span.transition
    return {
        "state": span.state,
        "since": format_timestamp(span.since),
        "until": format_timestamp(span.until),
        "reason": transition and transition.reason,
        "cause": transition and json.loads(transition.cause),
    }
