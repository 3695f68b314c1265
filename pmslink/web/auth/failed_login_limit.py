"""Rate limit for invalid tokens, by the client's network."""

from __future__ import annotations

import ipaddress
from collections import deque

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IReactorTime

MAX_FAILED_LOGINS = 10
"""Invalid tokens that one network may send within the window."""
FAILED_LOGIN_WINDOW_S = 300.0
"""Length of the window."""
MAX_TRACKED_NETWORKS = 1000
"""Networks with recent failures in memory; above that, the one with the oldest last failure is dropped."""


def client_network(peer: IAddress) -> str:
    """Return the network of a client: its IPv4 address, or the /64 network of its IPv6 address.

    The holder of one IPv6 address usually has its whole /64 network.
    """
    if not isinstance(peer, IPv4Address | IPv6Address):
        return "this machine"
    address = ipaddress.ip_address(peer.host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class FailedLoginLimiter:
    """Count failed logins by network. While a network is over the limit, its failures are not counted."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._failure_times_by_network: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._failure_times_by_network)

    def record_failure(self, network: str) -> None:
        """Count an invalid token from this network."""
        failure_times = self._failure_times_by_network.pop(network, None) or deque(maxlen=MAX_FAILED_LOGINS)
        failure_times.append(self._clock.seconds())
        self._failure_times_by_network[network] = failure_times  # last in order, as the newest failure
        if len(self) > MAX_TRACKED_NETWORKS:
            del self._failure_times_by_network[next(iter(self._failure_times_by_network))]

    def retry_after_s(self, network: str) -> float:
        """Return the seconds until this network may try again; 0 if it may now."""
        failure_times = self._failure_times_by_network.get(network)
        if failure_times is None or len(failure_times) < MAX_FAILED_LOGINS:
            return 0.0
        return max(0.0, failure_times[0] + FAILED_LOGIN_WINDOW_S - self._clock.seconds())
