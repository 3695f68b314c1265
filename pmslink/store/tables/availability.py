"""How a link was over a stretch of time: its states one after the other, and how long it was in sync.

Nothing here but arithmetic. What happened comes in the order of its ids, which is the order in which it
happened whatever the wall clock said. Where the clock was set back, the later of two stamps is believed:
what happened before cannot have lasted longer. So no span ends before it begins.
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
    """A link was so from one moment to another; `changed` is how it came to be so.

    None where nothing is known: the service did not run, or had no such link.
    """

    since: datetime
    until: datetime
    transition: TransitionLogged | None

    @property
    def state(self) -> str | None:
        return None if self.transition is None else self.transition.new


@frozen
class Timeline:
    """The spans of a stretch of time, oldest first: without gaps, and from its beginning to its end."""

    since: datetime
    until: datetime
    spans: list[Span]
    observed_time: timedelta
    """How much of it something is known of …"""
    in_sync_time: timedelta
    """… and how much of that the link was in sync."""

    @property
    def in_sync_ratio(self) -> float | None:
        """Of the time that is known, the part in sync; None where nothing is known."""
        return self.in_sync_time / self.observed_time if self.observed_time else None


def build_timeline(
    since: datetime,
    until: datetime,
    runs: Sequence[Run],
    transitions: Sequence[TransitionLogged],
    sync_changes: Sequence[SyncChanged],
) -> Timeline:
    """Of what happened to a link, oldest first; what there was before `since` tells how it was then."""
    pieces = _segments(since, until, _state_points(runs, transitions, sync_changes))
    spans = []
    for changed, same in groupby(pieces, key=attrgetter("transition")):
        group = list(same)
        spans.append(Span(group[0].since, group[-1].until, changed))
    known = [piece for piece in pieces if piece.transition is not None]
    in_sync = [piece for piece in known if piece.in_sync]
    return Timeline(since, until, spans, _total_duration(known), _total_duration(in_sync))


@frozen
class _StatePoint:
    """From here on the link is so, until the next moment."""

    at: datetime
    transition: TransitionLogged | None
    in_sync: bool


@frozen
class _Segment:
    """What lies between two moments."""

    since: datetime
    until: datetime
    transition: TransitionLogged | None
    in_sync: bool


def _state_points(
    runs: Sequence[Run], transitions: Sequence[TransitionLogged], sync_changes: Sequence[SyncChanged]
) -> Iterator[_StatePoint]:
    """As it happened. A run begins with nothing known; what happened in none that is known is left out."""
    ids = [run.id for run in runs]
    happened: Iterator[TransitionLogged | SyncChanged] = merge(
        transitions, sync_changes, key=attrgetter("id")
    )
    for number, of_run in groupby(happened, key=lambda one: bisect(ids, one.id)):
        if number == 0:
            continue
        changed, in_sync = None, False
        for one in of_run:
            if isinstance(one, TransitionLogged):
                changed = one
            else:
                in_sync = one.in_sync
            yield _StatePoint(one.at, changed, in_sync)
        # what happened after the run was noted last shows that it still ran
        yield _StatePoint(max(runs[number - 1].seen, one.at), None, False)


def _segments(since: datetime, until: datetime, points: Iterable[_StatePoint]) -> list[_Segment]:
    """What lies between these moments, within this stretch of time and without what has no length."""
    pieces = []
    for moment in reversed([_StatePoint(since, None, False), *points]):
        begin = min(max(moment.at, since), until)
        if begin < until:
            pieces.append(_Segment(begin, until, moment.transition, moment.in_sync))
            until = begin
    return pieces[::-1]


def _total_duration(segments: Iterable[_Segment]) -> timedelta:
    return sum((piece.until - piece.since for piece in segments), timedelta())
