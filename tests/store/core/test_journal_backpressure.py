"""Limits of the journal's queue, waiting for an empty queue, and the data that a query reads."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, select
from twisted.internet.defer import Deferred

from pmslink.store.core.journal import BACKPRESSURE_LIMIT_WRITES, QUEUE_LIMIT_WRITES
from pmslink.store.core.schema import RECORDS
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.store_metadata import barrier
from pmslink.store.operations.hotel_updates import append_records
from tests.store.store_harness import DiskOutageError, ManualThread, StoreHarness, echo_arguments, make_record


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(RECORDS)).scalar_one()


def test_congestion_ends_once_the_queue_is_written(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    journal = harness.journal
    called: list[str] = []
    for _ in range(BACKPRESSURE_LIMIT_WRITES):
        journal.submit_nowait(barrier, None)
    assert not journal.is_congested
    journal.submit_nowait(barrier, None)
    assert journal.is_congested
    journal.when_drained(lambda: called.append("roomy"))
    harness.advance()
    assert journal.is_congested  # the batch in progress is not written yet
    assert called == []
    manual_thread.run_queued()
    assert not journal.is_congested
    assert called == ["roomy"]
    journal.submit_nowait(barrier, None)
    harness.advance()
    manual_thread.run_queued()
    assert called == ["roomy"]


def test_a_drain_callback_may_register_another(harness: StoreHarness) -> None:
    called: list[int] = []

    def again() -> None:
        called.append(1)
        if len(called) < 3:
            harness.journal.when_drained(again)

    harness.journal.when_drained(again)
    for _ in range(5):
        harness.submit(echo_arguments, 1)
    assert len(called) == 3


def test_drain_callbacks_are_called_only_without_an_outage(harness: StoreHarness) -> None:
    called: list[str] = []
    harness.database.start_failing()
    harness.submit_all(echo_arguments, 1)
    harness.journal.when_drained(lambda: called.append("roomy"))
    harness.advance(1)
    assert called == []
    harness.database.stop_failing()
    harness.advance(1)
    assert called == ["roomy"]


def test_above_the_queue_limit_writes_are_rejected_except_those_with_retry(harness: StoreHarness) -> None:
    journal = harness.journal
    for _ in range(QUEUE_LIMIT_WRITES):
        journal.submit_nowait(barrier, None)
    refused = journal.submit(echo_arguments, 1)
    retried = journal.submit(echo_arguments, 2, retry_until_stored=True)
    first, second = harness.outcomes([refused, retried])
    assert isinstance(first, StoreUnavailableError)
    assert "too slow" in str(first)
    assert second == 2
    assert harness.submit(echo_arguments, 3) == 3


def test_wait_idle_fires_once_nothing_is_queued(harness: StoreHarness, manual_thread: ManualThread) -> None:
    fired: list[str] = []

    def watch(idle: Deferred[None], name: str) -> None:
        idle.addCallback(lambda _: fired.append(name))

    watch(harness.journal.wait_idle(), "at rest")
    harness.advance()
    assert fired == ["at rest"]
    harness.journal.submit_nowait(barrier, None)
    watch(harness.journal.wait_idle(), "after the commit")
    harness.advance()
    harness.journal.submit_nowait(barrier, None)
    manual_thread.run_queued()
    assert fired == ["at rest"]
    harness.advance()
    manual_thread.run_queued()
    assert fired == ["at rest", "after the commit"]


def test_a_faulty_query_fails_and_the_next_one_succeeds(harness: StoreHarness) -> None:
    def faulty_query(connection: Connection) -> None:
        raise LookupError

    def failing_query(connection: Connection) -> None:
        raise DiskOutageError("the disk is gone")

    with pytest.raises(LookupError):
        harness.read(faulty_query)
    with pytest.raises(StoreUnavailableError, match="the disk is gone"):
        harness.read(failing_query)
    assert harness.read(count) == 0


def test_a_query_reads_committed_data_only(harness: StoreHarness, manual_thread: ManualThread) -> None:
    harness.journal.submit_nowait(append_records, make_record())
    harness.advance()
    assert harness.read(count) == 0
    manual_thread.run_queued()
    assert harness.read(count) == 1
