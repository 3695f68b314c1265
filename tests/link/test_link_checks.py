"""Link checks: when they are sent, and what their answers and failures do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmslink.link.cause import Cause
from tests.link.conftest import FixedRandom
from tests.link.link_harness import START, LinkHarness


@pytest.mark.parametrize(("share", "first"), [(0.0, 15), (1.0, 30)])
def test_the_first_check_comes_after_half_to_a_whole_interval(
    fixed_random: FixedRandom, share: float, first: float
) -> None:
    fixed_random.share = share
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    checks = harness.link.session.link_checks
    harness.run(first - 0.01)
    assert checks.last_check is None
    harness.run(0.02)
    assert checks.last_check == START + timedelta(seconds=first)
    harness.run(0.49)
    harness.send("LA|")
    assert checks.last_answer == harness.wall_clock()
    assert checks.round_trip_s == pytest.approx(0.5)


def test_a_new_interval_counts_from_the_next_check_on(fixed_random: FixedRandom) -> None:
    fixed_random.share = 1.0
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    harness.link.apply_config(harness.make_config(alive_interval=100))
    harness.run(30)
    assert harness.link.trace.record_counts["out", "LS"] == 1
    harness.send("LA|")
    harness.run(99.9)
    assert harness.link.trace.record_counts["out", "LS"] == 1
    harness.run(0.2)
    assert harness.link.trace.record_counts["out", "LS"] == 2


def test_a_check_that_cannot_run_makes_the_link_abnormal(
    fixed_random: FixedRandom, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()

    def fail() -> None:
        raise RuntimeError("no more checks")

    monkeypatch.setattr(harness.link.session, "send_link_check", fail)
    harness.run(30)
    assert [change.new for change in harness.changes if change][-2:] == ["EXPECTION", "WAIT_LS"]
    assert harness.link.core.cause == Cause("lost", {"detail": "the link check failed: no more checks"})


def test_no_link_check_is_sent_while_records_of_a_resync_arrive(fixed_random: FixedRandom) -> None:
    harness = LinkHarness(alive_interval=30, alive_timeout=3)
    harness.link.start()
    harness.dock()
    harness.send("DS|")
    for _ in range(10):
        harness.run(20)
        harness.send("LA|")
    assert harness.link.session.link_checks.last_check is None


def test_an_answer_that_waits_to_be_read_is_not_called_overdue(fixed_random: FixedRandom) -> None:
    fixed_random.share = 1.0
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    harness.run(30)
    # A turn of the reactor that comes late: the deadline is over, and the answer has arrived unread.
    harness.clock.rightNow += 60
    harness.newest.send("LA|")
    harness.run()
    assert harness.marker() == "ESTABLISHED"
    assert harness.link.session.link_checks.last_answer == harness.wall_clock()


def test_an_answer_that_could_not_be_read_has_its_whole_time_again(fixed_random: FixedRandom) -> None:
    fixed_random.share = 0.0
    harness = LinkHarness()  # the first check after 15 s, its answer within 3 s
    harness.link.start()
    harness.dock()
    harness.run(15)
    harness.link.dialer.pause_reading("backlog")
    harness.run(2.9)
    harness.link.dialer.resume_reading("backlog")
    harness.run(2.9)
    assert harness.marker() == "ESTABLISHED"
    harness.run(0.2)
    assert [change.new for change in harness.changes if change][-1] == "EXPECTION"
