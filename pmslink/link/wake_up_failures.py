"""Wake-ups that failed, and wake-up requests that were not understood: a guest may not have been woken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import frozen

RECENT = timedelta(hours=24)
"""For how long a failed wake-up needs attention."""
MAX_REMEMBERED_FAILURES = 1000


@frozen
class FailedWakeUps:
    """How many wake-ups failed within the last 24 hours, and the last of them."""

    count: int = 0
    last_at: datetime | None = None
    last_room: str | None = None
    """None if the request named no room."""


class WakeUpFailures:
    """The failed wake-ups of one link, by the number of their event."""

    def __init__(self) -> None:
        self._failures: dict[int, tuple[datetime, str | None]] = {}

    def add(self, seq: int, at: datetime, room: str | None) -> None:
        """Remember a failure; an event that was counted before is not counted again."""
        self._failures[seq] = at, room
        if len(self._failures) > MAX_REMEMBERED_FAILURES:
            del self._failures[min(self._failures)]

    def restore(self, failures: Iterable[tuple[int, datetime, str | None]]) -> None:
        """Remember failures from before the start of the service."""
        for seq, at, room in failures:
            self.add(seq, at, room)

    def status(self, now: datetime) -> FailedWakeUps:
        """Return those that are recent enough to need attention. Older ones are forgotten."""
        if not self._failures:
            return _NONE
        recent = {seq: failure for seq, failure in self._failures.items() if now < failure[0] + RECENT}
        self._failures = recent
        return FailedWakeUps(len(recent), *recent[max(recent)]) if recent else _NONE


_NONE = FailedWakeUps()
