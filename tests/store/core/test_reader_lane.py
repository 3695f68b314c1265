"""Reads are bounded in number and time, and those that nobody waits for are not run (case E6)."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogEvent
from twisted.python.failure import Failure

from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.pool_thread import PoolThread
from pmslink.store.core.reader_lane import ReaderLane, ReadLimits
from pmslink.store.core.store_errors import ReadLimitError, StoreUnavailableError
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import ManualThread
from tests.time_limit import time_limit

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
LIMITS = ReadLimits(queued=3, seconds=60.0)


def endless(connection: Connection) -> None:
    connection.exec_driver_sql(ENDLESS)


def answer(connection: Connection) -> int:
    number: int = connection.exec_driver_sql("SELECT 42").scalar_one()
    return number


class ManualLane:
    """A lane whose threads run a query only when a test says so."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = [ManualThread() for _ in range(threads)]
        self.lane = ReaderLane(MemoryDatabase(), self.threads, LIMITS)
        self.ran: list[str] = []

    def read(self, name: str) -> Deferred[None]:
        return self.lane.read(lambda connection: self.ran.append(name))

    def run(self) -> list[str]:
        """Let each thread run what it has got, and return what has run."""
        for thread in self.threads:
            thread.run_queued()
        return self.ran


def error_of(deferred: Deferred[Any]) -> Exception:
    """Return the error with which a Deferred has failed."""
    failures: list[Failure] = []
    deferred.addErrback(failures.append)
    (failure,) = failures
    assert isinstance(failure.value, Exception)
    return failure.value


def test_reads_run_in_order_as_many_at_once_as_there_are_threads() -> None:
    manual = ManualLane(threads=2)
    for name in "abcde":
        manual.read(name)
    assert sorted(manual.run()) == ["a", "b"]
    assert sorted(manual.run()[2:]) == ["c", "d"]
    assert manual.run()[4:] == ["e"]


def test_too_many_queued_reads_are_rejected_and_the_others_run() -> None:
    manual = ManualLane()
    for name in "abcd":  # one runs, three wait
        manual.read(name)
    error = error_of(manual.read("e"))
    assert isinstance(error, ReadLimitError)
    assert str(error).startswith("3 other reads are waiting; send one request after the other")
    for _ in range(5):
        manual.run()
    assert manual.ran == ["a", "b", "c", "d"]
    manual.read("f")
    assert manual.run()[-1] == "f"


def test_a_cancelled_read_is_not_run_and_makes_room() -> None:
    manual = ManualLane()
    reads = [manual.read(name) for name in "abcd"]
    reads[2].cancel()
    assert isinstance(error_of(reads[2]), CancelledError)
    manual.read("e")
    reads[0].cancel()  # its thread has it, but has not begun
    assert isinstance(error_of(reads[0]), CancelledError)
    for _ in range(5):
        manual.run()
    assert manual.ran == ["b", "d", "e"]


@pytest.mark.parametrize("error", [ReadLimitError("too long"), StoreUnavailableError("gone"), ValueError()])
def test_a_query_that_fails_just_before_its_caller_goes_holds_up_no_other(
    error: Exception, leak_check: list[LogEvent]
) -> None:
    manual = ManualLane()
    reads: list[Deferred[None]] = []

    def fail_then_cancel(call: Any, *arguments: Any) -> Deferred[Any]:
        return run(call, *arguments).addErrback(cancel)

    def cancel(failure: Failure) -> Failure:
        """Let the caller go after the query has failed, and before the reactor gets the outcome."""
        reads[0].cancel()
        return failure

    def broken(connection: Connection) -> None:
        raise error

    run = manual.threads[0].run
    manual.threads[0].run = fail_then_cancel  # type: ignore[method-assign]
    reads += [manual.lane.read(broken), manual.read("b")]
    manual.run()
    assert isinstance(error_of(reads[0]), CancelledError)
    assert manual.run() == ["b"]
    logged = [event["log_failure"].type for event in leak_check]
    assert logged == ([ValueError] if isinstance(error, ValueError) else [])
    leak_check.clear()


def test_a_stop_cancels_what_waits() -> None:
    manual = ManualLane()
    reads = [manual.read(name) for name in "ab"]
    stopped = manual.lane.stop()
    assert isinstance(error_of(reads[1]), CancelledError)
    manual.run()
    assert isinstance(error_of(reads[0]), CancelledError)
    assert stopped.called
    assert manual.ran == []


@asynccontextmanager
async def running(directory: Path, seconds: float, threads: int = 1) -> AsyncIterator[ReaderLane]:
    """A lane with real threads on a file."""
    database = SqliteDatabase(directory)
    database.create()
    pool = [PoolThread(reactor, f"reading {number}") for number in range(threads)]
    lane = ReaderLane(database, pool, ReadLimits(queued=100, seconds=seconds))
    lane.start()
    try:
        yield lane
    finally:
        await lane.stop()
        lane.stop_threads()


@time_limit(60)
async def test_a_query_that_takes_too_long_is_ended_with_advice(tmp_path: Path) -> None:
    async with running(tmp_path, seconds=0.2) as lane:
        with pytest.raises(ReadLimitError, match=r"longer than 0\.2 s and was ended; ask for fewer entries"):
            await lane.read(endless)
        assert await lane.read(answer) == 42


@time_limit(60)
async def test_a_query_whose_caller_has_gone_is_ended(tmp_path: Path) -> None:
    async with running(tmp_path, seconds=3600) as lane:
        read = lane.read(endless)
        read.cancel()
        with pytest.raises(CancelledError):
            await read
        assert await lane.read(answer) == 42


@time_limit(60)
async def test_a_stop_ends_the_query_that_runs(tmp_path: Path) -> None:
    async with running(tmp_path, seconds=3600) as lane:
        begun = threading.Event()

        def query(connection: Connection) -> None:
            begun.set()
            endless(connection)

        read = lane.read(query)
        begun.wait(30)
    with pytest.raises(CancelledError):
        await read


@time_limit(60)
async def test_an_outage_is_told_from_a_limit(tmp_path: Path) -> None:
    async with running(tmp_path, seconds=3600) as lane:
        with pytest.raises(StoreUnavailableError, match="no such table: missing") as raised:
            await lane.read(lambda connection: connection.exec_driver_sql("SELECT * FROM missing"))
        assert not isinstance(raised.value, ReadLimitError)
        assert await lane.read(answer) == 42
