"""What a resync is doing: the PMS tells every room and guest again, between DS and DE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pmslink.fias.record import Record

_LONGEST_PAUSE = 600
"""Seconds after its last record when a resync without DE counts as over."""


class Resync:
    """Follows DS, the records with SF, and DE on one link."""

    def __init__(self, seconds: Callable[[], float], wall: Callable[[], datetime]) -> None:
        self._seconds = seconds
        self._wall = wall
        self._last: float | None = None  # when the running one last gave a sign
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self.records = 0

    def heard(self, id: str, record: Record) -> None:
        """Any record from the PMS."""
        if id == "DS":
            self.started, self.ended, self.records = self._wall(), None, 0
            self._last = self._seconds()
        elif self._last is None:
            return
        elif id == "DE":
            self.ended = self._wall()
            self._last = None
        elif "SF" in record:
            self.records += 1
            self._last = self._seconds()

    def interrupted(self) -> None:
        """The connection has ended, and with it a resync that was running."""
        self._last = None

    @property
    def running(self) -> bool:
        """Between DS and DE; nothing is sent to the PMS meanwhile."""
        return self._last is not None and self._seconds() - self._last < _LONGEST_PAUSE
