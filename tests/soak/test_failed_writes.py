"""What is committed after a sync that failed survives a power cut, on a real file system.

The kernel really fails to write the new blocks of the WAL: there is no space below the file system. From then
on it counts these pages as written, and the next sync succeeds without them.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from pmslink.store.core.database import SqliteDatabase
from tests.soak.mounted_disk import BLOCK_BYTES, Disk, mounted_image, thin_ext4_disk

pytestmark = [pytest.mark.soak, pytest.mark.debian]


class Rows:
    """A table in a store's database."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._connection: Connection = database.writer()
        self._driver.execute("CREATE TABLE IF NOT EXISTS row (text)")

    @property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    def insert(self, text: str, count: int = 1) -> None:
        """Commit some rows of about a page each."""
        self._driver.execute("BEGIN IMMEDIATE")
        for number in range(count):
            self._driver.execute("INSERT INTO row VALUES (?)", (f"{text}-{number}".ljust(3000),))
        self._driver.execute("COMMIT")

    def fill_block(self) -> None:
        """Commit until the WAL ends with a block: a block that exists already can be written."""
        while self._database._wal_index.end_of_commits() % BLOCK_BYTES:
            self._driver.execute("PRAGMA user_version=0")  # one page

    def settle(self) -> None:
        self._connection = self._database.settle(self._connection)

    def texts(self) -> list[str]:
        return [text.strip() for (text,) in self._driver.execute("SELECT text FROM row")]

    def close(self) -> None:
        self._connection.close()


def fill(ballast: Path, disk: Disk) -> None:
    """Write a file until the disk has no space left."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(BLOCK_BYTES))


def test_e1_what_is_committed_after_a_failed_sync_survives_a_power_cut(tmp_path: Path) -> None:
    with thin_ext4_disk(tmp_path, megabytes=64) as (disk, below):
        state = disk.path / "state"
        state.mkdir()
        database = SqliteDatabase(state)
        database.create()
        rows = Rows(database)
        rows.insert("before", 3)
        rows.fill_block()
        ballast = below.path / "ballast"
        fill(ballast, below)
        for _ in range(2):
            with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
                rows.insert("failed", 5)
            rows.settle()
        ballast.unlink()
        for number in range(3):
            rows.insert(f"after {number}", 2)
        stored = rows.texts()
        disk.cut_power()
        rows.close()
        image = tmp_path / "image"  # a copy, because the process still uses the file system
        image.write_bytes((below.path / "image").read_bytes())
    with mounted_image(tmp_path / "later", image) as later:
        database = SqliteDatabase(later.path / "state")
        database.create()
        rows = Rows(database)
        assert rows.texts() == stored
        assert [text for text in stored if text.startswith("failed")] == []
        rows.close()
