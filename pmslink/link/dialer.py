"""The dialer of one link: it dials the PMS, waits before it redials, and hangs up.

At most one dial or connection of a link exists at a time, because a second one would make the PMS drop
the first. The dialer detaches a connection that it hangs up, and starts the next dial only after that
connection's transport is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ReconnectingClientFactory
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig
from pmslink.fias.record import Record
from pmslink.link.backoff import Backoff
from pmslink.link.connection import Connection, ConnectionListener
from pmslink.link.network_errors import cause_of_failed_dial
from pmslink.link.turn_queue import Pace, make_call_now

StartDial = Callable[["Dialer"], object]
"""Starts one dial to the link's address, or waits for a call, with this dialer as the factory."""

StartLinkDial = Callable[["Dialer", LinkConfig], object]
"""Starts one dial to the address in this configuration, with this dialer as the factory."""


class PendingDial(Protocol):
    """A dial that is not complete: a connector of the reactor, or the acceptor."""

    def disconnect(self) -> object:
        """End the dial; `Dialer.clientConnectionFailed` follows."""


class Dialer(ReconnectingClientFactory):
    """Dial the PMS, run the redial delay, and hang up (implements machine.DialerPort)."""

    noisy = False
    jitter = 0.0  # the base class's jitter could exceed the longest delay; `Backoff` adds its own

    def __init__(
        self,
        listener: ConnectionListener,
        clock: IReactorTime,
        dial: StartDial,
        pace_redial: Pace = make_call_now,
    ) -> None:
        self.clock = clock  # type: ignore[assignment]  # the base class runs its timer on it
        self._clock = clock
        self._listener = listener
        self._start_dial = dial
        self._pace_redial = pace_redial
        self._pending_connector: PendingDial | None = None
        self._is_resolving = False  # the pending dial is a lookup of the host name
        self._connection: Connection | None = None
        self._busy = False  # a dial or a transport exists
        self._dial_when_closed = False
        self._closed_callback: Callable[[], None] | None = None
        self._backoff = Backoff(listener.settings().retry_initial)
        self._redial_due_at: float | None = None  # on the clock, while the redial delay runs
        self._redial_deferred = False

    # For the machine (machine.DialerPort).

    def dial(self) -> None:
        """Dial now, or as soon as the transport of the last connection is closed."""
        if self._busy:
            self._dial_when_closed = True
            return
        self._busy = True
        try:
            self._start_dial(self)
        except Exception:  # for example, the CA file is missing
            self._busy = False
            self._listener.on_connection_lost(cause_of_failed_dial(Failure()))

    def redial_later(self) -> None:
        """Start the redial delay; `ConnectionListener.on_redial_due` follows."""
        self.delay = self._backoff.next_delay(self._listener.settings().retry_max)
        self._redial_due_at = self._clock.seconds() + self.delay
        self.retry(self)  # type: ignore[no-untyped-call]

    def hang_up(self, graceful: bool) -> None:
        """End the redial delay, the dial or the connection. The listener receives nothing more from it."""
        if self._redial_due_at is not None:
            self._redial_due_at = None
            self.stopTrying()  # type: ignore[no-untyped-call]
            self.continueTrying = True  # the next `retry` is to run again
        self._dial_when_closed = self._redial_deferred = False
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close(graceful)
        elif self._pending_connector is not None:
            connector, self._pending_connector = self._pending_connector, None
            connector.disconnect()

    # For the link.

    def defer_redial(self) -> None:
        """Hold back the redial that is due now until `resume_redial`."""
        self._redial_deferred = True

    def resume_redial(self) -> None:
        """Report a deferred redial as due, unless `hang_up` has cancelled it."""
        if self._redial_deferred:
            self._redial_deferred = False
            self._listener.on_redial_due()

    def reset_backoff(self) -> None:
        """Make the next redial delay the shortest one."""
        self._backoff.reset(self._listener.settings().retry_initial)
        self.retries = 0

    @property
    def is_busy(self) -> bool:
        """Whether a dial is under way or a transport exists, also one that is being closed."""
        return self._busy

    @property
    def is_connected(self) -> bool:
        """Whether a connection exists."""
        return self._connection is not None

    @property
    def is_resolving(self) -> bool:
        """Whether a dial is under way that looks up the host name."""
        return self._pending_connector is not None and self._is_resolving

    @property
    def is_throttled(self) -> bool:
        """Whether a record that is sent now would be queued for the record gap."""
        return self._connection is not None and self._connection.is_throttled

    @property
    def redial_in(self) -> float | None:
        """Seconds until the next redial; None while no redial is scheduled."""
        if self._redial_due_at is None:
            return None
        return max(0.0, self._redial_due_at - self._clock.seconds())

    def send(self, records: Sequence[Record], gap: float = 0.0) -> None:
        """Send records on the connection. The machine sends only in states that have one."""
        self._connection.send(records, gap)  # type: ignore[union-attr]

    @property
    def last_sent(self) -> Record | None:
        """The last record that was written on the connection."""
        return None if self._connection is None else self._connection.last_sent

    def pause_reading(self, reason: str) -> None:
        """Stop reading from the PMS, which then queues its records."""
        if self._connection is not None:
            self._connection.pause_reading(reason)

    def resume_reading(self, reason: str) -> None:
        """Read from the PMS again, if there is no other reason for the pause."""
        if self._connection is not None:
            self._connection.resume_reading(reason)

    @property
    def reading_paused(self) -> bool:
        """Whether reading is paused, for the store or because the PMS sends too much."""
        return self._connection is not None and self._connection.reading_paused

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Call `callback` once the last transport is closed; at once if none is open."""
        if self._busy:
            self._closed_callback = callback
        else:
            callback()

    # For the base class, whose timer calls it at the end of the delay: this factory is its connector.

    def connect(self) -> None:
        """Report that the redial delay is over, in a later turn if the delays of many links end together."""
        self._redial_due_at = None
        self.defer_redial()
        self._pace_redial(self.resume_redial)

    # For the reactor.

    def started_resolving(self, lookup: PendingDial) -> None:
        """Remember the lookup of the host name that a dial begins with, so that `hang_up` can end it."""
        self._pending_connector, self._is_resolving = lookup, True

    def startedConnecting(self, connector: PendingDial) -> None:
        """Remember the connector of the dial, so that `hang_up` can end it."""
        self._pending_connector, self._is_resolving = connector, False

    def buildProtocol(self, addr: object) -> Connection | None:
        """Make the connection; None if `hang_up` came between the connect and its completion."""
        if self._pending_connector is None:
            return None
        self._pending_connector = None
        self._connection = Connection(self._listener, self._clock)
        return self._connection

    def clientConnectionFailed(self, connector: PendingDial, reason: Failure) -> None:
        """Report a failed dial, unless it was hung up."""
        was_hung_up, self._pending_connector = self._pending_connector is None, None
        self._on_closed()
        if not was_hung_up:
            self._listener.on_connection_lost(cause_of_failed_dial(reason))

    def clientConnectionLost(self, connector: PendingDial, unused_reason: Failure) -> None:
        """Forget the connection, which has reported its loss itself."""
        self._connection = None
        self._on_closed()

    def _on_closed(self) -> None:
        self._busy = False
        if self._closed_callback is not None:
            callback, self._closed_callback = self._closed_callback, None
            callback()
        if self._dial_when_closed:
            self._dial_when_closed = False
            self.dial()


def connection_key(config: LinkConfig) -> tuple[object, ...]:
    """Return the settings that take effect only on a new connection, for comparison."""
    settings = config.settings
    return (config.host, config.port, settings.connect, settings.tls, settings.framing, settings.charset)
