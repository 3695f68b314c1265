"""Accept the connection of a PMS that dials in, in place of a dial (setting `connect`).

The dialer stays what it is: it asks the acceptor for a connection, and gets one once the PMS calls. The port
is open while the link waits for the PMS, is connected, or waits to redial. One connection is used at a time:
a newer call takes the place of an older one, because a PMS that has rebooted calls again while its old
connection still looks alive here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError, UserError
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import Protocol as ProtocolBase
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig
from pmslink.link.cause import UNANSWERED_LOOKUP_CAUSE, Cause
from pmslink.link.connection import Connection
from pmslink.link.countdown import Countdown
from pmslink.link.dialer import Dialer
from pmslink.link.host_addresses import HostAddresses
from pmslink.link.tcp_accepting import AcceptingNetwork

MAX_UNKNOWN_CALLERS = 10
"""Connections that may wait for the lookup of the host's name."""
MAX_QUICK_CALLS = 10
"""Calls that are accepted within QUICK_CALL_WINDOW_S; the next one waits."""
QUICK_CALL_WINDOW_S = 10.0
MAX_EARLY_BYTES = 16 * 1024
"""Bytes that are read from a call before it is accepted."""
REFUSAL_LOG_INTERVAL_S = 60.0
"""Shortest time in seconds between two log lines about refused callers."""


class AcceptorListener(Protocol):
    """The link that is called."""

    def on_called(self) -> None:
        """Handle a call that waits. The next `Acceptor.dial` accepts it."""


class Acceptor(ServerFactory):
    """Accept the connections of one link. For the dialer it is a connector."""

    noisy = False
    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        network: AcceptingNetwork,
        config: Callable[[], LinkConfig],
        listener: AcceptorListener,
    ) -> None:
        self._clock = clock
        self._network = network
        self._config = config
        self._listener = listener
        self._port: IListeningPort | None = None
        self._closing: Deferred[None] | None = None
        self._dialer: Dialer | None = None  # while it waits for a call
        self._waiting: _Caller | None = None
        self._unknown: list[_Caller] = []
        self._recent_calls: deque[float] = deque(maxlen=MAX_QUICK_CALLS)
        self._waiting_timer = Countdown(clock, self._offer)
        self._refusal_logged_at = -float("inf")
        self._host = HostAddresses(clock, network.resolve, lambda: config().host, self._on_lookup_ended)
        self._last_refused: str | None = None  # the address of a caller, since the last dial

    # For the dialer.

    def dial(self, dialer: Dialer) -> None:
        """Open the port, and give the dialer the connection of the next call, or of the one that waits."""
        self._dialer = dialer
        self._last_refused = None
        dialer.startedConnecting(self)
        self._host.refresh()
        if self._closing is not None:
            self._closing.addCallback(lambda _: self._open())
        else:
            self._open()

    def disconnect(self) -> None:
        """Wait for no call any more. The port stays open until `close`."""
        dialer, self._dialer = self._dialer, None
        # only the dialer that waits calls this
        dialer.clientConnectionFailed(self, Failure(UserError()))  # type: ignore[union-attr]

    # For the link.

    def why_not_called(self, seconds: float) -> Cause:
        """Return why no PMS has called within the start timeout."""
        if not self._host.is_known:
            return UNANSWERED_LOOKUP_CAUSE if self._host.is_unanswered else Cause("unresolved")
        params: dict[str, str | float] = {"seconds": seconds, "port": self._config().port}
        if self._last_refused is None:
            return Cause("start_timeout", {"variant": "not_called", **params})
        return Cause("start_timeout", {"variant": "other_caller", "caller": self._last_refused, **params})

    def close(self) -> Deferred[None]:
        """Close the port, and the calls that no dial has accepted. The Deferred fires once it is closed."""
        self._waiting_timer.stop()
        self._drop_unknown()  # first, so that the end of the lookup refuses none of them
        self._host.stop()
        self._drop_waiting()
        if self._port is not None:
            port, self._port = self._port, None
            closing: Deferred[None] = Deferred()
            self._closing = closing
            maybeDeferred(port.stopListening).addBoth(self._on_port_closed, closing)
        closed: Deferred[None] = Deferred()
        if self._closing is None:
            closed.callback(None)
        else:
            self._closing.addCallback(lambda _: closed.callback(None))
        return closed

    def _on_port_closed(self, _: object, closing: Deferred[None]) -> None:
        self._closing = None
        closing.callback(None)

    def _open(self) -> None:
        dialer = self._dialer
        if dialer is None:  # hung up while the port was closing
            return
        if self._port is None:
            try:
                self._port = self._network.listen(self._config().port, self)
            except CannotListenError:
                self._dialer = None
                dialer.clientConnectionFailed(self, Failure())
                return
        if self._waiting is not None:  # accepted later, because the link is just entering its state
            self._waiting_timer.start(self._call_delay())

    # For the port.

    def buildProtocol(self, addr: IAddress | None) -> ProtocolBase | None:
        """Make the protocol of a call, or refuse it: None closes its connection at once."""
        address: str = addr.host  # type: ignore[union-attr]  # an IPv4 or IPv6 address
        allowed = self._host.contains(address)
        if allowed is False or (allowed is None and len(self._unknown) >= MAX_UNKNOWN_CALLERS):
            self._on_refused(address)
            return None
        return _Caller(self, address, allowed is None)

    def on_call(self, caller: _Caller) -> None:
        """Handle a call whose connection is open."""
        if caller.is_unknown:
            self._unknown.append(caller)
            return
        self._drop_waiting()
        self._waiting = caller
        if not self._waiting_timer.running:
            self._waiting_timer.start(self._call_delay())

    def on_call_ended(self, caller: _Caller) -> None:
        """Handle the end of a call's connection."""
        if caller is self._waiting:
            self._waiting = None
        elif caller in self._unknown:
            self._unknown.remove(caller)

    def _call_delay(self) -> float:
        if len(self._recent_calls) < MAX_QUICK_CALLS:
            return 0.0
        return max(0.0, self._recent_calls[0] + QUICK_CALL_WINDOW_S - self._clock.seconds())

    def _offer(self) -> None:
        """Accept the call that waits, or ask the link to dial."""
        caller, dialer = self._waiting, self._dialer
        if caller is None:
            return
        if dialer is None:
            self._listener.on_called()
            return
        self._waiting = self._dialer = None
        self._recent_calls.append(self._clock.seconds())
        caller.accept(dialer)

    def _on_lookup_ended(self) -> None:
        for caller in tuple(self._unknown):
            self._unknown.remove(caller)
            if self._host.contains(caller.address):
                caller.is_unknown = False
                self.on_call(caller)
            else:
                self._on_refused(caller.address)
                caller.abort()

    def _drop_unknown(self) -> None:
        callers, self._unknown = self._unknown, []
        for caller in callers:
            caller.abort()

    def _drop_waiting(self) -> None:
        caller, self._waiting = self._waiting, None
        if caller is not None:
            caller.abort()

    def _on_refused(self, address: str) -> None:
        self._last_refused = address
        now, config = self._clock.seconds(), self._config()
        if now - self._refusal_logged_at >= REFUSAL_LOG_INTERVAL_S:
            self._refusal_logged_at = now
            self.log.warn(
                "{link}: refused a connection from {address} on port {port}; host allows only {host}",
                link=config.name,
                address=address,
                port=config.port,
                host=config.host,
            )


class _Caller(ProtocolBase):
    """One call. What it sends is kept, within a bound, until a dial accepts it and gets a `Connection`."""

    def __init__(self, acceptor: Acceptor, address: str, is_unknown: bool) -> None:
        self.address = address
        self.is_unknown = is_unknown
        self._acceptor = acceptor
        self._dialer: Dialer | None = None
        self._connection: Connection | None = None
        self._early_data = b""

    def connectionMade(self) -> None:
        self._acceptor.on_call(self)

    def accept(self, dialer: Dialer) -> None:
        """Give the dialer the connection."""
        self._dialer = dialer
        self._connection = dialer.buildProtocol(None)
        transport: Any = self.transport
        transport.resumeProducing()  # first: the connection may pause it
        self._connection.makeConnection(transport)  # type: ignore[union-attr]
        if self._early_data:
            data, self._early_data = self._early_data, b""
            self.dataReceived(data)

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abortConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.dataReceived(data)
            return
        self._early_data += data
        if len(self._early_data) > MAX_EARLY_BYTES:
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._acceptor.on_call_ended(self)
        if self._connection is not None and self._dialer is not None:
            self._connection.connectionLost(reason)
            self._dialer.clientConnectionLost(self._acceptor, reason)
