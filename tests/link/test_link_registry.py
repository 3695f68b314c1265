"""The registry of links, and its subscribers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from pmslink.config.link_definition import parse_link
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.machine import Marker
from pmslink.link.state_history import Transition
from tests.link.link_harness import START, ScriptedPms
from tests.memory_network import Network, advance_clock
from tests.memory_store import make_store

MARKERS: tuple[Marker, ...] = get_args(Marker)


def make_registry() -> tuple[Clock, LinkRegistry]:
    clock = Clock()
    network = Network(clock, Factory.forProtocol(ScriptedPms))

    def wall() -> datetime:
        return START + timedelta(seconds=clock.seconds())

    return clock, LinkRegistry(clock, make_store(clock, wall), wall, network.dial)


def test_links_are_found_counted_and_started_also_while_the_service_runs() -> None:
    clock, links = make_registry()
    first = links.add(parse_link("first", {"host": "192.0.2.1", "port": 1}))
    links.startService()
    second = links.add(parse_link("second", {"host": "192.0.2.1", "port": 2, "enabled": False}))
    assert links.get("first") is first
    assert links.get("third") is None
    assert list(links) == [first, second]
    assert len(links) == 2
    assert links.count_by_marker() == {**dict.fromkeys(MARKERS, 0), "WAIT_LS": 1, "DISABLED": 1}
    links.stopService()
    advance_clock(clock, 0)
    assert not clock.getDelayedCalls()


def test_a_service_that_never_ran_can_be_stopped() -> None:
    _, links = make_registry()
    assert links.stopService().called


def test_a_subscriber_that_fails_affects_neither_the_link_nor_other_subscribers(
    leak_check: list[LogEvent],
) -> None:
    clock, links = make_registry()
    link = links.add(parse_link("hotel", {"host": "192.0.2.1", "port": 1}))
    seen: list[Marker] = []

    def broken(link: Link, transition: Transition | None) -> None:
        raise RuntimeError("subscriber failure")

    def record(link: Link, transition: Transition | None) -> None:
        if transition is not None:
            seen.append(transition.new)

    unsubscribe = links.subscribe(broken)
    links.subscribe(record)
    links.startService()
    assert seen == ["CLOSED", "WAIT_LS"]
    assert [event["log_failure"].type for event in leak_check] == [RuntimeError, RuntimeError]
    leak_check.clear()
    unsubscribe()
    controls.disable(link)
    assert seen[-1] == "DISABLED"
    links.stopService()
    advance_clock(clock, 0)
