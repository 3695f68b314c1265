"""Limits of what a PMS can make the service store and announce without end (case E5)."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from pmslink.fias.record import Record
from pmslink.link.connection import RARE_RECORDS_BURST, RARE_RECORDS_PER_S
from pmslink.link.link import REFRESH_BURST, REFRESHES_PER_S
from pmslink.link.rate_limit import RateLimit
from tests.link.link_harness import LinkHarness


def test_a_burst_is_within_the_limit_and_then_the_rate_counts() -> None:
    clock = Clock()
    limit = RateLimit(clock.seconds, burst=3, per_second=2)
    for _ in range(3):
        assert limit.wait() == 0
        limit.count()
    assert limit.wait() == 0.5
    clock.advance(0.5)
    assert limit.wait() == 0
    limit.count()
    assert limit.wait() == 0.5
    clock.advance(100)
    for _ in range(3):
        assert limit.wait() == 0
        limit.count()
    assert limit.wait() == 0.5


@pytest.mark.parametrize(
    "records", [("LS|", "LA|"), ("NS|", "NE|"), ("DS|", "DE|"), ("DS|", "GI|RN101|", "DE|")]
)
def test_e5_a_pms_that_repeats_rare_records_without_end_is_read_slowly(records: tuple[str, ...]) -> None:
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    before = len(harness.changes)
    rare = {text[:2] for text in records} - {"LA", "GI"}
    for _ in range(50):
        harness.newest.send(*records)

    def received() -> int:
        return sum(harness.link.trace.record_counts["in", record_id] for record_id in rare)

    harness.run()
    assert received() <= RARE_RECORDS_BURST + 2
    harness.run(10)
    assert received() <= RARE_RECORDS_BURST + 2 + 10 * RARE_RECORDS_PER_S
    assert len(harness.changes) - before <= 2 * received() + REFRESH_BURST + 10 * REFRESHES_PER_S
    harness.run(60)
    assert received() >= 50 * len(rare)
    assert harness.marker() == "ESTABLISHED"


def test_e5_a_pause_ends_with_its_connection() -> None:
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    for _ in range(50):
        harness.newest.send("NS|", "NE|")
    harness.run()
    stopped: list[object] = []
    harness.link.stop().addCallback(stopped.append)
    harness.run(1)
    assert stopped
    assert harness.clock.getDelayedCalls() == []


def test_e5_a_link_whose_facts_change_without_end_is_published_a_few_times_a_second() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    before = len(harness.changes)
    for number in range(1000):
        harness.link.diagnosis.examine_record(Record(f"GI|G#{number}|"))
        harness.link.refresh()
    assert len(harness.changes) - before == REFRESH_BURST
    harness.clock.advance(1)
    harness.link.refresh()
    assert len(harness.changes) - before == REFRESH_BURST + 1
    harness.link.refresh()
    assert len(harness.changes) - before == REFRESH_BURST + 1, "nothing has changed since"
