"""Listen on a TCP port for a PMS that dials in, and look up who may."""

from __future__ import annotations

import errno
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, DNSLookupError
from twisted.internet.interfaces import IAddress, IHostResolution, IListeningPort, IResolutionReceiver
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer

BACKLOG = 10
"""Connections that the operating system holds until they are accepted."""


class AcceptingNetwork(Protocol):
    """What a link needs of the network to be dialled."""

    def listen(self, port: int, factory: ServerFactory) -> IListeningPort:
        """Listen on a port on all interfaces. Raises CannotListenError."""

    def resolve(self, host: str) -> Deferred[list[str]]:
        """Look up the addresses of a host name. Fails with DNSLookupError."""


class TcpAccepting:
    """The network of a reactor (implements AcceptingNetwork)."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def listen(self, port: int, factory: ServerFactory) -> IListeningPort:
        """Listen with IPv6 and IPv4, or with IPv4 alone where the system has no IPv6."""
        try:
            return self._listen(port, factory, "::")
        except CannotListenError as error:
            if error.socketError.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
        return self._listen(port, factory, "")

    def _listen(self, port: int, factory: ServerFactory, interface: str) -> IListeningPort:
        return self._reactor.listenTCP(port, factory, BACKLOG, interface)  # type: ignore[no-any-return]

    def resolve(self, host: str) -> Deferred[list[str]]:
        """Look up all addresses of a host name, in a thread of the reactor's resolver."""
        receiver = _Resolution()
        self._reactor.nameResolver.resolveHostName(receiver, host)
        return receiver.finished


@implementer(IResolutionReceiver)
class _Resolution:
    """Collects the addresses of one host name."""

    def __init__(self) -> None:
        self.finished: Deferred[list[str]] = Deferred()
        self._addresses: list[str] = []
        self._host = ""

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._host = resolutionInProgress.name

    def addressResolved(self, address: IAddress) -> None:
        self._addresses.append(address.host)  # type: ignore[attr-defined]  # an IPv4 or IPv6 address

    def resolutionComplete(self) -> None:
        if self.finished.called:  # it took too long
            return
        if self._addresses:
            self.finished.callback(self._addresses)
        else:
            self.finished.errback(DNSLookupError(self._host))
