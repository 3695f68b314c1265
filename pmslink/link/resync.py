"""Resyncs: the PMS sends every room and guest again, between DS and DE. DR requests a resync.

A resync is wanted when a record from the PMS may be lost, or a user requests it. The link sends DR once it
is in sync. Unless a user requests it, the next DR on the same connection follows after an hour at the
earliest: PMSs forbid frequent requests, many ignore a DR that they consider needless, and a resync that
always loses the same record must not be repeated for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from pmslink.fias.record import Record
from pmslink.link.countdown import Countdown
from pmslink.link.record_sender import RecordSender
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.operations.hotel_updates import abort_resyncs

MAX_RECORD_PAUSE_S = 600.0
"""Seconds after its last record when a resync without DE counts as ended."""
DS_TIMEOUT_S = 30.0
"""Seconds that the PMS has for DS. After that it is considered to ignore the request."""
MIN_REQUEST_INTERVAL_S = 3600.0
"""Seconds on one connection between a DR and the next one without a user's request."""


@frozen
class Progress:
    """The progress of the last resync, which outlives restarts.

    `asked` is the time of the last DR, `started` of the last DS, `ended` of its DE.
    """

    wanted: bool = True
    asked: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    records: int = 0


class Resync:
    """The resyncs of one link.

    `on_progress` is called when the progress has to be stored.
    """

    def __init__(
        self,
        link: str,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        sender: RecordSender,
        journal: JournalPort,
        progress: Progress,
        on_progress: Callable[[], None],
    ) -> None:
        self._link = link
        self._sender = sender
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self._on_progress = on_progress
        self.on_ended: list[Callable[[], None]] = []
        """Called when a resync has ended and the connection has not, so that the outbox may send again."""
        self._in_sync = False
        self._last_received_at = 0.0
        self._ds_deadline = Countdown(clock, self._on_request_ignored)  # for DS
        self._request_interval_timer = Countdown(clock, self._request_if_due)  # after a DR on this connection
        self._record_pause_timer = Countdown(clock, self._on_record_pause)  # while one runs
        self.progress = progress
        """As it was stored last."""
        self.records = progress.records
        """Records of the last resync so far."""

    @property
    def running(self) -> bool:
        """Whether a resync is between DS and DE. Nothing is sent to the PMS meanwhile."""
        return self._record_pause_timer.running

    @property
    def unanswered_since(self) -> datetime | None:
        """When the last DR was sent, if the PMS has not answered it in time; None otherwise."""
        asked, started = self.progress.asked, self.progress.started
        is_open = self.progress.wanted or self._ds_deadline.running
        return None if asked is None or is_open or (started is not None and started >= asked) else asked

    def status(self) -> Progress:
        """Return the progress up to the last record, including what is not stored yet."""
        return evolve(self.progress, records=self.records)

    def require(self) -> None:
        """Note that a record may be lost, and request a resync as soon as one is allowed."""
        if not self.progress.wanted:
            self._update_progress(wanted=True)
        self._request_if_due()

    def request(self) -> None:
        """Request a resync for a user, however recent the last DR is."""
        self._request_interval_timer.stop()
        self.require()

    def abort_stored(self) -> None:
        """Mark a resync that the store has as running as aborted: its DE will not come."""
        self._journal.submit_nowait(abort_resyncs, self._link)

    def on_in_sync(self) -> None:
        """Send DR if a resync is wanted."""
        self._in_sync = True
        self._request_if_due()

    def on_exchange_closed(self) -> None:
        """Send DR if one has waited for the end of an exchange of link records."""
        self._request_if_due()

    def on_out_of_sync(self) -> None:
        """Send no DR until the link is in sync again."""
        self._in_sync = False

    def on_disconnected(self) -> None:
        """End a running resync with its connection."""
        self._in_sync = False
        self._ds_deadline.stop()
        self._request_interval_timer.stop()
        if self.running:
            self._record_pause_timer.stop()
            self._update_progress()
            self.abort_stored()

    def on_data_record(self, record_id: str, record: Record) -> None:
        """Update the progress with a record from the PMS other than a link record."""
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
        busy = (
            self.running
            or self._ds_deadline.running
            or self._request_interval_timer.running
            or self._sender.exchange.is_open
        )
        if self.progress.wanted and self._in_sync and not busy:
            self._ds_deadline.start(DS_TIMEOUT_S)
            self._request_interval_timer.start(MIN_REQUEST_INTERVAL_S)
            self._update_progress(asked=self._wall_clock())
            self._sender.send_bare_record("DR")

    def _on_request_ignored(self) -> None:
        self._update_progress(wanted=False)

    def _on_record_pause(self) -> None:
        silence = self._clock.seconds() - self._last_received_at
        if silence < MAX_RECORD_PAUSE_S - 0.001:  # the rest is rounding
            self._record_pause_timer.start(MAX_RECORD_PAUSE_S - silence)
        else:
            self._update_progress()
            self.abort_stored()
            self._finish()

    def _finish(self) -> None:
        self._record_pause_timer.stop()
        self._request_if_due()  # a record may have been lost during this resync
        for callback in self.on_ended:
            callback()

    def _update_progress(self, **changes: Any) -> None:
        self.progress = evolve(self.progress, records=self.records, **changes)
        self._on_progress()
