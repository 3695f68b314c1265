"""Reading how a link was over a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import evolve
from sqlalchemy import Column, ColumnElement, Connection, func, select

from pmslink.store.core.schema import RUNS, SYNCS, TRANSITIONS
from pmslink.store.tables.availability import Timeline, timeline
from pmslink.store.tables.history_queries import as_changed
from pmslink.store.tables.log_entries import Synced
from pmslink.store.tables.service_runs import as_run
from pmslink.timestamps import from_ms, to_ms

AT_MOST = 5000
"""So many changes of each kind make a timeline; where there were more, it begins later."""


def read_timeline(
    connection: Connection, link: str, since: datetime, until: datetime, running: int | None
) -> Timeline:
    """How a link was, up to now. `running` is the id of the run that goes on; of no other more is known than
    what is kept."""
    changes, since = _newest(connection, TRANSITIONS.c.at, since, TRANSITIONS.c.link == link)
    syncs, since = _newest(connection, SYNCS.c.at, since, SYNCS.c.link == link)
    runs, since = _newest(connection, RUNS.c.seen, since)
    return timeline(
        min(since, until),
        until,
        [evolve(run, seen=until) if run.id == running else run for run in map(as_run, runs)],
        [as_changed(row) for row in changes],
        [Synced(row.id, row.link, from_ms(row.at), row.in_sync) for row in syncs],
    )


def _newest(
    connection: Connection, dated: Column[int], since: datetime, *wanted: ColumnElement[bool]
) -> tuple[Sequence[Any], datetime]:
    """Rows from the last one before a moment on, oldest first, and from when on these are all."""
    table = dated.table
    (id,) = table.primary_key
    before = select(id).where(*wanted, dated <= to_ms(since)).order_by(id.desc()).limit(1)
    first = func.coalesce(before.scalar_subquery(), 0)
    newest = select(table).where(*wanted, id >= first).order_by(id.desc()).limit(AT_MOST + 1)
    rows = connection.execute(newest).all()[::-1]
    if len(rows) > AT_MOST:
        since = max(since, from_ms(getattr(rows[0], dated.name)))
    return rows, since
