"""The file of a store: who may read it, what is on the disk and what is not, and what damage is told."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, exc, text
from twisted.internet.defer import Deferred

from pmslink.store.core.database import FILE, SqliteDatabase, is_sqlite_outage
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.operator_actions import Decide, discard
from pmslink.store.operations.outbox_enqueue import accept
from pmslink.store.tables.link_rows import KeptLink, Remove, keep_links, remove_links
from pmslink.timestamps import to_ms
from tests.store.store_harness import LINK, RETENTION, START, Playing, Watched, a_record, offer

GUEST = RETENTION.guest
HISTORY = RETENTION.history


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Playing]:
    """A store that runs, in a file."""
    one = Playing(Watched(SqliteDatabase(tmp_path)))
    yield one
    one.crash()


def on_disk(directory: Path) -> bytes:
    """All that there is of a store."""
    return b"".join(part.read_bytes() for part in sorted(directory.iterdir()))


def driver(file: Playing) -> sqlite3.Connection:
    """SQLite's own connection of the writer."""
    connection = file.journal._connection
    assert connection is not None
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_only_its_owner_can_read_it(file: Playing, tmp_path: Path) -> None:
    file.do(keep_records, a_record())
    modes = {part.name: stat.S_IMODE(part.stat().st_mode) for part in tmp_path.iterdir()}
    assert modes == dict.fromkeys([FILE, f"{FILE}-wal", f"{FILE}-shm"], 0o600)


def test_a_commit_is_on_the_disk_before_anybody_is_told(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2  # FULL
        assert pragma(connection, "secure_delete") == 1
        assert pragma(connection, "auto_vacuum") == 2  # INCREMENTAL


def test_a_reader_can_change_nothing(file: Playing) -> None:
    def write(connection: Connection) -> None:
        connection.execute(text("DELETE FROM facts"))

    with pytest.raises(StoreError, match="readonly"):
        file.read(write)


@pytest.mark.parametrize("name", ["a b", "ü", "what?mode=rw", "100%41", "#1", "a&b"])
def test_any_name_of_a_directory_will_do(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    directory.mkdir()
    playing = Playing(Watched(SqliteDatabase(directory)))
    row = playing.accept()
    assert playing.row(row.id) == row
    SqliteDatabase(directory).check()
    playing.crash()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("state").mkdir()
    playing = Playing(Watched(SqliteDatabase(Path("state"))))
    row = playing.accept()
    assert playing.row(row.id) == row
    playing.crash()


# forgetting


def purge(playing: Playing) -> None:
    playing.result(Deferred.fromCoroutine(playing.store.purge()))


def test_what_is_purged_is_not_on_the_disk_any_more_and_the_file_shrinks(
    file: Playing, tmp_path: Path
) -> None:
    chance = Random(5)  # sizes and keys that let pages split and be joined
    old, kept = START - 2 * HISTORY, START
    for at, name in ((old, "OldGuest"), (kept, "NewGuest")):
        for _ in range(20):
            texts = [f"GI|RN1|GN{name}{'x' * chance.randrange(300)}|" for _ in range(100)]
            file.do_all(keep_records, *(a_record(one, at=at) for one in texts))
            file.do_all(
                accept,
                *(
                    offer(text=one, key=f"{chance.random()}{name}", asked="a", digits=None, created=to_ms(at))
                    for one in texts
                ),
            )
    rows = [entry.row for entry in file.told if hasattr(entry, "row")]
    file.do_all(discard, *(Decide(LINK, row.id, 4) for row in rows))
    assert b"OldGuest" in on_disk(tmp_path)
    file.journal.reclaim()
    before = (tmp_path / FILE).stat().st_size
    purge(file)
    left = on_disk(tmp_path)
    assert b"OldGuest" not in left
    assert left.count(b"NewGuest") >= 6000
    assert (tmp_path / FILE).stat().st_size < 0.6 * before


def test_of_a_link_that_is_removed_nothing_is_on_the_disk_after_the_next_purge(
    file: Playing, tmp_path: Path
) -> None:
    file.do(keep_links, KeptLink(LINK, None, "enabled"))
    file.do_all(keep_records, *(a_record("GI|GNAdams|") for _ in range(100)))
    file.do(remove_links, Remove(LINK, discard=True))
    assert b"Adams" in on_disk(tmp_path)
    purge(file)
    assert b"Adams" not in on_disk(tmp_path)


def test_what_a_reader_kept_from_going_goes_with_the_next_purge(file: Playing, tmp_path: Path) -> None:
    file.do(keep_records, a_record("GI|GNAdams|", at=START - 2 * GUEST))
    with SqliteDatabase(tmp_path).reader() as reading, reading.begin():
        assert reading.execute(text("SELECT count(*) FROM records")).scalar() == 1
        driver(file).execute("PRAGMA busy_timeout=1")
        purge(file)
        assert b"Adams" in on_disk(tmp_path)
    purge(file)
    assert b"Adams" not in on_disk(tmp_path)


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
def test_an_outage_is_known_from_a_mistake(problem: Exception, outage: bool, wrapped: bool) -> None:
    assert is_sqlite_outage(exc.DBAPIError("SELECT", {}, problem) if wrapped else problem) is outage


def test_a_full_disk_is_felt_and_got_over(file: Playing) -> None:
    """A real one, as far as SQLite can tell: no page more may be added."""
    (pages,) = driver(file).execute("PRAGMA page_count").fetchone()
    driver(file).execute(f"PRAGMA max_page_count={pages}")
    kept = file.journal.write(keep_records, a_record("GI|" + "x" * 100_000), keep=True)
    file.turn()
    assert file.journal.reason == "the disk is full"
    file.turn(1)  # on a new connection, which knows no bounds
    assert file.result(kept) is None
    assert not file.journal.failing
