"""A network in memory that runs on a test clock, so that tests of links need no sockets.

A `Link` gets `Network.dial` as its dial function. A protocol factory is the other side: a scripted PMS or
the simulator. Bytes and closes arrive in order after `latency`, never within the call that sent them.
"""

from __future__ import annotations

import errno
from collections import deque
from typing import Literal, cast

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.base import BaseConnector
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IConnector,
    IDelayedCall,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
)
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig
from pmslink.host_resolver import LOOKUP_TIMEOUT_S, LookupTimeoutError
from pmslink.link.dialer import Dialer

NetworkMode = Literal["accept", "refuse", "black hole", "stall"]
"""The behaviour of the network: dials succeed, are refused, or get no response. With "stall" dials succeed,
but no connection carries data; the next mode delivers it."""

_ADDRESS = IPv4Address("TCP", "192.0.2.1", 5010)


class Network:
    """The network between links and one PMS."""

    def __init__(self, clock: Clock, server: IProtocolFactory) -> None:
        self.clock = clock
        self.server = server
        self.latency = 0.0
        self.dial_count = 0
        """Number of dials so far."""
        self._mode: NetworkMode = "accept"
        self.ports: dict[int, MemoryPort] = {}
        """Open ports of links that accept connections."""
        self.taken_ports: set[int] = set()
        """Ports on which another program listens."""
        self.hosts: dict[str, list[str]] = {}
        """The addresses of host names; a name without an entry is not in the DNS."""
        self.lookups: list[str] = []
        """The host names that were looked up so far."""
        self.lookup_delay: float | None = 0.0
        """Seconds until a lookup is answered; None: never."""
        self._connectors: dict[Dialer, MemoryConnector] = {}
        self._transports: set[MemoryTransport] = set()

    @property
    def mode(self) -> NetworkMode:
        return self._mode

    @mode.setter
    def mode(self, mode: NetworkMode) -> None:
        self._mode = mode
        if mode != "stall":
            for end in tuple(self._transports):
                end.deliver_blocked()

    @property
    def open_count(self) -> int:
        """Number of open dials and connections of links."""
        return len(self._connectors)

    def dial(self, factory: Dialer, config: LinkConfig) -> IConnector:
        """Start to connect. Fail if the link already has an open dial or connection."""
        assert factory not in self._connectors, "a second dial or connection of one link"
        self.dial_count += 1
        connector = self._connectors[factory] = MemoryConnector(
            self, factory, config.settings.start_timeout + 1
        )
        connector.connect()
        return connector

    # Accepting (implements tcp_accepting.AcceptingNetwork).

    def listen(self, port: int, factory: ServerFactory) -> IListeningPort:
        """Open a port, which is free again only some time after it is closed, as those of a reactor."""
        if port in self.ports or port in self.taken_ports:
            raise error.CannotListenError("", port, OSError(errno.EADDRINUSE, ""))
        self.ports[port] = MemoryPort(self, port, factory)
        return cast(IListeningPort, self.ports[port])

    def resolve(self, host: str) -> Deferred[list[str]]:
        self.lookups.append(host)
        found: Deferred[list[str]] = Deferred()
        if self.lookup_delay is not None:
            self.clock.callLater(self.lookup_delay, self._answer_lookup, host, found)

        def raise_timeout(_: object, seconds: float) -> list[str]:
            raise LookupTimeoutError(host)

        return found.addTimeout(LOOKUP_TIMEOUT_S, self.clock, raise_timeout)

    def _answer_lookup(self, host: str, found: Deferred[list[str]]) -> None:
        if found.called:
            return
        if host in self.hosts:
            found.callback(self.hosts[host])
        else:
            found.errback(error.DNSLookupError(host))

    def call(self, port: int, address: str) -> IProtocol:
        """Connect to a link's port from an address, and return the PMS's end."""
        if port not in self.ports or self.ports[port].is_closing:
            raise error.ConnectionRefusedError
        client, server = MemoryTransport(self, None), MemoryTransport(self, None)
        client.peer, server.peer = server, client
        caller = self.server.buildProtocol(_ADDRESS)
        accepting = self.ports[port].factory.buildProtocol(IPv4Address("TCP", address, 40000))
        for end, protocol in ((client, caller), (server, accepting)):
            self._transports.add(end)
            end.attach(protocol)
        assert caller is not None
        return caller

    def on_connector_closed(self, factory: Dialer) -> None:
        """Remove the dial or connection of this link, so that it may dial again."""
        del self._connectors[factory]

    def connect(self, client: MemoryTransport, connector: MemoryConnector) -> None:
        """Connect both ends after a dial was accepted."""
        server = MemoryTransport(self, None)
        client.peer, server.peer = server, client
        near, far = connector.buildProtocol(_ADDRESS), self.server.buildProtocol(_ADDRESS)
        for end, protocol in ((server, far), (client, near)):
            self._transports.add(end)
            end.attach(protocol)

    def on_transport_closed(self, transport: MemoryTransport) -> None:
        """Remove a closed end of a connection."""
        self._transports.discard(transport)


class MemoryPort:
    """An open port of a link."""

    def __init__(self, network: Network, number: int, factory: ServerFactory) -> None:
        self.factory = factory
        self.is_closing = False
        self._network = network
        self._number = number

    def stopListening(self) -> Deferred[None]:
        """Close the port in the next turn of the reactor."""
        self.is_closing = True
        closed: Deferred[None] = Deferred()
        self._network.clock.callLater(0, self._close, closed)
        return closed

    def _close(self, closed: Deferred[None]) -> None:
        del self._network.ports[self._number]
        closed.callback(None)


class MemoryConnector(BaseConnector):
    """One dial of a link, and its connection."""

    def __init__(self, network: Network, factory: Dialer, timeout: float) -> None:
        super().__init__(factory, timeout, network.clock)  # type: ignore[arg-type]  # uses the time only
        self._network = network
        self._link_factory = factory

    def getDestination(self) -> IAddress:
        return _ADDRESS

    def _makeTransport(self) -> MemoryTransport:  # type: ignore[override]
        return MemoryTransport(self._network, self)

    def connectionFailed(self, reason: Failure) -> None:
        self._network.on_connector_closed(self._link_factory)
        super().connectionFailed(reason)

    def connectionLost(self, reason: Failure) -> None:
        self._network.on_connector_closed(self._link_factory)
        super().connectionLost(reason)


class MemoryTransport:
    """The transport of one end of a connection. The client's end exists since the dial."""

    def __init__(self, network: Network, connector: MemoryConnector | None) -> None:
        self.peer: MemoryTransport | None = None
        self.disconnecting = False  # LineReceiver reads it
        self._network = network
        self._clock = network.clock
        self._connector = connector
        self._protocol: IProtocol | None = None
        self._closed = False
        self._incoming: deque[bytes | Exception] = deque()
        self._blocked_count = 0  # items delayed by a stalled network or a paused reader
        self._paused = False
        self._dial_timer: IDelayedCall | None = None
        if connector is not None and network.mode != "black hole":
            self._dial_timer = self._clock.callLater(network.latency, self._complete_dial, connector)

    # Dial

    def _complete_dial(self, connector: MemoryConnector) -> None:
        self._dial_timer = None
        if self._network.mode == "refuse":
            connector.connectionFailed(Failure(error.ConnectionRefusedError()))
        else:
            self._network.connect(self, connector)

    def failIfNotConnected(self, problem: Exception) -> None:
        """End the dial for the connector."""
        if self._dial_timer is not None:
            self._dial_timer.cancel()
        if self._connector is not None:
            self._connector.connectionFailed(Failure(problem))

    def attach(self, protocol: IProtocol | None) -> None:
        """Attach the protocol of the connection. Without a protocol, the connection is closed."""
        self._protocol = protocol
        if protocol is None:
            self.loseConnection()
        else:
            protocol.makeConnection(self)  # type: ignore[arg-type]  # has all that protocols use

    # ITransport and IPushProducer

    def write(self, data: bytes) -> None:
        if not self.disconnecting:
            self._send(data)

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Do nothing: this transport never pauses its producer."""

    def unregisterProducer(self) -> None:
        """Do nothing, like `registerProducer`."""

    def pauseProducing(self) -> None:
        """Stop reading at this end."""
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self.deliver_blocked()

    def loseConnection(self) -> None:
        """Close after all data is sent; a stalled network delays this until its mode changes."""
        if not self.disconnecting:
            self.disconnecting = True
            self._send(error.ConnectionDone())
            if self._network.mode != "stall":
                self._clock.callLater(0, self._close, error.ConnectionDone())

    def abortConnection(self) -> None:
        """Close at once."""
        if not self._closed:
            self.disconnecting = True
            self._send(error.ConnectionLost())
            self._clock.callLater(0, self._close, error.ConnectionAborted())

    # Delivery

    def _send(self, item: bytes | Exception) -> None:
        if self.peer is not None:
            self.peer._incoming.append(item)
            self._clock.callLater(self._network.latency, self.peer._deliver_next)

    def _deliver_next(self) -> None:
        if self._network.mode == "stall" or (self._paused and not self._closed):
            self._blocked_count += 1
            return
        item = self._incoming.popleft()
        if self._closed:
            return
        if isinstance(item, Exception):
            self._close(item)
        elif self._protocol is not None:
            self._protocol.dataReceived(item)

    def deliver_blocked(self) -> None:
        """Deliver all blocked items, and then close if `loseConnection` was called."""
        for _ in range(self._blocked_count):
            self._clock.callLater(0, self._deliver_next)
        self._blocked_count = 0
        if self.disconnecting and self._network.mode != "stall":
            self._clock.callLater(0, self._close, error.ConnectionDone())

    def _close(self, reason_error: Exception) -> None:
        if self._closed:
            return
        self._closed = self.disconnecting = True
        self._network.on_transport_closed(self)
        reason = Failure(reason_error)
        if self._protocol is not None:
            self._protocol.connectionLost(reason)
        if self._connector is not None:
            self._connector.connectionLost(reason)


def advance_clock(clock: Clock, seconds: float) -> None:
    """Advance the clock, and run each timer at its own time. `Clock.advance` would run all of them late."""
    end = clock.seconds() + seconds
    clock.advance(0)
    while (due := next_timer_due(clock)) is not None and due <= end:
        clock.rightNow = max(due, clock.rightNow)
        clock.advance(0)
    clock.rightNow = end


def next_timer_due(clock: Clock) -> float | None:
    """Return when the next timer is due; None without one."""
    return min((call.getTime() for call in clock.getDelayedCalls()), default=None)
