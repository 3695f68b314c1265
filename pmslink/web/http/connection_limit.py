"""Connections to the interface, which are never so many that the links would lack theirs."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

MOST_CONNECTIONS = 1000
"""More are closed at once: whoever opens them need not have a token, nor say anything for a minute."""


class BoundedConnections(WrappingFactory[ProtocolWrapper]):
    """A site with so many connections at most."""

    log = Logger()
    _full = False

    def buildProtocol(self, addr: IAddress | None) -> ProtocolWrapper | None:  # type: ignore[override]
        full, self._full = self._full, len(self.protocols) >= MOST_CONNECTIONS
        if not self._full:
            return super().buildProtocol(addr)
        if not full:
            self.log.warn("{most} connections are open: no more are taken", most=MOST_CONNECTIONS)
        return None
