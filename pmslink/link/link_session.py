"""What is said on an established link: the description, its confirmation, and the checks.

The link is *in sync* once the PMS has confirmed the description; before that a PMS ignores data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pmslink import __version__
from pmslink.config.link_settings import LinkSettings
from pmslink.fias.field_values import date_time_fields
from pmslink.fias.link_description import build_description
from pmslink.fias.record import Record, build_record
from pmslink.link.cause import Cause
from pmslink.link.countdown import Countdown
from pmslink.link.link_checks import LinkChecks
from pmslink.link.outbox import Outbox
from pmslink.link.resync import Resync

LS_REPEAT_WINDOW_S = 3.0
"""Seconds in which a second LS is no reason to describe again: both ends may have started at once."""
STABLE_AFTER_S = 60.0
"""Seconds in sync after which the link counts as recovered."""


class SessionTransport(Protocol):
    """Who holds the conversation: the link."""

    def settings(self) -> LinkSettings:
        """The settings now."""

    def send(self, records: Sequence[Record]) -> None:
        """Send these, back to back."""

    def hotel_time(self) -> datetime:
        """The hotel's local time."""

    def on_sync_changed(self) -> None:
        """`in_sync_time` has changed while the marker stays."""

    def on_stable(self) -> None:
        """The link has been in sync for a minute."""

    def reading_paused(self) -> bool:
        """Nothing is read at the moment."""

    def on_le_sent(self) -> None:
        """LE went out; the end timeout begins."""

    def check_overdue(self, cause: Cause) -> None:
        """The answer to a link check did not come."""

    def sync_overdue(self, cause: Cause) -> None:
        """The confirmation of the description did not come."""


class Session:
    """One per link; each docking begins it anew."""

    def __init__(
        self,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        transport: SessionTransport,
        outbox: Outbox,
        resync: Resync,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._transport = transport
        self.settings = transport.settings
        self.reading_paused = transport.reading_paused
        self.outbox = outbox
        self.resync = resync
        self.heartbeat = LinkChecks(clock, wall_clock, self)
        self.in_sync = False
        self.last_in_sync: datetime | None = None
        self._last_received_at = 0.0
        self._described_at: float | None = None  # while that description is unconfirmed
        self._owes_la = False  # to a peer that described itself: its LA wants one in return
        self._sync_deadline = Countdown(clock, self._send_final_check)
        self._final_check_deadline = Countdown(clock, self._on_never_confirmed)
        self._stable_timer = Countdown(clock, transport.on_stable)
        self._le_deadline = Countdown(clock, self._send_le_now)

    # What the machine has said (its Talk).

    def send_ls(self) -> None:
        self._send_link_record("LS")
        self.outbox.on_confirmation_requested()

    def dock(self, record: str) -> None:
        self._owes_la = record == "LD"
        self._last_received_at = self._clock.seconds()
        if record != "LS":  # our LS, if there was one, is answered by this; the PMS's own LS answers nothing
            self.outbox.abort_in_flight()
        self._send_description()

    def on_ls(self) -> None:
        described = self._described_at
        if described is None or self._clock.seconds() - described >= LS_REPEAT_WINDOW_S:
            self.outbox.abort_in_flight()  # what the PMS had not answered when it started anew, it never will
            self._on_peer_alive()
            self._set_sync(False)
            self._send_description()
        else:
            self._on_peer_alive()

    def on_ld(self) -> None:
        self._owes_la = True
        self._on_peer_alive()
        if self.settings().sync_on == "any":
            self._set_sync(True)

    def on_la(self) -> None:
        self._described_at = None
        self.outbox.on_la()
        self._on_peer_alive()
        if self._owes_la:  # once; LA for LA would never end
            self._owes_la = False
            self._send_link_record("LA")
        self._set_sync(True)

    def send_le_when_idle(self) -> None:
        if self.outbox.when_idle(self._send_le_now):
            self._le_deadline.start(self.settings().end_timeout)
        else:
            self._send_le_now()

    def send_le(self) -> None:
        self._send_link_record("LE")

    def abort_in_flight(self) -> None:
        self._le_deadline.stop()
        self.outbox.abort_in_flight()
        self.resync.on_disconnected()

    def suspend(self) -> None:
        self.heartbeat.stop()
        self.outbox.on_out_of_sync()
        self.resync.on_out_of_sync()
        self._stop_sync_deadlines()
        self._stable_timer.stop()
        self._described_at = None
        self.in_sync = False

    # What the link tells of.

    def on_data_record(self) -> None:
        """A known record that is no link record came on the established link."""
        self._last_received_at = self._clock.seconds()
        settings = self.settings()
        if settings.alive_on == "any":
            self.heartbeat.on_peer_alive()
            self.outbox.on_peer_alive()
        if settings.sync_on == "any":
            self._set_sync(True)

    # What the checks want to know (alive.Checked).

    def send_link_check(self) -> None:
        self.send_ls()

    def is_receiving_resync(self) -> bool:
        settings = self.settings()
        silence = self._clock.seconds() - self._last_received_at
        return self.resync.running and silence < settings.alive_interval + settings.alive_timeout

    def check_overdue(self) -> None:
        cause = Cause("no_answer", {"seconds": self.settings().alive_timeout})
        self._transport.check_overdue(cause)

    def check_failed(self, failure: Failure) -> None:
        self._transport.check_overdue(Cause("lost", {"detail": f"the link check failed: {failure.value}"}))

    def _on_peer_alive(self) -> None:
        """A link record came; it proves the link alive."""
        self._last_received_at = self._clock.seconds()
        self.heartbeat.on_peer_alive()
        self.outbox.on_peer_alive()

    def _send_le_now(self) -> None:
        self._le_deadline.stop()
        self.outbox.on_le_sent()
        self._send_link_record("LE")
        self._transport.on_le_sent()

    def _send_link_record(self, record_id: str) -> None:
        """Send a link record, or DR, which carry nothing but the time."""
        self._transport.send([build_record(record_id, date_time_fields(self._transport.hotel_time()))])

    def send_dr(self) -> None:
        """Send DR."""
        self._send_link_record("DR")

    # The description and what confirms it.

    def _send_description(self) -> None:
        settings = self.settings()
        if not settings.describe:
            self._set_sync(True)
            return
        self._transport.send(build_description(settings.records, __version__, self._transport.hotel_time()))
        self.outbox.on_confirmation_requested()
        self._described_at = self._clock.seconds()
        self._set_sync(settings.sync_on == "declared")
        limited = self._sync_deadline.running or self._final_check_deadline.running
        if not self.in_sync and not limited:  # a later description does not extend it
            self._sync_deadline.start(settings.sync_timeout)

    def _send_final_check(self) -> None:
        self.send_ls()
        self._final_check_deadline.start(self.settings().alive_timeout)

    def _on_never_confirmed(self) -> None:
        cause = Cause("never_confirmed", {"seconds": self.settings().sync_timeout})
        self._transport.sync_overdue(cause)

    def _set_sync(self, in_sync: bool) -> None:
        if in_sync == self.in_sync:
            return
        self.in_sync = in_sync
        if in_sync:
            self.last_in_sync = self._wall_clock()
            self._stop_sync_deadlines()
            self._stable_timer.start(STABLE_AFTER_S)
            self.heartbeat.start()
        else:
            self._stable_timer.stop()
            self.heartbeat.stop()
            self.outbox.on_out_of_sync()
            self.resync.on_out_of_sync()
        self._transport.on_sync_changed()
        if in_sync:
            self.resync.on_in_sync()
            self.outbox.on_in_sync()

    def _stop_sync_deadlines(self) -> None:
        self._sync_deadline.stop()
        self._final_check_deadline.stop()
