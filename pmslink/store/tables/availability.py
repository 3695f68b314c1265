"""The availability of a link over a period: its states one after the other, and how long it was in sync.

These are pure functions. Their input is ordered by id, which is the order of events even if the wall clock
was set. Where the clock was set back, the later of two timestamps limits the earlier span. So no span ends
before it begins.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby
from operator import attrgetter

from attrs import frozen

from pmslink.store.tables.log_entries import SyncChanged, TransitionLogged
from pmslink.store.tables.service_runs import Run


@frozen
class Span:
    """A time span in which a link had one state; `transition` is the transition into that state.

    It is None where the state is unknown: the service did not run, or had no such link.
    """

    since: datetime
    until: datetime
    transition: TransitionLogged | None

    @property
    def state(self) -> str | None:
        """The state of the link, None if unknown."""
        return None if self.transition is None else self.transition.new


@frozen
class Timeline:
    """The spans of a period, oldest first, from its beginning to its end without gaps."""

    since: datetime
    until: datetime
    spans: list[Span]
    observed_time: timedelta
    """The part of the period in which the state is known."""
    in_sync_time: timedelta
    """The part of `observed_time` in which the link was in sync."""

    @property
    def in_sync_ratio(self) -> float | None:
        """The ratio of `in_sync_time` to `observed_time`; None if the state is never known."""
        return self.in_sync_time / self.observed_time if self.observed_time else None


def build_timeline(
    since: datetime,
    until: datetime,
    runs: Sequence[Run],
    transitions: Sequence[TransitionLogged],
    sync_changes: Sequence[SyncChanged],
) -> Timeline:
    """Build the timeline of a link from `since` to `until`.

    Runs, transitions and sync changes are ordered by id. Those before `since` give the state at `since`.
    """
    segments = build_segments(since, until, state_points(runs, transitions, sync_changes))
    spans = []
    for transition, group in groupby(segments, key=attrgetter("transition")):
        same_state = list(group)
        spans.append(Span(same_state[0].since, same_state[-1].until, transition))
    known = [segment for segment in segments if segment.transition is not None]
    in_sync = [segment for segment in known if segment.in_sync]
    return Timeline(since, until, spans, _total_duration(known), _total_duration(in_sync))


@frozen
class StatePoint:
    """The state of a link from a time on, until the next point."""

    at: datetime
    transition: TransitionLogged | None
    in_sync: bool


@frozen
class Segment:
    """The time between two points; `transition` is None where the state is unknown."""

    since: datetime
    until: datetime
    transition: TransitionLogged | None
    in_sync: bool


def state_points(
    runs: Sequence[Run], transitions: Sequence[TransitionLogged], sync_changes: Sequence[SyncChanged]
) -> Iterator[StatePoint]:
    """Yield the points in order. The arguments are ordered by id.

    Each run begins with an unknown state. Changes outside all runs are ignored.
    """
    ids = [run.id for run in runs]
    changes: Iterator[TransitionLogged | SyncChanged] = merge(transitions, sync_changes, key=attrgetter("id"))
    for run_number, run_changes in groupby(changes, key=lambda change: bisect(ids, change.id)):
        if run_number == 0:
            continue
        transition, in_sync = None, False
        for change in run_changes:
            if isinstance(change, TransitionLogged):
                transition = change
            else:
                in_sync = change.in_sync
            yield StatePoint(change.at, transition, in_sync)
        # a change after the last update of the run proves that the service still ran
        yield StatePoint(max(runs[run_number - 1].seen, change.at), None, False)


def build_segments(since: datetime, until: datetime, points: Iterable[StatePoint]) -> list[Segment]:
    """Return the time between the points, cut to the period, without empty segments."""
    segments = []
    for point in reversed([StatePoint(since, None, False), *points]):
        begin = min(max(point.at, since), until)
        if begin < until:
            segments.append(Segment(begin, until, point.transition, point.in_sync))
            until = begin
    return segments[::-1]


def _total_duration(segments: Iterable[Segment]) -> timedelta:
    return sum((segment.until - segment.since for segment in segments), timedelta())
