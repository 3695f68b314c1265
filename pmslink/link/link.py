"""One link: what the machine, the connection and the conversation are to each other.

A byte from the PMS comes from `client` to `Link.received` as a frame, becomes a record, is kept, moves
the machine if it is a link record, and is heard by the conversation, the resync and the outbox. What is
said goes out by `Link.say`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConnector, IReactorTime

from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import LinkConfig
from pmslink.errors import NotApplicable
from pmslink.fias.catalog import LINK_RECORDS
from pmslink.fias.field_values import decode
from pmslink.fias.framing import Skipped
from pmslink.fias.record import Record
from pmslink.link import reason_texts
from pmslink.link.cause import EXPIRED, SETTINGS, STARTED, Cause, Code, by_user, told_by_pms
from pmslink.link.connection import LinkFactory, made_of
from pmslink.link.link_session import Conversation
from pmslink.link.machine import STATES, Core, Intent, Machine, Marker, Timer, applies
from pmslink.link.outbox import Outbox
from pmslink.link.port_conflict import Displacement
from pmslink.link.record_trace import Trace
from pmslink.link.resync import Resync
from pmslink.link.saved_state import AT_START, Lasting
from pmslink.link.state_history import Chronicle, Transition
from pmslink.link.state_timers import StateTimers
from pmslink.link.webhook_status import Reception
from pmslink.store.core.journal_interface import Keeper
from pmslink.store.operations.hotel_updates import abandon_resyncs
from pmslink.store.tables.link_rows import KeptLink
from pmslink.timestamps import perhaps_to_ms

Watcher = Callable[["Link", Transition | None], None]
"""Told of every change of marker, and of in-sync alone (then without a transition)."""

Dial = Callable[[LinkFactory, LinkConfig], IConnector]
"""Begins one dial to a link's address."""


class Link:
    """The link of one hotel.

    `kept` is what the store knows of it, None at first sight. `definition` is what the interface was
    given for it, in JSON; None if it stands in the configuration file.
    """

    def __init__(
        self,
        config: LinkConfig,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        dial: Dial,
        watcher: Watcher,
        keeper: Keeper,
        kept: KeptLink | None = None,
        definition: str | None = None,
    ) -> None:
        self.config = config
        self.definition = definition
        self._wall = wall
        self._watcher = watcher
        self._keeper = keeper
        lasting = Lasting.of(kept) if kept else Lasting("enabled" if config.settings.enabled else "disabled")
        self.trace = Trace(config.name, keeper, wall)
        self.chronicle = Chronicle(config.name, keeper, wall, kept)
        self.factory = LinkFactory(self, clock, lambda factory: dial(factory, self.config))
        self.outbox = Outbox(config.name, self, keeper, clock, wall)
        self.resync = Resync(clock, wall, self, lasting.resync)
        self.conversation = Conversation(clock, wall, self, self.outbox, self.resync)
        self._timers = StateTimers(clock, self.settings, self._time_is_up)
        self._displacement = Displacement(clock.seconds)
        self._given_up = False  # for the store
        self.webhook: Reception | None = None
        self._has_expired = lasting.expiry_seen
        self.conversation.last_in_sync = lasting.last_in_sync
        intent = lasting.intent
        if self._expires_now():
            self._has_expired = config.settings.expires_at
            intent = "expired"
        marker = AT_START[intent]
        self.core = Core(
            self.factory, self.conversation, self._timers, self._announce, intent, marker, STARTED
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
    def wanted(self) -> bool:
        """Whether the link holds or dials its address, or will."""
        return self.core.intent == "enabled" or self.core.marker == "WAIT_LE"

    @property
    def reason(self) -> str:
        return reason_texts.reason(self.core.marker, self.core.cause, self.address)

    @property
    def advice(self) -> str:
        core, in_sync = self.core, self.conversation.in_sync
        return reason_texts.advice(core.marker, core.cause, self.wanted, in_sync, self._redial_in)

    @property
    def _redial_in(self) -> float | None:
        return None if self._keeper.failing else self.factory.redial_in  # it would wait for the store

    @property
    def next_redial(self) -> datetime | None:
        """When the redial delay will be over."""
        delay = self._redial_in
        return None if delay is None else self._wall() + timedelta(seconds=delay)

    def settings(self) -> LinkSettings:
        return self.config.settings

    # From the service.

    def start(self) -> None:
        """Tell the first state, and connect if the link is enabled."""
        cause = EXPIRED if self.core.marker == "EXPIRED" else STARTED
        self.core.cause = cause
        self.outbox.start()
        self.resync_broken()  # if one was running when the last service ended
        self._announce(self.core.marker, cause)
        if self.core.intent == "enabled":
            self.machine.redial(STARTED)

    def stop(self) -> Deferred[None]:
        """Close TCP without LE, so that the PMS keeps its queue; fires when it is closed."""
        self._timers.stop_timers()
        self.conversation.fall_silent()
        self.conversation.break_off()
        self.outbox.stop()
        self.factory.hang_up(gently=False)
        gone: Deferred[None] = Deferred()
        self.factory.when_gone(lambda: gone.callback(None))
        return gone

    def check_expiry(self) -> None:
        """Obey `expires_at` once it has passed; to be called at least every 30 s."""
        if not self._expired():
            self._has_expired = None
        elif self._expires_now():
            self._has_expired = self.config.settings.expires_at
            self.core.intent = "expired"
            self.machine.expire(EXPIRED)
            self._keep()

    def change(self, config: LinkConfig) -> None:
        """Take new settings; those that a connection is made of redial it, others wait for their use."""
        before = made_of(self.config)
        self.config = config
        self.settled()
        self.check_expiry()
        if made_of(config) != before:
            self.machine.readdress(SETTINGS)
        self._keep()

    def define(self, definition: str, config: LinkConfig) -> None:
        """Take what the interface was given."""
        self.definition = definition
        self.change(config)

    def store_troubled(self) -> None:
        """Nothing can be kept at the moment: nothing more is read, and the PMS queues it."""
        self.factory.hold()

    def store_failed(self) -> None:
        """That lasts: the link is given up until the store is well."""
        self._given_up = True
        self.machine.store_failed(Cause("store", {"detail": self._keeper.reason or ""}))

    def store_recovered(self) -> None:
        """All can be kept again."""
        self._given_up = False
        self.factory.release()
        self.outbox.flow()
        self.factory.catch_up()

    # From the user. Each raises NotApplicable where it does not apply.

    def enable(self) -> None:
        if self._expired():
            raise NotApplicable(
                "expired",
                f"The subscription of {self.name} ended at {self.config.settings.expires_at}; "
                "move expires_at first.",
            )
        self.settled()
        self._obey("enable", "enabled")

    def disable(self) -> None:
        self._obey("disable", "disabled")

    def expire(self) -> None:
        self._obey("expire", "expired")

    def disconnect(self) -> None:
        if not applies("disconnect", self.core.marker):
            raise NotApplicable(
                "not_applicable",
                f"{self.name} is {self.core.marker}: there is nothing to disconnect. "
                "Enable it first if it is to be connected.",
            )
        self._obey("disconnect", "disconnected")

    def request_resync(self) -> None:
        """Have the PMS tell every room and guest again, as soon as the link is in sync."""
        if self.resync.running:
            raise NotApplicable("resync_running", f"a resync of {self.name} is running already")
        self.resync.request()

    def _obey(self, control: str, intent: Intent) -> None:
        marker, intended = self.core.marker, self.core.intent
        self.core.intent = intent
        getattr(self.machine, control)(by_user(control))
        self._keep()
        if self.core.marker == marker and intended != intent:  # CLOSED is at rest now, or WAIT_LE is not
            self._note_outage()
            self._watcher(self, None)

    # From the connection (client.Owner).

    def connection_up(self) -> None:
        self.trace.session += 1
        if self._given_up:
            self.store_failed()
            return
        if self._keeper.failing:
            self.factory.hold()
        self.machine.connected(self.core.cause)

    def connection_lost(self, cause: Cause) -> None:
        if self.core.marker == "ESTABLISHED":
            cause = self._displacement.lost(cause)
        self.machine.lost(self._parting_or(cause))

    def redial(self) -> None:
        if self._keeper.failing:
            self.factory.put_off()
        else:
            self.machine.redial(self.core.cause)

    def received(self, frame: bytes) -> None:
        record = Record(decode(frame, self.config.settings.charset))
        id = record.id
        if not self.trace.add("in", id, record):
            return
        if self._keeper.crowded:
            self.factory.hold()
            self._keeper.when_roomy(self.factory.release)
        if id in LINK_RECORDS:
            self.trace.session += id == "LS"
            getattr(self.machine, id.lower())(self._parting_or(told_by_pms(id)))
            return
        # Only a link that waits to be started changes its state at other records: elsewhere the table says
        # "taken", and the thousands of a resync need not ask it each time.
        if self.core.marker == "WAIT_LS":
            self.machine.record(told_by_pms(id))
        elif self.core.marker == "ESTABLISHED":
            self.conversation.heard()
        self.resync.heard(id, record)
        self.outbox.heard(record)

    def received_noise(self, what: Skipped, size: int) -> None:
        self.trace.skipped[what] += size
        if what != "noise":  # nobody knows what that record would have told
            self.resync.want()

    def left_unread(self) -> None:
        self.resync.want()

    # From the conversation (conversation.Speaker).

    def say(self, records: Sequence[Record]) -> None:
        for record in records:
            self.trace.add("out", record.id, record)
        self.factory.send(records)

    def hotel_time(self) -> datetime:
        return self._wall().astimezone(self.config.settings.zone)

    def sync_changed(self) -> None:
        self._note_outage()
        if (
            self.chronicle.marker == self.core.marker
        ):  # else the change of marker, which is told next, shows it
            self._watcher(self, None)

    def deaf(self) -> bool:
        return self.factory.held

    def farewell_said(self) -> None:
        self._timers.start_timer("end_timeout")

    def settled(self) -> None:
        self.factory.start_afresh()
        self._displacement.forget()

    def check_overdue(self, cause: Cause) -> None:
        self.machine.check_overdue(cause)

    def sync_overdue(self, cause: Cause) -> None:
        self.machine.sync_overdue(cause)

    # From the outbox (outbox.Way) and the resync (resync.Resynced).

    def holds_back(self) -> bool:
        return self.resync.running

    def gapped(self) -> bool:
        return self.factory.gapped

    def ask(self) -> None:
        self.conversation.checks.check_now()

    def ask_for_resync(self) -> None:
        self.conversation.ask_for_resync()

    def resync_changed(self) -> None:
        self._keep()

    def resync_broken(self) -> None:
        self._keeper.append(abandon_resyncs, self.name)

    def resync_over(self) -> None:
        self.outbox.flow()

    # From the machine and its timers.

    def _time_is_up(self, timer: Timer, seconds: float) -> None:
        if timer == "start_timeout":
            code: Code = "start_timeout" if self.factory.up else "dial_timeout"
            self.machine.start_overdue(Cause(code, {"seconds": seconds}))
        elif timer == "listen_time":
            self.machine.silent(self.core.cause)
        else:
            self.machine.end_overdue(self.core.cause)

    def _announce(self, marker: Marker, cause: Cause) -> None:
        if marker == "ESTABLISHED":
            self._displacement.docked()
        transition = self.chronicle.enter(marker, self.reason, cause)
        self._note_outage()
        self._watcher(self, transition)

    def _note_outage(self) -> None:
        self.chronicle.note(self.core.intent == "enabled", self.conversation.in_sync)
        self._keep()

    def _keep(self) -> None:
        """Have what outlives a restart kept, if it is not."""
        lasting = Lasting(
            self.core.intent,
            self._has_expired,
            self.chronicle.down_since,
            self.conversation.last_in_sync,
            self.resync.progress,
        )
        self.chronicle.keep(lasting, self.definition)

    def _expired(self) -> bool:
        expires_at = self.config.settings.expires_at
        return expires_at is not None and expires_at <= self._wall()

    def _expires_now(self) -> bool:
        """Whether the end of the subscription has passed, and that was not seen yet."""
        seen, ends = self._has_expired, self.config.settings.expires_at
        return self._expired() and perhaps_to_ms(ends) != perhaps_to_ms(seen)

    def _parting_or(self, cause: Cause) -> Cause:
        """While the link ends at the user's request, that stays the cause, however it ends."""
        if self.core.marker == "WAIT_LE":
            return by_user("enable") if self.core.intent == "enabled" else self.core.cause
        return cause
