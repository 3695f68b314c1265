"""A PMS that sends as fast as it can waits for its own records; the other links do not (case E5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock

from pmslink.config.link_definition import parse_link
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.receive_backlog import MAX_STEPS, RECORDS_PER_STEP
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import RecordLogged
from tests.link.link_harness import START, ScriptedPms
from tests.memory_network import Network, advance_clock
from tests.memory_store import make_store
from tests.store.store_harness import ManualThread

MAX_BACKLOG = MAX_STEPS * RECORDS_PER_STEP
LONG_RECORD = "XL|RN101|MT" + "x" * 16_000 + "|"


class TwoLinks:
    """Two docked links over one store, whose commits run when a test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.writer = ManualThread()
        self.store = make_store(self.clock, self.wall, writing=self.writer)
        self.stored: Counter[str] = Counter()
        """Data records that were stored, by link."""
        self.store.journal.on_commit.append(self._count)
        network = Network(self.clock, Factory.forProtocol(ScriptedPms))
        self.links = LinkRegistry(self.clock, self.store, self.wall, network.dial)
        for port, name in enumerate(("talkative", "quiet"), 1):
            self.links.add(parse_link(name, {"host": "pms.example", "port": port, "sync_on": "declared"}))
        self.store.startService()
        self.links.startService()
        self.commit()
        for name in ("talkative", "quiet"):
            self.send(name, "LS|")
            assert self.link(name).session.in_sync
        while self.store.journal._batch_size or self.store.journal._queue:
            self.commit()

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def _count(self, entries: Sequence[Entry]) -> None:
        self.stored.update(
            entry.link for entry in entries if isinstance(entry, RecordLogged) and entry.type == "XL"
        )

    def link(self, name: str) -> Link:
        link = self.links.get(name)
        assert link is not None
        return link

    def send(self, name: str, *texts: str) -> None:
        connection = self.link(name).dialer._connection
        assert connection is not None
        transport: Any = connection.transport
        transport.peer.write(b"".join(b"\x02" + text.encode() + b"\x03" for text in texts))
        advance_clock(self.clock, 0)

    def received(self, name: str) -> int:
        return self.link(name).trace.record_counts["in", "XL"]

    def commit(self) -> None:
        advance_clock(self.clock, 0)
        self.writer.run_queued()
        advance_clock(self.clock, 0)


@pytest.fixture
def two() -> TwoLinks:
    return TwoLinks()


def test_e5_reading_from_a_talkative_pms_pauses_while_its_own_records_wait(two: TwoLinks) -> None:
    two.send("talkative", *["XL|RN101|MTx|"] * 1000)
    received = two.received("talkative")
    assert MAX_BACKLOG - RECORDS_PER_STEP < received <= MAX_BACKLOG
    assert two.link("talkative").dialer.reading_paused
    assert not two.link("quiet").dialer.reading_paused
    two.send("talkative", LONG_RECORD)
    assert two.received("talkative") == received, "the operating system holds the rest back"


def test_e5_the_record_of_another_link_waits_for_a_bounded_number_of_records(two: TwoLinks) -> None:
    two.send("talkative", *["XL|RN101|MTx|"] * 5000)
    two.send("quiet", "XL|RN102|MTx|")
    while not two.stored["quiet"]:
        two.commit()
    assert two.stored["talkative"] <= 2 * MAX_BACKLOG


def test_e5_all_records_of_a_talkative_pms_are_stored_in_order(two: TwoLinks) -> None:
    two.send("talkative", *[f"XL|RN101|MT{number}|" for number in range(1000)])
    commits = 0
    while two.stored["talkative"] < 1000:
        two.commit()
        commits += 1
        unstored = two.received("talkative") - two.stored["talkative"]
        assert unstored <= MAX_BACKLOG
    assert commits <= 2 * 1000 / RECORDS_PER_STEP + 2
    texts = [entry.text for entry in two.link("talkative").trace.newest(None, "in", "XL")]
    assert texts == [f"XL|RN101|MT{number}|" for number in reversed(range(1000))]
    two.commit()
    assert not two.link("talkative").dialer.reading_paused


@pytest.mark.parametrize("text", ["LA|", "ZZ|junk|"])
def test_e5_records_that_are_not_stored_are_bounded_in_each_turn_too(two: TwoLinks, text: str) -> None:
    two.send("talkative", *[text] * 2000)
    counts = two.link("talkative").trace.record_counts
    name = "LA" if text == "LA|" else "junk"
    assert counts["in", name] <= MAX_BACKLOG
    for _ in range(2 * 2000 // RECORDS_PER_STEP):
        two.commit()
    assert counts["in", name] == 2000


def test_e5_a_new_connection_waits_for_the_records_of_the_last_one(two: TwoLinks) -> None:
    two.send("talkative", *["XL|RN101|MTx|"] * 1000)
    link = two.link("talkative")
    received = two.received("talkative")
    link.machine.readdress(link.core.cause)
    advance_clock(two.clock, 1)
    two.send("talkative", *["XL|RN101|MTy|"] * 10)
    assert two.received("talkative") == received + 1
    assert link.dialer.reading_paused
    two.commit()
    two.commit()
    assert two.received("talkative") == received + 10


def test_e5_a_failing_store_and_its_recovery_resume_reading(two: TwoLinks) -> None:
    two.send("talkative", *["XL|RN101|MTx|"] * 300)
    link = two.link("talkative")
    link.dialer.pause_reading("store")
    link.on_store_recovered()
    assert link.dialer.reading_paused, "its own records wait still"
    while two.stored["talkative"] < 300:
        two.commit()
    two.commit()
    assert not link.dialer.reading_paused
