"""Listen on a TCP port for a PMS that dials in, and look up who may."""

from __future__ import annotations

import errno
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory

from pmslink.host_resolver import HostResolver

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

    def __init__(self, reactor: Any, resolver: HostResolver) -> None:
        self._reactor = reactor
        self._resolver = resolver

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
        """Look up all addresses of a host name."""
        return self._resolver.resolve(host)
