"""Stores for tests: in memory and without threads, so that they run on a test clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool
from twisted.internet.defer import Deferred, execute

from pmslink.store.core.database import (
    REBUILT_SCHEMA,
    count_sqlite_changes,
    is_sqlite_outage,
    set_begin_statement,
)
from pmslink.store.core.high_water_mark import HighWaterFile
from pmslink.store.core.journal import Thread
from pmslink.store.core.prepared_statements import driver_connection
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import Store, open_store

BUFFERED_ENTRIES = 1000


class InlineThread:
    """A fake thread that runs each call at once, in the calling thread."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return execute(call, *arguments)


class MemoryDatabase:
    """A second implementation of the store's database interface, in memory.

    While `commit_error` is set, every write transaction fails with it.
    """

    name = "memory"

    def __init__(self) -> None:
        self.commit_error: Exception | None = None
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False),
            poolclass=StaticPool,
        )
        set_begin_statement(self._engine, "BEGIN")
        event.listen(self._engine, "begin", self._raise_commit_error)

    def create(self) -> None:
        pass

    def rebuild(self, fill: Callable[[Connection], None]) -> None:
        with self._engine.connect() as connection:
            raw = driver_connection(connection)
            raw.execute(f"ATTACH ':memory:' AS {REBUILT_SCHEMA}")
            try:
                with connection.begin():
                    fill(connection)
                content = raw.serialize(name=REBUILT_SCHEMA)
            finally:
                raw.execute(f"DETACH {REBUILT_SCHEMA}")
            raw.deserialize(content)

    def writer(self) -> Connection:
        return self._engine.connect()

    def reader(self) -> Connection:
        return self._engine.connect().execution_options(reads=True)

    def stop_queries(self, connection: Connection, should_stop: Callable[[], bool] | None) -> None:
        driver_connection(connection).set_progress_handler(should_stop, 1000)

    def _raise_commit_error(self, connection: Connection) -> None:
        if self.commit_error is not None and not connection.get_execution_options().get("reads"):
            raise self.commit_error

    def to_store_error(self, problem: Exception) -> StoreError:
        return StoreError(f"memory: {problem}")

    def is_outage(self, problem: Exception) -> bool:
        return is_sqlite_outage(problem)

    def is_commit_in_doubt(self, problem: Exception) -> bool:
        return True

    def settle(self, failed: Connection) -> Connection:
        connection: Any = failed.connection.driver_connection  # the only one
        connection.rollback()
        failed.close()
        return self.writer()

    def count_changes(self, connection: Connection) -> int:
        return count_sqlite_changes(connection)

    def is_space_low(self) -> bool:
        return False

    def reclaim(self, connection: Connection) -> bool:
        return True


def make_store(
    clock: Any,
    wall: Callable[[], datetime],
    database: Any = None,
    retention: Retention = Retention(timedelta(days=30), timedelta(days=400)),  # noqa: B008
    writing: Thread | None = None,
    reading: Thread | None = None,
    lists: Sequence[Thread] = (),
    is_clock_settled: Callable[[], bool] = lambda: True,
    high_water_file: HighWaterFile | None = None,
) -> Store:
    """Return a store that is open but not started; in memory unless a database is given."""
    database = database or MemoryDatabase()
    mark = None if high_water_file is None else high_water_file.read()
    snapshot = open_store(database, wall(), BUFFERED_ENTRIES, high_water_mark=mark)
    threads = (writing or InlineThread(), reading or InlineThread(), lists or (InlineThread(),))
    return Store(database, snapshot, clock, wall, retention, *threads, is_clock_settled, high_water_file)
