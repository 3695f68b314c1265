"""How often somebody showed a wrong token: who does so too often has to wait."""

from __future__ import annotations

import ipaddress
from collections import deque

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IReactorTime

MOST_FAILURES = 10
"""So many wrong tokens from one place …"""
WITHIN = 300.0
"""… within so many seconds are too many."""
MOST_PLACES = 1000
"""Places that are remembered; of more, those where it happened longest ago are forgotten."""


def place_of(peer: IAddress) -> str:
    """Where a caller is. One that has an IPv6 address has all those of its network as well."""
    if not isinstance(peer, IPv4Address | IPv6Address):
        return "this machine"
    address = ipaddress.ip_address(peer.host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class Attempts:
    """The moments of the last failures, by place. While a place has to wait, no more are counted."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._failures)

    def failed(self, place: str) -> None:
        """A wrong token came from there."""
        moments = self._failures.pop(place, None) or deque(maxlen=MOST_FAILURES)
        moments.append(self._clock.seconds())
        self._failures[place] = moments  # the last, now
        if len(self) > MOST_PLACES:
            del self._failures[next(iter(self._failures))]

    def wait(self, place: str) -> float:
        """Seconds until somebody there may try again; 0 for at once."""
        moments = self._failures.get(place)
        if moments is None or len(moments) < MOST_FAILURES:
            return 0.0
        return max(0.0, moments[0] + WITHIN - self._clock.seconds())
