"""One link: it connects the state machine, the connection, the session and the outbox.

A frame from the PMS goes from `connection` to `RecordReceiver`. There it becomes a record, is traced and
stored, moves the machine if it is a link record, and reaches diagnosis, session, resync and outbox.
`RecordSender` sends the records for the PMS. `LinkReport` says how the link is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_definition import LinkConfig
from pmslink.config.link_settings import LinkSettings
from pmslink.fias.framing import SkipReason
from pmslink.host_resolver import HostResolver
from pmslink.hotel.manual_changes import ManualCounts
from pmslink.link.cause import EXPIRED_CAUSE, SETTINGS_CAUSE, STARTED_CAUSE, Cause
from pmslink.link.connector import Connector
from pmslink.link.dialer import Dialer, StartLinkDial, connection_key
from pmslink.link.exchange import Exchange
from pmslink.link.hourly_states import HourlyStates
from pmslink.link.last_control import LastControl
from pmslink.link.link_checks import min_early_check_interval
from pmslink.link.link_diagnosis import LinkDiagnosis
from pmslink.link.link_report import ChangingFacts, LinkReport
from pmslink.link.link_session import Session
from pmslink.link.link_summary import LinkSummary
from pmslink.link.machine import STATES, Core, Events, Intent, Machine, Marker, TimerName
from pmslink.link.noteworthy import Noteworthy
from pmslink.link.outbox import Outbox
from pmslink.link.rate_limit import RateLimit
from pmslink.link.record_receiver import RecordReceiver, cause_or_user_disconnect
from pmslink.link.record_sender import RecordSender
from pmslink.link.record_storage import RecordStorage
from pmslink.link.record_trace import Trace
from pmslink.link.resync import Resync
from pmslink.link.saved_state import INITIAL_MARKERS, Creation, SavedState
from pmslink.link.state_history import StateHistory, Transition
from pmslink.link.state_timers import StateTimers
from pmslink.link.status import LinkStatus
from pmslink.link.subscription_expiry import SubscriptionExpiry
from pmslink.link.tcp_accepting import AcceptingNetwork, TcpAccepting
from pmslink.link.turn_queue import Pace, make_call_now
from pmslink.link.unreadable_input import UnreadableInput
from pmslink.link.webhook_status import WebhookQueue, WebhookStatus
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.tables.link_rows import StoredLink

LinkSubscriber = Callable[["Link", Transition | None], None]
"""Called at every change of the marker, and without a transition when only in-sync or the intent changes."""

REFRESH_BURST = 20
REFRESHES_PER_S = 2.0
"""How often a link is published, at once and in a second, for changes that a PMS can cause without end."""


class Link:
    """The link of one hotel.

    `stored` is its row in the store; None for a new link. `definition` is the JSON that the API received
    for it; None for a link of the configuration file. `made` says who creates a new link.
    """

    def __init__(
        self,
        config: LinkConfig,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        dial: StartLinkDial,
        on_change: LinkSubscriber,
        journal: JournalPort,
        stored: StoredLink | None = None,
        definition: str | None = None,
        is_clock_settled: Callable[[], bool] = lambda: True,
        accepting: AcceptingNetwork | None = None,
        pace_redial: Pace = make_call_now,
        on_input: Callable[[Link], object] = lambda link: None,
        made: Creation | None = None,
        last_control: LastControl | None = None,
    ) -> None:
        self.config = config
        self.definition = definition
        self.webhook_status: WebhookStatus | None = None
        self.webhook_queue: WebhookQueue | None = None
        self._wall_clock = wall_clock
        self._on_change = on_change
        self._on_input = on_input
        self._published: ChangingFacts | None = None
        self._refresh_limit = RateLimit(clock.seconds, REFRESH_BURST, REFRESHES_PER_S)
        self._summary: LinkSummary | None = None
        self._journal = journal
        self._phase: Literal["new", "running", "stopped"] = "new"
        self._suspended_for_store = False
        self._dials_when_clock_settles = False
        saved = SavedState.restore(stored, config.settings.enabled)
        self._made = made or saved.made
        self._last_control = last_control
        self.trace = Trace(config.name, wall_clock)
        self.state_history = StateHistory(config.name, journal, wall_clock, stored)
        network = accepting or TcpAccepting(clock, HostResolver(clock))
        self.connector = Connector(clock, lambda: self.config, dial, network, self)
        self.dialer = Dialer(self, clock, self.connector.dial, pace_redial)
        exchange = Exchange(clock, self.settings)
        storage = RecordStorage(journal, self.settings)
        sender = RecordSender(self.settings, self.trace, storage, self.dialer, wall_clock, exchange)
        self.resync = Resync(config.name, clock, wall_clock, sender, journal, saved.resync, self._save)
        self.outbox = Outbox(
            config.name,
            sender,
            self.resync,
            journal,
            clock,
            wall_clock,
            request_link_check=lambda: self.session.link_checks.check_now(),
            min_check_interval=lambda: min_early_check_interval(self.config),
            on_hold_changed=self.refresh,
        )
        self.diagnosis = LinkDiagnosis(config.name, clock, wall_clock, self)
        sender.on_sent = self.diagnosis.on_sent
        self.diagnosis.watch_budget(storage.budget)
        timers = StateTimers(clock, self.settings, self._on_timeout)
        self.session = Session(
            clock, wall_clock, self, sender, self.dialer, timers, self.outbox, self.resync, saved.last_in_sync
        )
        self.expiry = SubscriptionExpiry(
            self.settings, wall_clock, is_clock_settled, saved.expiry_seen, saved.intent_before
        )
        intent = self.expiry.check(saved.intent) or saved.intent
        marker = INITIAL_MARKERS[intent]
        self.core = Core(
            self.dialer, self.session, timers, self._on_transition, intent, marker, STARTED_CAUSE
        )
        self._report = LinkReport(
            *(self.core, self.session, self.outbox, self.resync, self.diagnosis, self.state_history),
            *(self.dialer, self.trace, journal, wall_clock),
        )
        self.machine: Events = Machine(self.core, STATES[marker])
        self._receiver = RecordReceiver(
            *(self.settings, self.core, self.machine, self.session, self.resync, self.outbox, self.dialer),
            *(self.diagnosis, self.trace, storage, journal),
        )

    @property
    def name(self) -> str:
        """The name of the link, which is also the name of its hotel."""
        return self.config.name

    @property
    def declared(self) -> bool:
        """Whether the link is defined in the configuration file."""
        return self.definition is None

    @property
    def made(self) -> Creation | None:
        """Who created the link; None for a link of the configuration file, or of an older release."""
        return None if self.declared else self._made

    @property
    def is_running(self) -> bool:
        """Whether the link has been started, and not stopped since."""
        return self._phase == "running"

    @property
    def is_active(self) -> bool:
        """Whether the link uses the port of the PMS, now or at the next redial."""
        return self.core.intent == "enabled" or self.core.marker == "WAIT_LE"

    @property
    def reason(self) -> str:
        """Why the link is in its state, in English."""
        return self._report.reason(self.config)

    @property
    def summary(self) -> LinkSummary:
        """How the link was when its last change was published; as it is, if none was."""
        if self._summary is None:
            self._summary = self._report.summary(self.config, self._report.changing_facts())
        return self._summary

    @property
    def hourly_states(self) -> HourlyStates:
        """The worst state of each of the last 24 hours."""
        return self._report.hourly_states

    def settings(self) -> LinkSettings:
        """Return the current settings."""
        return self.config.settings

    def status(self) -> LinkStatus:
        """Take a snapshot of the link."""
        return self._report.status(self.config, self.declared, self.made, self.webhook_status)

    def noteworthy(self) -> Noteworthy:
        """Return what the notices of the link depend on."""
        return self._report.noteworthy(self.config, self.summary)

    def hours(self) -> str:
        """Return the worst state of each of the last 24 hours, as in `hourly_states`."""
        return self.hourly_states.text(self._wall_clock())

    # For the registry.

    def set_manual_counts(self, counts: ManualCounts) -> None:
        """Note how many changes by hand the hotel has. Those that wait need a resync to compare them with."""
        before, self._report.manual = self._report.manual, counts
        if counts.waiting > before.waiting:
            self.resync.require()

    def start(self) -> None:
        """Announce the first state, and connect if the link is enabled. Do nothing if it has been started."""
        if self._phase != "new":
            return
        self._phase = "running"
        cause = EXPIRED_CAUSE if self.core.marker == "EXPIRED" else STARTED_CAUSE
        blocked_by = self.connector.blocked_by
        if blocked_by is not None and self.core.marker == "CLOSED":
            cause = Cause("in_use", {"link": blocked_by})
        self.core.cause = cause
        self.outbox.start()
        self.resync.abort_stored()  # one may have been running when the last service ended
        self._on_transition(self.core.marker, cause)
        self._restore_user_cause()
        if self.core.intent == "enabled" and blocked_by is None:
            # a subscription that is over is not certain yet, else it were expired
            self._dials_when_clock_settles = self.expiry.is_over
            if not self._dials_when_clock_settles:
                self.machine.redial(STARTED_CAUSE)

    def _restore_user_cause(self) -> None:
        """Say who has switched the link off, if that was before the service started."""
        control = self._last_control
        if control is not None and control.explains(self.core.intent):
            self.core.cause, self.state_history.since = control.cause, control.at
            self._publish(None)

    def block(self, by: str) -> None:
        """Close the link and do not dial: the link `by` has the same host and port."""
        self.connector.blocked_by = by
        if not self.is_running:
            return
        cause = Cause("in_use", {"link": by})
        self.machine.blocked(cause)
        if self.core.marker == "CLOSED" and self.core.intent == "enabled" and self.core.cause != cause:
            self.core.cause = cause
            self._publish(None)

    def unblock(self) -> None:
        """Connect if the link is enabled: no other link has its host and port any more."""
        self.connector.blocked_by = None
        if not self.is_running:
            return
        if self.core.intent == "enabled":
            self.machine.redial(SETTINGS_CAUSE)
        elif self.core.cause.code == "in_use":
            self.core.cause = SETTINGS_CAUSE
            self._publish(None)

    def stop(self) -> Deferred[None]:
        """Close TCP without LE, so that the PMS keeps its queue. The Deferred fires when TCP is closed."""
        self._phase = "stopped"
        self.core.timers.stop_timers()
        self.session.suspend()
        self.session.abort_in_flight()
        self.outbox.stop()
        self.diagnosis.on_disconnected()
        self.dialer.hang_up(graceful=False)
        closed: Deferred[None] = Deferred()
        self.dialer.when_closed(lambda: closed.callback(None))
        port_closed = self.connector.close()
        return closed.addCallback(lambda _: port_closed)

    def check_expiry(self) -> None:
        """Expire the link once `expires_at` has passed, and undo it if the wall clock is set back.

        The registry calls this regularly (see `link_sweep.py`), so a change over the limit is published
        later.
        """
        intent = self.expiry.check(self.core.intent)
        if intent is not None:
            events = {"expired": self.machine.expire, "disabled": self.machine.disable}
            # from EXPIRED, `enable` dials only if the link was enabled
            self._change_intent(intent, events.get(intent, self.machine.enable), EXPIRED_CAUSE)
        elif self._dials_when_clock_settles and not self.expiry.is_over:
            self._dials_when_clock_settles = False
            if self.core.intent == "enabled":
                self.machine.redial(STARTED_CAUSE)

    def apply_config(self, config: LinkConfig, cause: Cause = SETTINGS_CAUSE) -> None:
        """Apply a new configuration. If it changes what the connection depends on, the link redials.

        A link that has not started starts with it. One that has stopped only stores it.
        """
        before, self.config = self.config, config
        self._summary = None
        had_started = self._phase != "new"
        self.start()
        is_readdressed = connection_key(config) != connection_key(before)
        self.diagnosis.on_settings_changed(before.settings, config.settings, is_readdressed)
        self.session.forget_failures()
        if self.is_running:
            self.check_expiry()
        if is_readdressed:
            self.session.forget_peer()
            if self.is_running and had_started:
                self.machine.readdress(cause)
        self._save()

    def on_store_failed(self) -> None:
        """Drop the connection: the store has been failing for too long."""
        self._suspended_for_store = True
        if self.is_running:
            self.machine.store_failed(Cause("store", {"detail": self._journal.failure_reason or ""}))

    def on_store_recovered(self) -> None:
        """Read, send and redial again: the store can be written."""
        self._suspended_for_store = False
        if not self.is_running:
            return
        self.dialer.resume_reading("store")
        self.outbox.send_next()
        self.dialer.resume_redial()

    # For the controls (controls.py).

    def change_intent(self, intent: Intent, event: Callable[[Cause], None], cause: Cause) -> None:
        """Set the intent for a user, and pass the machine the event that makes the link follow it.

        A link that has stopped only stores the intent: nothing would close a connection that it opened.
        """
        self.start()
        self.core.intent_cause = cause
        self.expiry.on_user_decision()
        self._change_intent(intent, event, cause)

    def _change_intent(self, intent: Intent, event: Callable[[Cause], None], cause: Cause) -> None:
        marker_before, intent_before = self.core.marker, self.core.intent
        self.core.intent = intent
        if self.is_running:
            event(cause)
        self._save()
        # A link that is CLOSED or in WAIT_LE redials or stays closed; only the intent shows which.
        if self.core.marker == marker_before and intent_before != intent:
            self._update_availability()
            self._publish(None)

    # For the acceptor (acceptor.AcceptorListener).

    def on_called(self) -> None:
        """Drop the connection that a newer call replaces, or end the redial delay."""
        if self.dialer.is_connected:
            self.machine.lost(Cause("displaced", {"variant": "replaced"}))
        if self.core.marker == "EXPECTION":
            self.on_redial_due()

    # For the connection and the dialer (connection.ConnectionListener).

    def on_connection_up(self) -> None:
        """Wait for the PMS to start the link, unless the store cannot accept what it sends."""
        self.trace.session_number += 1
        self.diagnosis.on_connection_up()
        if self._suspended_for_store and self._journal.is_failing:
            self.on_store_failed()
            return
        if self._journal.is_failing:
            self.dialer.pause_reading("store")
        self.machine.connected(self.core.cause)

    def on_connection_lost(self, cause: Cause) -> None:
        """Handle a failed dial or a lost connection."""
        if self.core.marker == "ESTABLISHED":
            cause = self.session.classify_loss(cause)
        cause = self.diagnosis.classify_loss(cause)
        self.machine.lost(cause_or_user_disconnect(cause, self.core))

    def on_redial_due(self) -> None:
        """Redial, or wait until the store recovers."""
        if self._journal.is_failing:
            self.dialer.defer_redial()
        else:
            self.machine.redial(self.core.cause)

    def on_bytes_received(self, data: bytes) -> None:
        """Note received bytes, before they are split into frames."""
        self.diagnosis.input.on_bytes(data)
        self._on_input(self)

    def on_frame_received(self, frame: bytes) -> None:
        """Trace and store a record from the PMS, and act on it."""
        self._receiver.on_frame(frame)

    def on_noise_received(self, kind: SkipReason, size: int) -> None:
        """Count skipped bytes, and require a resync if they were a record that is lost now."""
        self.trace.skipped_bytes[kind] += size
        self.diagnosis.on_skipped(kind, size)
        if kind != "noise":
            self.resync.require()

    def on_reading_resumed(self) -> None:
        """Give the PMS the whole time again to answer a link check."""
        self.session.link_checks.on_reading_resumed()

    def on_data_unread(self) -> None:
        """Require a resync: data of the PMS was not read before the connection was closed."""
        self.resync.require()

    # For the session (link_session.SessionListener).

    def on_sync_changed(self) -> None:
        """Publish a change of in-sync, unless the change of the marker that follows publishes it.

        A resync that was to be compared with changes by hand may have been cut short: it is requested again.
        """
        if self.session.in_sync and self._report.manual.waiting:
            self.resync.require()
        self._update_availability()
        if self.state_history.marker == self.core.marker:
            self._publish(None)

    def on_check_answered(self) -> None:
        """Note that the PMS answers link checks."""
        self.diagnosis.on_check_answered()

    # For the diagnosis (link_diagnosis.DiagnosisListener).

    def on_unreadable_input(self, found: UnreadableInput) -> None:
        """Say what arrives on the connection, while the link waits for its first record."""
        if self.core.marker == "WAIT_LS":
            self.core.cause = Cause("start_timeout", found.params)
            self._publish(None)

    def refresh(self) -> None:
        """Publish the link if its attention, hints, hold or outages have changed, by time or otherwise.

        The registry calls this regularly (see `link_sweep.py`).
        """
        is_due = self._published is not None and not self._refresh_limit.wait()
        if is_due and self._report.changing_facts() != self._published:
            self._refresh_limit.count()
            self._publish(None)

    # For the machine and its timers.

    def _on_timeout(self, timer: TimerName, seconds: float) -> None:
        if timer == "start_timeout":
            cause = self.connector.start_timeout_cause(self.dialer, seconds)
            self.machine.start_overdue(self.diagnosis.explain_start_timeout(cause))
        elif timer == "listen_time":
            self.machine.silent(self.core.cause)
        else:
            self.machine.end_overdue(self.core.cause)

    def _on_transition(self, marker: Marker, cause: Cause) -> None:
        self.connector.on_marker(marker)
        if marker == "EXPECTION" and self.state_history.marker == "ESTABLISHED":
            self.diagnosis.on_abnormal(cause, self.session.link_checks.status(self.trace.last_received))
        if marker not in ("WAIT_LS", "ESTABLISHED"):
            self.diagnosis.on_disconnected()
        transition = self.state_history.add_transition(marker, self.reason, cause)
        self._update_availability()
        self._publish(transition)

    def _publish(self, transition: Transition | None) -> None:
        self._published = self._report.changing_facts()
        self._summary = self._report.summary(self.config, self._published)
        self.hourly_states.change(self._published.group, self._wall_clock())
        self._on_change(self, transition)

    def _update_availability(self) -> None:
        in_sync, is_enabled = self.session.in_sync, self.core.intent == "enabled"
        if in_sync != self.state_history.in_sync:
            self.diagnosis.on_sync_changed(in_sync, self.core.marker, self.core.cause)
        if not is_enabled:
            self.diagnosis.on_not_enabled()
        self.state_history.update_availability(is_enabled, in_sync)
        self._save()

    def _save(self) -> None:
        """Store the state that outlives a restart, if it has changed."""
        state = SavedState(
            self.core.intent,
            self.expiry.seen,
            self.state_history.down_since,
            self.session.last_in_sync,
            self.resync.progress,
            self.expiry.intent_before,
            self.made,
        )
        self.state_history.save(state, self.definition)
