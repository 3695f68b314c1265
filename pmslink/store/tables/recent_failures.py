"""Read what went wrong with links before the service started: outages, failed wake-ups, and bad records.

The service counts all of these in memory. After a start it continues from what is stored.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import define, field, frozen
from sqlalchemy import Connection, func, select

from pmslink.store.core.schema import (
    EVENTS,
    IS_WAKE_UP_OUTCOME,
    RECORD_PROBLEMS,
    RECORDS,
    SYNC_CHANGES,
    TRANSITIONS,
)
from pmslink.timestamps import from_ms

MAX_SYNC_CHANGES = 200
"""Changes of in-sync that are read of one link."""


@frozen
class SyncLoss:
    """A loss of sync; times in milliseconds since 1970 in UTC, `end_ms` None while it lasts.

    `marker` is the state after it, `cause` the JSON of that state's cause.
    """

    begin_ms: int
    end_ms: int | None
    marker: str
    cause: str


@frozen
class FailedWakeUp:
    """A guest who may not have been woken: a wake-up failed, or a request for one was not understood."""

    seq: int
    """The number of its event."""
    at: datetime
    """When it failed."""
    room: str | None
    due: str | None
    """When it was due, in the hotel's local time; None for a request that was not understood."""
    result: str
    attempts: int

    def describe(self) -> dict[str, str | int | None]:
        """Return all but its number and time, for JSON."""
        return {"room": self.room, "due": self.due, "result": self.result, "attempts": self.attempts}


@define
class StoredFailures:
    """What went wrong with one link; times in milliseconds since 1970 in UTC."""

    sync_losses: list[SyncLoss] = field(factory=list)
    """Oldest first."""
    failed_wake_ups: list[FailedWakeUp] = field(factory=list)
    """Oldest first."""
    problem_count: int = 0
    last_problem: tuple[int, str] | None = None
    """When the last record was not understood, and what was wrong with it."""


def read_recent_failures(
    connection: Connection, links: Sequence[str], since_ms: int
) -> dict[str, StoredFailures]:
    """Return what went wrong with these links since a time, by link."""
    failures: dict[str, StoredFailures] = defaultdict(StoredFailures)
    for link in links:
        failures[link].sync_losses = _read_sync_losses(connection, link, since_ms)
        _read_problems(connection, link, since_ms, failures[link])
    for link, failed_wake_up in _read_failed_wake_ups(connection, since_ms):
        if link in failures:
            failures[link].failed_wake_ups.append(failed_wake_up)
    return dict(failures)


def parse_failed_wake_up(
    seq: int, at: datetime, event_type: str, room: str | None, text: str
) -> FailedWakeUp | None:
    """Return what an event says about a guest who may not have been woken; None for any other event.

    `text` is the content of the event as JSON.
    """
    if event_type == "wake_up.not_understood":
        return FailedWakeUp(seq, at, room, None, "not_understood", 0)
    if event_type != "wake_up.done":
        return None
    details = json.loads(text)
    if details["result"] == "answered":
        return None
    return FailedWakeUp(seq, at, room, details["wake_up"]["at"], details["result"], details["attempts"])


def _read_sync_losses(connection: Connection, link: str, since_ms: int) -> list[SyncLoss]:
    query = (
        select(SYNC_CHANGES.c.id, SYNC_CHANGES.c.at, SYNC_CHANGES.c.in_sync)
        .where(SYNC_CHANGES.c.link == link)
        .order_by(SYNC_CHANGES.c.id.desc())
        .limit(MAX_SYNC_CHANGES)
    )
    losses, end_ms = [], None
    for change_id, at, in_sync in connection.execute(query):
        if in_sync:
            end_ms = at
            continue
        if at < since_ms:
            break
        state = connection.execute(
            select(TRANSITIONS.c.new, TRANSITIONS.c.cause)
            .where(TRANSITIONS.c.link == link, TRANSITIONS.c.id < change_id)
            .order_by(TRANSITIONS.c.id.desc())
            .limit(1)
        ).first()
        if state is not None:
            losses.append(SyncLoss(at, end_ms, *state))
    return losses[::-1]


def _read_problems(connection: Connection, link: str, since_ms: int, failures: StoredFailures) -> None:
    recent = RECORD_PROBLEMS.c.link == link, RECORD_PROBLEMS.c.at >= since_ms
    failures.problem_count = connection.execute(select(func.count()).where(*recent)).scalar_one()
    if not failures.problem_count:
        return
    last = connection.execute(
        select(RECORD_PROBLEMS.c.at, RECORDS.c.type, RECORD_PROBLEMS.c.problem)
        .join(RECORDS, RECORDS.c.seq == RECORD_PROBLEMS.c.seq)
        .where(*recent)
        .order_by(RECORD_PROBLEMS.c.at.desc(), RECORD_PROBLEMS.c.seq.desc())
        .limit(1)
    ).first()
    if last is not None:
        failures.last_problem = last.at, f"{last.type}: {last.problem}"


def _read_failed_wake_ups(connection: Connection, since_ms: int) -> Iterable[tuple[str, FailedWakeUp]]:
    query = (
        select(EVENTS.c.seq, EVENTS.c.link, EVENTS.c.at, EVENTS.c.type, EVENTS.c.room, EVENTS.c.text)
        .where(IS_WAKE_UP_OUTCOME, EVENTS.c.at >= since_ms)
        .order_by(EVENTS.c.at, EVENTS.c.seq)
    )
    for row in connection.execute(query):
        failed = parse_failed_wake_up(row.seq, from_ms(row.at), row.type, row.room, row.text)
        if failed is not None:
            yield row.link, failed
