"""Connections to the interface, which are never so many that the links would lack theirs."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

MAX_CONNECTIONS = 1000
"""More are closed at once: whoever opens them need not have a token, nor say anything for a minute."""


class ConnectionLimitFactory(WrappingFactory[ProtocolWrapper]):
    """A site with so many connections at most."""

    log = Logger()
    _is_full = False

    def buildProtocol(self, addr: IAddress | None) -> ProtocolWrapper | None:  # type: ignore[override]
        full, self._is_full = self._is_full, len(self.protocols) >= MAX_CONNECTIONS
        if not self._is_full:
            return super().buildProtocol(addr)
        if not full:
            self.log.warn("{most} connections are open: no more are taken", most=MAX_CONNECTIONS)
        return None
