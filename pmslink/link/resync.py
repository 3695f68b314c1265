"""Resyncs: the PMS tells every room and guest again, between DS and DE; and how one is asked for.

One is wanted when something from the PMS may have been missed, or a person says so. It is asked for
with DR once the link is in sync, and by itself not again on a connection for an hour: PMSs forbid to ask
often, many ignore a DR that they find needless, and one whose resync always loses the same record must
not be asked for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from pmslink.fias.record import Record
from pmslink.link.countdown import Countdown

LONGEST_PAUSE = 600.0
"""Seconds after its last record when a resync without DE counts as over."""
PATIENCE = 30.0
"""Seconds that the PMS has for DS; after that it does not find a resync needful."""
REST = 3600.0
"""Seconds on one connection between a DR and the next one that nobody has asked for."""


@frozen
class Progress:
    """What is known of resyncs; it outlives restarts."""

    wanted: bool = True
    asked: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    records: int = 0


class Resynced(Protocol):
    """Whose link it is."""

    def ask_for_resync(self) -> None:
        """Send DR."""

    def resync_changed(self) -> None:
        """The progress has changed, and is worth keeping."""

    def resync_broken(self) -> None:
        """One was running, and will not end."""

    def resync_over(self) -> None:
        """Nothing is held back for it any more."""


class Resync:
    """The resyncs of one link."""

    def __init__(
        self, clock: IReactorTime, wall: Callable[[], datetime], link: Resynced, progress: Progress
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._link = link
        self._in_sync = False
        self._heard_at = 0.0
        self._waiting = Countdown(clock, self._ignored)  # for DS
        self._resting = Countdown(clock, self._ask)  # after a DR on this connection
        self._limit = Countdown(clock, self._too_quiet)  # while one runs
        self.progress = progress
        """As of the last change that is worth keeping."""
        self.records = progress.records
        """How many records of the last resync came so far."""

    @property
    def running(self) -> bool:
        """Between DS and DE; nothing is sent to the PMS meanwhile."""
        return self._limit.running

    def want(self) -> None:
        """Something may have been missed."""
        if not self.progress.wanted:
            self._note(wanted=True)
        self._ask()

    def request(self) -> None:
        """A person wants one, however lately the PMS was asked."""
        self._resting.stop()
        self.want()

    def opened(self) -> None:
        """The link is in sync."""
        self._in_sync = True
        self._ask()

    def held(self) -> None:
        """It is in sync no more."""
        self._in_sync = False

    def closed(self) -> None:
        """The connection has ended, and with it a resync that was running."""
        self._in_sync = False
        self._waiting.stop()
        self._resting.stop()
        if self.running:
            self._limit.stop()
            self._note()
            self._link.resync_broken()

    def heard(self, id: str, record: Record) -> None:
        """Any record from the PMS that is no link record."""
        if id == "DS":
            self._waiting.stop()
            self._heard_at = self._clock.seconds()
            self._limit.start(LONGEST_PAUSE)
            self.records = 0
            self._note(wanted=False, started=self._wall(), ended=None)
        elif not self.running:
            return
        elif id == "DE":
            self._note(ended=self._wall())
            self._over()
        elif "|SF" in record.text:
            self.records += 1
            self._heard_at = self._clock.seconds()

    def _ask(self) -> None:
        busy = self.running or self._waiting.running or self._resting.running
        if self.progress.wanted and self._in_sync and not busy:
            self._waiting.start(PATIENCE)
            self._resting.start(REST)
            self._note(asked=self._wall())
            self._link.ask_for_resync()

    def _ignored(self) -> None:
        self._note(wanted=False)

    def _too_quiet(self) -> None:
        quiet = self._clock.seconds() - self._heard_at
        if quiet < LONGEST_PAUSE - 0.001:  # what is less is lost in rounding
            self._limit.start(LONGEST_PAUSE - quiet)
        else:
            self._note()
            self._link.resync_broken()
            self._over()

    def _over(self) -> None:
        self._limit.stop()
        self._ask()  # if a frame was dropped in the middle of it
        self._link.resync_over()

    def _note(self, **changes: Any) -> None:
        self.progress = evolve(self.progress, records=self.records, **changes)
        self._link.resync_changed()
