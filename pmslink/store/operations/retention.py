"""Forgetting what has been kept long enough, so that nothing of it is left on the disk.

Age is judged in the order of what happened: nothing goes before what happened earlier has gone. So
entries that a clock gone wrong has dated back stay as long as their neighbours, and those it has dated
ahead go with them. And the purge's own clock follows the wall clock by at most four hours in each purge,
so that one which is ahead by a year for an hour cannot empty the store; after a long standstill it takes
some purges more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Column, delete, select

from pmslink.store.core import store_metadata
from pmslink.store.core.schema import (
    EVENTS,
    LINK_SNAPSHOTS,
    POSTINGS,
    RECORDS,
    RUNS,
    SYNC_CHANGES,
    TRANSITIONS,
)
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import delete_guest_names
from pmslink.store.tables.outbox_rows import FINAL_STATES
from pmslink.timestamps import from_ms, to_ms

PURGE_BATCH_ROWS = 1000
"""Entries that one commit deletes at most, for others wait for it."""
LINK_SNAPSHOT_MAX_ROWS = 10_000
PURGE_CLOCK_MAX_STEP = timedelta(hours=4)
"""So far the purge's clock may go in one purge."""


@frozen
class Retention:
    """How long is kept what holds guest data, and what does not."""

    guest: timedelta
    history: timedelta


def advance_purge_clock(transaction: Transaction, wall_times: Sequence[datetime]) -> Sequence[datetime]:
    """An operation: what the purge takes for now, given the wall clock."""
    return [_advance_purge_clock(transaction, wall) for wall in wall_times]


def _advance_purge_clock(transaction: Transaction, wall_time: datetime) -> datetime:
    before = store_metadata.read_value(transaction.connection, "purged_until")
    now = wall_time if before is None else min(wall_time, from_ms(before) + PURGE_CLOCK_MAX_STEP)
    store_metadata.write_value(transaction.connection, "purged_until", to_ms(now))
    return now


@frozen
class Purge:
    """One step of a purge: what is older than the first two moments may go; what is dated later than the
    third has no age of its own."""

    guest_before: datetime
    history_before: datetime
    now: datetime


def purge(transaction: Transaction, requests: Sequence[Purge]) -> Sequence[int]:
    """An operation: delete some of what is old enough; gives how much, 0 when nothing is left."""
    return [_purge(transaction, one) for one in requests]


def _purge(transaction: Transaction, request: Purge) -> int:
    guest, history, now = to_ms(request.guest_before), to_ms(request.history_before), to_ms(request.now)
    return (
        _delete_oldest(transaction, RECORDS.c.at, guest, now)
        + _delete_oldest(transaction, EVENTS.c.at, guest, now)
        + delete_guest_names(transaction, guest, request.now.date().isoformat())
        + _delete_oldest(transaction, TRANSITIONS.c.at, history, now)
        + _delete_oldest(transaction, SYNC_CHANGES.c.at, history, now)
        + _delete_oldest(transaction, RUNS.c.seen, history, now)
        + _delete_old_link_snapshots(transaction)
        + _delete_old_postings(transaction, history, now)
    )


def _delete_oldest(transaction: Transaction, timestamp_column: Column[int], before: int, now: int) -> int:
    """Of a table, by the column that tells how old a row is."""
    (place,) = timestamp_column.table.primary_key
    oldest = transaction.connection.execute(
        select(place, timestamp_column).order_by(place).limit(PURGE_BATCH_ROWS)
    )
    gone = _expired_ids(oldest, before, now)
    if gone:
        transaction.connection.execute(delete(timestamp_column.table).where(place <= gone[-1]))
    return len(gone)


def _expired_ids(oldest: Iterable[Any], before: int, now: int) -> list[int]:
    """Of numbers and dates from the beginning on, those up to the first that is young enough."""
    old: list[int] = []
    undated: list[int] = []
    for number, at in oldest:
        if before <= at <= now:
            break
        undated.append(number)
        if at < before:
            old.extend(undated)
            undated.clear()
    return old


def _delete_old_link_snapshots(transaction: Transaction) -> int:
    newest = select(LINK_SNAPSHOTS.c.seq).order_by(LINK_SNAPSHOTS.c.seq.desc()).offset(LINK_SNAPSHOT_MAX_ROWS)
    last = transaction.connection.execute(newest.limit(1)).scalar()
    if last is None:
        return 0
    return transaction.connection.execute(delete(LINK_SNAPSHOTS).where(LINK_SNAPSHOTS.c.seq <= last)).rowcount


def _delete_old_postings(transaction: Transaction, before: int, now: int) -> int:
    """What still waits stays, however old; it holds up nothing."""
    oldest = transaction.connection.execute(
        select(POSTINGS.c.id, POSTINGS.c.created)
        .where(POSTINGS.c.state.in_(FINAL_STATES))
        .order_by(POSTINGS.c.id)
        .limit(PURGE_BATCH_ROWS)
    )
    gone = _expired_ids(oldest, before, now)
    if gone:
        transaction.connection.execute(delete(POSTINGS).where(POSTINGS.c.id.in_(gone)))
    return len(gone)
