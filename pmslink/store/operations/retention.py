"""Retention: delete entries after their retention time, and overwrite them on the disk.

Entries are deleted in the order in which they were stored. So an entry that a wrong clock dated too early or
too late is deleted together with its neighbours. Each purge advances the clock of the purge by at most four
hours towards the wall clock. So a wall clock that is a year ahead for an hour
cannot empty the store. After a long downtime more purges are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Column, and_, delete, func, or_, select

from pmslink.store.core import store_metadata
from pmslink.store.core.schema import (
    EVENTS,
    LINK_SNAPSHOTS,
    POSTINGS,
    RECORD_PROBLEMS,
    RECORDS,
    RUNS,
    STAYS,
    SYNC_CHANGES,
    TRANSITIONS,
)
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import delete_guest_names
from pmslink.store.tables.outbox_rows import FINAL_STATES
from pmslink.timestamps import from_ms, to_ms

PURGE_BATCH_ROWS = 1000
"""Maximum number of rows that one commit deletes from each table; other writes wait for the commit."""
LINK_SNAPSHOT_MAX_ROWS = 10_000
PURGE_CLOCK_MAX_STEP = timedelta(hours=4)
"""Maximum time by which one purge advances its clock."""


@frozen
class Retention:
    """The retention time of guest data, and of other history."""

    guest: timedelta
    history: timedelta


def advance_purge_clock(transaction: Transaction, wall_times: Sequence[datetime]) -> Sequence[datetime]:
    """Operation: advance the clock of the purge towards the wall clock, and return its time."""
    return [_advance_purge_clock(transaction, wall_time) for wall_time in wall_times]


def _advance_purge_clock(transaction: Transaction, wall_time: datetime) -> datetime:
    before = store_metadata.read_value(transaction.connection, "purged_until")
    now = wall_time if before is None else min(wall_time, from_ms(before) + PURGE_CLOCK_MAX_STEP)
    store_metadata.write_value(transaction.connection, "purged_until", to_ms(now))
    return now


@frozen
class Purge:
    """One step of a purge: rows that are older than the first two times are deleted.

    The age of a row dated after `now` is unknown, so it is deleted with its neighbours.
    """

    guest_before: datetime
    history_before: datetime
    now: datetime


def purge(transaction: Transaction, requests: Sequence[Purge]) -> Sequence[int]:
    """Operation: delete a batch of expired rows, and return how many; 0 when none are left."""
    return [_purge(transaction, request) for request in requests]


def _purge(transaction: Transaction, request: Purge) -> int:
    guest, history, now = to_ms(request.guest_before), to_ms(request.history_before), to_ms(request.now)
    return (
        _delete_oldest(transaction, RECORDS.c.at, guest, now)
        + _delete_oldest(transaction, RECORD_PROBLEMS.c.at, guest, now)
        + _delete_oldest(transaction, EVENTS.c.at, guest, now)
        + _delete_old_stays(transaction, guest, now)
        + delete_guest_names(transaction, guest, request.now.date().isoformat())
        + _delete_oldest(transaction, TRANSITIONS.c.at, history, now)
        + _delete_oldest(transaction, SYNC_CHANGES.c.at, history, now)
        + _delete_oldest(transaction, RUNS.c.seen, history, now)
        + _delete_old_link_snapshots(transaction)
        + _delete_old_postings(transaction, history, now)
    )


def _delete_oldest(transaction: Transaction, timestamp_column: Column[int], before: int, now: int) -> int:
    """Delete the oldest rows of a table, by the column that dates a row."""
    (key,) = timestamp_column.table.primary_key
    oldest = transaction.connection.execute(
        select(key, timestamp_column).order_by(key).limit(PURGE_BATCH_ROWS)
    )
    expired = _expired_ids(oldest, before, now)
    if expired:
        transaction.connection.execute(delete(timestamp_column.table).where(key <= expired[-1]))
    return len(expired)


def _expired_ids(oldest: Iterable[Any], before: int, now: int) -> list[int]:
    """Return the ids of the expired rows among the oldest; `oldest` are ids and timestamps in order."""
    expired: list[int] = []
    undated: list[int] = []  # dated in the future: expired if a later row is
    for row_id, at in oldest:
        if before <= at <= now:
            break
        undated.append(row_id)
        if at < before:
            expired.extend(undated)
            undated.clear()
    return expired


def _delete_old_stays(transaction: Transaction, before: int, now: int) -> int:
    """Delete expired stays that have ended. A stay that lasts is needed as long as it lasts."""
    has_expired = STAYS.c.until < before
    newest_expired = select(func.max(STAYS.c.id)).where(has_expired).scalar_subquery()
    dated_in_future = and_(STAYS.c.until > now, STAYS.c.id <= newest_expired)
    expired = select(STAYS.c.id).where(or_(has_expired, dated_in_future)).limit(PURGE_BATCH_ROWS)
    return _delete_by_ids(transaction, STAYS.c.id, transaction.connection.execute(expired).scalars().all())


def _delete_by_ids(transaction: Transaction, id_column: Column[int], ids: Sequence[int]) -> int:
    if ids:
        transaction.connection.execute(delete(id_column.table).where(id_column.in_(ids)))
    return len(ids)


def _delete_old_link_snapshots(transaction: Transaction) -> int:
    newest = select(LINK_SNAPSHOTS.c.seq).order_by(LINK_SNAPSHOTS.c.seq.desc()).offset(LINK_SNAPSHOT_MAX_ROWS)
    last = transaction.connection.execute(newest.limit(1)).scalar()
    if last is None:
        return 0
    return transaction.connection.execute(delete(LINK_SNAPSHOTS).where(LINK_SNAPSHOTS.c.seq <= last)).rowcount


def _delete_old_postings(transaction: Transaction, before: int, now: int) -> int:
    """Delete expired rows of the outbox in final states. Open rows stay, and do not block the others."""
    oldest = transaction.connection.execute(
        select(POSTINGS.c.id, POSTINGS.c.created)
        .where(POSTINGS.c.state.in_(FINAL_STATES))
        .order_by(POSTINGS.c.id)
        .limit(PURGE_BATCH_ROWS)
    )
    return _delete_by_ids(transaction, POSTINGS.c.id, _expired_ids(oldest, before, now))
