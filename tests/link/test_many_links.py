"""Work that concerns all links at once is spread over the turns of the reactor."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NoReturn

from twisted.internet.protocol import Factory
from twisted.logger import LogEvent

from pmslink.config.link_definition import parse_link
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.link.link_registry import LINKS_PER_TURN, LinkRegistry
from pmslink.link.link_sweep import LINKS_PER_PART, MAX_SWEEP_S
from pmslink.link.store_outage import STORE_GRACE_S
from tests.link.link_harness import START, ScriptedPms
from tests.memory_network import Network, advance_clock
from tests.memory_store import MemoryDatabase, make_store
from tests.store.store_harness import AUDIT_ENTRY
from tests.turn_clock import TurnClock

LINK_COUNT = 4 * LINKS_PER_TURN
MAX_TURNS = 100


class ManyLinks:
    """A registry with many links, and the turns in which they do something."""

    def __init__(self, count: int = LINK_COUNT, **settings: object) -> None:
        self.clock = TurnClock()
        self.network = Network(self.clock, Factory.forProtocol(ScriptedPms))
        self.database = MemoryDatabase()
        self.store = make_store(self.clock, self.wall_clock, self.database)
        self.links = LinkRegistry(self.clock, self.store, self.wall_clock, self.network.dial)
        for number in range(count):
            config = parse_link(f"hotel-{number}", {"host": "192.0.2.1", "port": 5010 + number, **settings})
            self.links.add(config)
        self.links.subscribe(lambda link, transition: self.clock.note_work())

    def wall_clock(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def work_until(self, is_done: Callable[[], bool]) -> list[int]:
        """Run turns until the condition holds; return how many changes each of them made."""
        first = self.clock.turn
        while not is_done():
            self.clock.run_turn()
            assert self.clock.turn < first + MAX_TURNS
        return [self.clock.work_by_turn[turn] for turn in range(first, self.clock.turn + 1)]

    def all_in(self, *markers: str) -> bool:
        return all(link.core.marker in markers for link in self.links)


def test_all_links_start_in_order_and_some_in_each_turn() -> None:
    many = ManyLinks()
    started: list[str] = []
    many.links.subscribe(
        lambda link, transition: started.append(link.name) if transition and not transition.old else None
    )
    many.links.startService()
    work = many.work_until(lambda: many.all_in("WAIT_LS"))
    assert max(work) == 2 * LINKS_PER_TURN  # each link announces CLOSED, then WAIT_LS
    assert started == [link.name for link in many.links]


def test_a_service_that_stops_while_its_links_start_starts_no_more_of_them() -> None:
    many = ManyLinks()
    many.links.startService()
    stopped = many.links.stopService()
    many.clock.run_turn()
    advance_clock(many.clock, 60)
    assert stopped.called
    assert many.network.dial_count == LINKS_PER_TURN
    assert not many.clock.getDelayedCalls()


def test_a_control_starts_a_link_whose_turn_has_not_come() -> None:
    many = ManyLinks(enabled=False)
    many.links.startService()
    last = [*many.links][-1]
    transitions: list[tuple[str | None, str]] = []
    many.links.subscribe(
        lambda link, change: transitions.append((change.old, change.new)) if change and link is last else None
    )
    controls.enable(last)
    many.work_until(lambda: not many.clock.getDelayedCalls() or all(link.is_running for link in many.links))
    assert transitions == [(None, "DISABLED"), ("DISABLED", "CLOSED"), ("CLOSED", "WAIT_LS")]
    assert many.network.dial_count == 1


def test_a_link_that_is_removed_before_its_turn_does_not_start() -> None:
    many = ManyLinks()
    many.links.startService()
    last = [*many.links][-1]
    del many.links._links[last.name]
    many.work_until(lambda: many.all_in("WAIT_LS"))
    assert not last.is_running


def test_links_whose_redial_delays_end_together_redial_some_in_each_turn() -> None:
    many = ManyLinks(retry_initial=5, retry_max=5)
    many.network.mode = "refuse"
    many.links.startService()
    many.work_until(lambda: many.all_in("EXPECTION"))
    many.clock.rightNow += 10  # every delay is over in the same turn
    many.network.mode = "black hole"
    work = many.work_until(lambda: many.all_in("WAIT_LS"))
    assert max(work) == LINKS_PER_TURN


def test_a_redial_that_waits_for_its_turn_is_dropped_with_the_intent() -> None:
    many = ManyLinks(retry_initial=5, retry_max=5)
    many.network.mode = "refuse"
    many.links.startService()
    many.work_until(lambda: many.all_in("EXPECTION"))
    many.clock.rightNow += 10
    many.network.mode = "black hole"
    many.clock.run_turn()
    waiting = [link for link in many.links if link.core.marker == "EXPECTION"]
    controls.disable(waiting[-1])
    many.work_until(lambda: many.all_in("WAIT_LS", "DISABLED"))
    advance_clock(many.clock, 0)
    assert waiting[-1].core.marker == "DISABLED"


def test_a_failing_store_closes_and_redials_some_links_in_each_turn() -> None:
    many = ManyLinks(retry_initial=2, retry_max=2)
    many.links.startService()
    many.work_until(lambda: many.all_in("WAIT_LS"))
    many.database.commit_error = sqlite3.OperationalError("database or disk is full")
    many.links.when_saved(AUDIT_ENTRY).addErrback(lambda failure: None)
    many.work_until(lambda: many.store.journal.is_failing)
    many.clock.rightNow += STORE_GRACE_S
    work = many.work_until(lambda: many.all_in("EXPECTION"))
    assert max(work) == LINKS_PER_TURN
    many.clock.rightNow += 5  # the redial delays end, and the redials wait for the store
    many.work_until(lambda: all(link.dialer.redial_in is None for link in many.links))
    assert many.all_in("EXPECTION")
    many.database.commit_error = None
    many.clock.rightNow += 2
    work = many.work_until(lambda: many.all_in("WAIT_LS"))
    assert max(work) == LINKS_PER_TURN


def test_links_stop_some_in_each_turn() -> None:
    many = ManyLinks()
    many.links.startService()
    many.work_until(lambda: many.all_in("WAIT_LS"))
    stopped = many.links.stopService()
    running = [LINK_COUNT]
    while not stopped.called:
        many.clock.run_turn()
        running.append(sum(link.is_running for link in many.links))
    assert max(before - after for before, after in pairwise(running)) == LINKS_PER_TURN
    assert many.network.open_count == 0


def test_every_link_expires_in_time_however_many_there_are() -> None:
    count = 4 * LINKS_PER_PART
    many = ManyLinks(count, enabled=False, expires_at=START + timedelta(seconds=1))
    visits: Counter[str] = Counter()
    for link in many.links:
        link.check_expiry = counting(link, visits)  # type: ignore[method-assign]
    many.links.startService()
    for _ in range(int(MAX_SWEEP_S)):
        advance_clock(many.clock, 1)
    assert len(visits) == count
    assert max(visits.values()) - min(visits.values()) <= 1
    assert sum(visits.values()) == LINKS_PER_PART * MAX_SWEEP_S


def test_a_link_whose_visit_fails_ends_the_sweep_of_no_other(leak_check: list[LogEvent]) -> None:
    many = ManyLinks(3, enabled=False, expires_at=START + timedelta(seconds=2))
    first, broken, last = many.links
    broken.check_expiry = fail  # type: ignore[method-assign]
    many.links.startService()
    advance_clock(many.clock, 3)
    assert (first.core.marker, last.core.marker) == ("EXPIRED", "EXPIRED")
    assert {event["log_failure"].type for event in leak_check} == {RuntimeError}
    leak_check.clear()
    many.links.stopService()
    advance_clock(many.clock, 0)
    assert not many.clock.getDelayedCalls()


def test_a_link_that_fails_to_stop_does_not_keep_the_service_running(leak_check: list[LogEvent]) -> None:
    many = ManyLinks(3)
    first, broken, last = many.links
    many.links.startService()
    many.work_until(lambda: many.all_in("WAIT_LS"))
    stop, broken.stop = broken.stop, fail  # type: ignore[method-assign]
    stopped = many.links.stopService()
    advance_clock(many.clock, 0)
    assert stopped.called
    assert (first.is_running, last.is_running) == (False, False)
    assert [event["link"] for event in leak_check] == [broken.name]
    leak_check.clear()
    stop()


def fail() -> NoReturn:
    raise RuntimeError("a fault of one link")


def counting(link: Link, visits: Counter[str]) -> Callable[[], None]:
    return lambda: visits.update([link.name])
