"""The query for the timeline of a link."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import evolve
from sqlalchemy import Column, ColumnElement, Connection, select

from pmslink.store.core.schema import RUNS, SYNC_CHANGES, TRANSITIONS
from pmslink.store.tables.availability import Timeline, build_timeline
from pmslink.store.tables.history_queries import transition_from_row
from pmslink.store.tables.log_entries import SyncChanged
from pmslink.store.tables.service_runs import run_from_row
from pmslink.timestamps import from_ms, to_ms

TIMELINE_MAX_CHANGES = 5000
"""Maximum number of changes of each kind in a timeline; with more changes, the timeline begins later."""


def read_timeline(
    connection: Connection, link: str, since: datetime, until: datetime, current_run_id: int | None
) -> Timeline:
    """Read the timeline of a link from `since` to `until`, which is the current time.

    `current_run_id` is the run that has not ended. If it is None, all runs end at their stored times.
    """
    transitions, since = _select_since(connection, TRANSITIONS.c.at, since, TRANSITIONS.c.link == link)
    sync_changes, since = _select_since(connection, SYNC_CHANGES.c.at, since, SYNC_CHANGES.c.link == link)
    runs, since = _select_since(connection, RUNS.c.seen, since)
    return build_timeline(
        min(since, until),
        until,
        [evolve(run, seen=until) if run.id == current_run_id else run for run in map(run_from_row, runs)],
        [transition_from_row(row) for row in transitions],
        [SyncChanged(row.id, row.link, from_ms(row.at), row.in_sync) for row in sync_changes],
    )


def _select_since(
    connection: Connection, timestamp_column: Column[int], since: datetime, *conditions: ColumnElement[bool]
) -> tuple[Sequence[Any], datetime]:
    """Select rows from the last one before `since` on, oldest first.

    Returns the rows, and the time from which they are complete.
    """
    table = timestamp_column.table
    (key,) = table.primary_key
    newest = select(table).where(*conditions).order_by(key.desc()).limit(TIMELINE_MAX_CHANGES + 1)
    rows = []
    with connection.execute(newest) as result:
        for row in result:  # reads no further than needed
            rows.append(row)
            if getattr(row, timestamp_column.name) <= to_ms(since):
                break
    rows.reverse()
    if len(rows) > TIMELINE_MAX_CHANGES:
        since = max(since, from_ms(getattr(rows[0], timestamp_column.name)))
    return rows, since
