"""Lookups of host names: shared, bounded, with a timeout, and those that hang apart from the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from twisted.internet import reactor as global_reactor
from twisted.internet.address import IPv6Address
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostResolution, IResolutionReceiver
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from pmslink.host_resolver import (
    LOOKUP_TIMEOUT_S,
    PROMPT_THREADS,
    SLOW_AFTER_S,
    SLOW_RETRY_THREADS,
    SLOW_THREADS,
    HostResolver,
    LookupTimeoutError,
    look_up_addresses,
)
from tests.time_limit import time_limit

reactor: Any = global_reactor


class _ThreadClock(Clock):
    def callFromThread(self, call: Callable[..., None], *arguments: Any) -> None:
        call(*arguments)


class LookupThreads:
    """Stands for the threads of lookups: each of them ends when the test says what it has found."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = _ThreadClock()
        self.running: dict[str, Callable[[], None]] = {}
        self.addresses: dict[str, Sequence[str]] = {}
        self.can_start = True
        monkeypatch.setattr("pmslink.host_resolver.Thread", self._thread)
        self.resolver = HostResolver(self.clock, self._look_up)

    def _look_up(self, host: str) -> Sequence[str]:
        if host not in self.addresses:
            raise OSError("Name or service not known")
        return self.addresses[host]

    def _thread(self, target: Callable[..., None], args: Any, name: str, daemon: bool) -> Any:
        assert daemon, "the end of the process must not wait for it"
        lookups = self

        class _Thread:
            def start(self) -> None:
                if not lookups.can_start:
                    raise RuntimeError("can't start new thread")
                assert args[0].host not in lookups.running, "one lookup of a name at a time"
                lookups.running[args[0].host] = lambda: target(*args)

        return _Thread()

    def resolve(self, host: str) -> list[Any]:
        """Return a list that gets the outcome: the addresses, or the type of the error."""
        outcome: list[Any] = []
        self.resolver.resolve(host).addCallbacks(outcome.append, lambda failure: outcome.append(failure.type))
        return outcome

    def hang(self, names: Sequence[str]) -> None:
        """Look up names that no server answers, until each lookup has been abandoned."""
        for name in names:
            self.resolve(name)
        self.clock.pump([SLOW_AFTER_S] * (int(LOOKUP_TIMEOUT_S / SLOW_AFTER_S) + 1))

    def end(self, host: str, *addresses: str) -> None:
        """End the lookup of a name that runs."""
        if addresses:
            self.addresses[host] = addresses
        self.running.pop(host)()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> LookupThreads:
    return LookupThreads(monkeypatch)


def test_waiters_share_the_lookup_of_a_name(threads: LookupThreads) -> None:
    first, second = threads.resolve("pms.example"), threads.resolve("pms.example")
    assert list(threads.running) == ["pms.example"]
    threads.end("pms.example", "192.0.2.1", "2001:db8::1")
    assert first == second == [["192.0.2.1", "2001:db8::1"]]
    assert not threads.clock.getDelayedCalls()


def test_an_address_is_not_looked_up(threads: LookupThreads) -> None:
    assert threads.resolve("192.0.2.1") == [["192.0.2.1"]]
    assert threads.resolve("2001:db8::1") == [["2001:db8::1"]]
    assert not threads.running


def test_a_name_without_an_address_fails(threads: LookupThreads) -> None:
    outcome = threads.resolve("pms.example")
    threads.end("pms.example")
    assert outcome == [DNSLookupError]


def test_a_lookup_that_raises_another_error_fails_and_the_name_is_looked_up_again(
    threads: LookupThreads,
) -> None:
    outcome = threads.resolve("pms.example")
    threads.addresses = None  # type: ignore[assignment]  # the lookup raises TypeError
    threads.end("pms.example")
    assert outcome == [DNSLookupError]
    threads.addresses = {}
    later = threads.resolve("pms.example")
    threads.end("pms.example", "192.0.2.1")
    assert later == [["192.0.2.1"]]


def test_a_lookup_without_a_thread_fails(threads: LookupThreads) -> None:
    threads.can_start = False
    outcome = threads.resolve("pms.example")
    threads.clock.advance(0)
    assert outcome == [DNSLookupError]
    threads.can_start = True
    threads.resolve("pms.example")
    assert list(threads.running) == ["pms.example"]


def test_a_waiter_gives_up_and_a_later_one_shares_the_lookup(threads: LookupThreads) -> None:
    outcome = threads.resolve("pms.example")
    threads.clock.advance(LOOKUP_TIMEOUT_S)
    assert outcome == [LookupTimeoutError]
    later = threads.resolve("pms.example")
    threads.end("pms.example", "192.0.2.1")
    assert later == [["192.0.2.1"]]


def test_a_waiter_that_is_cancelled_is_free_at_once(threads: LookupThreads) -> None:
    cancelled, other = threads.resolver.resolve("pms.example"), threads.resolve("pms.example")
    failures: list[Any] = []
    cancelled.addErrback(failures.append)
    cancelled.cancel()
    assert failures[0].check(CancelledError)
    threads.end("pms.example", "192.0.2.1")
    assert other == [["192.0.2.1"]]


def test_a_callback_may_cancel_another_waiter(threads: LookupThreads) -> None:
    first, second = threads.resolver.resolve("pms.example"), threads.resolver.resolve("pms.example")
    second.addErrback(lambda failure: failure.trap(CancelledError))
    first.addCallback(lambda _: second.cancel())
    threads.end("pms.example", "192.0.2.1")
    assert first.called
    assert second.called


def test_e2_names_that_hang_hold_up_no_other_name(threads: LookupThreads) -> None:
    dead = [f"dead{number}.example" for number in range(3 * PROMPT_THREADS)]
    for name in dead:
        threads.resolve(name)
    outcome = threads.resolve("pms.example")
    assert len(threads.running) == PROMPT_THREADS
    threads.clock.pump([SLOW_AFTER_S] * 3)
    threads.end("pms.example", "192.0.2.1")
    assert outcome == [["192.0.2.1"]]
    # now they are known as slow: the next lookup of another name begins at once, while they hang again
    for name in dead:
        threads.end(name)
        threads.resolve(name)
    assert len(threads.running) == SLOW_RETRY_THREADS
    outcome = threads.resolve("pms.example")
    threads.end("pms.example")
    assert outcome == [["192.0.2.1"]]


def test_e2_the_number_of_threads_is_bounded(threads: LookupThreads) -> None:
    names = [f"dead{number}.example" for number in range(3 * (PROMPT_THREADS + SLOW_THREADS))]
    threads.hang(names)
    assert len(threads.running) == PROMPT_THREADS + SLOW_THREADS
    outcome = threads.resolve("pms.example")
    assert "pms.example" not in threads.running
    threads.end(names[0])  # one that hangs makes room
    threads.end("pms.example", "192.0.2.1")
    assert outcome == [["192.0.2.1"]]
    for name in list(threads.running):
        threads.end(name)
    assert not threads.clock.getDelayedCalls()
    assert threads.resolver._lookups == {}


def test_a_name_that_is_answered_again_is_slow_no_longer(threads: LookupThreads) -> None:
    threads.hang(["pms.example"])
    threads.end("pms.example")
    for _ in range(2):
        threads.resolve("pms.example")
        threads.end("pms.example", "192.0.2.1")
    assert threads.resolver._slow_names == {}


def test_only_so_many_slow_names_are_remembered(
    threads: LookupThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmslink.host_resolver.MAX_SLOW_NAMES", 2)
    threads.hang(["one.example", "two.example", "three.example"])
    assert list(threads.resolver._slow_names) == ["two.example", "three.example"]


def test_an_endpoint_connects_to_a_name_that_a_thread_looks_up(threads: LookupThreads) -> None:
    memory = MemoryReactorClock()
    memory.nameResolver = threads.resolver
    HostnameEndpoint(memory, "pms.example", 5010).connect(Factory.forProtocol(Protocol))
    assert memory.tcpClients == []
    threads.end("pms.example", "192.0.2.1")
    assert [client[:2] for client in memory.tcpClients] == [("192.0.2.1", 5010)]


@implementer(IResolutionReceiver)
class _Receiver:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.addresses: list[Any] = []
        self.is_complete = False

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self.resolution = resolutionInProgress

    def addressResolved(self, address: Any) -> None:
        self.addresses.append(address)

    def resolutionComplete(self) -> None:
        self.is_complete = True


def test_a_receiver_gets_the_types_of_addresses_that_it_asks_for(threads: LookupThreads) -> None:
    receiver = _Receiver()
    threads.resolver.resolveHostName(receiver, "pms.example", 5010, [IPv6Address])
    threads.end("pms.example", "192.0.2.1", "2001:db8::1")
    assert receiver.addresses == [IPv6Address("TCP", "2001:db8::1", 5010)]
    assert receiver.is_complete


def test_a_receiver_can_cancel(threads: LookupThreads) -> None:
    receiver = _Receiver()
    threads.resolver.resolveHostName(receiver, "pms.example")
    receiver.resolution.cancel()
    assert receiver.is_complete
    threads.end("pms.example", "192.0.2.1")
    assert receiver.addresses == []


@time_limit(10)
async def test_the_system_s_lookup_knows_the_loopback_address() -> None:
    assert "127.0.0.1" in await HostResolver(reactor, look_up_addresses).resolve("localhost")


@time_limit(10)
async def test_a_name_that_cannot_be_written_in_dns_fails() -> None:
    with pytest.raises(DNSLookupError):
        await HostResolver(reactor).resolve("a..b")


@time_limit(10)
async def test_a_lookup_that_hangs_outlives_its_waiter_in_a_daemon_thread() -> None:
    answer = threading.Event()
    resolver = HostResolver(reactor, lambda host: ["192.0.2.1"] if answer.wait(60) else [])
    with pytest.raises(LookupTimeoutError):
        await resolver.resolve("dead.example", timeout_s=0.01)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "host lookup"]
    assert thread.daemon
    later = resolver.resolve("dead.example")
    answer.set()
    assert await later == ["192.0.2.1"]
