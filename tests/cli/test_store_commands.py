"""pmslink store: what it says of a store, and how a damaged one is put aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pmslink.cli.main import main
from pmslink.store.core.database import STORE_FILE_NAME, SqliteDatabase
from pmslink.store.core.schema import SCHEMA_VERSION
from pmslink.store.core.state_directory import LOCK_FILE_NAME, DirectoryLock
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.link_rows import StoredLink, store_links
from tests.cli.test_commands import Run, fail, run
from tests.store.core.test_schema_migrations import put_version
from tests.store.store_harness import LINK_NAME, FaultyDatabase, StoreHarness, make_record, make_row

__all__ = ["fail", "run"]  # the fixtures


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    return directory


@pytest.fixture
def playing(state: Path) -> Iterator[StoreHarness]:
    """A service that uses the store."""
    one = StoreHarness(FaultyDatabase(SqliteDatabase(state)))
    yield one
    one.crash()


def fill(playing: StoreHarness) -> None:
    playing.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    playing.submit_all(append_records, make_record(), make_record())
    playing.insert_rows(make_row(1), make_row(2, "done"), make_row(3, "done"))


FILLED = f"is sound: version {SCHEMA_VERSION}, links 1, records 2, postings 3 (done 2, pending 1)"


def test_a_new_store_is_sound(run: Run, state: Path) -> None:
    StoreHarness(FaultyDatabase(SqliteDatabase(state))).stop()
    assert run("store", "check", "--state-dir", str(state)) == [
        f"{state / STORE_FILE_NAME} is sound: version {SCHEMA_VERSION}, links 0, records 0, postings 0"
    ]


@pytest.mark.parametrize("end", ["runs", "stop", "crash"])
def test_check_counts_what_is_kept_whether_a_service_runs_or_not(
    run: Run, state: Path, playing: StoreHarness, end: str
) -> None:
    fill(playing)
    if end != "runs":
        getattr(playing, end)()
    assert run("store", "check", "--state-dir", str(state)) == [f"{state / STORE_FILE_NAME} {FILLED}"]
    if end == "runs":
        playing.enqueue()


def test_a_look_leaves_a_store_of_an_older_version_as_it_is(run: Run, state: Path) -> None:
    put_version(1, FaultyDatabase(SqliteDatabase(state)))
    for _ in range(2):
        (line,) = run("store", "check", "--state-dir", str(state))
        assert line.endswith("is sound: version 1, links 1, records 2, postings 2 (done 1, pending 1)")


def test_a_look_changes_nothing(run: Run, state: Path, playing: StoreHarness) -> None:
    fill(playing)
    playing.stop()
    before = (state / STORE_FILE_NAME).read_bytes()
    run("store", "check", "--state-dir", str(state))
    assert {path.name: path.read_bytes() for path in state.iterdir() if path.name == STORE_FILE_NAME} == {
        STORE_FILE_NAME: before
    }
    assert not (state / LOCK_FILE_NAME).exists()


def test_the_state_directory_may_come_from_a_configuration(
    run: Run, fail: Run, state: Path, tmp_path: Path, playing: StoreHarness
) -> None:
    fill(playing)
    config = tmp_path / "hotel.toml"
    config.write_text(f'state_dir = "{state}"')
    assert run("store", "check", "--config", str(config)) == [f"{state / STORE_FILE_NAME} {FILLED}"]
    (told,) = fail("store", "check", "--config", str(tmp_path / "other.toml"))
    assert "other.toml" in told


def test_the_state_directory_is_usually_below_the_current(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pmslink-state").mkdir()
    StoreHarness(FaultyDatabase(SqliteDatabase(Path("pmslink-state")))).stop()
    (line,) = run("store", "check")
    assert line.startswith(f"pmslink-state/{STORE_FILE_NAME} is sound")


def test_a_store_that_is_not_there(fail: Run, state: Path, tmp_path: Path) -> None:
    for directory in (state, tmp_path / "nowhere"):
        told = fail("store", "check", "--state-dir", str(directory))
        assert told == [f"{directory / STORE_FILE_NAME}: there is no store"]
    (told_aside,) = fail("store", "move-aside", "--state-dir", str(tmp_path / "nowhere"))
    assert told_aside.startswith(f"the state directory {tmp_path}/nowhere: cannot be locked: No such file")


def test_a_damaged_store(fail: Run, state: Path) -> None:
    (state / STORE_FILE_NAME).write_bytes(b"no database at all" * 100)
    (told,) = fail("store", "check", "--state-dir", str(state))
    assert told.startswith(f"{state / STORE_FILE_NAME} is damaged: file is not a database. Keep a copy")


def write(state: Path, statement: str) -> None:
    with SqliteDatabase(state).writer() as connection, connection.begin():
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE facts SET value = 'q' WHERE name = 'version'", "is damaged: invalid literal"),
        ("UPDATE facts SET value = 'q' WHERE name = 'sequence'", "is damaged: invalid literal"),
        ("DELETE FROM facts WHERE name = 'version'", "is damaged: No row was found"),
        ("UPDATE records SET text = CAST(x'ff' AS TEXT)", "is damaged: Could not decode"),
        ("DROP TABLE links", "is damaged: no such table: links"),
        ("ALTER TABLE postings RENAME COLUMN room TO rook", "is damaged: no such column: postings.room"),
    ],
)
def test_what_a_service_could_not_start_on_is_not_sound(
    fail: Run, state: Path, playing: StoreHarness, statement: str, told: str
) -> None:
    fill(playing)
    playing.stop()
    write(state, statement)
    (line,) = fail("store", "check", "--state-dir", str(state))
    assert line.startswith(f"{state / STORE_FILE_NAME} {told}")
    assert "pmslink store move-aside" in line


def test_a_store_of_a_newer_version(fail: Run, state: Path, playing: StoreHarness) -> None:
    playing.stop()
    write(state, "UPDATE facts SET value = '9' WHERE name = 'version'")
    (told,) = fail("store", "check", "--state-dir", str(state))
    assert told.startswith(f"{state / STORE_FILE_NAME}: it was written by a newer pmslink (store version 9")


def test_a_file_without_tables(fail: Run, state: Path) -> None:
    SqliteDatabase(state).create()
    assert fail("store", "check", "--state-dir", str(state)) == [
        f"{state / STORE_FILE_NAME}: the store is sound, but empty"
    ]


def test_a_store_is_moved_aside(run: Run, fail: Run, state: Path) -> None:
    (state / STORE_FILE_NAME).write_text("damaged")
    (state / f"{STORE_FILE_NAME}-wal").write_text("damaged too")
    first, second = run("store", "move-aside", "--state-dir", str(state))
    assert re.fullmatch(rf"{state / STORE_FILE_NAME}\.\d{{8}}T\d{{6}}", first)
    assert re.fullmatch(rf"{state / STORE_FILE_NAME}-wal\.\d{{8}}T\d{{6}}", second)
    assert [Path(name).read_text() for name in (first, second)] == ["damaged", "damaged too"]
    (told,) = fail("store", "move-aside", "--state-dir", str(state))
    assert told == f"{state / STORE_FILE_NAME}: there is no store to move aside"


def test_a_store_in_use_is_not_moved(fail: Run, state: Path) -> None:
    (state / STORE_FILE_NAME).touch()
    lock = DirectoryLock(state)
    (told,) = fail("store", "move-aside", "--state-dir", str(state))
    assert told.startswith(f"the state directory {state} is in use by another pmslink, process ")
    assert (state / STORE_FILE_NAME).exists()
    lock.release()


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["check", "--state-dir", "a", "--config", "b"], ["check", "more"]]
)
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["store", *arguments])
    assert caught.value.code == 2
    assert "usage: pmslink" in capsys.readouterr().err
