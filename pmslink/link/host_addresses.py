"""The IP addresses that a host name stands for, looked up rarely and without blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pmslink.host_resolver import LookupTimeoutError

MIN_LOOKUP_INTERVAL_S = 60.0
"""Shortest time in seconds between two lookups of one name."""

IpAddress = IPv4Address | IPv6Address
Resolve = Callable[[str], Deferred[list[str]]]
"""Looks up the addresses of a host name, in limited time; fails if there are none."""


class HostAddresses:
    """The addresses of the host in a link's settings. `on_lookup_ended` is called after each lookup."""

    def __init__(
        self,
        clock: IReactorTime,
        resolve: Resolve,
        host: Callable[[], str],
        on_lookup_ended: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._resolve = resolve
        self._host = host
        self._on_lookup_ended = on_lookup_ended
        self._name = ""
        self._addresses: frozenset[IpAddress] = frozenset()
        self._looked_up_at = -float("inf")
        self._lookup: Deferred[None] | None = None
        self._has_timed_out = False  # the last lookup

    @property
    def is_known(self) -> bool:
        """Whether at least one address is known."""
        return bool(self._addresses)

    @property
    def is_unanswered(self) -> bool:
        """Whether no DNS server has answered: the last lookup timed out, or runs still."""
        return self._has_timed_out or self._lookup is not None

    def contains(self, address: str) -> bool | None:
        """Return whether the host has this address; None while a lookup runs that may find it."""
        self._follow_host()
        if parse_ip(address) in self._addresses:
            return True
        self.refresh()
        return None if self._lookup is not None else False

    def refresh(self) -> None:
        """Look the name up again, unless that was done in the last minute."""
        self._follow_host()
        is_recent = self._clock.seconds() - self._looked_up_at < MIN_LOOKUP_INTERVAL_S
        if is_recent or self._lookup is not None or parse_ip(self._name) is not None:
            return
        self._looked_up_at = self._clock.seconds()
        self._lookup = self._resolve(self._name).addCallbacks(self._on_found, self._on_failed)
        self._lookup.addCallback(lambda _: self._end_lookup())

    def stop(self) -> None:
        """End a lookup that runs. The next one may begin at once."""
        if self._lookup is not None:
            self._looked_up_at = -float("inf")
            self._lookup.cancel()

    def _follow_host(self) -> None:
        if self._host() != self._name:
            self.stop()
            self._name = self._host()
            literal = parse_ip(self._name)
            self._addresses = frozenset() if literal is None else frozenset({literal})
            self._looked_up_at = -float("inf")
            self._has_timed_out = False

    def _on_found(self, addresses: Iterable[str]) -> None:
        self._has_timed_out = False
        parsed = [parse_ip(address) for address in addresses]
        self._addresses = frozenset(address for address in parsed if address is not None)

    def _on_failed(self, failure: Failure) -> None:
        """Keep the addresses that are known: a failing DNS must not lock the PMS out."""
        self._has_timed_out = failure.check(LookupTimeoutError) is not None

    def _end_lookup(self) -> None:
        self._lookup = None
        self._on_lookup_ended()


def parse_ip(text: str) -> IpAddress | None:
    """Return the IP address in a text, an IPv4 address in IPv6 form as itself; None if it is a name."""
    try:
        address = ip_address(text.partition("%")[0])  # the zone of an IPv6 address is local to this machine
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
