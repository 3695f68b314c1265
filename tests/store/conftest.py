"""The kinds of database that every test of a store is played over: a third has its place here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pmslink.store.core.database import Database, SqliteDatabase
from pmslink.store.core.row_checksum import require_intact
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import Playing, Slow, Watched

KINDS: Mapping[str, Callable[[Path], Database]] = {
    "file": SqliteDatabase,
    "memory": lambda directory: MemoryDatabase(),
}


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Watched:
    """An empty one, of each kind."""
    return Watched(KINDS[request.param](tmp_path))


@pytest.fixture
def playing(database: Watched) -> Iterator[Playing]:
    """A store that runs on it."""
    one = Playing(database)
    yield one
    database.mend()
    one.crash()
    one.read(require_intact)


@pytest.fixture
def slow(playing: Playing) -> Slow:
    """The thread of a journal that has written all that it had."""
    thread = Slow()
    playing.crash()
    playing.writing = thread
    playing.start()
    thread.work()
    playing.turn()
    return thread
