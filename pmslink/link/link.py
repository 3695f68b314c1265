"""One link: what the machine, the connection and the conversation are to each other.

A byte from the PMS comes from `client` to `Link.received` as a frame, becomes a record, is kept, moves
the machine if it is a link record, and is heard by the conversation, the resync and the outbox. What is
said goes out by `Link.say`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_definition import LinkConfig
from pmslink.config.link_settings import LinkSettings
from pmslink.errors import NotApplicableError
from pmslink.fias.catalog import LINK_RECORDS
from pmslink.fias.charset import decode
from pmslink.fias.framing import SkipReason
from pmslink.fias.record import Record
from pmslink.link import reason_texts
from pmslink.link.cause import (
    EXPIRED_CAUSE,
    SETTINGS_CAUSE,
    STARTED_CAUSE,
    Cause,
    CauseCode,
    record_cause,
    user_cause,
)
from pmslink.link.dialer import Dialer, StartLinkDial, connection_key
from pmslink.link.link_session import Session
from pmslink.link.machine import STATES, Core, Intent, Machine, Marker, TimerName, applies
from pmslink.link.outbox import Outbox
from pmslink.link.port_conflict import PortConflictDetector
from pmslink.link.record_trace import Trace
from pmslink.link.resync import Resync
from pmslink.link.saved_state import INITIAL_MARKERS, SavedState
from pmslink.link.state_history import StateHistory, Transition
from pmslink.link.state_timers import StateTimers
from pmslink.link.webhook_status import WebhookStatus
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.operations.hotel_updates import abort_resyncs
from pmslink.store.tables.link_rows import StoredLink
from pmslink.timestamps import optional_to_ms

LinkSubscriber = Callable[["Link", Transition | None], None]
"""Told of every change of marker, and of in-sync alone (then without a transition)."""


class Link:
    """The link of one hotel.

    `kept` is what the store knows of it, None at first sight. `definition` is what the interface was
    given for it, in JSON; None if it stands in the configuration file.
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
    ) -> None:
        self.config = config
        self.definition = definition
        self._wall_clock = wall_clock
        self._on_change = on_change
        self._journal = journal
        lasting = (
            SavedState.from_row(stored)
            if stored
            else SavedState("enabled" if config.settings.enabled else "disabled")
        )
        self.trace = Trace(config.name, journal, wall_clock)
        self.state_history = StateHistory(config.name, journal, wall_clock, stored)
        self.dialer = Dialer(self, clock, lambda factory: dial(factory, self.config))
        self.outbox = Outbox(config.name, self, journal, clock, wall_clock)
        self.resync = Resync(clock, wall_clock, self, lasting.resync)
        self.session = Session(clock, wall_clock, self, self.outbox, self.resync)
        self._timers = StateTimers(clock, self.settings, self._on_timeout)
        self._port_conflict = PortConflictDetector(clock.seconds)
        self._suspended_for_store = False  # for the store
        self.webhook_status: WebhookStatus | None = None
        self._expiry_seen = lasting.expiry_seen
        self.session.last_in_sync = lasting.last_in_sync
        intent = lasting.intent
        if self._has_newly_expired():
            self._expiry_seen = config.settings.expires_at
            intent = "expired"
        marker = INITIAL_MARKERS[intent]
        self.core = Core(
            self.dialer, self.session, self._timers, self._on_transition, intent, marker, STARTED_CAUSE
        )
        self.machine = Machine(self.core, STATES[marker])

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def declared(self) -> bool:
        """Whether the link stands in the configuration file."""
        return self.definition is None

    @property
    def address(self) -> str:
        """Host and port as a person writes them."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"{host}:{self.config.port}"

    @property
    def is_active(self) -> bool:
        """Whether the link holds or dials its address, or will."""
        return self.core.intent == "enabled" or self.core.marker == "WAIT_LE"

    @property
    def reason(self) -> str:
        return reason_texts.reason(self.core.marker, self.core.cause, self.address)

    @property
    def advice(self) -> str:
        core, in_sync = self.core, self.session.in_sync
        return reason_texts.advice(core.marker, core.cause, self.is_active, in_sync, self._redial_in)

    @property
    def _redial_in(self) -> float | None:
        return None if self._journal.is_failing else self.dialer.redial_in  # it would wait for the store

    @property
    def next_redial(self) -> datetime | None:
        """When the redial delay will be over."""
        delay = self._redial_in
        return None if delay is None else self._wall_clock() + timedelta(seconds=delay)

    def settings(self) -> LinkSettings:
        return self.config.settings

    # From the service.

    def start(self) -> None:
        """Tell the first state, and connect if the link is enabled."""
        cause = EXPIRED_CAUSE if self.core.marker == "EXPIRED" else STARTED_CAUSE
        self.core.cause = cause
        self.outbox.start()
        self.on_resync_aborted()  # if one was running when the last service ended
        self._on_transition(self.core.marker, cause)
        if self.core.intent == "enabled":
            self.machine.redial(STARTED_CAUSE)

    def stop(self) -> Deferred[None]:
        """Close TCP without LE, so that the PMS keeps its queue; fires when it is closed."""
        self._timers.stop_timers()
        self.session.suspend()
        self.session.abort_in_flight()
        self.outbox.stop()
        self.dialer.hang_up(graceful=False)
        gone: Deferred[None] = Deferred()
        self.dialer.when_closed(lambda: gone.callback(None))
        return gone

    def check_expiry(self) -> None:
        """Obey `expires_at` once it has passed; to be called at least every 30 s."""
        if not self._is_expired():
            self._expiry_seen = None
        elif self._has_newly_expired():
            self._expiry_seen = self.config.settings.expires_at
            self.core.intent = "expired"
            self.machine.expire(EXPIRED_CAUSE)
            self._save()

    def apply_config(self, config: LinkConfig) -> None:
        """Take new settings; those that a connection is made of redial it, others wait for their use."""
        before = connection_key(self.config)
        self.config = config
        self.on_stable()
        self.check_expiry()
        if connection_key(config) != before:
            self.machine.readdress(SETTINGS_CAUSE)
        self._save()

    def redefine(self, definition: str, config: LinkConfig) -> None:
        """Take what the interface was given."""
        self.definition = definition
        self.apply_config(config)

    def on_store_failing(self) -> None:
        """Nothing can be kept at the moment: nothing more is read, and the PMS queues it."""
        self.dialer.pause_reading()

    def on_store_failed(self) -> None:
        """That lasts: the link is given up until the store is well."""
        self._suspended_for_store = True
        self.machine.store_failed(Cause("store", {"detail": self._journal.failure_reason or ""}))

    def on_store_recovered(self) -> None:
        """All can be kept again."""
        self._suspended_for_store = False
        self.dialer.resume_reading()
        self.outbox.send_next()
        self.dialer.resume_redial()

    # From the user. Each raises NotApplicableError where it does not apply.

    def enable(self) -> None:
        if self._is_expired():
            raise NotApplicableError(
                "expired",
                f"The subscription of {self.name} ended at {self.config.settings.expires_at}; "
                "move expires_at first.",
            )
        self.on_stable()
        self._apply_control("enable", "enabled")

    def disable(self) -> None:
        self._apply_control("disable", "disabled")

    def expire(self) -> None:
        self._apply_control("expire", "expired")

    def disconnect(self) -> None:
        if not applies("disconnect", self.core.marker):
            raise NotApplicableError(
                "not_applicable",
                f"{self.name} is {self.core.marker}: there is nothing to disconnect. "
                "Enable it first if it is to be connected.",
            )
        self._apply_control("disconnect", "disconnected")

    def request_resync(self) -> None:
        """Have the PMS tell every room and guest again, as soon as the link is in sync."""
        if self.resync.running:
            raise NotApplicableError("resync_running", f"a resync of {self.name} is running already")
        self.resync.request()

    def _apply_control(self, control: str, intent: Intent) -> None:
        marker, intended = self.core.marker, self.core.intent
        self.core.intent = intent
        getattr(self.machine, control)(user_cause(control))
        self._save()
        if self.core.marker == marker and intended != intent:  # CLOSED is at rest now, or WAIT_LE is not
            self._update_availability()
            self._on_change(self, None)

    # From the connection (client.Owner).

    def on_connection_up(self) -> None:
        self.trace.session_number += 1
        if self._suspended_for_store:
            self.on_store_failed()
            return
        if self._journal.is_failing:
            self.dialer.pause_reading()
        self.machine.connected(self.core.cause)

    def on_connection_lost(self, cause: Cause) -> None:
        if self.core.marker == "ESTABLISHED":
            cause = self._port_conflict.classify_loss(cause)
        self.machine.lost(self._cause_or_user_disconnect(cause))

    def on_redial_due(self) -> None:
        if self._journal.is_failing:
            self.dialer.defer_redial()
        else:
            self.machine.redial(self.core.cause)

    def on_frame_received(self, frame: bytes) -> None:
        record = Record(decode(frame, self.config.settings.charset))
        id = record.id
        if not self.trace.add("in", id, record):
            return
        if self._journal.is_congested:
            self.dialer.pause_reading()
            self._journal.when_drained(self.dialer.resume_reading)
        if id in LINK_RECORDS:
            self.trace.session_number += id == "LS"
            getattr(self.machine, id.lower())(self._cause_or_user_disconnect(record_cause(id)))
            return
        # Only a link that waits to be started changes its state at other records: elsewhere the table says
        # "taken", and the thousands of a resync need not ask it each time.
        if self.core.marker == "WAIT_LS":
            self.machine.record(record_cause(id))
        elif self.core.marker == "ESTABLISHED":
            self.session.on_data_record()
        self.resync.on_data_record(id, record)
        self.outbox.on_data_record(record)

    def on_noise_received(self, kind: SkipReason, size: int) -> None:
        self.trace.skipped_bytes[kind] += size
        if kind != "noise":  # nobody knows what that record would have told
            self.resync.require()

    def on_data_unread(self) -> None:
        self.resync.require()

    # From the conversation (conversation.Speaker).

    def send(self, records: Sequence[Record]) -> None:
        for record in records:
            self.trace.add("out", record.id, record)
        self.dialer.send(records)

    def hotel_time(self) -> datetime:
        return self._wall_clock().astimezone(self.config.settings.zone)

    def on_sync_changed(self) -> None:
        self._update_availability()
        if (
            self.state_history.marker == self.core.marker
        ):  # else the change of marker, which is told next, shows it
            self._on_change(self, None)

    def reading_paused(self) -> bool:
        return self.dialer.reading_paused

    def on_le_sent(self) -> None:
        self._timers.start_timer("end_timeout")

    def on_stable(self) -> None:
        self.dialer.reset_backoff()
        self._port_conflict.reset()

    def check_overdue(self, cause: Cause) -> None:
        self.machine.check_overdue(cause)

    def sync_overdue(self, cause: Cause) -> None:
        self.machine.sync_overdue(cause)

    # From the outbox (outbox.Way) and the resync (resync.Resynced).

    def is_blocked(self) -> bool:
        return self.resync.running

    def is_throttled(self) -> bool:
        return self.dialer.is_throttled

    def request_link_check(self) -> None:
        self.session.heartbeat.check_now()

    def send_dr(self) -> None:
        self.session.send_dr()

    def on_resync_progress(self) -> None:
        self._save()

    def on_resync_aborted(self) -> None:
        self._journal.submit_nowait(abort_resyncs, self.name)

    def on_resync_ended(self) -> None:
        self.outbox.send_next()

    # From the machine and its timers.

    def _on_timeout(self, timer: TimerName, seconds: float) -> None:
        if timer == "start_timeout":
            code: CauseCode = "start_timeout" if self.dialer.is_connected else "dial_timeout"
            self.machine.start_overdue(Cause(code, {"seconds": seconds}))
        elif timer == "listen_time":
            self.machine.silent(self.core.cause)
        else:
            self.machine.end_overdue(self.core.cause)

    def _on_transition(self, marker: Marker, cause: Cause) -> None:
        if marker == "ESTABLISHED":
            self._port_conflict.on_docked()
        transition = self.state_history.add_transition(marker, self.reason, cause)
        self._update_availability()
        self._on_change(self, transition)

    def _update_availability(self) -> None:
        self.state_history.update_availability(self.core.intent == "enabled", self.session.in_sync)
        self._save()

    def _save(self) -> None:
        """Have what outlives a restart kept, if it is not."""
        lasting = SavedState(
            self.core.intent,
            self._expiry_seen,
            self.state_history.down_since,
            self.session.last_in_sync,
            self.resync.progress,
        )
        self.state_history.save(lasting, self.definition)

    def _is_expired(self) -> bool:
        expires_at = self.config.settings.expires_at
        return expires_at is not None and expires_at <= self._wall_clock()

    def _has_newly_expired(self) -> bool:
        """Whether the end of the subscription has passed, and that was not seen yet."""
        seen, ends = self._expiry_seen, self.config.settings.expires_at
        return self._is_expired() and optional_to_ms(ends) != optional_to_ms(seen)

    def _cause_or_user_disconnect(self, cause: Cause) -> Cause:
        """While the link ends at the user's request, that stays the cause, however it ends."""
        if self.core.marker == "WAIT_LE":
            return user_cause("enable") if self.core.intent == "enabled" else self.core.cause
        return cause
