"""How often somebody showed a wrong token: who does so too often has to wait."""

from __future__ import annotations

import ipaddress
from collections import deque

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IReactorTime

MAX_FAILED_LOGINS = 10
"""So many wrong tokens from one place …"""
FAILED_LOGIN_WINDOW_S = 300.0
"""… within so many seconds are too many."""
MAX_TRACKED_NETWORKS = 1000
"""Places that are remembered; of more, those where it happened longest ago are forgotten."""


def client_network(peer: IAddress) -> str:
    """Where a caller is. One that has an IPv6 address has all those of its network as well."""
    if not isinstance(peer, IPv4Address | IPv6Address):
        return "this machine"
    address = ipaddress.ip_address(peer.host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class FailedLoginLimiter:
    """The moments of the last failures, by place. While a place has to wait, no more are counted."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._failure_times_by_network: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._failure_times_by_network)

    def record_failure(self, network: str) -> None:
        """A wrong token came from there."""
        moments = self._failure_times_by_network.pop(network, None) or deque(maxlen=MAX_FAILED_LOGINS)
        moments.append(self._clock.seconds())
        self._failure_times_by_network[network] = moments  # the last, now
        if len(self) > MAX_TRACKED_NETWORKS:
            del self._failure_times_by_network[next(iter(self._failure_times_by_network))]

    def retry_after_s(self, network: str) -> float:
        """Seconds until somebody there may try again; 0 for at once."""
        moments = self._failure_times_by_network.get(network)
        if moments is None or len(moments) < MAX_FAILED_LOGINS:
            return 0.0
        return max(0.0, moments[0] + FAILED_LOGIN_WINDOW_S - self._clock.seconds())
