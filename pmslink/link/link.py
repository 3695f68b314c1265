"""One link: what the machine, the connection and the conversation are to each other.

A byte from the PMS comes from `client` to `Link.received` as a frame, becomes a record, is kept, moves
the machine if it is a link record, and is heard by the conversation. What is said goes out by
`Link.say`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConnector, IDelayedCall, IReactorTime

from pmslink.config import LinkConfig
from pmslink.errors import PmslinkError
from pmslink.fias.catalog import LINK_RECORDS
from pmslink.fias.description import declared
from pmslink.fias.framing import Skipped
from pmslink.fias.record import Record
from pmslink.fias.values import decode
from pmslink.link import words
from pmslink.link.cause import EXPIRED, SETTINGS, STARTED, Cause, Code, by_user, told_by_pms
from pmslink.link.client import LinkFactory
from pmslink.link.conversation import Conversation
from pmslink.link.machine import STATES, Core, Intent, Machine, Marker, Timer, applies
from pmslink.link.trace import History, Trace, Transition
from pmslink.settings import LinkSettings

SHORT = 10.0
"""Seconds after docking within which a loss looks like another client's doing …"""
TOO_OFTEN = 3
"""… when it happens so many times running."""


class NotApplicable(PmslinkError):
    """A control that cannot be obeyed in this state; ``code`` says why to programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Watcher = Callable[["Link", Transition | None], None]
"""Told of every change of marker, and of in-sync alone (then without a transition)."""


Dial = Callable[[LinkFactory, LinkConfig], IConnector]
"""Begins one dial to a link's address."""


class Link:
    """The link of one hotel. `declared`: it stands in the configuration file."""

    def __init__(
        self,
        config: LinkConfig,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        dial: Dial,
        watcher: Watcher,
        declared: bool = True,
    ) -> None:
        self.config = config
        self.declared = declared
        self._wall = wall
        self._clock = clock
        self._watcher = watcher
        self.trace = Trace(wall)
        self.history = History()
        self.factory = LinkFactory(self, clock, lambda factory: dial(factory, self.config))
        self.conversation = Conversation(clock, wall, self)
        self._timers: dict[Timer, IDelayedCall] = {}
        self._told: Marker | None = None
        self._docked_at = 0.0
        self._short_lived = 0
        self._has_expired: datetime | None = None  # the expires_at whose passing was seen
        self.since = wall()
        self.down_since: datetime | None = None
        """Since when the link is wanted and not in sync; kept over all redials."""
        intent: Intent = "enabled" if config.settings.enabled else "disabled"
        marker: Marker = "CLOSED" if config.settings.enabled else "DISABLED"
        if self._expired():
            self._has_expired = config.settings.expires_at
            intent, marker = "expired", "EXPIRED"
        self.core = Core(self.factory, self.conversation, self, self._announce, intent, marker, STARTED)
        self.machine = Machine(self.core, STATES[marker])

    @property
    def name(self) -> str:
        return self.config.name

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
    def declared_records(self) -> list[str]:
        """The record ids that the link description declares to the PMS."""
        settings = self.config.settings
        return list(declared(settings.records)) if settings.describe else []

    @property
    def reason(self) -> str:
        return words.reason(self.core.marker, self.core.cause, self.address)

    @property
    def advice(self) -> str:
        core = self.core
        return words.advice(
            core.marker, core.cause, self.wanted, self.conversation.in_sync, self.factory.redial_in
        )

    @property
    def next_redial(self) -> datetime | None:
        """When the redial delay will be over."""
        delay = self.factory.redial_in
        return None if delay is None else self._wall() + timedelta(seconds=delay)

    def settings(self) -> LinkSettings:
        return self.config.settings

    # From the service.

    def start(self) -> None:
        """Tell the first state, and connect if the link is enabled."""
        cause = EXPIRED if self.core.marker == "EXPIRED" else STARTED
        self.core.cause = cause
        self._announce(self.core.marker, cause)
        if self.core.intent == "enabled":
            self.machine.redial(STARTED)

    def stop(self) -> Deferred[None]:
        """Close TCP without LE, so that the PMS keeps its queue; fires when it is closed."""
        self.stop_timers()
        self.conversation.fall_silent()
        self.factory.hang_up(gently=False)
        gone: Deferred[None] = Deferred()
        self.factory.when_gone(lambda: gone.callback(None))
        return gone

    def check_expiry(self) -> None:
        """Obey `expires_at` once it has passed; to be called at least every 30 s."""
        expires_at = self.config.settings.expires_at
        if not self._expired():
            self._has_expired = None
        elif expires_at != self._has_expired:
            self._has_expired = expires_at
            self.core.intent = "expired"
            self.machine.expire(EXPIRED)

    def change(self, config: LinkConfig) -> None:
        """Take new settings; those that a connection is made of redial it, others wait for their use."""
        made_of = _made_of(self.config)
        self.config = config
        self.factory.start_afresh()
        self._short_lived = 0
        self.check_expiry()
        if _made_of(config) != made_of:
            self.machine.readdress(SETTINGS)

    # From the user. Each raises NotApplicable where it does not apply.

    def enable(self) -> None:
        if self._expired():
            raise NotApplicable(
                "expired",
                f"The subscription of {self.name} ended at {self.config.settings.expires_at}; "
                "move expires_at first.",
            )
        self.factory.start_afresh()
        self._short_lived = 0
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

    def _obey(self, control: str, intent: Intent) -> None:
        marker, intended = self.core.marker, self.core.intent
        self.core.intent = intent
        getattr(self.machine, control)(by_user(control))
        if self.core.marker == marker and intended != intent:  # CLOSED is at rest now, or WAIT_LE is not
            self._note_outage()
            self._watcher(self, None)

    # From the connection (client.Owner).

    def connection_up(self) -> None:
        self.machine.connected(self.core.cause)

    def connection_lost(self, cause: Cause) -> None:
        if self.core.marker == "ESTABLISHED":
            short = cause.code == "lost" and self._clock.seconds() - self._docked_at < SHORT
            self._short_lived = self._short_lived + 1 if short else 0
            if self._short_lived >= TOO_OFTEN:
                cause = Cause("displaced")
        self.machine.lost(self._parting_or(cause))

    def redial(self) -> None:
        self.machine.redial(self.core.cause)

    def received(self, frame: bytes) -> None:
        record = Record(decode(frame, self.config.settings.charset))
        id = record.id
        if not self.trace.add("in", id, record):
            return
        if id in LINK_RECORDS:
            getattr(self.machine, id.lower())(self._parting_or(told_by_pms(id)))
            return
        # Only a link that waits to be started changes its state at other records: elsewhere the table says
        # "taken", and the thousands of a resync need not ask it each time.
        if self.core.marker == "WAIT_LS":
            self.machine.record(told_by_pms(id))
        elif self.core.marker == "ESTABLISHED":
            self.conversation.heard()
        self.conversation.resync.heard(id, record)

    def received_noise(self, what: Skipped, size: int) -> None:
        self.trace.skipped[what] += size

    # From the conversation (conversation.Speaker).

    def say(self, records: Sequence[Record]) -> None:
        for record in records:
            self.trace.add("out", record.id, record)
        self.factory.send(records)

    def hotel_time(self) -> datetime:
        timezone = self.config.settings.timezone
        return self._wall().astimezone(ZoneInfo(timezone) if timezone else None)

    def sync_changed(self) -> None:
        self._note_outage()
        if self._told == self.core.marker:  # else the change of marker, which is told next, shows it
            self._watcher(self, None)

    def settled(self) -> None:
        self.factory.start_afresh()
        self._short_lived = 0

    def check_overdue(self, cause: Cause) -> None:
        self.machine.check_overdue(cause)

    def sync_overdue(self, cause: Cause) -> None:
        self.machine.sync_overdue(cause)

    # For the machine (machine.Timers, and what it announces).

    def start_timer(self, timer: Timer) -> None:
        seconds: float = getattr(self.config.settings, timer)
        self._timers[timer] = self._clock.callLater(seconds, self._time_is_up, timer, seconds)

    def stop_timers(self) -> None:
        for call in self._timers.values():
            if call.active():
                call.cancel()
        self._timers.clear()

    def _time_is_up(self, timer: Timer, seconds: float) -> None:
        if timer == "start_timeout":
            code: Code = "start_timeout" if self.factory.up else "dial_timeout"
            self.machine.start_overdue(Cause(code, {"seconds": seconds}))
        elif timer == "listen_time":
            self.machine.silent(self.core.cause)
        else:
            self.machine.end_overdue(self.core.cause)

    def _announce(self, marker: Marker, cause: Cause) -> None:
        self.since = self._wall()
        if marker == "ESTABLISHED":
            self._docked_at = self._clock.seconds()
        self._note_outage()
        old, self._told = self._told, marker
        self._watcher(self, self.history.add(self.since, old, marker, self.reason, cause))

    def _note_outage(self) -> None:
        if self.conversation.in_sync or self.core.intent != "enabled":
            self.down_since = None
        elif self.down_since is None:
            self.down_since = self._wall()

    def _expired(self) -> bool:
        expires_at = self.config.settings.expires_at
        return expires_at is not None and expires_at <= self._wall()

    def _parting_or(self, cause: Cause) -> Cause:
        """While the link ends at the user's request, that stays the cause, however it ends."""
        if self.core.marker == "WAIT_LE":
            return by_user("enable") if self.core.intent == "enabled" else self.core.cause
        return cause


def _made_of(config: LinkConfig) -> tuple[object, ...]:
    settings = config.settings
    return (config.host, config.port, settings.tls, settings.framing, settings.charset)
