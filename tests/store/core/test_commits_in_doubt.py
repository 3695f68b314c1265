"""Case E1: a commit that failed is looked up before anything is answered, published or tried again."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.journal import RETRY_DELAY_S
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.store_metadata import read_receipt
from pmslink.store.core.transaction import Transaction
from pmslink.store.core.wal_file import (
    WalIndex,
    WalIndexError,
    _is_in_use,
    copy_to_new_file,
    cut_off_after_commits,
)
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.store_service import PURGE_INTERVAL_S
from pmslink.store.tables.history_queries import newest_records
from pmslink.store.tables.log_entries import LinkSnapshotLogged, append_link_snapshots
from pmslink.store.tables.outbox_rows import newest_rows
from tests.process.server_processes import wait_until
from tests.store.store_harness import (
    LINK_NAME,
    START_TIME,
    StoreHarness,
    echo_arguments,
    make_new_row,
    make_record,
)

CHECK_IN = "GI|RN101|G#1|GNDoe|"


def texts(connection: Connection) -> list[str]:
    return [record.text for record in newest_records(connection, LINK_NAME, None, None, None, 100)][::-1]


def posting_count(harness: StoreHarness) -> int:
    return len(harness.read(newest_rows, LINK_NAME, None, None, 100))


class Outage:
    """Writes of both kinds, submitted together, whose commit fails, and what their callers got."""

    def __init__(self, harness: StoreHarness, is_committed: bool, is_settled: bool) -> None:
        self.harness = harness
        self.answers: list[Any] = []
        harness.published.clear()
        harness.database.commits_before_failing = is_committed
        harness.database.settle_fails = not is_settled
        harness.database.start_failing()
        harness.journal.submit(enqueue, make_new_row()).addBoth(self.answers.append)
        harness.journal.submit_nowait(append_records, make_record(CHECK_IN))
        harness.advance()

    def settle(self) -> None:
        """End the outage, and let the journal try again until it is at rest."""
        self.harness.database.settle_fails = False
        self.harness.database.stop_failing()
        for _ in range(3):
            self.harness.advance(RETRY_DELAY_S)

    def answer_type(self) -> type:
        (answer,) = self.answers
        return answer.type if hasattr(answer, "type") else type(answer)


@pytest.mark.parametrize("is_settled", [True, False], ids=["settled at once", "settled later"])
def test_e1_a_commit_that_is_there_nevertheless_is_answered_and_published_once(
    harness: StoreHarness, is_settled: bool
) -> None:
    outage = Outage(harness, is_committed=True, is_settled=is_settled)
    outage.settle()
    assert outage.answer_type() is not StoreUnavailableError
    assert harness.event_types() == ["guest.checked_in"]
    assert (harness.read(texts), posting_count(harness)) == ([CHECK_IN], 1)
    assert not harness.journal.is_failing
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


@pytest.mark.parametrize("is_settled", [True, False], ids=["settled at once", "settled later"])
def test_e1_a_commit_that_is_not_there_is_refused_or_repeated(
    harness: StoreHarness, is_settled: bool
) -> None:
    outage = Outage(harness, is_committed=False, is_settled=is_settled)
    outage.settle()
    assert outage.answer_type() is StoreUnavailableError
    assert harness.event_types() == ["guest.checked_in"]
    assert (harness.read(texts), posting_count(harness)) == ([CHECK_IN], 0)
    assert not harness.journal.is_failing


@pytest.mark.parametrize("is_committed", [True, False])
def test_e1_nothing_in_doubt_is_answered_published_or_tried_again(
    harness: StoreHarness, is_committed: bool
) -> None:
    outage = Outage(harness, is_committed, is_settled=False)
    tried = harness.database.commit_count
    for _ in range(90):
        harness.advance(RETRY_DELAY_S)
    assert (outage.answers, harness.published) == ([], [])
    assert harness.database.commit_count == tried
    assert harness.journal.failure_reason == "the disk is still gone"
    outage.settle()
    assert len(outage.answers) == 1


def test_e1_what_was_never_given_to_a_commit_is_refused_at_once(harness: StoreHarness) -> None:
    outage = Outage(harness, is_committed=True, is_settled=False)
    (refused,) = harness.submit_all(enqueue, make_new_row())
    assert isinstance(refused, StoreUnavailableError)
    outage.settle()
    assert posting_count(harness) == 1


def test_e1_the_order_of_writes_stays_over_a_commit_in_doubt(harness: StoreHarness) -> None:
    outage = Outage(harness, is_committed=False, is_settled=False)
    harness.journal.submit_nowait(append_records, make_record("GC|RN101|G#1|GNRoe|"))
    outage.settle()
    assert harness.read(texts) == [CHECK_IN, "GC|RN101|G#1|GNRoe|"]


@pytest.mark.parametrize("is_committed", [True, False])
def test_e1_no_number_is_published_before_a_lower_one_in_doubt(
    harness: StoreHarness, is_committed: bool
) -> None:
    outage = Outage(harness, is_committed, is_settled=False)
    snapshot = LinkSnapshotLogged(START_TIME, "{}")
    harness.journal.submit_nowait(append_link_snapshots, snapshot)
    harness.advance(RETRY_DELAY_S)
    assert harness.published == []
    outage.settle()
    assert snapshot in harness.published
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


@pytest.mark.parametrize("is_committed", [True, False])
def test_e1_a_commit_in_doubt_after_a_faulty_write_is_looked_up(
    harness: StoreHarness, is_committed: bool
) -> None:
    """The first write is faulty, so each is committed alone: the second stays in doubt, the third waits."""
    begun = harness.database.commit_count
    harness.database.commits_before_failing = is_committed
    harness.database.settle_fails = True
    harness.database.fails_at = lambda commit: commit > begun
    for text in ("GI|GN\ud800|", CHECK_IN, "GC|RN101|G#1|GNRoe|"):
        harness.journal.submit(append_records, make_record(text), retry_until_stored=True).addErrback(
            lambda failure: failure.trap(UnicodeEncodeError)
        )
    harness.advance()
    harness.database.settle_fails = False
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    harness.advance(RETRY_DELAY_S)
    assert harness.read(texts) == [CHECK_IN, "GC|RN101|G#1|GNRoe|"]
    assert harness.event_types().count("guest.checked_in") == 1


def test_e1_nothing_is_committed_after_a_failed_reclaim_before_the_database_has_settled(
    harness: StoreHarness,
) -> None:
    """Returning free space is a commit as well, and its blocks are as doubtful."""
    harness.database.reclaim_fails = harness.database.settle_fails = True
    harness.advance(PURGE_INTERVAL_S)
    assert harness.database.settle_count == 0
    committed = harness.database.commit_count
    (refused,) = harness.submit_all(enqueue, make_new_row())
    assert isinstance(refused, StoreUnavailableError)
    assert (harness.journal.failure_reason, harness.database.commit_count) == (
        "the disk is still gone",
        committed,
    )
    harness.advance(PURGE_INTERVAL_S)  # neither is anything reclaimed
    harness.database.settle_fails = harness.database.reclaim_fails = False
    harness.advance(RETRY_DELAY_S)
    assert not harness.journal.is_failing
    harness.submit(append_records, make_record(CHECK_IN))
    assert harness.read(texts) == [CHECK_IN]
    assert harness.database.settle_count == 1


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_FULL], ids=["sync", "full"])
def test_e1_the_database_settles_after_an_error_of_the_disk_before_the_commit(
    harness: StoreHarness, code: int
) -> None:
    """A large transaction is partly written before COMMIT."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    errors = [error]

    def write(transaction: Transaction, arguments: Sequence[str]) -> Sequence[None]:
        results = append_records(transaction, [make_record(text) for text in arguments])
        if errors:
            raise errors.pop()
        return results

    harness.journal.submit(write, CHECK_IN, retry_until_stored=True)
    harness.advance()
    assert harness.journal.is_failing
    harness.advance(RETRY_DELAY_S)
    assert harness.database.settle_count == harness.database.is_commit_in_doubt(error)
    assert harness.read(texts) == [CHECK_IN]
    assert harness.event_types() == ["guest.checked_in"]


def test_each_commit_that_changes_something_has_the_next_receipt(harness: StoreHarness) -> None:
    first = harness.read(read_receipt)
    harness.submit(append_records, make_record())
    harness.submit(echo_arguments, 1)
    assert harness.read(read_receipt) == first + 1
    harness.crash()
    harness.start()
    harness.advance()
    second = harness.read(read_receipt)
    assert second > first
    harness.submit(append_records, make_record())
    assert harness.read(read_receipt) == second + 1


# The file


class UnsyncedWal:
    """A store whose last commit is in the WAL and not in SQLite's index, as after a sync that failed."""

    def __init__(self, folder: Path) -> None:
        self.database = SqliteDatabase(folder)
        self.database.create()
        self.writer = self.database.writer()
        raw: Any = self.writer.connection.driver_connection
        raw.execute("CREATE TABLE rows (value)")
        wal, shm = (folder / f"store.sqlite3-{end}" for end in ("wal", "shm"))
        index = shm.read_bytes()
        with shm.open("r+b") as file:
            raw.execute("INSERT INTO rows VALUES ('failed')")
            file.write(index)
        self.wal = wal


def rows(connection: sqlite3.Connection) -> Sequence[Any]:
    return connection.execute("SELECT value FROM rows").fetchall()


def test_e1_a_failed_commit_does_not_come_true_after_the_database_has_settled(tmp_path: Path) -> None:
    store = UnsyncedWal(tmp_path)
    (tmp_path / "killed").mkdir()
    for file in tmp_path.glob("store.sqlite3*"):
        (tmp_path / "killed" / file.name).write_bytes(file.read_bytes())
    killed = SqliteDatabase(tmp_path / "killed").writer()
    assert rows(killed.connection.driver_connection) == [("failed",)]  # type: ignore[arg-type]
    killed.close()

    settled = store.database.settle(store.writer)
    (tmp_path / "later").mkdir()
    for file in tmp_path.glob("store.sqlite3*"):
        if not file.name.endswith("-shm"):  # as for a process that starts after a crash
            (tmp_path / "later" / file.name).write_bytes(file.read_bytes())
    settled.close()
    later = SqliteDatabase(tmp_path / "later").writer()
    assert rows(later.connection.driver_connection) == []  # type: ignore[arg-type]
    later.close()


def test_the_writer_stays_open_while_the_database_cannot_settle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = SqliteDatabase(tmp_path)
    database.create()
    writer = database.writer()

    def refuse() -> Connection:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(database, "writer", refuse)
        with pytest.raises(sqlite3.OperationalError):
            database.settle(writer)
    assert not writer.closed
    database.settle(writer).close()
    assert writer.closed


@pytest.mark.parametrize(
    ("code", "in_doubt"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, True),
        (sqlite3.SQLITE_IOERR, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_BUSY, False),
    ],
)
def test_a_commit_without_space_or_lock_is_not_in_doubt(tmp_path: Path, code: int, in_doubt: bool) -> None:
    error = sqlite3.OperationalError("failed")
    error.sqlite_errorcode = code
    assert SqliteDatabase(tmp_path).is_commit_in_doubt(error) is in_doubt


def test_the_start_copies_the_wal_of_a_crash_to_a_new_file_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = UnsyncedWal(tmp_path)
    content, before, synced = store.wal.read_bytes(), store.wal.stat(), []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    copy_to_new_file(store.wal, tmp_path / "none")
    after = store.wal.stat()
    assert (store.wal.read_bytes(), after.st_mode) == (content, before.st_mode)
    assert after.st_ino != before.st_ino
    assert synced == [after.st_ino, tmp_path.stat().st_ino]
    store.writer.close()


@pytest.mark.parametrize(("code", "is_refused"), [(errno.EIO, True), (errno.ENOSPC, False)])
def test_a_wal_that_cannot_be_copied_stays_and_only_a_full_disk_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_refused: bool
) -> None:
    wal = tmp_path / "store.sqlite3-wal"
    wal.write_bytes(b"content")

    def fail(descriptor: int) -> None:
        raise OSError(code, "failed")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="failed") if is_refused else nullcontext():
        copy_to_new_file(wal, tmp_path / "none")
    assert wal.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [wal]


def test_a_wal_that_another_process_uses_stays(tmp_path: Path) -> None:
    store = UnsyncedWal(tmp_path)
    index = tmp_path / "store.sqlite3-shm"
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM rows'); input()"
    backup = subprocess.Popen(
        [sys.executable, "-c", script, store.database.path], stdin=subprocess.PIPE, text=True
    )
    before = store.wal.stat().st_ino
    wait_until(lambda: _is_in_use(index), "the other process has a connection")
    copy_to_new_file(store.wal, index)
    assert store.wal.stat().st_ino == before
    backup.communicate("\n")
    copy_to_new_file(store.wal, index)
    assert store.wal.stat().st_ino != before
    store.writer.close()


def test_a_missing_wal_is_not_copied(tmp_path: Path) -> None:
    copy_to_new_file(tmp_path / "store.sqlite3-wal", tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_the_wal_is_cut_off_after_its_last_commit(tmp_path: Path) -> None:
    store = UnsyncedWal(tmp_path)
    length = store.wal.stat().st_size
    cut_off_after_commits(store.wal, WalIndex(tmp_path / "store.sqlite3-shm"))
    assert 0 < store.wal.stat().st_size < length
    store.writer.close()


def test_an_index_that_is_being_written_or_unknown_is_not_read(tmp_path: Path) -> None:
    store = UnsyncedWal(tmp_path)
    header = (tmp_path / "store.sqlite3-shm").read_bytes()[:96]
    index_file = tmp_path / "index"
    for content in (header[:95], header[:48] + bytes(48), bytes(96)):
        index_file.write_bytes(content)
        with pytest.raises(WalIndexError):
            WalIndex(index_file).end_of_commits()
    index_file.write_bytes(header)
    assert WalIndex(index_file).end_of_commits() > 0
    store.writer.close()
