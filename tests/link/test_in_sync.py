"""Changes of in-sync are stored before they are published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock

from pmslink.config.link_definition import parse_link
from pmslink.fias.framing import framed
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.store.core.journal_interface import NullJournal
from pmslink.store.tables.log_entries import SyncChanged
from tests.memory_network import Network, advance_clock

START = datetime(2026, 1, 1, tzinfo=UTC)


class RecordingJournal(NullJournal):
    """A journal that records the changes of in-sync."""

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
    """A PMS that sends what a test scripts, and a link that must store a change before it publishes it."""

    noisy = False
    protocol = Pms
    newest: Pms

    def __init__(self, **settings: object) -> None:
        self.clock = Clock()
        self.journal = RecordingJournal()
        self.published: list[bool] = []
        config = parse_link("hotel", {"host": "192.0.2.1", "port": 5010, "alive_interval": 600, **settings})
        network = Network(self.clock, self)
        self.link = Link(config, self.clock, self.wall, network.dial, self._on_change, self.journal)
        self.link.resync.progress = Progress(wanted=False)
        self.link.start()
        self.run()

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def _on_change(self, link: Link, transition: Transition | None) -> None:
        in_sync = link.session.in_sync
        assert in_sync == (self.journal.syncs[-1].in_sync if self.journal.syncs else False)
        self.published.append(in_sync)

    def run(self, seconds: float = 0.0) -> None:
        advance_clock(self.clock, seconds)

    def send(self, *texts: str) -> None:
        for text in texts:
            self.newest.transport.write(framed(text.encode(), "stx-etx"))  # type: ignore[union-attr]
            self.run()

    def stored_changes(self) -> list[tuple[float, bool]]:
        return [((change.at - START).total_seconds(), change.in_sync) for change in self.journal.syncs]


def test_a_change_is_stored_once_before_it_is_published() -> None:
    hotel = Hotel()
    hotel.run(1)
    hotel.send("LS|", "LA|", "LA|", "GI|RN101|")
    assert hotel.stored_changes() == [(1, True)]
    assert hotel.published[-1] is True
    assert hotel.journal.syncs[0].link == "hotel"


def test_both_directions_are_stored_while_the_state_stays() -> None:
    hotel = Hotel()
    hotel.send("LS|", "LA|")
    hotel.run(10)
    hotel.send("LS|")
    hotel.run(5)
    hotel.send("LA|")
    assert hotel.stored_changes() == [(0, True), (10, False), (15, True)]
    assert [change.id for change in hotel.journal.syncs] == sorted(
        {change.id for change in hotel.journal.syncs}
    )


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
        controls.disable(hotel.link)
    hotel.run()
    assert hotel.stored_changes() == [(0, True), (5, False)]


def test_a_link_that_is_in_sync_when_it_docks_is_so_before_its_state_is_published() -> None:
    hotel = Hotel(sync_on="declared")
    hotel.send("LS|")
    assert hotel.stored_changes() == [(0, True)]
    assert hotel.published == [False, False, True]


def test_a_link_that_is_never_in_sync_stores_no_change() -> None:
    hotel = Hotel()
    hotel.send("LS|")
    hotel.newest.transport.abortConnection()  # type: ignore[union-attr]
    hotel.run(30)
    assert hotel.stored_changes() == []
