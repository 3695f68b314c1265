"""The journal: group commits, results in order, isolated faults, and publishing after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select
from twisted.logger import LogEvent

from pmslink.store.core.schema import RECORDS
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import PURGE_INTERVAL_S
from pmslink.store.tables.history_queries import newest_records
from tests.store.store_harness import LINK_NAME, ManualThread, StoreHarness, echo_arguments, make_record

BAD = "GI|GN\ud800|"
"""A lone surrogate, which no database accepts as text."""


def texts(connection: Connection) -> list[str]:
    return [record.text for record in newest_records(connection, LINK_NAME, None, None, None, 100)][::-1]


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(RECORDS)).scalar_one()


def test_writes_of_one_reactor_turn_are_one_commit(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    results = harness.submit_all(echo_arguments, *range(100))
    assert harness.database.commit_count == before + 1
    assert results == list(range(100))


def test_a_second_turn_is_a_second_commit(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    harness.submit(echo_arguments, 1)
    harness.submit(echo_arguments, 2)
    assert harness.database.commit_count == before + 2


def test_without_writes_there_is_no_commit(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    harness.advance(PURGE_INTERVAL_S - 1)
    assert harness.database.commit_count == before


def test_writes_during_a_commit_go_into_the_next_one(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    before = harness.database.commit_count
    fired: list[int] = []
    for number in range(5):
        harness.journal.submit(echo_arguments, number).addCallback(fired.append)
        harness.advance()  # the first write starts a commit that does not end yet
    assert fired == []
    manual_thread.run_queued()
    assert (fired, harness.database.commit_count) == ([0], before + 1)
    harness.advance()
    manual_thread.run_queued()
    assert (fired, harness.database.commit_count) == ([0, 1, 2, 3, 4], before + 2)


def test_neighbours_with_one_operation_are_one_call_and_the_order_stays(harness: StoreHarness) -> None:
    calls: list[tuple[str, list[int]]] = []

    def odd(transaction: Transaction, arguments: Sequence[int]) -> Sequence[None]:
        calls.append(("odd", list(arguments)))
        return [None] * len(arguments)

    def even(transaction: Transaction, arguments: Sequence[int]) -> Sequence[None]:
        calls.append(("even", list(arguments)))
        return [None] * len(arguments)

    for number in (1, 3, 2, 5, 7):
        harness.journal.submit_nowait(odd if number % 2 else even, number)
    harness.advance()
    assert calls == [("odd", [1, 3]), ("even", [2]), ("odd", [5, 7])]


def test_an_operation_may_return_results_and_errors(harness: StoreHarness) -> None:
    def judge(transaction: Transaction, numbers: Sequence[int]) -> Sequence[int | Exception]:
        return [KeyError(number) if number % 2 else number for number in numbers]

    two, three = harness.submit_all(judge, 2, 3)
    assert two == 2
    assert isinstance(three, KeyError)


def test_a_faulty_write_does_not_affect_its_neighbours(harness: StoreHarness) -> None:
    results = harness.submit_all(append_records, *map(make_record, ["GI|1|", BAD, "GI|2|"]))
    assert [type(result) for result in results] == [type(None), UnicodeEncodeError, type(None)]
    assert harness.read(texts) == ["GI|1|", "GI|2|"]
    assert not harness.journal.is_failing
    assert len(harness.published) == 2
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_the_error_of_a_write_without_a_caller_is_logged(
    harness: StoreHarness, leak_check: list[LogEvent]
) -> None:
    harness.journal.submit_nowait(append_records, make_record(BAD))
    harness.journal.submit_nowait(append_records, make_record("GI|1|"))
    harness.advance()
    assert harness.read(texts) == ["GI|1|"]
    (event,) = leak_check
    assert event["log_format"] == "operation {operation} failed; its entry is not stored"
    leak_check.clear()


def test_an_outage_during_single_commits_repeats_nothing(harness: StoreHarness) -> None:
    """The first write is faulty, the second is committed alone, then the disk fails."""
    begun = harness.database.commit_count
    harness.database.fails_at = lambda commit: commit > begun + 1
    journal = harness.journal
    outcomes: list[Any] = []
    for text, retry_until_stored_flag in [(BAD, False), ("GI|1|", True), ("GI|2|", True), ("GI|3|", False)]:
        journal.submit(append_records, make_record(text), retry_until_stored_flag).addBoth(
            lambda outcome: outcomes.append(outcome)
        )
    harness.advance()
    assert [getattr(one, "type", None) for one in outcomes] == [
        UnicodeEncodeError,
        None,
        StoreUnavailableError,
    ]
    assert [entry.text for entry in harness.published] == ["GI|1|"]  # type: ignore[attr-defined]
    harness.database.stop_failing()
    harness.advance(1)
    assert harness.read(texts) == ["GI|1|", "GI|2|"]
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


# Publishing.


def test_an_entry_is_numbered_and_published_after_its_commit(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    record = make_record()
    observed: list[tuple[int, bool]] = []
    harness.journal.on_commit.append(lambda entries: observed.append((harness.read(count), record.published)))
    harness.journal.submit_nowait(append_records, record)
    harness.advance()
    assert (record.seq, record.published, observed) == (0, False, [])
    manual_thread.run_queued()
    assert (observed, record.published) == ([(1, True)], True)
    assert harness.journal.last_published_seq == record.seq > 0


def test_entries_are_published_before_results_are_delivered(harness: StoreHarness) -> None:
    order: list[str] = []
    harness.journal.on_commit.append(lambda entries: order.append("published"))
    done = harness.journal.submit(append_records, make_record())
    done.addCallback(lambda _: order.append("done"))
    harness.advance()
    assert order == ["published", "done"]


def test_entries_are_published_in_ascending_order(harness: StoreHarness) -> None:
    for _ in range(3):
        harness.submit_all(append_records, *(make_record() for _ in range(50)))
        harness.enqueue()
    assert len(harness.published) == 153
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_a_commit_without_entries_publishes_nothing(harness: StoreHarness) -> None:
    tellings: list[Sequence[Entry]] = []
    harness.journal.on_commit.append(tellings.append)
    harness.submit(echo_arguments, 1)
    assert tellings == []


def test_a_failing_subscriber_does_not_affect_the_others(
    harness: StoreHarness, leak_check: list[LogEvent]
) -> None:
    def broken(entries: Sequence[Entry]) -> None:
        raise RuntimeError

    harness.journal.on_commit.insert(0, broken)
    harness.submit(append_records, make_record())
    assert len(harness.published) == 1
    (event,) = leak_check
    assert event["log_failure"].type is RuntimeError
    leak_check.clear()


def test_a_failing_health_subscriber_does_not_affect_results(
    harness: StoreHarness, leak_check: list[LogEvent]
) -> None:
    def broken() -> None:
        raise RuntimeError

    harness.journal.on_health_change.append(broken)
    harness.database.start_failing()
    (refused,) = harness.submit_all(echo_arguments, 1)
    assert isinstance(refused, StoreUnavailableError)
    retried = harness.journal.submit(echo_arguments, 2, retry_until_stored=True)
    harness.database.stop_failing()
    harness.advance(1)
    assert harness.result(retried) == 2
    assert [event["log_failure"].type for event in leak_check] == [RuntimeError] * 2
    leak_check.clear()
