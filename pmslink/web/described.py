"""Links, transitions and records as the interface shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pmslink.link.cause import Cause
from pmslink.link.link import Link
from pmslink.link.trace import Traced, Transition
from pmslink.link.words import LABELS
from pmslink.settings import describe_settings


def timestamp(at: datetime) -> str:
    """ISO 8601 in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _perhaps(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def link_json(link: Link) -> dict[str, Any]:
    """A link: what it is, how it is, and why."""
    core, talk, settings = link.core, link.conversation, link.settings()
    checks, resync = talk.checks, talk.resync
    return {
        "name": link.name,
        "state": core.marker,
        "label": LABELS[core.marker],
        "since": timestamp(link.since),
        "reason": link.reason,
        "cause": cause_json(core.cause),
        "advice": link.advice,
        "intent": core.intent,
        "in_sync": talk.in_sync,
        "last_in_sync": _perhaps(talk.last_in_sync),
        "down_since": _perhaps(link.down_since),
        "host": link.config.host,
        "port": link.config.port,
        "profile": link.config.profile,
        "settings": describe_settings(settings),
        "declared": link.declared,
        "retry": {"attempt": link.factory.retries, "next_at": _perhaps(link.next_redial)},
        "alive": {
            "last_check": _perhaps(checks.last_check),
            "last_answer": _perhaps(checks.last_answer),
            "round_trip_ms": None if checks.round_trip is None else round(checks.round_trip * 1000, 3),
            "last_received": _perhaps(link.trace.last_received),
        },
        "outbox": {"pending": 0, "unknown": 0, "refused": 0, "oldest": None},
        "resync": {
            "wanted": False,
            "asked": None,
            "started": _perhaps(resync.started),
            "ended": _perhaps(resync.ended),
            "records": resync.records,
        },
        "declared_records": link.declared_records,
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """Why a link is in its state, for programs."""
    return {"code": cause.code, "params": dict(cause.params)}


def transition_json(transition: Transition) -> dict[str, Any]:
    """A change of state; the first after a start comes from null."""
    return {
        "id": transition.id,
        "at": timestamp(transition.at),
        "from": transition.old,
        "to": transition.new,
        "reason": transition.reason,
        "cause": cause_json(transition.cause),
    }


def record_json(traced: Traced) -> dict[str, Any]:
    """A record that came in or went out, and its fields in the order of the wire."""
    record = traced.record
    return {
        "id": traced.id,
        "at": timestamp(traced.at),
        "direction": traced.direction,
        "type": record.id,
        "text": record.text,
        "fields": [list(field) for field in record.fields],
    }
