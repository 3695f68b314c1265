"""The worst state of a link in each of the last 24 hours, for lists of links."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from pmslink.link.link_summary import LinkGroup
from pmslink.store.tables.availability import Segment
from pmslink.store.tables.timeline_query import read_segments
from pmslink.timestamps import to_ms

HourState = Literal["b", "w", "g", "o", "-"]
"""Down, waiting, in sync, off, or unknown: the service did not run, or had no such link."""

HOURS = 24
MIN_WAIT = timedelta(minutes=1)
"""Waiting for less than this shows only in an hour of which nothing else is known.

Each start of the service makes all links wait for a moment.
"""

_HOUR_MS = 3_600_000
_BY_RANK: tuple[HourState, ...] = ("-", "w", "o", "g", "w", "b")
"""The states by rank; of each hour, the highest rank is shown. The first `w` is a short wait."""
_UNKNOWN, _SHORT_WAIT, _OFF, _IN_SYNC, _WAITING, _DOWN = range(len(_BY_RANK))
_RANK_BY_GROUP: Mapping[LinkGroup, int] = {
    "down": _DOWN,
    "connecting": _WAITING,
    "look": _IN_SYNC,
    "connected": _IN_SYNC,
    "off": _OFF,
}
_RANK_BY_MARKER = {"DISABLED": _OFF, "EXPIRED": _OFF, "EXPECTION": _DOWN}
_RANK_OF_CLOSED = {"pms_ended": _DOWN, "in_use": _DOWN, "user": _OFF, "started": _OFF}
"""The rank of CLOSED by cause. After other causes it redials at once."""


HourRanks = Mapping[int, int]
"""The rank of the worst state in each hour of which something is known, by hours since 1970."""


class HourlyStates:
    """The states of one link by hours of UTC. The time of each change is that of the wall clock."""

    def __init__(self) -> None:
        self._ranks: dict[int, int] = {}  # as in HourRanks
        self._rank = _UNKNOWN  # since `_since`
        self._since: datetime | None = None

    def change(self, group: LinkGroup, at: datetime) -> None:
        """Note in which group the link is from now on."""
        rank = _RANK_BY_GROUP[group]
        if rank != self._rank:
            self._advance(at)
            self._rank, self._since = rank, at

    def restore(self, hours: HourRanks) -> None:
        """Add the states from before the start of the service."""
        for hour, rank in hours.items():
            self._ranks[hour] = max(rank, self._ranks.get(hour, _UNKNOWN))

    def text(self, now: datetime) -> str:
        """Return the worst state of each of the last 24 hours, the current one last."""
        self._advance(now)
        return "".join(_BY_RANK[self._ranks.get(hour, _UNKNOWN)] for hour in _last_hours(now))

    def _advance(self, now: datetime) -> None:
        """Add the current state until now, and drop all hours but the last 24."""
        if self._since is not None:
            _add(self._ranks, self._rank, self._since, now)
        self._ranks = {hour: self._ranks[hour] for hour in _last_hours(now) if hour in self._ranks}


def read_hours(
    connection: Connection, links: Sequence[str], since: datetime, until: datetime, current_run_id: int | None
) -> dict[str, HourRanks]:
    """Read the worst state of each hour of several links, as `read_segments` reads all states."""
    segments = read_segments(connection, links, since, until, current_run_id)
    return {link: rank_hours(states) for link, states in segments.items()}


def rank_hours(segments: Iterable[Segment]) -> HourRanks:
    """Return the rank of the worst state in each hour."""
    ranks: dict[int, int] = {}
    for segment in segments:
        _add(ranks, _rank_of(segment), segment.since, segment.until)
    return ranks


def _add(ranks: dict[int, int], rank: int, since: datetime, until: datetime) -> None:
    """Add a state to the last 24 hours that it lasted."""
    if rank == _WAITING and until - since < MIN_WAIT:
        rank = _SHORT_WAIT
    first = _hour_of(since)
    for hour in _last_hours(until):
        if hour >= first:
            ranks[hour] = max(rank, ranks.get(hour, _UNKNOWN))


def _last_hours(until: datetime) -> range:
    current = _hour_of(until)
    return range(current - HOURS + 1, current + 1)


def _hour_of(at: datetime) -> int:
    return to_ms(at) // _HOUR_MS


def _rank_of(segment: Segment) -> int:
    """Return the rank of a stored state, without the failed attempts that only the running link counts."""
    if segment.transition is None:
        return _UNKNOWN
    marker = segment.transition.new
    if marker == "ESTABLISHED":
        return _IN_SYNC if segment.in_sync else _WAITING
    if marker == "CLOSED":
        return _RANK_OF_CLOSED.get(json.loads(segment.transition.cause)["code"], _WAITING)
    return _RANK_BY_MARKER.get(marker, _WAITING)
