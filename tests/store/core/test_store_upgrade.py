"""The upgrade of a file: its space on the disk, its progress, and what a process that is killed leaves."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pmslink.store.core import schema, store_upgrade
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.row_checksum import verify_checksums
from pmslink.store.core.state_directory import STORE_FILE_NAME
from pmslink.store.core.store_errors import StoreError
from pmslink.store.core.store_upgrade import REBUILT_VERSION
from pmslink.store.store_service import open_store
from tests.store.core.test_schema_migrations import load_dump
from tests.store.store_harness import START_TIME, FaultyDatabase
from tests.store.test_store_service import version

ROOT = Path(__file__).parents[3]
KILLED_UPGRADE = """
import os, signal, sys
from pathlib import Path
from pmslink.store.core import database, version_5_tables
from pmslink.store.store_service import open_store
from tests.store.store_harness import START_TIME

step, directory = sys.argv[1], Path(sys.argv[2])
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if step == "rename":
    Path.rename = kill
elif step == "renamed":
    sync = database.sync_to_disk
    database.sync_to_disk = lambda path: kill() if path == directory else sync(path)
elif step == "copied":
    database.sync_to_disk = kill
else:
    version_5_tables.INDEXES = {step: ["SELECT kill()"]}
    attach = database.SqliteDatabase._fill
    def fill(self, call):
        def fill_and_kill(connection):
            connection.connection.driver_connection.create_function("kill", 0, kill)
            call(connection)
        attach(self, fill_and_kill)
    database.SqliteDatabase._fill = fill
open_store(database.SqliteDatabase(directory), START_TIME, 10)
"""
"""A program that is killed in the middle of an upgrade, before the step that its first argument names."""


@pytest.fixture
def old(tmp_path: Path) -> SqliteDatabase:
    """A file of version 4."""
    database = SqliteDatabase(tmp_path)
    load_dump("version_4_store.sql", FaultyDatabase(database))
    return database


@pytest.mark.parametrize("step", ["events", "postings", "transitions", "copied", "rename", "renamed"])
def test_after_a_kill_the_store_is_the_old_or_the_new_one(old: SqliteDatabase, step: str) -> None:
    command = [sys.executable, "-c", KILLED_UPGRADE, step, str(old.path.parent)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert version(FaultyDatabase(old)) == (REBUILT_VERSION if step == "renamed" else 4)
    old.check_integrity()
    snapshot = open_store(old, START_TIME, replay_limit=10)
    assert len(snapshot.unresolved_rows) == 7
    with old.reader() as connection, connection.begin():
        verify_checksums(connection)
    assert not list(old.path.parent.glob(f"{STORE_FILE_NAME}.*"))


def test_without_enough_space_the_store_is_unchanged(
    old: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1024))
    with pytest.raises(StoreError, match=r"that needs 1 MB of free disk space, and 0 MB are free"):
        open_store(old, START_TIME, replay_limit=10)
    assert version(FaultyDatabase(old)) == 4
    monkeypatch.undo()
    open_store(old, START_TIME, replay_limit=10)


def test_a_rebuilt_file_is_private_and_returns_free_space(old: SqliteDatabase) -> None:
    open_store(old, START_TIME, replay_limit=10)
    assert old.path.stat().st_mode & 0o777 == 0o600
    with old.reader() as connection:
        assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2  # incremental
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_the_upgrade_says_before_what_it_does_and_then_how_far_it_is(
    old: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_upgrade, "_REPORT_INTERVAL_S", 0.0)
    reports: list[str] = []
    open_store(old, START_TIME, 10, reports.append)
    assert reports[0] == (
        "upgrading the store from version 4 to 5: 10 postings, 15 records, 5 transitions; "
        "this takes about 1 s, and the links are down meanwhile"
    )
    shares = [int(report.split()[3]) for report in reports[1:-1]]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert all(report.endswith("s left") for report in reports[1:-1])
    assert reports[-1] == "upgraded the store to version 5 in 0 s"
    again: list[str] = []
    open_store(old, START_TIME, 10, again.append)
    assert again == []


def test_a_key_of_a_table_is_the_row_id(old: SqliteDatabase) -> None:
    """Otherwise each table has one more index, and each insert writes one more page."""
    open_store(old, START_TIME, replay_limit=10)
    with old.reader() as connection, connection.begin():
        for table in schema.METADATA.sorted_tables:
            if table.primary_key.columns.keys() in (["id"], ["seq"]):
                indexes = connection.exec_driver_sql(f"PRAGMA index_list({table.name})").mappings().all()
                assert indexes or table.name in ("announcements", "runs")
                assert [one["name"] for one in indexes if one["origin"] == "pk"] == []
