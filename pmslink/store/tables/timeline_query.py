"""The queries for the timeline and the phases of a link, and for the states of several links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Column, ColumnElement, Connection, select

from pmslink.store.core.schema import RUNS, SYNC_CHANGES, TRANSITIONS
from pmslink.store.tables.availability import Segment, Timeline, build_segments, build_timeline, state_points
from pmslink.store.tables.history_queries import transition_from_row
from pmslink.store.tables.log_entries import SyncChanged, TransitionLogged
from pmslink.store.tables.phases import Phase, build_phases
from pmslink.store.tables.service_runs import Run, run_from_row
from pmslink.timestamps import from_ms, to_ms

TIMELINE_MAX_CHANGES = 5000
"""Maximum number of changes of each kind in a timeline; with more changes, the timeline begins later."""
PHASES_MAX_TRANSITIONS = 50_000
"""Maximum number of transitions that phases are made of: 8 days of redials each 30 s."""
PHASES_MAX_SYNC_CHANGES = 2000
"""Maximum number of sync changes that phases are made of, which limits the number of phases."""


def read_timeline(
    connection: Connection, link: str, since: datetime, until: datetime, current_run_id: int | None
) -> Timeline:
    """Read the timeline of a link from `since` to `until`, which is the current time.

    `current_run_id` is the run that has not ended. If it is None, all runs end at their stored times.
    """
    runs, since = _read_runs(connection, since, until, current_run_id)
    changes = _read_changes(connection, link, since, TIMELINE_MAX_CHANGES, TIMELINE_MAX_CHANGES)
    return build_timeline(min(changes.since, until), until, runs, changes.transitions, changes.sync_changes)


def read_phases(
    connection: Connection, link: str, since: datetime, until: datetime, current_run_id: int | None
) -> list[Phase]:
    """Read the phases of a link, as `read_timeline` does its timeline. With many changes they begin later."""
    runs, since = _read_runs(connection, since, until, current_run_id)
    changes = _read_changes(connection, link, since, PHASES_MAX_TRANSITIONS, PHASES_MAX_SYNC_CHANGES)
    return build_phases(min(changes.since, until), until, runs, changes.transitions, changes.sync_changes)


def read_segments(
    connection: Connection, links: Sequence[str], since: datetime, until: datetime, current_run_id: int | None
) -> dict[str, list[Segment]]:
    """Read the states of several links over a period, as `read_timeline` does; return them by link."""
    runs, since = _read_runs(connection, since, until, current_run_id)
    segments = {}
    for link in links:
        changes = _read_changes(connection, link, since, TIMELINE_MAX_CHANGES, TIMELINE_MAX_CHANGES)
        points = state_points(runs, changes.transitions, changes.sync_changes)
        segments[link] = build_segments(min(changes.since, until), until, points)
    return segments


@frozen
class _Changes:
    """What changed with a link from `since` on, and the last change of each kind before; ordered by id."""

    since: datetime
    transitions: Sequence[TransitionLogged]
    sync_changes: Sequence[SyncChanged]


def _read_runs(
    connection: Connection, since: datetime, until: datetime, current_run_id: int | None
) -> tuple[Sequence[Run], datetime]:
    """Read the runs of the service, of which the current one lasts `until` now.

    Returns them as `_select_since` does, with the time from which they are complete.
    """
    rows, since = _select_since(connection, RUNS.c.seen, since, TIMELINE_MAX_CHANGES)
    runs = [run_from_row(row) for row in rows]
    return [evolve(run, seen=until) if run.id == current_run_id else run for run in runs], since


def _read_changes(
    connection: Connection, link: str, since: datetime, max_transitions: int, max_sync_changes: int
) -> _Changes:
    of_link = TRANSITIONS.c.link == link
    transitions, since = _select_since(connection, TRANSITIONS.c.at, since, max_transitions, of_link)
    of_link = SYNC_CHANGES.c.link == link
    sync_changes, since = _select_since(connection, SYNC_CHANGES.c.at, since, max_sync_changes, of_link)
    return _Changes(
        since,
        [transition_from_row(row) for row in transitions],
        [SyncChanged(row.id, row.link, from_ms(row.at), row.in_sync) for row in sync_changes],
    )


def _select_since(
    connection: Connection,
    timestamp_column: Column[int],
    since: datetime,
    max_rows: int,
    *conditions: ColumnElement[bool],
) -> tuple[Sequence[Any], datetime]:
    """Select rows from the last one before `since` on, oldest first.

    Returns the rows, and the time from which they are complete.
    """
    table = timestamp_column.table
    (key,) = table.primary_key
    newest = select(table).where(*conditions).order_by(key.desc()).limit(max_rows + 1)
    rows = []
    with connection.execute(newest) as result:
        for row in result:  # reads no further than needed
            rows.append(row)
            if getattr(row, timestamp_column.name) <= to_ms(since):
                break
    rows.reverse()
    if len(rows) > max_rows:
        since = max(since, from_ms(getattr(rows[0], timestamp_column.name)))
    return rows, since
