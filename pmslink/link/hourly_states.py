"""The worst state of a link in each of the last 24 hours, for lists of links."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from pmslink.link.link_summary import LinkGroup
from pmslink.store.tables.availability import Segment
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


class HourlyStates:
    """The states of one link by hours of UTC. The time of each change is that of the wall clock."""

    def __init__(self) -> None:
        self._ranks: dict[int, int] = {}  # by hours since 1970
        self._rank = _UNKNOWN  # since `_since`
        self._since: datetime | None = None

    def change(self, group: LinkGroup, at: datetime) -> None:
        """Note in which group the link is from now on."""
        rank = _RANK_BY_GROUP[group]
        if rank != self._rank:
            self._add_current(at)
            self._rank, self._since = rank, at

    def restore(self, segments: Iterable[Segment]) -> None:
        """Add the states from before the start of the service."""
        for segment in segments:
            self._add(_rank_of(segment), segment.since, segment.until)

    def text(self, now: datetime) -> str:
        """Return the worst state of each of the last 24 hours, the current one last."""
        self._add_current(now)
        current = _hour_of(now)
        hours = range(current - HOURS + 1, current + 1)
        self._ranks = {hour: self._ranks[hour] for hour in hours if hour in self._ranks}
        return "".join(_BY_RANK[self._ranks.get(hour, _UNKNOWN)] for hour in hours)

    def _add_current(self, now: datetime) -> None:
        if self._since is not None:
            self._add(self._rank, self._since, now)

    def _add(self, rank: int, since: datetime, until: datetime) -> None:
        if rank == _WAITING and until - since < MIN_WAIT:
            rank = _SHORT_WAIT
        last = _hour_of(until)
        for hour in range(max(_hour_of(since), last - HOURS + 1), last + 1):
            self._ranks[hour] = max(rank, self._ranks.get(hour, _UNKNOWN))


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
