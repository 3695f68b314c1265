"""While the disk fails: writes with retry stay queued, others are rejected, health subscribers are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher

from pmslink.store.core.journal import QUEUE_LIMIT_WRITES, RETRY_DELAY_S
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.store_metadata import barrier
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.tables.history_queries import last_published, newest_records
from pmslink.store.tables.log_entries import LinkSnapshotLogged, append_link_snapshots
from tests.store.store_harness import (
    LINK_NAME,
    START_TIME,
    StoreHarness,
    echo_arguments,
    make_new_row,
    make_record,
)


def texts(connection: Connection) -> list[str]:
    return [record.text for record in newest_records(connection, LINK_NAME, None, None, None, 100)][::-1]


@pytest.fixture
def health(harness: StoreHarness) -> list[str | None]:
    """Collect every published failure reason; None marks the end of a failure."""
    reasons: list[str | None] = []
    harness.journal.on_health_change.append(lambda: reasons.append(harness.journal.failure_reason))
    return reasons


def fail_disk(harness: StoreHarness) -> None:
    harness.database.start_failing()
    harness.journal.submit_nowait(barrier, None)
    harness.advance()
    assert harness.journal.is_failing


def test_a_write_without_retry_fails_with_the_reason(harness: StoreHarness) -> None:
    harness.database.start_failing()
    first, second = harness.submit_all(enqueue, make_new_row(), make_new_row())
    for outcome in (first, second):
        assert isinstance(outcome, StoreUnavailableError)
        assert str(outcome) == "the disk is gone"


def test_during_an_outage_new_writes_are_rejected_without_an_attempt(harness: StoreHarness) -> None:
    fail_disk(harness)
    tried = harness.database.commit_count
    failed: list[object] = []
    harness.journal.submit(enqueue, make_new_row()).addErrback(lambda failure: failed.append(failure.type))
    assert failed == [StoreUnavailableError]  # in the same turn
    assert harness.database.commit_count == tried


def test_writes_with_retry_are_tried_each_second_and_succeed_in_order(harness: StoreHarness) -> None:
    harness.database.start_failing()
    stored = [
        harness.journal.submit(append_records, make_record(f"GI|{n}|"), retry_until_stored=True)
        for n in range(3)
    ]
    harness.advance()
    tried = harness.database.commit_count
    harness.advance(RETRY_DELAY_S / 2)
    assert harness.database.commit_count == tried
    harness.advance(RETRY_DELAY_S / 2)
    assert harness.database.commit_count == tried + 1
    stored.append(harness.journal.submit(append_records, make_record("GI|3|"), retry_until_stored=True))
    harness.journal.submit_nowait(append_records, make_record("GI|4|"))
    harness.advance()
    assert harness.database.commit_count == tried + 1
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert harness.outcomes(stored) == [None] * 4
    assert harness.read(texts) == [f"GI|{n}|" for n in range(5)]
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))
    assert len(harness.published) == 5


def test_the_journal_detects_by_itself_that_the_disk_recovered(
    harness: StoreHarness, health: list[str | None]
) -> None:
    harness.database.start_failing()
    harness.submit_all(echo_arguments, 1)
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert health == ["the disk is gone", None]
    assert not harness.journal.is_failing
    tried = harness.database.commit_count
    harness.advance(60)
    assert harness.database.commit_count == tried


def test_health_subscribers_are_called_on_changes_only(
    harness: StoreHarness, health: list[str | None]
) -> None:
    fail_disk(harness)
    for _ in range(5):
        harness.advance(RETRY_DELAY_S)
    assert health == ["the disk is gone"]
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    harness.submit(echo_arguments, 1)
    assert health == ["the disk is gone", None]


def test_an_outage_is_logged_in_a_line_and_not_as_a_failure(harness: StoreHarness) -> None:
    lines: list[object] = []
    publisher: Any = globalLogPublisher  # mypy rejects a plain function as an observer

    def watch(event: object) -> None:
        lines.append(event)

    publisher.addObserver(watch)
    try:
        fail_disk(harness)
        harness.advance(RETRY_DELAY_S)
    finally:
        publisher.removeObserver(watch)
    levels = {event["log_level"] for event in lines if isinstance(event, dict)}
    assert levels == {LogLevel.error}


def announced(text: str = "{}") -> LinkSnapshotLogged:
    return LinkSnapshotLogged(START_TIME, text)


def test_link_snapshots_are_published_once_during_an_outage(harness: StoreHarness) -> None:
    harness.database.start_failing()
    news, record = announced(), make_record()
    harness.journal.submit_nowait(append_records, record)
    harness.journal.submit_nowait(append_link_snapshots, news)
    harness.advance()
    assert harness.published == [news]
    harness.advance(RETRY_DELAY_S)
    later = announced('{"later": true}')
    harness.journal.submit_nowait(append_link_snapshots, later)
    harness.advance(RETRY_DELAY_S)
    assert harness.published == [news, later]
    seqs = [news.seq, later.seq]
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert harness.published == [news, later, record]
    assert [news.seq, later.seq] == seqs
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))
    stored = harness.read(last_published, 10)
    assert [(entry.seq, entry.published) for entry in stored] == [(seq, True) for seq in seqs]


def test_a_link_snapshot_that_can_be_stored_is_published_after_its_commit(harness: StoreHarness) -> None:
    news = announced()
    harness.submit(append_link_snapshots, news)
    assert harness.published == [news]
    (stored,) = harness.read(last_published, 10)
    assert isinstance(stored, LinkSnapshotLogged)
    assert (stored.seq, stored.at, stored.text) == (news.seq, START_TIME, "{}")


def test_writes_with_retry_are_accepted_above_the_limit(harness: StoreHarness) -> None:
    fail_disk(harness)
    for _ in range(QUEUE_LIMIT_WRITES + 1):
        harness.journal.submit_nowait(barrier, None)
    stored = harness.journal.submit(echo_arguments, 1, retry_until_stored=True)
    assert harness.journal.is_congested
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert harness.result(stored) == 1


def test_wait_idle_waits_for_writes_that_failed(harness: StoreHarness) -> None:
    fail_disk(harness)
    fired: list[str] = []
    harness.journal.wait_idle().addCallback(lambda _: fired.append("idle"))
    harness.advance(RETRY_DELAY_S)
    assert fired == []
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert fired == ["idle"]


def test_a_stopped_journal_does_not_retry(harness: StoreHarness) -> None:
    fail_disk(harness)
    harness.journal.stop()
    tried = harness.database.commit_count
    harness.advance(10 * RETRY_DELAY_S)
    harness.journal.submit_nowait(barrier, None)
    harness.advance()
    assert harness.database.commit_count == tried


def test_a_commit_that_fails_after_the_stop_is_not_tried_again(harness: StoreHarness) -> None:
    harness.database.start_failing()
    tried = harness.database.commit_count
    harness.journal.submit_nowait(barrier, None)
    harness.journal.on_health_change.append(harness.journal.stop)
    harness.advance(10 * RETRY_DELAY_S)
    assert harness.database.commit_count == tried + 1


def test_a_failed_commit_leaves_nothing_in_the_database(harness: StoreHarness) -> None:
    def fail_late(transaction: object, arguments: Sequence[None]) -> Sequence[None]:
        harness.database.start_failing()
        return arguments

    harness.submit_all(append_records, make_record("GI|1|"))
    first = harness.journal.submit(append_records, make_record("GI|2|"))
    second = harness.journal.submit(fail_late, None)
    harness.outcomes([first, second])
    assert harness.read(texts) == ["GI|1|"]
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert harness.read(texts) == ["GI|1|"]


def test_the_key_of_a_rejected_write_is_free(harness: StoreHarness) -> None:
    harness.database.start_failing()
    (refused,) = harness.submit_all(enqueue, make_new_row(key="k", asked="a"))
    assert isinstance(refused, StoreUnavailableError)
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    (accepted,) = harness.submit_all(enqueue, make_new_row(key="k", asked="b"))
    assert accepted.is_new  # type: ignore[union-attr]


def test_the_clock_of_the_journal_is_the_one_it_was_given(harness: StoreHarness) -> None:
    fail_disk(harness)
    clock = harness.clock
    assert isinstance(clock, Clock)
    assert any(call.getTime() == clock.seconds() + RETRY_DELAY_S for call in clock.getDelayedCalls())


def test_subscribers_get_whole_commits(harness: StoreHarness) -> None:
    commits: list[int] = []

    def count(entries: Sequence[Entry]) -> None:
        commits.append(len(entries))

    harness.journal.on_commit.append(count)
    harness.submit_all(append_records, *(make_record() for _ in range(7)))
    harness.submit_all(append_records, *(make_record() for _ in range(2)))
    assert commits == [7, 2]
