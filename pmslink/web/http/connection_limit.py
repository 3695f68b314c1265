"""Limit on open HTTP connections, which reserves file descriptors for the links."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

MAX_CONNECTIONS = 1000
"""Open connections. A client needs no token to open one, and may send nothing for a minute."""


class ConnectionLimitFactory(WrappingFactory[ProtocolWrapper]):
    """Wrap a site, and close each connection above MAX_CONNECTIONS at once."""

    log = Logger()
    _is_full = False

    def buildProtocol(self, addr: IAddress | None) -> ProtocolWrapper | None:  # type: ignore[override]
        """Return a protocol for the connection, or None to close it."""
        was_full, self._is_full = self._is_full, len(self.protocols) >= MAX_CONNECTIONS
        if not self._is_full:
            return super().buildProtocol(addr)
        if not was_full:
            self.log.warn(
                "{limit} HTTP connections are open; new connections are closed at once until some end",
                limit=MAX_CONNECTIONS,
            )
        return None
