"""The SQLite file of a store: its permissions, its content after a commit and a purge, and outages."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, exc, text
from twisted.internet.defer import Deferred

from pmslink.store.core.database import BUSY_TIMEOUT_MS, SqliteDatabase, is_sqlite_outage
from pmslink.store.core.prepared_statements import driver_connection
from pmslink.store.core.state_directory import STORE_FILE_NAME
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.operator_actions import OperatorAction, discard
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.tables.link_rows import RemoveLink, StoredLink, remove_links, store_links
from pmslink.timestamps import to_ms
from tests.store.store_harness import (
    LINK_NAME,
    RETENTION,
    START_TIME,
    FaultyDatabase,
    StoreHarness,
    make_new_row,
    make_record,
)

GUEST = RETENTION.guest
HISTORY = RETENTION.history


@pytest.fixture
def file(tmp_path: Path) -> Iterator[StoreHarness]:
    """A store that runs, in a file."""
    one = StoreHarness(FaultyDatabase(SqliteDatabase(tmp_path)))
    yield one
    one.crash()


def on_disk(directory: Path) -> bytes:
    """Return the content of all files of a store."""
    return b"".join(part.read_bytes() for part in sorted(directory.iterdir()))


def driver(file: StoreHarness) -> sqlite3.Connection:
    """SQLite's own connection of the writer."""
    connection = file.journal._writer._connection
    assert connection is not None
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_only_its_owner_can_read_it(file: StoreHarness, tmp_path: Path) -> None:
    file.submit(append_records, make_record())
    modes = {part.name: stat.S_IMODE(part.stat().st_mode) for part in tmp_path.iterdir()}
    assert modes == dict.fromkeys(
        [STORE_FILE_NAME, f"{STORE_FILE_NAME}-wal", f"{STORE_FILE_NAME}-shm"], 0o600
    )


def test_a_commit_is_on_the_disk_before_it_is_published(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2  # FULL
        assert pragma(connection, "secure_delete") == 1
        assert pragma(connection, "auto_vacuum") == 2  # INCREMENTAL


def test_a_reader_cannot_write(file: StoreHarness) -> None:
    def write(connection: Connection) -> None:
        connection.execute(text("DELETE FROM facts"))

    with pytest.raises(StoreError, match="readonly"):
        file.read(write)


@pytest.mark.parametrize("name", ["a b", "ü", "what?mode=rw", "100%41", "#1", "a&b"])
def test_any_directory_name_works(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    directory.mkdir()
    harness = StoreHarness(FaultyDatabase(SqliteDatabase(directory)))
    row = harness.enqueue()
    assert harness.row(row.id) == row
    SqliteDatabase(directory).check_integrity()
    harness.crash()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("state").mkdir()
    harness = StoreHarness(FaultyDatabase(SqliteDatabase(Path("state"))))
    row = harness.enqueue()
    assert harness.row(row.id) == row
    harness.crash()


# Deleted data.


def purge(harness: StoreHarness) -> None:
    harness.result(Deferred.fromCoroutine(harness.store.purge()))


def test_purged_data_is_not_on_the_disk_and_the_file_shrinks(file: StoreHarness, tmp_path: Path) -> None:
    rng = Random(6)  # sizes and keys that let pages split and be joined
    expired_at, current_at = START_TIME - 2 * HISTORY, START_TIME
    for at, name in ((expired_at, "OldGuest"), (current_at, "NewGuest")):
        for _ in range(20):
            texts = [f"GI|RN1|GN{name}{'x' * rng.randrange(300)}|" for _ in range(100)]
            file.submit_all(append_records, *(make_record(one, at=at) for one in texts))
            file.submit_all(
                enqueue,
                *(
                    make_new_row(
                        text=one, key=f"{rng.random()}{name}", asked="a", digits=None, created=to_ms(at)
                    )
                    for one in texts
                ),
            )
    rows = [entry.row for entry in file.published if hasattr(entry, "row")]
    file.submit_all(discard, *(OperatorAction(LINK_NAME, row.id, 4) for row in rows))
    assert b"OldGuest" in on_disk(tmp_path)
    file.journal.reclaim()
    before = (tmp_path / STORE_FILE_NAME).stat().st_size
    purge(file)
    remaining = on_disk(tmp_path)
    assert b"OldGuest" not in remaining
    assert remaining.count(b"NewGuest") >= 6000
    assert (tmp_path / STORE_FILE_NAME).stat().st_size < 0.6 * before


def test_data_of_a_removed_link_is_not_on_the_disk_after_the_next_purge(
    file: StoreHarness, tmp_path: Path
) -> None:
    file.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    file.submit_all(append_records, *(make_record("GI|GNAdams|") for _ in range(100)))
    file.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert b"Adams" in on_disk(tmp_path)
    purge(file)
    assert b"Adams" not in on_disk(tmp_path)


def test_data_that_a_reader_blocked_is_removed_by_the_next_purge(file: StoreHarness, tmp_path: Path) -> None:
    file.submit(append_records, make_record("GI|GNAdams|", at=START_TIME - 2 * GUEST))
    with SqliteDatabase(tmp_path).reader() as reading, reading.begin():
        assert reading.execute(text("SELECT count(*) FROM records")).scalar() == 1
        driver(file).execute("PRAGMA busy_timeout=1")
        purge(file)
        assert b"Adams" in on_disk(tmp_path)
    purge(file)
    assert b"Adams" not in on_disk(tmp_path)


def test_a_file_that_keeps_its_free_pages_does_not_keep_the_purge_busy(
    file: StoreHarness, tmp_path: Path
) -> None:
    """Somebody may have vacuumed the file without auto_vacuum."""
    file.stop()
    with closing(sqlite3.connect(tmp_path / STORE_FILE_NAME)) as connection:
        for statement in (
            "PRAGMA journal_mode=DELETE",
            "PRAGMA auto_vacuum=NONE",
            "VACUUM",
            "CREATE TABLE filler (content)",
            "INSERT INTO filler VALUES (zeroblob(100000))",
            "DROP TABLE filler",
        ):
            connection.execute(statement)
            connection.commit()
    file.start()
    file.submit(append_records, make_record())
    assert driver(file).execute("PRAGMA freelist_count").fetchone() > (20,)
    assert file.journal.reclaim()


def test_the_writer_waits_for_locks_again_after_a_reclaim_that_failed(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection:
        driver_connection(connection).set_authorizer(deny_checkpoint)
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            database.reclaim(connection)
        driver_connection(connection).set_authorizer(None)
        assert pragma(connection, "busy_timeout") == BUSY_TIMEOUT_MS


def deny_checkpoint(action: int, name: str | None, *_: str | None) -> int:
    return sqlite3.SQLITE_DENY if name == "wal_checkpoint" else sqlite3.SQLITE_OK


# outages


@pytest.mark.parametrize(
    ("problem", "outage"),
    [
        (sqlite3.OperationalError("disk I/O error"), True),
        (sqlite3.DatabaseError("database disk image is malformed"), True),
        (OSError(), True),
        (sqlite3.IntegrityError(), False),
        (sqlite3.ProgrammingError(), False),
        (ValueError(), False),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_outage_differs_from_a_faulty_statement(problem: Exception, outage: bool, wrapped: bool) -> None:
    assert is_sqlite_outage(exc.DBAPIError("SELECT", {}, problem) if wrapped else problem) is outage


def test_a_full_disk_is_reported_and_recovered_from(file: StoreHarness) -> None:
    """SQLite's own error: the maximum number of pages is reached."""
    (pages,) = driver(file).execute("PRAGMA page_count").fetchone()
    driver(file).execute(f"PRAGMA max_page_count={pages}")
    retried = file.journal.submit(append_records, make_record("GI|" + "x" * 100_000), retry_until_stored=True)
    file.advance()
    assert file.journal.failure_reason == "the disk is full"
    file.advance(1)  # on a new connection, which has no limit of pages
    assert file.result(retried) is None
    assert not file.journal.is_failing
