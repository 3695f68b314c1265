"""JSON forms of a link's timeline and of its phases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pmslink.store.tables.availability import Span, Timeline
from pmslink.store.tables.phases import Phase
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


def serialize_phases(phases: Sequence[Phase]) -> dict[str, Any]:
    """Return the JSON form of phases, oldest first."""
    return {"phases": [_serialize_phase(phase) for phase in phases]}


def _serialize_phase(phase: Phase) -> dict[str, Any]:
    return {
        "kind": phase.kind,
        "since": format_timestamp(phase.since),
        "until": format_timestamp(phase.until),
        "dials": phase.dials,
        "transitions": phase.transitions,
        "last_transition": phase.last_transition,
        "causes": [
            {
                "at": format_timestamp(transition.at),
                "state": transition.new,
                "reason": transition.reason,
                "cause": json.loads(transition.cause),
            }
            for transition in phase.causes
        ],
    }
