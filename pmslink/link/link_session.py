"""The session of an established link: the link description, its confirmation, link checks, and LE.

The link is *in sync* once the PMS has confirmed the description. Before that a PMS ignores data.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pmslink import __version__
from pmslink.fias.link_description import build_description
from pmslink.link.cause import Cause
from pmslink.link.countdown import Countdown
from pmslink.link.deadline import Deadline
from pmslink.link.description_losses import DescriptionLosses
from pmslink.link.dialer import Dialer
from pmslink.link.link_checks import LinkChecks
from pmslink.link.machine import Events
from pmslink.link.outbox import Outbox
from pmslink.link.port_conflict import PortConflictDetector
from pmslink.link.record_sender import RecordSender
from pmslink.link.resync import Resync
from pmslink.link.state_timers import StateTimers

LS_REPEAT_WINDOW_S = 3.0
"""Seconds in which a second LS repeats no description, because both ends may have started at once."""
STABLE_AFTER_S = 60.0
"""Seconds in sync after which the link counts as recovered."""


class SessionListener(Protocol):
    """The link whose session it is."""

    @property
    def machine(self) -> Events:
        """The state machine of the link; it is complete before the first deadline."""

    def on_sync_changed(self) -> None:
        """Handle a change of `Session.in_sync`."""

    def on_check_answered(self) -> None:
        """Handle the answer to a link check."""


class Session:
    """The dialogue of one link (implements machine.SessionPort and link_checks.LinkCheckTarget)."""

    def __init__(
        self,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        listener: SessionListener,
        sender: RecordSender,
        dialer: Dialer,
        timers: StateTimers,
        outbox: Outbox,
        resync: Resync,
        last_in_sync: datetime | None,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._listener = listener
        self._sender = sender
        self._dialer = dialer
        self._timers = timers
        self._outbox = outbox
        self._resync = resync
        self.settings = sender.settings
        self.link_checks = LinkChecks(clock, wall_clock, self)
        self.exchange = sender.exchange
        self.exchange.on_closed = self._on_exchange_closed
        self._port_conflict = PortConflictDetector(clock.seconds)
        self._description_losses = DescriptionLosses(clock.seconds)
        self._was_in_sync = False  # on this connection
        self._has_spoken = False  # the PMS has sent a record since the link was established
        self.in_sync = False
        self.last_in_sync = last_in_sync
        self._last_received_at = 0.0
        self._described_at: float | None = None  # while that description is unconfirmed
        self._knows_la = False  # the PMS has answered a link check with LA
        self._description_is_due = False  # the first one waits for the end of an exchange
        self.probe_is_due = False
        """Whether the LS that ends the sync timeout waits for the end of an exchange."""
        self._sync_deadline = Deadline(clock, self._send_final_check)
        self._final_check_deadline = Deadline(clock, self._on_never_confirmed)
        self._stable_timer = Countdown(clock, self.forget_failures)
        self._le_deadline = Countdown(clock, self._send_le_now)

    # For the machine (machine.SessionPort).

    def send_ls(self) -> None:
        """Send LS, because the PMS has sent nothing."""
        self._send_ls("start")

    def dock(self, record: str) -> None:
        """Describe the link to the PMS, which started it with this record."""
        self._port_conflict.on_docked()
        self._was_in_sync = self._has_spoken = False
        self._last_received_at = self._clock.seconds()
        self._outbox.abort_in_flight()  # whatever the PMS sent first answers our LS, which confirms no row
        self.exchange.on_docked(record)
        # some PMSs drop a connection on anything but LA in between
        self._description_is_due = self.exchange.is_open and self.settings().describe
        if self._description_is_due:
            self._set_sync(False)
            self._sync_deadline.start(self.settings().sync_timeout)
        else:
            self._send_description()

    def on_ls(self) -> None:
        """Describe the link again. LS answers an LS of ours, or the PMS starts again.

        An LS soon after a description repeats nothing, because both ends may have started at once.
        """
        described = self._described_at
        if self.exchange.awaits_link_record and not self._knows_la:
            self._on_ls_as_answer()
        elif described is None or self._clock.seconds() - described >= LS_REPEAT_WINDOW_S:
            self._outbox.on_pms_restarted()  # answers to earlier records are not expected any more
            self.exchange.reset()
            self._on_peer_alive()
            self._set_sync(False)
            self._send_description()
        else:
            self._on_peer_alive()

    def _on_ls_as_answer(self) -> None:
        """Take LS as LA: some PMSs never send LA. The link stays as it is, and describes itself again."""
        if not self._description_is_due:  # else the end of the exchange sends it
            self._describe()  # first: the outbox goes on behind it
        for _ in range(self.exchange.on_ls()):
            self._outbox.on_la()
        self._on_peer_alive()

    def on_ld(self) -> None:
        """Take the PMS's own description as proof that it is alive, and answer its next LA with LA."""
        self.exchange.on_ld()
        self._on_peer_alive()
        self._on_known_record()

    def on_la(self) -> None:
        """Take LA as the confirmation of the description, or as the answer to a check."""
        self._described_at = None
        self._knows_la |= self.exchange.on_la() == "check"
        if self.exchange.must_answer_la:  # only once, or both ends would answer for ever
            self._sender.send_bare_record("LA")
        if self._description_is_due:
            self._describe()
        self._outbox.on_la()
        self._on_peer_alive()
        self._set_sync(True)
        self.exchange.end()  # last: now the outbox goes on

    def send_le_when_idle(self) -> None:
        """Send LE once no posting waits for its answer, at the latest after the end timeout."""
        self.exchange.reset()
        if self._outbox.when_idle(self._send_le_now):
            self._le_deadline.start(self.settings().end_timeout)
        else:
            self._send_le_now()

    def send_le(self) -> None:
        """Send LE."""
        self._sender.send_bare_record("LE")

    def abort_in_flight(self) -> None:
        """End the connection's outbox and resync: no answer will come."""
        self._le_deadline.stop()
        self._outbox.abort_in_flight()
        self.exchange.reset()
        self._resync.on_disconnected()

    def suspend(self) -> None:
        """Leave the established state: stop link checks and deadlines, and send no data."""
        self.link_checks.stop()
        self._outbox.on_out_of_sync()
        self._resync.on_out_of_sync()
        self._stop_sync_deadlines()
        self._stable_timer.stop()
        self._description_is_due = False
        self._described_at = None
        self.in_sync = False

    # For the link.

    def on_data_record(self) -> None:
        """Handle a record other than a link record on the established link."""
        self._on_record()
        settings = self.settings()
        if settings.alive_on == "any":
            self.exchange.on_data_record()
            self.link_checks.on_peer_alive()
        self._on_known_record()

    def forget_peer(self) -> None:
        """Forget the habits of the PMS: the link has another address."""
        self._knows_la = False

    def forget_failures(self) -> None:
        """Reset the back-off and the counts of losses: the link is stable, or a user acted."""
        self._dialer.reset_backoff()
        self._port_conflict.reset()
        self._description_losses.reset()

    def classify_loss(self, cause: Cause) -> Cause:
        """Return the probable cause of the loss of the established link's connection."""
        last_sent, is_sending = self._dialer.last_sent, self._dialer.is_throttled
        cause = self._description_losses.classify_loss(cause, last_sent, is_sending)
        was_in_sync = self._was_in_sync and "variant" not in cause.params
        return self._port_conflict.classify_loss(cause, was_in_sync)

    # For the link checks (link_checks.LinkCheckTarget).

    def reading_paused(self) -> bool:
        """Whether reading is paused, so that no answer can be received."""
        return self._dialer.reading_paused

    def send_link_check(self) -> None:
        """Send LS as a link check, whose answer confirms what was sent before."""
        self._send_ls("check")

    def send_heartbeat(self) -> None:
        """Send LA, which the PMS does not answer."""
        self._sender.send_bare_record("LA")

    def is_exchange_open(self) -> bool:
        """Whether an LS or LD is unanswered, so that nothing else may be sent."""
        return self.exchange.is_open

    def is_receiving_resync(self) -> bool:
        """Whether a resync is running and its records keep coming."""
        settings = self.settings()
        silence = self._clock.seconds() - self._last_received_at
        return self._resync.running and silence < settings.alive_interval + settings.alive_timeout

    def check_answered(self) -> None:
        """Report the answer to a link check."""
        self._listener.on_check_answered()

    def check_overdue(self) -> None:
        """Report a link check without an answer."""
        self._listener.machine.check_overdue(Cause("no_answer", {"seconds": self.settings().alive_timeout}))

    def check_failed(self, failure: Failure) -> None:
        """Report an error in the link checks."""
        self._listener.machine.check_overdue(
            Cause("lost", {"detail": f"the link check failed: {failure.value}"})
        )

    def _on_record(self) -> None:
        self._has_spoken = True
        self._last_received_at = self._clock.seconds()
        self._description_losses.on_record()

    def _on_peer_alive(self) -> None:
        """Take a link record as proof that the link is alive."""
        self._on_record()
        self.link_checks.on_peer_alive()

    def _on_known_record(self) -> None:
        """Take a record as the confirmation of the description, if the settings say so."""
        if self.settings().sync_on == "any" and not self._description_is_due:
            self._set_sync(True)

    def _send_ls(self, kind: Literal["start", "check"]) -> None:
        self._sender.send_bare_record("LS")
        self.exchange.on_ls_sent(kind)
        self._outbox.on_confirmation_requested()

    def _on_exchange_closed(self) -> None:
        if self._description_is_due:  # the exchange had no end, or ended without LA
            self._stop_sync_deadlines()
            self._send_description()
        if self.probe_is_due:
            self._send_final_check()
        self._resync.on_exchange_closed()
        self._outbox.send_next()

    def _send_le_now(self) -> None:
        self._le_deadline.stop()
        self._outbox.on_le_sent()
        self._sender.send_bare_record("LE")
        self._timers.start_timer("end_timeout")

    # The description and what confirms it.

    def _send_description(self) -> None:
        """Describe the link as a start: data is sent only after the PMS has confirmed the description."""
        settings = self.settings()
        self._describe()
        if not settings.describe:
            self._set_sync(True)
            return
        self._set_sync(settings.sync_on == "declared")
        has_deadline = self._sync_deadline.running or self._final_check_deadline.running
        if not self.in_sync and not has_deadline:  # a repeated description extends no deadline
            self._sync_deadline.start(settings.sync_timeout)

    def _describe(self) -> None:
        self._description_is_due = False
        settings = self.settings()
        if settings.describe:
            description = build_description(settings.records, __version__, self._sender.hotel_time())
            self._sender.send(description, self._description_losses.record_pause)
            self._description_losses.on_described()
            self.exchange.on_description_sent()
            self._outbox.on_confirmation_requested()
            self._described_at = self._clock.seconds()

    def _send_final_check(self) -> None:
        self.probe_is_due = self.exchange.is_open
        if self.probe_is_due:
            return
        self._send_ls("check")
        self._final_check_deadline.start(self.settings().alive_timeout)

    def _on_never_confirmed(self) -> None:
        """Report a description without an answer; `value` is the `sync_on` to try first."""
        seconds = self.settings().sync_timeout
        value = "declared" if self.settings().sync_on == "any" else "any"
        params: dict[str, str | float] = {"seconds": seconds, "value": value}
        if self._has_spoken:  # it is alive, and never sends LA
            params = {"seconds": seconds, "value": "declared", "variant": "never_confirmed_alive"}
        self._listener.machine.sync_overdue(Cause("never_confirmed", params))

    def _set_sync(self, in_sync: bool) -> None:
        if in_sync == self.in_sync:
            return
        self.in_sync = in_sync
        if in_sync:
            self.last_in_sync = self._wall_clock()
            self._was_in_sync = True
            self._stop_sync_deadlines()
            self._stable_timer.start(STABLE_AFTER_S)
            self.link_checks.start()
        else:
            self._stable_timer.stop()
            self.link_checks.stop()
            self._outbox.on_out_of_sync()
            self._resync.on_out_of_sync()
        if in_sync:
            self._outbox.hold_for_sync()  # what the PMS has queued meanwhile comes first
        self._listener.on_sync_changed()
        if in_sync:
            self._resync.on_in_sync()
            self._outbox.on_in_sync()

    def _stop_sync_deadlines(self) -> None:
        self._sync_deadline.stop()
        self._final_check_deadline.stop()
        self.probe_is_due = False
