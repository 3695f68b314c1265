"""Wake-ups that failed, and wake-up requests that were not understood: a guest may not have been woken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from attrs import frozen

from pmslink.store.tables.recent_failures import FailedWakeUp

RECENT = timedelta(hours=24)
"""For how long a failed wake-up needs attention, unless somebody acknowledges it."""
MAX_REMEMBERED_FAILURES = 1000


@frozen
class FailedWakeUps:
    """How many wake-ups failed within the last 24 hours and are not acknowledged, and the last of them."""

    count: int = 0
    last_at: datetime | None = None
    last_room: str | None = None
    """None if the request named no room."""


class WakeUpFailures:
    """The failed wake-ups of one link, by the number of their event."""

    def __init__(self) -> None:
        self._failures: dict[int, FailedWakeUp] = {}
        self._acknowledged = _NO_EVENTS

    def add(self, failure: FailedWakeUp) -> None:
        """Remember a failure; an event that was counted before is not counted again."""
        self._failures[failure.seq] = failure
        if len(self._failures) > MAX_REMEMBERED_FAILURES:
            self._forget(min(self._failures))

    def acknowledge(self, seq: int) -> None:
        """Note that somebody has acknowledged a failure: it does not need attention any more."""
        if seq in self._failures:
            self._acknowledged |= {seq}

    def recent(self, now: datetime) -> Sequence[FailedWakeUp]:
        """Return those of the last 24 hours. Older ones are forgotten."""
        for seq in [seq for seq, failure in self._failures.items() if failure.at + RECENT <= now]:
            self._forget(seq)
        return tuple(self._failures.values())

    def status(self, now: datetime) -> FailedWakeUps:
        """Return those that need attention: they are recent, and nobody has acknowledged them."""
        if not self._failures:
            return _NONE
        failures = [failure for failure in self.recent(now) if failure.seq not in self._acknowledged]
        if not failures:
            return _NONE
        last = max(failures, key=attrgetter("seq"))
        return FailedWakeUps(len(failures), last.at, last.room)

    def _forget(self, seq: int) -> None:
        del self._failures[seq]
        self._acknowledged -= {seq}


_NO_EVENTS: frozenset[int] = frozenset()
"""Shared by all links without a failure: an empty set of each would take 216 bytes."""
_NONE = FailedWakeUps()
