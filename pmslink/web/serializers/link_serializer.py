"""Serialize links, transitions and records for the API, the stream and webhooks."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from attrs import asdict

from pmslink.fias.record import Record
from pmslink.link.cause import Cause
from pmslink.link.link_hints import Hint
from pmslink.link.outbox_hold import Hold
from pmslink.link.saved_state import Creation
from pmslink.link.state_history import Transition
from pmslink.link.status import LinkStatus
from pmslink.link.webhook_status import WebhookStatus
from pmslink.store.tables.log_entries import RecordLogged, TransitionLogged
from pmslink.timestamps import format_timestamp

BRIEF_KEYS = (
    "name",
    "state",
    "label",
    "since",
    "reason",
    "cause",
    "advice",
    "intent",
    "attention",
    "group",
    "in_sync",
    "down_since",
    "failure",
    "host",
    "port",
    "profile",
    "made",
    "retry",
    "outbox",
    "held",
    "outages",
    "not_understood",
    "failed_wake_ups",
    "by_hand",
    "clock_offset",
    "hints",
    "last_in_sync",
    "resync",
)
"""Keys that a brief link has of a link. It also has some settings, and `hours`."""


def optional_timestamp(at: datetime | None) -> str | None:
    """Format a time as an ISO 8601 timestamp; None stays None."""
    return None if at is None else format_timestamp(at)


def serialize_link_state(status: LinkStatus) -> dict[str, Any]:
    """Serialize a link as the object `Link` of the API, without its settings and declared records."""
    checks, outbox, resync = status.link_checks, status.outbox, status.resync
    outages, not_understood, wake_ups = status.outages, status.not_understood, status.failed_wake_ups
    return {
        "name": status.name,
        "state": status.marker,
        "label": status.label,
        "since": format_timestamp(status.since),
        "reason": status.reason,
        "cause": serialize_cause(status.cause),
        "advice": status.advice,
        "intent": status.intent,
        "attention": status.attention,
        "group": status.group,
        "in_sync": status.in_sync,
        "last_in_sync": optional_timestamp(status.last_in_sync),
        "down_since": optional_timestamp(status.down_since),
        "failure": None if status.failure is None else serialize_cause(status.failure),
        "host": status.host,
        "port": status.port,
        "profile": status.profile,
        "declared": status.declared,
        "made": None if status.made is None else _serialize_creation(status.made),
        "retry": {
            "attempt": status.retry.attempt,
            "next_at": optional_timestamp(status.retry.next_at),
        },
        "alive": {
            "last_check": optional_timestamp(checks.last_check),
            "last_answer": optional_timestamp(checks.last_answer),
            "round_trip_ms": None if checks.round_trip_s is None else round(checks.round_trip_s * 1000, 3),
            "last_received": optional_timestamp(checks.last_received),
        },
        "outbox": {
            "pending": outbox.pending,
            "unknown": outbox.unknown,
            "refused": outbox.refused,
            "oldest": optional_timestamp(outbox.oldest),
        },
        "resync": {
            "wanted": resync.wanted,
            "asked": optional_timestamp(resync.asked),
            "started": optional_timestamp(resync.started),
            "ended": optional_timestamp(resync.ended),
            "records": resync.records,
        },
        "held": None if status.held is None else _serialize_hold(status.held),
        "by_hand": {"open": status.manual.open, "differ": status.manual.differ},
        "clock_offset": status.clock_offset,
        "outages": {
            "last_hour": outages.last_hour,
            "last_at": optional_timestamp(outages.last_at),
            "last_seconds": outages.last_seconds,
            "last_cause": outages.last_cause,
        },
        "not_understood": {
            "records": not_understood.records,
            "bytes": not_understood.bytes,
            "last_at": optional_timestamp(not_understood.last_at),
            "last": not_understood.last,
        },
        "failed_wake_ups": {
            "count": wake_ups.count,
            "last_at": optional_timestamp(wake_ups.last_at),
            "last_room": wake_ups.last_room,
        },
        "hints": [serialize_hint(hint) for hint in status.hints],
        "webhook": None if status.webhook is None else _serialize_webhook_status(status.webhook),
    }


def serialize_brief_link(status: LinkStatus, hours: str) -> dict[str, Any]:
    """Serialize the part of a link that a list shows (`fields=brief`), and its states by hours."""
    full, settings = serialize_link_state(status), status.settings
    return {
        **{key: full[key] for key in BRIEF_KEYS},
        "settings": {
            "connect": settings.connect,
            "sync_timeout": settings.sync_timeout,
            "expires_at": optional_timestamp(settings.expires_at),
        },
        "hours": hours,
    }


def _serialize_creation(made: Creation) -> dict[str, Any]:
    return {"by": made.by, "at": format_timestamp(made.at)}


def _serialize_hold(hold: Hold) -> dict[str, Any]:
    return {
        "by": hold.by,
        "since": format_timestamp(hold.since),
        "until": optional_timestamp(hold.until),
        "waiting": hold.waiting,
    }


def serialize_hint(hint: Hint) -> dict[str, Any]:
    """Serialize a hint: its code and the parameters of its text."""
    return {"code": hint.code, "params": dict(hint.params)}


def _serialize_webhook_status(webhook: WebhookStatus) -> dict[str, Any]:
    return {
        "url": webhook.url,
        "state": webhook.state,
        "backlog": webhook.backlog,
        "oldest": optional_timestamp(webhook.oldest),
        "last_delivered": optional_timestamp(webhook.last_delivered),
        "last_error": webhook.last_error,
        "next_at": optional_timestamp(webhook.next_at),
        "lost": webhook.lost,
        "skipped": webhook.skipped,
        "stuck": None if webhook.stuck is None else asdict(webhook.stuck),
    }


def serialize_cause(cause: Cause) -> dict[str, Any]:
    """Serialize the cause of a state: its code and the parameters of its text."""
    return {"code": cause.code, "params": dict(cause.params)}


def serialize_transition(transition: Transition) -> dict[str, Any]:
    """Serialize a change of state. `from` is null at the first one after a start."""
    return _serialize_transition_fields(transition, serialize_cause(transition.cause))


def serialize_stored_transition(transition: TransitionLogged) -> dict[str, Any]:
    """Serialize a change of state as the store has it."""
    return _serialize_transition_fields(transition, json.loads(transition.cause))


def _serialize_transition_fields(
    transition: Transition | TransitionLogged, cause: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": transition.id,
        "at": format_timestamp(transition.at),
        "from": transition.old,
        "to": transition.new,
        "reason": transition.reason,
        "cause": cause,
    }


def serialize_record(entry: RecordLogged) -> dict[str, Any]:
    """Serialize a received or sent record, with its fields in the order of the wire."""
    return {
        "id": entry.seq,
        "at": format_timestamp(entry.at),
        "direction": entry.direction,
        "type": entry.type,
        "text": entry.text,
        "fields": serialize_fields(Record(entry.text)),
        "problem": entry.problem,
    }


def serialize_fields(record: Record) -> list[list[str]]:
    """Serialize the fields of a record as pairs of code and value."""
    return [list(field) for field in record.fields]
