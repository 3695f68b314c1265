"""Stores for tests: in memory, and without threads, so that a test clock is all the time there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool
from twisted.internet.defer import Deferred, execute

from pmslink.store.core.database import begin_properly, is_sqlite_outage
from pmslink.store.core.journal import Thread
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import Store, open_store

REMEMBERED = 1000


class Inline:
    """A thread that is none: whatever is run there is run at once."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return execute(call, *arguments)


class MemoryDatabase:
    """A database that is gone with the test: a second kind under the store's interface.

    `outage`, while it is set, is what every commit fails with.
    """

    name = "memory"

    def __init__(self) -> None:
        self.outage: Exception | None = None
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False),
            poolclass=StaticPool,
        )
        begin_properly(self._engine, "BEGIN")
        event.listen(self._engine, "begin", self._fail)

    def create(self) -> None:
        pass

    def writer(self) -> Connection:
        return self._engine.connect()

    def reader(self) -> Connection:
        return self._engine.connect().execution_options(reads=True)

    def _fail(self, connection: Connection) -> None:
        if self.outage is not None and not connection.get_execution_options().get("reads"):
            raise self.outage

    def unusable(self, problem: Exception) -> StoreError:
        return StoreError(f"memory: {problem}")

    def is_outage(self, problem: Exception) -> bool:
        return is_sqlite_outage(problem)

    def reclaim(self, connection: Connection) -> bool:
        return True


def make_store(
    clock: Any,
    wall: Callable[[], datetime],
    database: Any = None,
    retention: Retention = Retention(timedelta(days=30), timedelta(days=400)),  # noqa: B008
    writing: Thread | None = None,
    reading: Thread | None = None,
) -> Store:
    """A store that is open but not started; in memory unless a database is given."""
    database = database or MemoryDatabase()
    opened = open_store(database, wall(), REMEMBERED)
    return Store(database, opened, clock, wall, retention, writing or Inline(), reading or Inline())
