"""Bounds of time: for the work of one commit, for one turn of the reactor, and for a disk that is silent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from twisted.internet.task import Clock

from pmslink.store.core.batch_writer import COMMIT_WORK_LIMIT_S, PIECE_WRITES
from pmslink.store.core.disk_watch import CHECK_INTERVAL_S, SILENT_CHECKS_LIMIT, DiskWatch
from pmslink.store.core.journal import BATCH_DELAY_S, PUBLISHED_TOGETHER
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.core.turn_slices import TURN_LIMIT_S, TurnSlices
from pmslink.store.operations.hotel_updates import append_records
from tests.store.store_harness import ManualThread, StoreHarness, echo_arguments, make_record


class SlowWork:
    """An operation that takes some time, and notes how many arguments each of its calls got."""

    def __init__(self, clock: Clock, seconds_per_argument: float) -> None:
        self._clock = clock
        self._seconds = seconds_per_argument
        self.calls: list[list[int]] = []

    def __call__(self, transaction: Transaction, arguments: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(arguments))
        self._clock.rightNow += self._seconds * len(arguments)
        return list(arguments)


def test_a_commit_ends_at_a_turn_once_it_has_worked_long_enough(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    work = SlowWork(harness.clock, COMMIT_WORK_LIMIT_S / PIECE_WRITES)
    before = harness.database.commit_count
    results: list[int] = []
    manual_thread.run_queued()
    harness.journal.submit_nowait(echo_arguments, 0)
    harness.advance()  # a commit runs, so that the turns are queued
    for turn in range(4):
        for number in range(PIECE_WRITES - 1):
            harness.journal.submit(work, 100 * turn + number).addCallback(results.append)
        harness.advance()
    for _ in range(5):
        manual_thread.run_queued()
        harness.advance()
    assert [len(call) for call in work.calls] == [2 * (PIECE_WRITES - 1)] * 2  # whole turns
    assert harness.database.commit_count == before + 3
    assert results == sorted(results)
    assert len(results) == 4 * (PIECE_WRITES - 1)


def test_all_writes_of_one_turn_stay_in_one_commit(harness: StoreHarness) -> None:
    work = SlowWork(harness.clock, COMMIT_WORK_LIMIT_S)
    before = harness.database.commit_count
    results = harness.submit_all(work, *range(10 * PIECE_WRITES))
    assert results == list(range(10 * PIECE_WRITES))
    assert harness.database.commit_count == before + 1


def test_single_commits_after_a_faulty_write_are_bounded_as_well(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    def slow_or_faulty(transaction: Transaction, numbers: Sequence[int]) -> Sequence[int]:
        harness.clock.rightNow += COMMIT_WORK_LIMIT_S
        if 0 in numbers:
            raise ZeroDivisionError
        return list(numbers)

    outcomes: list[object] = []
    for number in range(3):
        harness.journal.submit(slow_or_faulty, number).addErrback(
            lambda failure: failure.trap(ZeroDivisionError)
        ).addCallback(outcomes.append)
    harness.advance()
    manual_thread.run_queued()
    assert outcomes == [ZeroDivisionError]  # the others follow in the next commit
    harness.advance()
    manual_thread.run_queued()
    assert outcomes == [ZeroDivisionError, 1, 2]


def test_a_write_that_is_not_urgent_waits_even_if_it_follows_from_a_commit(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    harness.journal.submit(echo_arguments, 1).addCallback(
        lambda _: harness.journal.submit_nowait(echo_arguments, 2, urgent=False)
    )
    harness.advance()
    assert harness.database.commit_count == before + 1
    harness.advance(BATCH_DELAY_S)
    assert harness.database.commit_count == before + 2


# The reactor's turns


def test_publishing_and_answering_are_spread_over_turns(harness: StoreHarness) -> None:
    done: list[object] = []

    def slow_subscriber(entries: Sequence[Entry]) -> None:
        done.append(len(entries))
        harness.clock.callLater(0, done.append, "next turn")
        harness.clock.rightNow += TURN_LIMIT_S

    harness.journal.on_commit.append(slow_subscriber)
    for _ in range(2 * PUBLISHED_TOGETHER):
        harness.journal.submit(append_records, make_record()).addCallback(lambda _: done.append("answered"))
    harness.advance()
    published = [PUBLISHED_TOGETHER, "next turn", PUBLISHED_TOGETHER, "next turn"]
    assert done == published + ["answered"] * (2 * PUBLISHED_TOGETHER)
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_slices_go_on_in_the_next_turn_and_end_once() -> None:
    clock, done = Clock(), list[int]()
    slices = TurnSlices(clock)
    ran: list[int] = []

    def steps() -> Iterator[None]:
        for number in range(4):
            ran.append(number)
            clock.rightNow += TURN_LIMIT_S / 2
            yield

    slices.run(steps(), lambda: done.append(len(ran)))
    assert (ran, done) == ([0, 1], [])
    clock.advance(0)
    assert ran == [0, 1, 2, 3]
    clock.advance(0)
    slices.finish()
    assert done == [4]


def test_finishing_runs_all_remaining_steps() -> None:
    clock, done = Clock(), list[int]()
    slices = TurnSlices(clock)
    ran: list[int] = []

    def steps() -> Iterator[None]:
        for number in range(4):
            ran.append(number)
            clock.rightNow += TURN_LIMIT_S
            yield

    slices.run(steps(), lambda: done.append(len(ran)))
    slices.finish()
    assert done == [4]
    assert not clock.getDelayedCalls()


# A silent disk


def test_a_disk_that_completes_nothing_is_reported_until_it_does(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    harness.journal.submit_nowait(echo_arguments, 1)
    harness.advance()
    for _ in range(SILENT_CHECKS_LIMIT - 1):
        harness.advance(CHECK_INTERVAL_S)
    assert not harness.journal.is_failing
    harness.advance(CHECK_INTERVAL_S)
    assert harness.journal.failure_reason == "the disk does not respond"
    manual_thread.run_queued()
    assert not harness.journal.is_failing


class WatchedWork:
    """A watch of a commit whose progress a test sets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.progress = 0
        self.alarms: list[float] = []
        self.watch = DiskWatch(self.clock, lambda: self.progress, self._on_silent)
        self.watch.start()

    def _on_silent(self) -> None:
        self.alarms.append(self.clock.seconds())


@pytest.mark.parametrize("interval", [CHECK_INTERVAL_S, 3 * CHECK_INTERVAL_S])
def test_a_long_commit_that_makes_progress_is_no_silent_disk(interval: float) -> None:
    work = WatchedWork()
    for _ in range(60):
        work.progress += 1
        work.clock.pump([CHECK_INTERVAL_S] * round(interval / CHECK_INTERVAL_S))
    assert work.alarms == []
    work.watch.stop()


def test_a_reactor_that_is_late_is_no_silent_disk() -> None:
    work = WatchedWork()
    work.clock.advance(60)
    assert work.alarms == []
    for _ in range(SILENT_CHECKS_LIMIT):
        work.clock.advance(CHECK_INTERVAL_S)
    assert len(work.alarms) == 1
    work.watch.stop()
    assert not work.clock.getDelayedCalls()
