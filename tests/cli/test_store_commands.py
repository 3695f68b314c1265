"""`pmslink store`: check a store, and move a damaged one aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pmslink.cli import check_progress
from pmslink.cli.main import main
from pmslink.store.core import database, row_checksum
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.schema import SCHEMA_VERSION
from pmslink.store.core.state_directory import LOCK_FILE_NAME, STORE_FILE_NAME, DirectoryLock
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.link_rows import StoredLink, store_links
from tests.cli.fake_service import Run
from tests.store.core.test_schema_migrations import put_version
from tests.store.store_harness import LINK_NAME, FaultyDatabase, StoreHarness, make_record, make_row


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    return directory


@pytest.fixture
def harness(state: Path) -> Iterator[StoreHarness]:
    """A running service that uses the store."""
    running = StoreHarness(FaultyDatabase(SqliteDatabase(state)))
    yield running
    running.crash()


def fill(harness: StoreHarness) -> None:
    harness.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    harness.submit_all(append_records, make_record(), make_record())
    harness.insert_rows(make_row(1), make_row(2, "done"), make_row(3, "done"))


FILLED_STORE_SUMMARY = (
    f"is sound: version {SCHEMA_VERSION}, links 1, records 2, postings 3 (done 2, pending 1)"
)


def test_check_accepts_a_new_store(run: Run, state: Path) -> None:
    StoreHarness(FaultyDatabase(SqliteDatabase(state))).stop()
    assert run("store", "check", "--state-dir", str(state)) == [
        f"{state / STORE_FILE_NAME} is sound: version {SCHEMA_VERSION}, links 0, records 0, postings 0"
    ]


@pytest.mark.parametrize("end", ["runs", "stop", "crash"])
def test_check_counts_rows_whether_a_service_runs_or_not(
    run: Run, state: Path, harness: StoreHarness, end: str
) -> None:
    fill(harness)
    if end != "runs":
        getattr(harness, end)()
    assert run("store", "check", "--state-dir", str(state)) == [
        f"{state / STORE_FILE_NAME} {FILLED_STORE_SUMMARY}"
    ]
    if end == "runs":
        harness.enqueue()


def test_check_prints_its_progress_on_stderr(
    capsys: pytest.CaptureFixture[str], state: Path, harness: StoreHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(harness)
    harness.stop()
    monkeypatch.setattr(check_progress, "REPORT_INTERVAL_S", 0)
    monkeypatch.setattr(database, "PROGRESS_INSTRUCTIONS", 1)
    monkeypatch.setattr(row_checksum, "PROGRESS_ROWS", 4)
    assert main(["store", "check", "--state-dir", str(state)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"{state / STORE_FILE_NAME} {FILLED_STORE_SUMMARY}"]
    lines = set(printed.err.splitlines())
    assert f"checking the structure of {state / STORE_FILE_NAME} (0 s)" in lines
    assert "verifying checksums: 4 of 7 rows (0 s)" in lines


def test_a_check_of_seconds_prints_no_progress() -> None:
    now, lines = [0.0], list[str]()
    progress = check_progress.CheckProgress(lines.append, lambda: now[0])
    for now[0] in (1.0, 4.9, 5.0, 9.9, 10.0):
        progress.report("verifying checksums", int(now[0] * 1000), 12_000)
    assert lines == [
        "verifying checksums: 5,000 of 12,000 rows (5 s)",
        "verifying checksums: 10,000 of 12,000 rows (10 s)",
    ]


def test_check_does_not_migrate_a_store_of_an_older_version(run: Run, state: Path) -> None:
    put_version(1, FaultyDatabase(SqliteDatabase(state)))
    for _ in range(2):
        (line,) = run("store", "check", "--state-dir", str(state))
        assert line.endswith("is sound: version 1, links 1, records 2, postings 2 (done 1, pending 1)")


def test_check_changes_no_file(run: Run, state: Path, harness: StoreHarness) -> None:
    fill(harness)
    harness.stop()
    before = (state / STORE_FILE_NAME).read_bytes()
    run("store", "check", "--state-dir", str(state))
    assert {path.name: path.read_bytes() for path in state.iterdir() if path.name == STORE_FILE_NAME} == {
        STORE_FILE_NAME: before
    }
    assert not (state / LOCK_FILE_NAME).exists()


def test_state_directory_comes_from_a_configuration(
    run: Run, fail: Run, state: Path, tmp_path: Path, harness: StoreHarness
) -> None:
    fill(harness)
    config = tmp_path / "hotel.toml"
    config.write_text(f'state_dir = "{state}"')
    assert run("store", "check", "--config", str(config)) == [
        f"{state / STORE_FILE_NAME} {FILLED_STORE_SUMMARY}"
    ]
    (error,) = fail("store", "check", "--config", str(tmp_path / "other.toml"))
    assert "other.toml" in error


def test_default_state_directory_is_in_the_current_directory(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pmslink-state").mkdir()
    StoreHarness(FaultyDatabase(SqliteDatabase(Path("pmslink-state")))).stop()
    (line,) = run("store", "check")
    assert line.startswith(f"pmslink-state/{STORE_FILE_NAME} is sound")


def test_missing_store_is_reported(fail: Run, state: Path, tmp_path: Path) -> None:
    for directory in (state, tmp_path / "nowhere"):
        error = fail("store", "check", "--state-dir", str(directory))
        assert error == [f"{directory / STORE_FILE_NAME}: there is no store"]
    (move_error,) = fail("store", "move-aside", "--state-dir", str(tmp_path / "nowhere"))
    assert move_error.startswith(f"the state directory {tmp_path}/nowhere: cannot be locked: No such file")


def test_damaged_store_is_reported(fail: Run, state: Path) -> None:
    (state / STORE_FILE_NAME).write_bytes(b"no database at all" * 100)
    (error,) = fail("store", "check", "--state-dir", str(state))
    assert error.startswith(f"{state / STORE_FILE_NAME} is damaged: file is not a database. Keep a copy")


def write(state: Path, statement: str) -> None:
    with SqliteDatabase(state).writer() as connection, connection.begin():
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE facts SET value = 'q' WHERE name = 'version'", "is damaged: invalid literal"),
        ("UPDATE facts SET value = 'q' WHERE name = 'sequence'", "is damaged: invalid literal"),
        ("DELETE FROM facts WHERE name = 'version'", "is damaged: No row was found"),
        ("UPDATE records SET text = CAST(x'ff' AS TEXT)", "is damaged: Could not decode"),
        ("DROP TABLE links", "is damaged: no such table: links"),
        ("ALTER TABLE postings RENAME COLUMN room TO rook", "is damaged: no such column: postings.room"),
    ],
)
def test_check_reports_damage_that_would_stop_a_service(
    fail: Run, state: Path, harness: StoreHarness, statement: str, error: str
) -> None:
    fill(harness)
    harness.stop()
    write(state, statement)
    (line,) = fail("store", "check", "--state-dir", str(state))
    assert line.startswith(f"{state / STORE_FILE_NAME} {error}")
    assert "pmslink store move-aside" in line


def test_check_rejects_a_store_of_a_newer_version(fail: Run, state: Path, harness: StoreHarness) -> None:
    harness.stop()
    write(state, "UPDATE facts SET value = '9' WHERE name = 'version'")
    (error,) = fail("store", "check", "--state-dir", str(state))
    assert error.startswith(f"{state / STORE_FILE_NAME}: it was written by a newer pmslink (store version 9")


def test_check_reports_a_file_without_tables(fail: Run, state: Path) -> None:
    SqliteDatabase(state).create()
    assert fail("store", "check", "--state-dir", str(state)) == [
        f"{state / STORE_FILE_NAME}: the store is sound, but empty"
    ]


def test_move_aside_renames_all_files_of_the_store(run: Run, fail: Run, state: Path) -> None:
    (state / STORE_FILE_NAME).write_text("damaged")
    (state / f"{STORE_FILE_NAME}-wal").write_text("damaged too")
    first, second = run("store", "move-aside", "--state-dir", str(state))
    assert re.fullmatch(rf"{state / STORE_FILE_NAME}\.\d{{8}}T\d{{6}}", first)
    assert re.fullmatch(rf"{state / STORE_FILE_NAME}-wal\.\d{{8}}T\d{{6}}", second)
    assert [Path(name).read_text() for name in (first, second)] == ["damaged", "damaged too"]
    (error,) = fail("store", "move-aside", "--state-dir", str(state))
    assert error == f"{state / STORE_FILE_NAME}: there is no store to move aside"


def test_move_aside_rejects_a_store_in_use(fail: Run, state: Path) -> None:
    (state / STORE_FILE_NAME).touch()
    lock = DirectoryLock(state)
    (error,) = fail("store", "move-aside", "--state-dir", str(state))
    assert error.startswith(f"the state directory {state} is in use by another pmslink, process ")
    assert (state / STORE_FILE_NAME).exists()
    lock.release()


def test_a_store_cannot_be_declared_restored_while_a_service_uses_it(
    fail: Run, state: Path, harness: StoreHarness
) -> None:
    lock = DirectoryLock(state)
    (error,) = fail("store", "restored", "--state-dir", str(state))
    assert error.startswith(f"the state directory {state} is in use by another pmslink, process ")
    lock.release()
    harness.stop()
    harness.start()
    assert not harness.store.startup_snapshot.restored


def test_only_a_store_can_be_declared_restored(fail: Run, state: Path) -> None:
    file = state / STORE_FILE_NAME
    assert fail("store", "restored", "--state-dir", str(state)) == [f"{file}: there is no store"]
    SqliteDatabase(state).create()
    (error,) = fail("store", "restored", "--state-dir", str(state))
    assert error == f"{file}: the store is empty, so it is no copy"


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["check", "--state-dir", "a", "--config", "b"], ["check", "more"]]
)
def test_invalid_command_line_is_rejected(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["store", *arguments])
    assert caught.value.code == 2
    assert "usage: pmslink" in capsys.readouterr().err
