"""Start and stop of a store: its sequence, unclean shutdowns, and the version of its schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from twisted.internet.task import Clock

from pmslink.store.core import schema, schema_version, store_metadata
from pmslink.store.core.batch_writer import COMMIT_WORK_LIMIT_S, PIECE_WRITES
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.schema_migrations import MIGRATIONS, Migration
from pmslink.store.core.store_errors import StoreError
from pmslink.store.core.store_metadata import SEQUENCE_RESERVE_NUMBERS
from pmslink.store.core.store_upgrade import REBUILT_VERSION
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import SHUTDOWN_TIMEOUT_S, StartupSnapshot, open_store
from pmslink.store.tables.link_rows import StoredLink, store_links
from pmslink.store.tables.log_entries import LinkSnapshotLogged, append_link_snapshots
from pmslink.store.tables.outbox_rows import OutboxRow, RowState, UnresolvedRow
from tests.memory_store import MemoryDatabase, make_store
from tests.store.store_harness import (
    DAY,
    LINK_NAME,
    START_MS,
    START_TIME,
    FaultyDatabase,
    ManualThread,
    StoreHarness,
    echo_arguments,
    make_record,
    make_row,
)

# the sequence


def test_the_sequence_of_a_new_store_begins_at_the_time_in_milliseconds(harness: StoreHarness) -> None:
    assert harness.store.startup_snapshot.first_seq == START_MS
    harness.submit(append_records, make_record())
    assert START_MS <= harness.published[0].seq < START_MS + 10


def test_a_client_without_a_saved_number_gets_the_first_entry(database: FaultyDatabase) -> None:
    harness = StoreHarness(database)
    record = make_record()
    try:
        harness.crash()
        harness.published.clear()
        harness.start()
        before = harness.journal.last_published_seq
        harness.submit(append_records, record)
        assert record.seq > before == harness.store.startup_snapshot.first_seq - 1
    finally:
        harness.crash()


@pytest.mark.parametrize("end", ["stop", "crash"])
@pytest.mark.parametrize("passed", [-365 * DAY, timedelta(0), timedelta(seconds=1), DAY])
def test_no_number_is_assigned_twice_over_a_restart(
    harness: StoreHarness, end: str, passed: timedelta
) -> None:
    for _ in range(3):
        harness.submit_all(append_records, *(make_record() for _ in range(5)))
        newest = max(harness.journal.next_seq(), harness.published[-1].seq)
        getattr(harness, end)()
        harness.now += passed
        harness.start()
        assert harness.store.startup_snapshot.first_seq > newest
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_after_a_long_downtime_the_sequence_continues_at_the_wall_clock(harness: StoreHarness) -> None:
    harness.stop()
    harness.now += 30 * DAY
    harness.start()
    assert harness.store.startup_snapshot.first_seq == START_MS + 30 * DAY // timedelta(milliseconds=1)


def reserved(connection: Connection) -> int | None:
    return store_metadata.read_value(connection, "sequence")


def test_more_numbers_are_reserved_before_they_run_out(harness: StoreHarness) -> None:
    def use(transaction: Transaction, amounts: Sequence[int]) -> list[int | Exception]:
        return [[transaction.next_seq() for _ in range(amount)][-1] for amount in amounts]

    for _ in range(4):
        number = harness.submit(use, SEQUENCE_RESERVE_NUMBERS // 5)
        remaining = (harness.read(reserved) or 0) - number
        assert SEQUENCE_RESERVE_NUMBERS // 2 <= remaining <= SEQUENCE_RESERVE_NUMBERS + 1


def test_numbers_of_unstored_entries_are_of_the_same_sequence(harness: StoreHarness) -> None:
    first = harness.journal.next_seq()
    harness.submit(append_records, make_record())
    second = harness.journal.next_seq()
    assert first < harness.published[0].seq < second


def test_the_next_commit_repeats_the_reservation_of_a_failed_one(harness: StoreHarness) -> None:
    harness.stop()
    opening = harness.database.commit_count + 1
    harness.database.fails_at = lambda commit: commit > opening
    harness.start()
    assert harness.journal.is_failing
    harness.database.stop_failing()
    harness.advance(1)
    harness.submit(append_records, make_record())
    assert (harness.read(reserved) or 0) > harness.published[0].seq
    harness.crash()
    harness.start()
    assert harness.store.startup_snapshot.first_seq > harness.published[0].seq


# ends


def unclean(harness: StoreHarness) -> bool:
    return harness.store.startup_snapshot.unclean_shutdown


def test_a_new_store_has_no_unclean_shutdown(harness: StoreHarness) -> None:
    assert not unclean(harness)


def test_a_clean_shutdown_differs_from_an_unclean_one(harness: StoreHarness) -> None:
    unclean_shutdowns = []
    for end in (harness.stop, harness.crash, harness.crash, harness.stop, harness.stop):
        end()
        harness.start()
        unclean_shutdowns.append(unclean(harness))
    assert unclean_shutdowns == [False, True, True, False, False]


def test_stopping_writes_what_is_queued(harness: StoreHarness) -> None:
    harness.journal.submit_nowait(append_link_snapshots, LinkSnapshotLogged(START_TIME, "{}"))
    harness.stop()
    harness.start()
    assert [entry.seq for entry in harness.store.startup_snapshot.last_published] == harness.published_seqs()


def test_stopping_does_not_wait_forever_for_a_failing_disk(harness: StoreHarness) -> None:
    harness.database.start_failing()
    harness.submit_all(echo_arguments, 1)
    harness.journal.submit_nowait(append_records, make_record())
    ended: list[str] = []
    harness.store.stopService().addCallback(lambda _: ended.append("stopped"))
    for _ in range(int(SHUTDOWN_TIMEOUT_S) - 1):
        harness.advance(1)
    assert ended == []
    harness.advance(1)
    assert ended == ["stopped"]
    harness.database.stop_failing()
    harness.start()
    assert unclean(harness)


def test_stopping_does_not_wait_for_a_thread_that_the_disk_blocks(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    harness.journal.submit_nowait(append_records, make_record())
    harness.advance()
    assert manual_thread.is_busy
    ended: list[str] = []
    harness.store.stopService().addCallback(lambda _: ended.append("stopped"))
    harness.advance(SHUTDOWN_TIMEOUT_S)
    assert ended == ["stopped"]
    assert manual_thread.is_busy


def test_stopping_waits_as_long_as_the_disk_makes_progress(
    harness: StoreHarness, manual_thread: ManualThread
) -> None:
    """Each commit writes one turn and takes three seconds: longer than a silent disk may take, in all."""

    def work(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
        harness.clock.rightNow += COMMIT_WORK_LIMIT_S
        return arguments

    for _ in range(5):
        for _ in range(PIECE_WRITES):
            harness.journal.submit_nowait(work, None)
        harness.advance()
    ended: list[str] = []
    harness.store.stopService().addCallback(lambda _: ended.append("stopped"))
    harness.advance()
    for _ in range(5):
        harness.advance(SHUTDOWN_TIMEOUT_S - 2)
        assert harness.journal.queue_length > 0
        manual_thread.run_queued()
        harness.advance()
    for _ in range(10):
        manual_thread.run_queued()
        harness.advance()
    assert ended == ["stopped"]
    assert harness.journal.queue_length == 0


def test_a_store_that_was_never_started_can_be_stopped(database: FaultyDatabase) -> None:
    clock = Clock()
    stopped = make_store(clock, lambda: START_TIME, database).stopService()
    clock.advance(0)
    assert stopped.called


def test_the_startup_snapshot_has_the_content_of_the_store(harness: StoreHarness) -> None:
    states: tuple[RowState, ...] = ("pending", "sent", "unknown", "done", "refused", "discarded")
    harness.insert_rows(*(make_row(id, state) for id, state in enumerate(states, start=1)))
    harness.submit(append_link_snapshots, LinkSnapshotLogged(START_TIME, "{}"))
    harness.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    harness.crash()
    harness.start()
    opened = harness.store.startup_snapshot
    assert opened.unresolved_rows == [
        UnresolvedRow(LINK_NAME, id, "PS", states[id - 1], int(id == 1), START_MS) for id in (1, 2, 3, 5)
    ]
    assert [link.name for link in opened.links] == [LINK_NAME]
    assert opened.last_published[-1].seq == harness.published_seqs()[-1]
    assert len(opened.last_published) == 7


# the schema


def test_the_columns_of_a_row_are_those_of_its_table_in_the_same_order() -> None:
    assert (*OutboxRow._fields, "checksum") == tuple(schema.POSTINGS.columns.keys())


def opening(database: FaultyDatabase) -> StartupSnapshot:
    return open_store(database, START_TIME, replay_limit=10)


def version(database: FaultyDatabase) -> int:
    connection = database.reader()
    try:
        with connection.begin():
            return schema_version.stored_version(connection)
    finally:
        connection.close()


def prepare(
    database: FaultyDatabase,
    version: int = schema.SCHEMA_VERSION,
    upgrades: Mapping[int, Migration] | None = None,
) -> None:
    connection = database.writer()
    try:
        with connection.begin():
            schema_version.create_or_migrate(connection, version, upgrades or {})
    finally:
        connection.close()


def test_a_new_store_has_the_current_version(database: FaultyDatabase) -> None:
    opening(database)
    assert version(database) == schema.SCHEMA_VERSION


def test_a_store_of_a_newer_version_is_rejected_and_unchanged(database: FaultyDatabase) -> None:
    opening(database)
    newer = schema.SCHEMA_VERSION + 4
    prepare(database, newer, dict.fromkeys(range(newer + 1), lambda connection: None))
    path = database.inner.path if isinstance(database.inner, SqliteDatabase) else None
    before = path and path.read_bytes()
    message = rf"newer pmslink \(store version {newer}, this one supports {schema.SCHEMA_VERSION}\): install"
    with pytest.raises(StoreError, match=message):
        opening(database)
    assert version(database) == newer
    assert (path and path.read_bytes()) == before


def test_migrations_run_in_order_and_only_once(database: FaultyDatabase) -> None:
    opening(database)
    ran: list[int] = []
    first, second = schema.SCHEMA_VERSION + 1, schema.SCHEMA_VERSION + 2

    def add_a_column(connection: Connection) -> None:
        ran.append(first)
        connection.execute(text("ALTER TABLE links ADD COLUMN colour VARCHAR"))

    def set_colours(connection: Connection) -> None:
        ran.append(second)
        connection.execute(text("UPDATE links SET colour = 'red'"))

    upgrades = {second: set_colours, first: add_a_column}
    prepare(database, first, upgrades)
    assert (ran, version(database)) == ([first], first)
    prepare(database, second, upgrades)
    prepare(database, second, upgrades)
    assert (ran, version(database)) == ([first, second], second)


def test_a_failed_migration_leaves_the_store_unchanged(database: FaultyDatabase) -> None:
    opening(database)
    first = schema.SCHEMA_VERSION + 1

    def add_a_column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE links ADD COLUMN colour VARCHAR"))

    def fail(connection: Connection) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        prepare(database, first + 1, {first: add_a_column, first + 1: fail})
    assert version(database) == schema.SCHEMA_VERSION
    prepare(database, first, {first: add_a_column})  # the column is not there yet


def test_every_older_version_has_a_migration() -> None:
    assert {*MIGRATIONS, REBUILT_VERSION} == set(range(2, schema.SCHEMA_VERSION + 1))


def test_a_database_that_cannot_be_locked_is_reported_as_a_store_that_cannot_be_opened() -> None:
    database = MemoryDatabase()
    database.commit_error = sqlite3.OperationalError("database is locked")  # the driver's own, at BEGIN
    with pytest.raises(StoreError, match="database is locked"):
        open_store(database, START_TIME, 0)
