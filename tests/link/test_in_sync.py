"""Whether a link is in sync is kept as watchers are told it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock

from pmslink.config.link_definition import parse_link
from pmslink.fias.framing import framed
from pmslink.link.link import Link
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.store.core.journal_interface import NullJournal
from pmslink.store.tables.log_entries import SyncChanged
from tests.memory_network import Network, advance_clock

START = datetime(2026, 1, 1, tzinfo=UTC)


class Remembering(NullJournal):
    """A keeper that knows what changes of sync it got."""

    def __init__(self) -> None:
        super().__init__()
        self.syncs: list[SyncChanged] = []

    def submit_nowait(self, operation: Any, argument: Any, urgent: bool = True) -> None:
        super().submit_nowait(operation, argument, urgent)
        if isinstance(argument, SyncChanged):
            self.syncs.append(argument)


class Pms(Protocol):
    def connectionMade(self) -> None:
        self.factory.newest = self


class Hotel(Factory):
    """A PMS that says what a test makes it say, and a link to it that must keep whatever it tells."""

    noisy = False
    protocol = Pms
    newest: Pms

    def __init__(self, **settings: object) -> None:
        self.clock = Clock()
        self.keeper = Remembering()
        self.told: list[bool] = []
        config = parse_link("hotel", {"host": "192.0.2.1", "port": 5010, "alive_interval": 600, **settings})
        network = Network(self.clock, self)
        self.link = Link(config, self.clock, self.wall, network.dial, self._watch, self.keeper)
        self.link.resync.progress = Progress(wanted=False)
        self.link.start()
        self.run()

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def _watch(self, link: Link, transition: Transition | None) -> None:
        in_sync = link.session.in_sync
        assert in_sync == (self.keeper.syncs[-1].in_sync if self.keeper.syncs else False)
        self.told.append(in_sync)

    def run(self, seconds: float = 0.0) -> None:
        advance_clock(self.clock, seconds)

    def send(self, *texts: str) -> None:
        for text in texts:
            self.newest.transport.write(framed(text.encode(), "stx-etx"))  # type: ignore[union-attr]
            self.run()

    def kept(self) -> list[tuple[float, bool]]:
        return [((one.at - START).total_seconds(), one.in_sync) for one in self.keeper.syncs]


def test_a_change_is_kept_once_before_it_is_told() -> None:
    hotel = Hotel()
    hotel.run(1)
    hotel.send("LS|", "LA|", "LA|", "GI|RN101|")
    assert hotel.kept() == [(1, True)]
    assert hotel.told[-1] is True
    assert hotel.keeper.syncs[0].link == "hotel"


def test_both_directions_are_kept_also_while_the_state_stays() -> None:
    hotel = Hotel()
    hotel.send("LS|", "LA|")
    hotel.run(10)
    hotel.send("LS|")
    hotel.run(5)
    hotel.send("LA|")
    assert hotel.kept() == [(0, True), (10, False), (15, True)]
    assert [one.id for one in hotel.keeper.syncs] == sorted({one.id for one in hotel.keeper.syncs})


@pytest.mark.parametrize("end", ["lost", "LE", "disable"])
def test_the_end_of_the_link_is_the_end_of_sync(end: str) -> None:
    hotel = Hotel()
    hotel.send("LS|", "LA|")
    hotel.run(5)
    if end == "lost":
        hotel.newest.transport.abortConnection()  # type: ignore[union-attr]
    elif end == "LE":
        hotel.send("LE|")
    else:
        hotel.link.disable()
    hotel.run()
    assert hotel.kept() == [(0, True), (5, False)]


def test_a_link_that_is_in_sync_as_it_docks_is_so_before_its_state_is_told() -> None:
    hotel = Hotel(sync_on="declared")
    hotel.send("LS|")
    assert hotel.kept() == [(0, True)]
    assert hotel.told == [False, False, True]


def test_a_link_that_is_never_in_sync_keeps_nothing_of_it() -> None:
    hotel = Hotel()
    hotel.send("LS|")
    hotel.newest.transport.abortConnection()  # type: ignore[union-attr]
    hotel.run(30)
    assert hotel.kept() == []
