"""Links, transitions and records as the interface shows them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pmslink.config.settings_serializer import serialize_settings
from pmslink.fias.link_description import declared_fields
from pmslink.fias.record import Record
from pmslink.link.attention import rate_attention
from pmslink.link.cause import Cause
from pmslink.link.link import Link
from pmslink.link.reason_texts import label
from pmslink.link.state_history import Transition
from pmslink.link.webhook_status import WebhookStatus
from pmslink.store.tables.log_entries import RecordLogged, TransitionLogged
from pmslink.timestamps import format_timestamp


def optional_timestamp(at: datetime | None) -> str | None:
    return None if at is None else format_timestamp(at)


def serialize_link(link: Link) -> dict[str, Any]:
    """A link: what it is, how it is, and why."""
    core, talk, settings = link.core, link.session, link.settings()
    checks, outbox, resync = talk.heartbeat, link.outbox.counts, link.resync.progress
    return {
        "name": link.name,
        "state": core.marker,
        "label": label(core.marker),
        "since": format_timestamp(link.state_history.since),
        "reason": link.reason,
        "cause": serialize_cause(core.cause),
        "advice": link.advice,
        "intent": core.intent,
        "attention": rate_attention(core.intent, talk.in_sync, outbox.unknown + outbox.refused),
        "in_sync": talk.in_sync,
        "last_in_sync": optional_timestamp(talk.last_in_sync),
        "down_since": optional_timestamp(link.state_history.down_since),
        "host": link.config.host,
        "port": link.config.port,
        "profile": link.config.profile,
        "settings": serialize_settings(settings),
        "declared": link.declared,
        "retry": {"attempt": link.dialer.retries, "next_at": optional_timestamp(link.next_redial)},
        "alive": {
            "last_check": optional_timestamp(checks.last_check),
            "last_answer": optional_timestamp(checks.last_answer),
            "round_trip_ms": None if checks.round_trip is None else round(checks.round_trip * 1000, 3),
            "last_received": optional_timestamp(link.trace.last_received),
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
            "records": link.resync.records,
        },
        "declared_records": list(declared_fields(settings.records)) if settings.describe else [],
        "webhook": None if link.webhook_status is None else _serialize_webhook_status(link.webhook_status),
    }


def _serialize_webhook_status(webhook_status: WebhookStatus) -> dict[str, Any]:
    return {
        "url": webhook_status.url,
        "state": webhook_status.state,
        "backlog": webhook_status.backlog,
        "oldest": optional_timestamp(webhook_status.oldest),
        "last_delivered": optional_timestamp(webhook_status.last_delivered),
        "last_error": webhook_status.last_error,
        "next_at": optional_timestamp(webhook_status.next_at),
        "lost": webhook_status.lost,
    }


def serialize_cause(cause: Cause) -> dict[str, Any]:
    """Why a link is in its state, for programs."""
    return {"code": cause.code, "params": dict(cause.params)}


def serialize_transition(transition: Transition) -> dict[str, Any]:
    """A change of state; the first after a start comes from null."""
    return _serialize_transition_fields(transition, serialize_cause(transition.cause))


def serialize_stored_transition(transition: TransitionLogged) -> dict[str, Any]:
    """The same, as the store keeps it."""
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
    """A record that came in or went out, and its fields in the order of the wire."""
    return {
        "id": entry.seq,
        "at": format_timestamp(entry.at),
        "direction": entry.direction,
        "type": entry.type,
        "text": entry.text,
        "fields": serialize_fields(Record(entry.text)),
    }


def serialize_fields(record: Record) -> list[list[str]]:
    """Pairs of code and value."""
    return [list(field) for field in record.fields]
