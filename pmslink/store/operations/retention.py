"""Retention: delete entries after their retention time, and overwrite them on the disk.

Entries are deleted in the order in which they were stored. So an entry that a wrong clock dated too early or
too late is deleted together with its neighbours. Each purge advances the clock of the purge by at most four
hours towards the wall clock. So a wall clock that is a year ahead for an hour
cannot empty the store. After a long downtime more purges are needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Column, delete, select

from pmslink.store.core import store_metadata
from pmslink.store.core.schema import (
    AUDIT,
    EVENTS,
    LINK_SNAPSHOTS,
    NOTICES,
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
from pmslink.store.tables.outbox_rows import FINAL_STATES, RefusedRowPurged
from pmslink.timestamps import from_ms, to_ms

PURGE_STEP_S = 0.015
"""Seconds after which a step of a purge ends; other writes wait for it, and for its commit."""
PURGE_STEP_ROWS = 100
"""Number of deleted rows after which a step ends. Each is in up to eight indexes, so the commit may write
nine times as many pages."""
PURGE_BATCH_ROWS = 25
"""Maximum number of rows that are deleted at once; a step ends between two batches."""
_EXAMINED_ROWS = 1000
"""Number of the oldest rows among which the expired ones are found."""
_ROOMS_AT_ONCE = 5
"""Rooms whose guests' names are deleted at once; each may need to load its hotel."""
LINK_SNAPSHOT_MAX_ROWS = 10_000
"""Changes of links that are kept, for subscribers that resume after a restart."""
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
    """The limits of a purge: rows that are older than the first two times are deleted.

    The age of a row dated after `now` is unknown, so it is deleted with its neighbours.
    """

    guest_before: datetime
    history_before: datetime
    now: datetime


@frozen
class PurgeStep:
    """A part of a purge that one commit does: from one of the tables on, and there behind a cursor."""

    limits: Purge
    table: int = 0
    cursor: tuple[Any, ...] = ()


@frozen
class PurgeStepDone:
    """How many rows a step deleted, and the step that follows; None after the last one."""

    deleted: int
    next_step: PurgeStep | None


def purge(transaction: Transaction, steps: Sequence[PurgeStep]) -> Sequence[PurgeStepDone]:
    """Operation: delete expired rows, for about PURGE_STEP_S or about PURGE_STEP_ROWS."""
    return [_purge(transaction, step) for step in steps]


def _purge(transaction: Transaction, step: PurgeStep) -> PurgeStepDone:
    end = time.monotonic() + PURGE_STEP_S
    deleted = 0
    while step.table < len(TABLE_PURGES):
        count, cursor = TABLE_PURGES[step.table](transaction, step.limits, step.cursor)
        deleted += count
        step = evolve(step, table=step.table + (cursor is None), cursor=cursor or ())
        if deleted >= PURGE_STEP_ROWS or time.monotonic() >= end:
            break
    return PurgeStepDone(deleted, step if step.table < len(TABLE_PURGES) else None)


_BatchDone = tuple[int, tuple[Any, ...] | None]
"""How many rows a batch deleted, and the cursor for the next batch; None if the table has no more of them."""


def _delete_oldest(
    timestamp_column: Column[int],
    before: Callable[[Purge], datetime],
    transaction: Transaction,
    limits: Purge,
    _cursor: tuple[Any, ...],
) -> _BatchDone:
    """Delete the oldest rows of a table, by the column that dates a row."""
    (key,) = timestamp_column.table.primary_key
    query = select(key, timestamp_column).order_by(key).limit(_EXAMINED_ROWS)
    with transaction.connection.execute(query) as oldest:
        expired = _expired_ids(oldest, to_ms(before(limits)), to_ms(limits.now))
    if not expired:
        return 0, None
    transaction.connection.execute(delete(timestamp_column.table).where(key <= expired[-1]))
    return len(expired), ()


def _expired_ids(oldest: Iterable[Any], before: int, now: int) -> list[int]:
    """Return the ids of a batch of expired rows; `oldest` are ids and timestamps in order, read as needed."""
    expired: list[int] = []
    undated: list[int] = []  # dated in the future: expired if a later row is
    for row_id, at in oldest:
        if before <= at <= now:
            break
        undated.append(row_id)
        if at < before:
            expired.extend(undated)
            undated.clear()
        if len(expired) >= PURGE_BATCH_ROWS:
            break
    return expired[:PURGE_BATCH_ROWS]


def _delete_ended(
    end_column: Column[int],
    before: Callable[[Purge], datetime],
    transaction: Transaction,
    limits: Purge,
    _cursor: tuple[Any, ...],
) -> _BatchDone:
    """Delete expired rows by the column that says when they ended. A row that lasts is needed until then."""
    key = end_column.table.c.id
    ids = select(key).limit(PURGE_BATCH_ROWS)
    has_expired = ids.where(end_column < to_ms(before(limits))).order_by(end_column)
    expired = transaction.connection.execute(has_expired).scalars().all()
    if not expired:
        return 0, None
    # An end in the future is of a wrong clock: such a row is deleted with its neighbours.
    undated = ids.where(end_column > to_ms(limits.now), key <= max(expired))
    expired = [*expired, *transaction.connection.execute(undated).scalars()]
    return _delete_by_ids(transaction, key, expired), ()


def _delete_by_ids(transaction: Transaction, id_column: Column[int], ids: Sequence[int]) -> int:
    transaction.connection.execute(delete(id_column.table).where(id_column.in_(ids)))
    return len(ids)


def _delete_old_names(transaction: Transaction, limits: Purge, cursor: tuple[Any, ...]) -> _BatchDone:
    """Delete the names of guests in rooms that have not changed for long."""
    before, today = to_ms(limits.guest_before), limits.now.date().isoformat()
    return delete_guest_names(transaction, before, today, cursor, _ROOMS_AT_ONCE)


def _delete_old_link_snapshots(
    transaction: Transaction, _limits: Purge, cursor: tuple[Any, ...]
) -> _BatchDone:
    """Delete the oldest snapshots of links; the cursor is the last one to delete."""
    seq = LINK_SNAPSHOTS.c.seq
    if not cursor:
        newest = select(seq).order_by(seq.desc()).offset(LINK_SNAPSHOT_MAX_ROWS).limit(1)
        if (last := transaction.connection.execute(newest).scalar()) is None:
            return 0, None
        cursor = (last,)
    oldest = select(seq).where(seq <= cursor[0]).order_by(seq).limit(PURGE_BATCH_ROWS)
    if not (ids := transaction.connection.execute(oldest).scalars().all()):
        return 0, None
    return _delete_by_ids(transaction, seq, ids), cursor


def _delete_old_postings(transaction: Transaction, limits: Purge, cursor: tuple[Any, ...]) -> _BatchDone:
    """Delete expired rows of the outbox in final states. Open rows stay, and do not block the others.

    The cursor is the id of a row before which all final rows are deleted.
    """
    query = select(POSTINGS.c.id, POSTINGS.c.created, POSTINGS.c.state, POSTINGS.c.link)
    query = query.where(POSTINGS.c.id > (cursor[0] if cursor else 0)).order_by(POSTINGS.c.id)
    final: dict[int, Any] = {}
    last_id = None
    with transaction.connection.execute(query.limit(_EXAMINED_ROWS)) as oldest:

        def ages_of_final_rows() -> Iterator[tuple[int, int]]:
            nonlocal last_id
            for row in oldest:
                last_id = row.id
                if row.state in FINAL_STATES:
                    final[row.id] = row
                    yield row.id, row.created

        before, now = to_ms(limits.history_before), to_ms(limits.now)
        expired = _expired_ids(ages_of_final_rows(), before, now)
    if not expired:
        return 0, None if final or last_id is None else (last_id,)
    for row_id in expired:
        if final[row_id].state == "refused":
            transaction.to_publish.append(
                RefusedRowPurged.of(transaction.next_seq(), final[row_id].link, row_id)
            )
    return _delete_by_ids(transaction, POSTINGS.c.id, expired), cursor


_GUEST_COLUMNS = (RECORDS.c.at, RECORD_PROBLEMS.c.at, EVENTS.c.at)
_HISTORY_COLUMNS = (TRANSITIONS.c.at, SYNC_CHANGES.c.at, RUNS.c.seen, AUDIT.c.at)
TABLE_PURGES: tuple[Callable[[Transaction, Purge, tuple[Any, ...]], _BatchDone], ...] = (
    *(partial(_delete_oldest, column, attrgetter("guest_before")) for column in _GUEST_COLUMNS),
    partial(_delete_ended, STAYS.c.until, attrgetter("guest_before")),
    _delete_old_names,
    *(partial(_delete_oldest, column, attrgetter("history_before")) for column in _HISTORY_COLUMNS),
    partial(_delete_ended, NOTICES.c.over, attrgetter("history_before")),
    _delete_old_link_snapshots,
    _delete_old_postings,
)
"""Each deletes a batch of expired rows of one table."""
