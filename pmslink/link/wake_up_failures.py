"""Wake-ups that failed, and wake-up requests that were not understood: a guest may not have been woken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

RECENT = timedelta(hours=24)
"""For how long a failed wake-up needs attention."""
MAX_REMEMBERED_FAILURES = 1000


class WakeUpFailures:
    """The failed wake-ups of one link, by the number of their event."""

    def __init__(self) -> None:
        self._times: dict[int, datetime] = {}

    def add(self, seq: int, at: datetime) -> None:
        """Remember a failure; an event that was counted before is not counted again."""
        self._times[seq] = at
        if len(self._times) > MAX_REMEMBERED_FAILURES:
            del self._times[min(self._times)]

    def restore(self, failures: Iterable[tuple[int, datetime]]) -> None:
        """Remember failures from before the start of the service."""
        for seq, at in failures:
            self.add(seq, at)

    def has_recent(self, now: datetime) -> bool:
        """Check whether one is recent enough to need attention. Older ones are forgotten."""
        if self._times:
            self._times = {seq: at for seq, at in self._times.items() if now < at + RECENT}
        return bool(self._times)
