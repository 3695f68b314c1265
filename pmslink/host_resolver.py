"""Lookups of host names in threads of their own, so that names without an answer delay nothing else.

The system's lookup knows /etc/hosts, nsswitch.conf and the search domains. But it blocks its thread, for a
minute or more if no DNS server answers, and it cannot be interrupted. So each lookup has a daemon thread:

- A waiter gives up after its timeout or when it is cancelled. The thread goes on, and nobody waits for it:
  neither a dial, nor the end of the process.
- A name whose last lookup was slow is queued apart, and uses few threads. A lookup that becomes slow leaves
  its place to the next name. So names that are answered do not wait for names that are not.
- One lookup of a name runs at a time, and all its waiters share it.

Each purpose has a resolver of its own: the host names of webhooks cannot use up the threads of the links.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

from attrs import define, field
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from twisted.python.failure import Failure
from zope.interface import implementer

LOOKUP_TIMEOUT_S = 10.0
"""Seconds that a waiter waits for a lookup at most."""
SLOW_AFTER_S = 1.0
"""A lookup that takes longer, in seconds, is slow."""
PROMPT_THREADS = 16
"""Lookups at a time that are not slow."""
SLOW_THREADS = 48
"""Slow lookups at a time."""
SLOW_RETRY_THREADS = 8
"""Slow lookups at a time up to which a name is looked up again whose last lookup was slow."""
MAX_SLOW_NAMES = 10_000
"""Names that are remembered as slow; above it, the oldest is forgotten."""

LookUp = Callable[[str], Sequence[str]]
"""Looks up the IP addresses of a host name; it blocks. Raises OSError or UnicodeError if there are none."""


class LookupTimeoutError(DNSLookupError):
    """No DNS server has answered in time."""


def look_up_addresses(host: str) -> Sequence[str]:
    """Return the IP addresses of a host name as the system orders them. It blocks."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@define(eq=False)
class _Lookup:
    """A lookup of one name that is queued or runs."""

    host: str
    waiters: list[Deferred[list[str]]] = field(factory=list)
    is_running: bool = False
    is_slow: bool = False
    """Whether it counts as slow."""
    slow_timer: IDelayedCall | None = None


@implementer(IHostnameResolver)
class HostResolver:
    """Resolve host names for one purpose. `reactor` runs the timers and receives what the threads find.

    Endpoints of Twisted wait `endpoint_timeout_s` at most.
    """

    def __init__(
        self, reactor: Any, look_up: LookUp = look_up_addresses, endpoint_timeout_s: float = LOOKUP_TIMEOUT_S
    ) -> None:
        self._reactor = reactor
        self._endpoint_timeout_s = endpoint_timeout_s
        self._look_up = look_up
        self._lookups: dict[str, _Lookup] = {}
        self._prompt_queue: deque[_Lookup] = deque()
        self._slow_queue: deque[_Lookup] = deque()
        self._prompt_running = 0
        self._slow_running = 0
        self._overdue: deque[_Lookup] = deque()
        """Lookups that are slow, and for which SLOW_THREADS has no room yet."""
        self._slow_names: dict[str, None] = {}

    def resolve(self, host: str, timeout_s: float = LOOKUP_TIMEOUT_S) -> Deferred[list[str]]:
        """Look up the IP addresses of a host name. An IP address is returned as it is.

        Fails with DNSLookupError if there is none, and with LookupTimeoutError without an answer in time.
        """
        if isIPAddress(host) or isIPv6Address(host):
            return succeed([host])
        lookup = self._lookups.get(host) or self._enqueue(host)

        def cancel(waiter: Deferred[list[str]]) -> None:
            lookup.waiters.remove(waiter)
            if not lookup.waiters and not lookup.is_running:
                self._drop(lookup)

        def raise_timeout(_: object, seconds: float) -> list[str]:
            raise LookupTimeoutError(f"no DNS server has answered for {host} within {seconds:g} s")

        waiter: Deferred[list[str]] = Deferred(cancel)
        lookup.waiters.append(waiter)
        waiter.addTimeout(timeout_s, self._reactor, raise_timeout)
        self._start_queued()
        return waiter

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Look up a host name for an endpoint of Twisted (IHostnameResolver)."""
        waiter = self.resolve(hostName, self._endpoint_timeout_s)
        resolution = _Resolution(hostName, waiter)
        resolutionReceiver.resolutionBegan(resolution)

        def report(addresses: Sequence[str]) -> None:
            for host in addresses:
                address_type = IPv6Address if ":" in host else IPv4Address
                if addressTypes is None or address_type in addressTypes:
                    address = address_type(transportSemantics, host, portNumber)  # type: ignore[arg-type]
                    resolutionReceiver.addressResolved(address)

        waiter.addCallbacks(report, lambda failure: None)  # a failure is a resolution without addresses
        waiter.addCallback(lambda _: resolutionReceiver.resolutionComplete())
        return resolution

    def _enqueue(self, host: str) -> _Lookup:
        lookup = self._lookups[host] = _Lookup(host, is_slow=host in self._slow_names)
        self._queue_of(lookup).append(lookup)
        return lookup

    def _drop(self, lookup: _Lookup) -> None:
        del self._lookups[lookup.host]
        self._queue_of(lookup).remove(lookup)

    def _queue_of(self, lookup: _Lookup) -> deque[_Lookup]:
        return self._slow_queue if lookup.is_slow else self._prompt_queue

    def _start_queued(self) -> None:
        while self._overdue and self._slow_running < SLOW_THREADS:
            self._count_as_slow(self._overdue.popleft())
        while self._prompt_queue and self._prompt_running < PROMPT_THREADS:
            self._prompt_running += 1
            self._start(self._prompt_queue.popleft())
        while self._slow_queue and self._slow_running < SLOW_RETRY_THREADS:
            self._slow_running += 1
            self._start(self._slow_queue.popleft())

    def _start(self, lookup: _Lookup) -> None:
        lookup.is_running = True
        lookup.slow_timer = self._reactor.callLater(SLOW_AFTER_S, self._on_slow, lookup)
        try:
            Thread(target=self._run, args=(lookup,), name="host lookup", daemon=True).start()
        except RuntimeError as problem:  # the system allows no more threads
            self._reactor.callLater(0, self._on_done, lookup, DNSLookupError(str(problem)))

    def _run(self, lookup: _Lookup) -> None:
        """Look the name up, in a thread."""
        outcome: Sequence[str] | Exception
        try:
            outcome = self._look_up(lookup.host)
        except Exception as problem:  # any: without an outcome, the name could not be looked up again
            outcome = DNSLookupError(f"{lookup.host}: {problem}")
        self._reactor.callFromThread(self._on_done, lookup, outcome)

    def _on_slow(self, lookup: _Lookup) -> None:
        """Give the place of a slow lookup to another name."""
        lookup.slow_timer = None
        self._slow_names.pop(lookup.host, None)
        self._slow_names[lookup.host] = None
        if len(self._slow_names) > MAX_SLOW_NAMES:
            del self._slow_names[next(iter(self._slow_names))]
        if not lookup.is_slow:
            self._overdue.append(lookup)
            self._start_queued()

    def _count_as_slow(self, lookup: _Lookup) -> None:
        lookup.is_slow = True
        self._prompt_running -= 1
        self._slow_running += 1

    def _on_done(self, lookup: _Lookup, outcome: Sequence[str] | Exception) -> None:
        if lookup.slow_timer is not None:
            lookup.slow_timer.cancel()
            self._slow_names.pop(lookup.host, None)
        elif lookup in self._overdue:
            self._overdue.remove(lookup)
        if lookup.is_slow:
            self._slow_running -= 1
        else:
            self._prompt_running -= 1
        del self._lookups[lookup.host]
        self._start_queued()
        while lookup.waiters:  # a callback may cancel other waiters
            waiter = lookup.waiters.pop(0)
            waiter.callback(Failure(outcome) if isinstance(outcome, Exception) else list(outcome))


@implementer(IHostResolution)
class _Resolution:
    """A lookup for an endpoint of Twisted."""

    def __init__(self, name: str, waiter: Deferred[Any]) -> None:
        self.name = name
        self._waiter = waiter

    def cancel(self) -> None:
        """End the wait; the receiver gets no address."""
        self._waiter.cancel()
