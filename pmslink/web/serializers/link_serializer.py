"""Links, transitions and records as the interface shows them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pmslink.config.link_settings import describe_settings
from pmslink.fias.link_description import declared
from pmslink.fias.record import Record
from pmslink.link.cause import Cause
from pmslink.link.link import Link
from pmslink.link.reason_texts import label
from pmslink.link.state_history import Transition
from pmslink.link.webhook_status import Reception
from pmslink.store.tables.log_entries import Changed, Recorded
from pmslink.timestamps import timestamp


def perhaps_timestamp(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def link_json(link: Link) -> dict[str, Any]:
    """A link: what it is, how it is, and why."""
    core, talk, settings = link.core, link.conversation, link.settings()
    checks, outbox, resync = talk.checks, link.outbox.tally, link.resync.progress
    return {
        "name": link.name,
        "state": core.marker,
        "label": label(core.marker),
        "since": timestamp(link.chronicle.since),
        "reason": link.reason,
        "cause": cause_json(core.cause),
        "advice": link.advice,
        "intent": core.intent,
        "in_sync": talk.in_sync,
        "last_in_sync": perhaps_timestamp(talk.last_in_sync),
        "down_since": perhaps_timestamp(link.chronicle.down_since),
        "host": link.config.host,
        "port": link.config.port,
        "profile": link.config.profile,
        "settings": describe_settings(settings),
        "declared": link.declared,
        "retry": {"attempt": link.factory.retries, "next_at": perhaps_timestamp(link.next_redial)},
        "alive": {
            "last_check": perhaps_timestamp(checks.last_check),
            "last_answer": perhaps_timestamp(checks.last_answer),
            "round_trip_ms": None if checks.round_trip is None else round(checks.round_trip * 1000, 3),
            "last_received": perhaps_timestamp(link.trace.last_received),
        },
        "outbox": {
            "pending": outbox.pending,
            "unknown": outbox.unknown,
            "refused": outbox.refused,
            "oldest": perhaps_timestamp(outbox.oldest),
        },
        "resync": {
            "wanted": resync.wanted,
            "asked": perhaps_timestamp(resync.asked),
            "started": perhaps_timestamp(resync.started),
            "ended": perhaps_timestamp(resync.ended),
            "records": link.resync.records,
        },
        "declared_records": list(declared(settings.records)) if settings.describe else [],
        "webhook": None if link.webhook is None else _reception_json(link.webhook),
    }


def _reception_json(reception: Reception) -> dict[str, Any]:
    return {
        "url": reception.url,
        "state": reception.state,
        "backlog": reception.backlog,
        "oldest": perhaps_timestamp(reception.oldest),
        "last_delivered": perhaps_timestamp(reception.last_delivered),
        "last_error": reception.last_error,
        "next_at": perhaps_timestamp(reception.next_at),
        "lost": reception.lost,
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """Why a link is in its state, for programs."""
    return {"code": cause.code, "params": dict(cause.params)}


def transition_json(transition: Transition) -> dict[str, Any]:
    """A change of state; the first after a start comes from null."""
    return _change(transition, cause_json(transition.cause))


def changed_json(changed: Changed) -> dict[str, Any]:
    """The same, as the store keeps it."""
    return _change(changed, json.loads(changed.cause))


def _change(one: Transition | Changed, cause: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": timestamp(one.at),
        "from": one.old,
        "to": one.new,
        "reason": one.reason,
        "cause": cause,
    }


def record_json(recorded: Recorded) -> dict[str, Any]:
    """A record that came in or went out, and its fields in the order of the wire."""
    return {
        "id": recorded.seq,
        "at": timestamp(recorded.at),
        "direction": recorded.direction,
        "type": recorded.type,
        "text": recorded.text,
        "fields": fields_json(Record(recorded.text)),
    }


def fields_json(record: Record) -> list[list[str]]:
    """Pairs of code and value."""
    return [list(field) for field in record.fields]
