"""The kinds of database over which every test of a store runs, and a store that runs on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pmslink.store.core.database import Database, SqliteDatabase
from pmslink.store.core.row_checksum import verify_checksums
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import FaultyDatabase, ManualThread, StoreHarness

DATABASE_FACTORIES: Mapping[str, Callable[[Path], Database]] = {
    "file": SqliteDatabase,
    "memory": lambda directory: MemoryDatabase(),
}


@pytest.fixture(params=DATABASE_FACTORIES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> FaultyDatabase:
    """An empty database of each kind."""
    return FaultyDatabase(DATABASE_FACTORIES[request.param](tmp_path))


@pytest.fixture
def harness(database: FaultyDatabase) -> Iterator[StoreHarness]:
    """A running store on the database."""
    store_harness = StoreHarness(database)
    yield store_harness
    database.stop_failing()
    store_harness.crash()
    store_harness.read(verify_checksums)


@pytest.fixture
def manual_thread(harness: StoreHarness) -> ManualThread:
    """The manual writer thread of a journal whose queue is empty."""
    thread = ManualThread()
    harness.crash()
    harness.writer_thread = thread
    harness.start()
    thread.run_queued()
    harness.advance()
    return thread
