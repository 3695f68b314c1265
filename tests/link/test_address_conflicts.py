"""Two links never use one host and port: the second would throw the first out, for ever (case D15)."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig, parse_api_link, parse_link
from pmslink.errors import NotApplicableError
from pmslink.host_resolver import LOOKUP_TIMEOUT_S, HostResolver, LookupTimeoutError
from pmslink.link import controls
from pmslink.link.cause import UNANSWERED_LOOKUP_CAUSE
from pmslink.link.host_addresses import parse_ip
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.tcp_dial import TcpDial, first_address
from pmslink.store.core.journal_interface import NullJournal
from pmslink.store.core.store_errors import StoreUnavailableError
from tests.link.link_harness import START, ScriptedPms
from tests.memory_network import Network, advance_clock
from tests.memory_store import MemoryDatabase, make_store
from tests.store.store_harness import AUDIT_ENTRY

ADDRESS: dict[str, object] = {"host": "pms.example", "port": 5010}


class Registry:
    """A registry of links over a store and a network in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.database = MemoryDatabase()
        self.network = Network(self.clock, Factory.forProtocol(ScriptedPms))
        self.start()

    def start(self, *declared: LinkConfig) -> None:
        self.store = make_store(self.clock, self.wall, self.database)
        network = self.network
        self.links = LinkRegistry(self.clock, self.store, self.wall, network.dial, accepting=network)
        for config in declared:
            self.links.add(config)
        self.links.add_stored()
        self.links.startService()
        advance_clock(self.clock, 0)

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def restart(self, *declared: LinkConfig) -> None:
        self.stop()
        self.start(*declared)

    def stop(self) -> None:
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        advance_clock(self.clock, 0)
        assert stopped
        self.store.journal.stop()

    def create(self, name: str, **settings: object) -> Link:
        definition = {**ADDRESS, "enabled": True, **settings}
        created: list[Any] = []
        creation = self.links.create(
            parse_api_link(name, definition), json.dumps(definition), None, AUDIT_ENTRY
        )
        Deferred.fromCoroutine(creation).addBoth(created.append)
        advance_clock(self.clock, 0)
        (link,) = created
        if isinstance(link, Failure):
            link.raiseException()
        assert isinstance(link, Link)
        return link

    def change(self, link: Link, **settings: object) -> None:
        definition = {**json.loads(link.definition or "{}"), **settings}
        self.links.redefine(link, json.dumps(definition), parse_api_link(link.name, definition))
        advance_clock(self.clock, 0)

    def remove(self, link: Link) -> None:
        removed: list[object] = []
        Deferred.fromCoroutine(self.links.remove(link, True, AUDIT_ENTRY)).addBoth(removed.append)
        advance_clock(self.clock, 0)
        assert removed == [None]

    def make_older_duplicates(self, *names: str) -> None:
        """Store links with one address, as versions before this one allowed."""
        for port, name in enumerate(names):
            self.create(name, port=port + 1)
        for name in names:
            link = self.links.get(name)
            assert link is not None
            link.definition = json.dumps({**ADDRESS, "enabled": True})
            link.connector.blocked_by = name  # it must not dial before the restart
            link.change_intent("disabled", link.machine.disable, link.core.cause)
            link.change_intent("enabled", link.machine.enable, link.core.cause)

    def state(self, name: str) -> tuple[str, str, str]:
        link = self.links.get(name)
        assert link is not None
        return link.core.marker, link.core.intent, link.core.cause.code


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"host": "PMS.Example"},
        {"enabled": False},
        {"framing": "crlf", "profile": "opera"},
    ],
)
def test_d15_a_second_link_with_the_address_is_rejected(registry: Registry, other: dict[str, object]) -> None:
    registry.create("first", enabled=False)
    with pytest.raises(NotApplicableError, match=r"the link first has .*:5010 already") as caught:
        registry.create("second", **other)
    assert caught.value.code == "in_use"
    assert [link.name for link in registry.links] == ["first"]
    registry.stop()


def test_another_port_or_the_other_direction_is_another_address(registry: Registry) -> None:
    registry.create("first")
    registry.create("second", port=5011)
    registry.create("third", connect="accept")
    with pytest.raises(NotApplicableError, match="the link third accepts connections on port 5010 already"):
        registry.create("fourth", connect="accept", host="other.example")
    registry.stop()


def test_d15_a_change_to_the_address_of_another_link_is_rejected(registry: Registry) -> None:
    registry.create("first")
    second = registry.create("second", port=5011)
    with pytest.raises(NotApplicableError, match="first"):
        registry.change(second, port=5010)
    registry.change(second, alive_interval=77, port=5012)
    registry.create("third", port=5011)
    registry.stop()


def test_a_removed_link_frees_its_address(registry: Registry) -> None:
    registry.remove(registry.create("first"))
    assert registry.create("second").core.marker == "WAIT_LS"
    registry.stop()


def test_d15_of_two_stored_links_the_older_keeps_the_address(registry: Registry) -> None:
    registry.make_older_duplicates("older", "newer", "newest")
    dials = registry.network.dial_count
    registry.restart()
    assert registry.state("older")[:2] == ("WAIT_LS", "enabled")
    assert registry.state("newer") == ("CLOSED", "enabled", "in_use")
    assert registry.network.dial_count == dials + 1
    newer = registry.links.get("newer")
    assert newer is not None
    assert newer.reason == "The link older has the same host and port"
    assert "change its host or port" in newer.status().advice
    with pytest.raises(NotApplicableError, match=r"the link older has pms\.example:5010 already") as caught:
        controls.enable(newer)
    assert caught.value.code == "in_use"
    with pytest.raises(NotApplicableError, match="older"):
        registry.change(newer, alive_interval=77)
    older = registry.links.get("older")
    assert older is not None
    registry.change(older, alive_interval=77)
    registry.change(newer, port=5011)
    assert registry.state("newer")[0] == "WAIT_LS"
    registry.stop()


def test_the_next_link_connects_when_the_one_with_the_address_is_removed(registry: Registry) -> None:
    registry.make_older_duplicates("older", "newer", "newest")
    registry.restart()
    older, newest = registry.links.get("older"), registry.links.get("newest")
    assert older is not None
    assert newest is not None
    registry.remove(older)
    assert registry.state("newer")[0] == "WAIT_LS"
    assert newest.reason == "The link newer has the same host and port"
    controls.disconnect(newest)
    newer = registry.links.get("newer")
    assert newer is not None
    registry.change(newer, port=5011)
    assert registry.state("newest") == ("CLOSED", "disconnected", "settings")
    controls.enable(newest)
    assert newest.core.marker == "WAIT_LS"
    registry.stop()


def test_d15_a_link_of_the_file_keeps_the_address(registry: Registry) -> None:
    registry.create("stored")
    registry.restart(parse_link("declared", ADDRESS))
    assert registry.state("declared")[0] == "WAIT_LS"
    assert registry.state("stored") == ("CLOSED", "enabled", "in_use")
    registry.stop()


def test_a_link_that_must_not_dial_does_not_dial_by_any_event(registry: Registry) -> None:
    registry.create("stored")
    registry.restart(parse_link("declared", ADDRESS))
    stored = registry.links.get("stored")
    assert stored is not None
    dials = registry.network.dial_count
    stored.machine.redial(stored.core.cause)
    advance_clock(registry.clock, 0)
    assert registry.state("stored") == ("EXPECTION", "enabled", "in_use")
    assert registry.network.dial_count == dials
    registry.stop()


def test_a_link_that_cannot_be_stored_holds_no_address(registry: Registry) -> None:
    registry.database.commit_error = sqlite3.OperationalError("database or disk is full")
    with pytest.raises(StoreUnavailableError):
        registry.create("first")
    registry.database.commit_error = None
    advance_clock(registry.clock, 60)
    registry.create("second")
    registry.stop()


class Resolver(HostResolver):
    """Answers when the test does."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[list[str]]] = []

    def resolve(self, host: str, timeout_s: float = LOOKUP_TIMEOUT_S) -> Deferred[list[str]]:
        if parse_ip(host) is not None:
            return succeed([host])
        self.waiting.append(Deferred())
        return self.waiting[-1]


class Reactor(Clock):
    """Dials nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.dials: list[tuple[str, int]] = []

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float) -> None:
        self.dials.append((host, port))
        factory.startedConnecting(self)

    def disconnect(self) -> None:
        """End the dial, as a connector does."""


def make_dialled_link(reactor: Reactor, dial: TcpDial, name: str, host: str) -> Link:
    config = parse_link(name, {"host": host, "port": 5010})
    link = Link(config, reactor, lambda: START, dial, lambda *_: None, NullJournal())
    link.start()
    return link


def test_d15_names_of_one_address_are_seen_at_the_dial() -> None:
    reactor, resolver = Reactor(), Resolver()
    dial = TcpDial(reactor, resolver)
    first = make_dialled_link(reactor, dial, "first", "pms.example")
    resolver.waiting.pop().callback(["192.0.2.1"])
    second = make_dialled_link(reactor, dial, "second", "fias.example")
    resolver.waiting.pop().callback(["192.0.2.1"])
    third = make_dialled_link(reactor, dial, "third", "192.0.2.1")
    assert reactor.dials == [("192.0.2.1", 5010)]
    assert first.core.marker == "WAIT_LS"
    for link in (second, third):
        assert (link.core.marker, link.core.cause.code) == ("EXPECTION", "in_use")
        assert link.reason == "The link first has the same host and port"


def test_a_lookup_that_is_hung_up_dials_nothing() -> None:
    reactor, resolver = Reactor(), Resolver()
    dial = TcpDial(reactor, resolver)
    link = make_dialled_link(reactor, dial, "first", "pms.example")
    controls.disable(link)
    assert link.core.marker == "DISABLED"
    assert resolver.waiting.pop().called
    assert reactor.dials == []
    other = make_dialled_link(reactor, dial, "other", "192.0.2.1")
    assert other.core.marker == "WAIT_LS"


def test_e2_a_lookup_that_hangs_is_the_reason_of_a_link_that_does_not_start() -> None:
    reactor, resolver = Reactor(), Resolver()
    dial = TcpDial(reactor, resolver)
    link = make_dialled_link(reactor, dial, "first", "pms.example")
    reactor.advance(link.settings().start_timeout)
    assert (link.core.marker, link.core.cause) == ("EXPECTION", UNANSWERED_LOOKUP_CAUSE)
    assert link.reason == "No DNS server has answered for the host name of pms.example:5010 in time"
    controls.enable(link)
    resolver.waiting.pop().errback(LookupTimeoutError("pms.example"))
    assert link.core.cause == UNANSWERED_LOOKUP_CAUSE
    controls.enable(link)
    resolver.waiting.pop().callback(["2001:db8::1", "192.0.2.1"])
    assert reactor.dials == [("192.0.2.1", 5010)]


def test_a_host_without_ipv4_is_dialled_over_ipv6() -> None:
    assert first_address(["2001:db8::1", "2001:db8::2"]) == "2001:db8::1"
