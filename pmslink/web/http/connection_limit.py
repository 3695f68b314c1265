"""Limits on open HTTP connections, in all and for each client, which nobody can use up for others.

A client needs no token to open a connection. At a limit, the connection that has been without a complete
request for longest is closed for the new one. So clients that send nothing, or their requests byte by byte,
lock nobody out.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger

from pmslink.web.http.client_network import client_network, is_local_client

MAX_CONNECTIONS = 1000
"""Open connections of a site. The limit reserves file descriptors for the links."""
MAX_CONNECTIONS_PER_CLIENT = 500
"""Open connections of one client network, more than its streams and long polls together.

Clients on this machine have the limit of the site only: a reverse proxy there serves everybody.
"""


LOG_INTERVAL_S = 60.0
"""Seconds between two lines in the log that say that a limit is reached."""


class Connection(Protocol):
    """A connection as the limits see it."""

    def drop(self) -> None:
        """Close the connection at once, and discard what is not sent."""


class ConnectionLimit:
    """The open connections of a site."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._networks: dict[Connection, str | None] = {}
        """The network of each open connection; None for clients on this machine."""
        self._counts: Counter[str | None] = Counter()
        self._waiting: dict[Connection, None] = {}
        """Connections without a complete request; the one that has been so for longest is first."""
        self._logged_at = -float("inf")

    def __len__(self) -> int:
        return len(self._networks)

    def admit(self, peer: IAddress) -> bool:
        """Return whether a client may open a connection. It may close another connection for it."""
        network = _counted_network(peer)
        is_client_full = network is not None and self._counts[network] >= MAX_CONNECTIONS_PER_CLIENT
        if not is_client_full and len(self) < MAX_CONNECTIONS:
            return True
        self._log_full(network)
        for connection in self._waiting:
            if not is_client_full or self._networks[connection] == network:
                self.remove(connection)
                connection.drop()
                return True
        return False

    def add(self, connection: Connection, peer: IAddress) -> None:
        """Count a new connection, which has sent no request yet."""
        network = self._networks[connection] = _counted_network(peer)
        self._counts[network] += 1
        self._waiting[connection] = None

    def on_request(self, connection: Connection) -> None:
        """Note that a request is complete, and is being handled."""
        self._waiting.pop(connection, None)

    def on_response(self, connection: Connection) -> None:
        """Note that a request has been handled."""
        if connection in self._networks:
            self._waiting[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        if connection in self._networks:
            network = self._networks.pop(connection)
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]
            self._waiting.pop(connection, None)

    def _log_full(self, network: str | None) -> None:
        """Log that a limit is reached, now and then: a client could fill the log."""
        now = self._clock.seconds()
        if now - self._logged_at >= LOG_INTERVAL_S:
            self._logged_at = now
            self._log.warn(
                "{count} HTTP connections are open, {own} of them from {network}: a new connection closes "
                "the one that has sent no complete request for longest",
                count=len(self),
                own=self._counts[network],
                network=network or "this machine",
            )


def _counted_network(peer: IAddress) -> str | None:
    return None if is_local_client(peer) else client_network(peer)
