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
from pmslink.store.core.schema import ANNOUNCEMENTS, EVENTS, POSTINGS, RECORDS, RUNS, SYNCS, TRANSITIONS
from pmslink.store.operations.hotel_updates import forget_guests
from pmslink.store.tables.log_entries import Transaction
from pmslink.store.tables.outbox_rows import FINAL
from pmslink.timestamps import from_ms, to_ms

AT_ONCE = 1000
"""Entries that one commit deletes at most, for others wait for it."""
ANNOUNCEMENTS_KEPT = 10_000
STRIDE = timedelta(hours=4)
"""So far the purge's clock may go in one purge."""


@frozen
class Retention:
    """How long is kept what holds guest data, and what does not."""

    guest: timedelta
    history: timedelta


def purge_time(transaction: Transaction, asked: Sequence[datetime]) -> Sequence[datetime]:
    """An operation: what the purge takes for now, given the wall clock."""
    return [_purge_time(transaction, wall) for wall in asked]


def _purge_time(transaction: Transaction, wall: datetime) -> datetime:
    before = store_metadata.read(transaction.connection, "purged_until")
    now = wall if before is None else min(wall, from_ms(before) + STRIDE)
    store_metadata.write(transaction.connection, "purged_until", to_ms(now))
    return now


@frozen
class Purge:
    """One step of a purge: what is older than the first two moments may go; what is dated later than the
    third has no age of its own."""

    guest_before: datetime
    history_before: datetime
    now: datetime


def purge(transaction: Transaction, asked: Sequence[Purge]) -> Sequence[int]:
    """An operation: delete some of what is old enough; gives how much, 0 when nothing is left."""
    return [_purge(transaction, one) for one in asked]


def _purge(transaction: Transaction, asked: Purge) -> int:
    guest, history, now = to_ms(asked.guest_before), to_ms(asked.history_before), to_ms(asked.now)
    return (
        _forget_oldest(transaction, RECORDS.c.at, guest, now)
        + _forget_oldest(transaction, EVENTS.c.at, guest, now)
        + forget_guests(transaction, guest, asked.now.date().isoformat())
        + _forget_oldest(transaction, TRANSITIONS.c.at, history, now)
        + _forget_oldest(transaction, SYNCS.c.at, history, now)
        + _forget_oldest(transaction, RUNS.c.seen, history, now)
        + _forget_announcements(transaction)
        + _forget_postings(transaction, history, now)
    )


def _forget_oldest(transaction: Transaction, dated: Column[int], before: int, now: int) -> int:
    """Of a table, by the column that tells how old a row is."""
    (place,) = dated.table.primary_key
    oldest = transaction.connection.execute(select(place, dated).order_by(place).limit(AT_ONCE))
    gone = _old(oldest, before, now)
    if gone:
        transaction.connection.execute(delete(dated.table).where(place <= gone[-1]))
    return len(gone)


def _old(oldest: Iterable[Any], before: int, now: int) -> list[int]:
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


def _forget_announcements(transaction: Transaction) -> int:
    newest = select(ANNOUNCEMENTS.c.seq).order_by(ANNOUNCEMENTS.c.seq.desc()).offset(ANNOUNCEMENTS_KEPT)
    last = transaction.connection.execute(newest.limit(1)).scalar()
    if last is None:
        return 0
    return transaction.connection.execute(delete(ANNOUNCEMENTS).where(ANNOUNCEMENTS.c.seq <= last)).rowcount


def _forget_postings(transaction: Transaction, before: int, now: int) -> int:
    """What still waits stays, however old; it holds up nothing."""
    oldest = transaction.connection.execute(
        select(POSTINGS.c.id, POSTINGS.c.created)
        .where(POSTINGS.c.state.in_(FINAL))
        .order_by(POSTINGS.c.id)
        .limit(AT_ONCE)
    )
    gone = _old(oldest, before, now)
    if gone:
        transaction.connection.execute(delete(POSTINGS).where(POSTINGS.c.id.in_(gone)))
    return len(gone)
