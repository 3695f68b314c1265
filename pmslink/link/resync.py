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

MAX_RECORD_PAUSE_S = 600.0
"""Seconds after its last record when a resync without DE counts as over."""
DS_TIMEOUT_S = 30.0
"""Seconds that the PMS has for DS; after that it does not find a resync needful."""
MIN_REQUEST_INTERVAL_S = 3600.0
"""Seconds on one connection between a DR and the next one that nobody has asked for."""


@frozen
class Progress:
    """What is known of resyncs; it outlives restarts."""

    wanted: bool = True
    asked: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    records: int = 0


class ResyncListener(Protocol):
    """Whose link it is."""

    def send_dr(self) -> None:
        """Send DR."""

    def on_resync_progress(self) -> None:
        """The progress has changed, and is worth keeping."""

    def on_resync_aborted(self) -> None:
        """One was running, and will not end."""

    def on_resync_ended(self) -> None:
        """Nothing is held back for it any more."""


class Resync:
    """The resyncs of one link."""

    def __init__(
        self,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        listener: ResyncListener,
        progress: Progress,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._listener = listener
        self._in_sync = False
        self._last_received_at = 0.0
        self._ds_deadline = Countdown(clock, self._on_request_ignored)  # for DS
        self._request_interval_timer = Countdown(clock, self._request_if_due)  # after a DR on this connection
        self._record_pause_timer = Countdown(clock, self._on_record_pause)  # while one runs
        self.progress = progress
        """As of the last change that is worth keeping."""
        self.records = progress.records
        """How many records of the last resync came so far."""

    @property
    def running(self) -> bool:
        """Between DS and DE; nothing is sent to the PMS meanwhile."""
        return self._record_pause_timer.running

    def require(self) -> None:
        """Something may have been missed."""
        if not self.progress.wanted:
            self._update_progress(wanted=True)
        self._request_if_due()

    def request(self) -> None:
        """A person wants one, however lately the PMS was asked."""
        self._request_interval_timer.stop()
        self.require()

    def on_in_sync(self) -> None:
        """The link is in sync."""
        self._in_sync = True
        self._request_if_due()

    def on_out_of_sync(self) -> None:
        """It is in sync no more."""
        self._in_sync = False

    def on_disconnected(self) -> None:
        """The connection has ended, and with it a resync that was running."""
        self._in_sync = False
        self._ds_deadline.stop()
        self._request_interval_timer.stop()
        if self.running:
            self._record_pause_timer.stop()
            self._update_progress()
            self._listener.on_resync_aborted()

    def on_data_record(self, record_id: str, record: Record) -> None:
        """Any record from the PMS that is no link record."""
        if record_id == "DS":
            self._ds_deadline.stop()
            self._last_received_at = self._clock.seconds()
            self._record_pause_timer.start(MAX_RECORD_PAUSE_S)
            self.records = 0
            self._update_progress(wanted=False, started=self._wall_clock(), ended=None)
        elif not self.running:
            return
        elif record_id == "DE":
            self._update_progress(ended=self._wall_clock())
            self._finish()
        elif "|SF" in record.text:
            self.records += 1
            self._last_received_at = self._clock.seconds()

    def _request_if_due(self) -> None:
        busy = self.running or self._ds_deadline.running or self._request_interval_timer.running
        if self.progress.wanted and self._in_sync and not busy:
            self._ds_deadline.start(DS_TIMEOUT_S)
            self._request_interval_timer.start(MIN_REQUEST_INTERVAL_S)
            self._update_progress(asked=self._wall_clock())
            self._listener.send_dr()

    def _on_request_ignored(self) -> None:
        self._update_progress(wanted=False)

    def _on_record_pause(self) -> None:
        quiet = self._clock.seconds() - self._last_received_at
        if quiet < MAX_RECORD_PAUSE_S - 0.001:  # what is less is lost in rounding
            self._record_pause_timer.start(MAX_RECORD_PAUSE_S - quiet)
        else:
            self._update_progress()
            self._listener.on_resync_aborted()
            self._finish()

    def _finish(self) -> None:
        self._record_pause_timer.stop()
        self._request_if_due()  # if a frame was dropped in the middle of it
        self._listener.on_resync_ended()

    def _update_progress(self, **changes: Any) -> None:
        self.progress = evolve(self.progress, records=self.records, **changes)
        self._listener.on_resync_progress()
