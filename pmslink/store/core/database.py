"""The database under a store: all that differs from one kind to another.

A second kind needs a class that does what `Database` says; everything else of the store is written
for any of them, and `tests/store` is played over each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import quote

from sqlalchemy import Connection, Dialect, Engine, Table, create_engine, event, exc
from sqlalchemy.pool import NullPool

from pmslink.store.core.row_checksum import checksum
from pmslink.store.core.store_errors import StoreError

FILE = "store.sqlite3"
CHECKED = 256 * 1024**2
"""Bytes up to which a store is looked through for damage at each start; that takes seconds."""
_HEADER = 100
BUSY_TIMEOUT = 5000
"""Milliseconds to wait for another connection's lock."""
PAGES_AT_ONCE = 1000
"""Pages that are given back between two commits."""
_SET_UP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten
    f"PRAGMA busy_timeout={BUSY_TIMEOUT}",
)

_OF_THE_SYSTEM = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
"""What SQLite says of anything but the file's content."""


class Database(Protocol):
    """Where a store is kept."""

    name: str
    """What a person knows it by."""

    def create(self) -> None:
        """Make it if there is none. Raises StoreError for what is none, or damaged."""

    def writer(self) -> Connection:
        """The one connection that writes; it stays in the thread that asked for it."""

    def reader(self) -> Connection:
        """A connection that sees what is committed and can change nothing."""

    def unusable(self, problem: Exception) -> StoreError:
        """What to tell of one that could not be read at the start: this is why."""

    def is_outage(self, problem: Exception) -> bool:
        """Whether this is a failure of the database or its disk, rather than of what was asked of it."""

    def reclaim(self, connection: Connection) -> bool:
        """After a purge: leave no copy of what was deleted, and give the space back.

        Does a part of it; whether that was the last.
        """


class SqliteDatabase:
    """A file of SQLite, in WAL mode, synchronous=FULL."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self.name = str(self.path)

    def create(self) -> None:
        with self._understood():
            if not self.path.exists():
                self._make()
            self._require_header()
            with closing(sqlite3.connect(self.path)) as connection:
                for pragma in _SET_UP:
                    connection.execute(pragma)
                if self.path.stat().st_size <= CHECKED:
                    _require_whole(connection)

    def _make(self) -> None:
        """Under another name at first: one that is empty is not a new one, but has lost everything."""
        unfinished = self.path.with_name(f"{FILE}.new")
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished)) as connection:
            unfinished.chmod(0o600)  # it holds the guests' names
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
        unfinished.rename(self.path)

    def _require_header(self) -> None:
        if self.path.stat().st_size < _HEADER:  # which SQLite takes for an empty one
            raise sqlite3.DatabaseError("it is cut off")

    def check(self) -> None:
        """Look the whole store through, however large. Raises StoreError for a damaged one."""
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no store")
        with self._understood():
            self._require_header()
            with closing(sqlite3.connect(self._read_only(), uri=True)) as connection:
                _require_whole(connection)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except (
            sqlite3.Error,
            OSError,
            ValueError,
        ) as problem:  # a damaged schema is told in what is no UTF-8
            raise self.unusable(problem) from None

    def unusable(self, problem: Exception) -> StoreError:
        problem = _root(problem)
        words = " ".join(str(problem).split()) or type(problem).__name__
        what = "".join(character if character.isprintable() else "?" for character in words)
        if isinstance(problem, OSError) or getattr(problem, "sqlite_errorcode", 0) & 0xFF in _OF_THE_SYSTEM:
            return StoreError(
                f"{self.path} cannot be opened: {what}. Look at the disk, and at whom the file and its "
                "directory belong to"
            )
        return StoreError(
            f"{self.path} is damaged: {what}. Keep a copy for whoever may repair it, then run "
            "pmslink store move-aside and start again with a new store"
        )

    def writer(self) -> Connection:
        return _engine(str(self.path), uri=False).connect()

    def reader(self) -> Connection:
        return _engine(self._read_only(), uri=True).connect()

    def _read_only(self) -> str:
        return f"file:{quote(str(self.path))}?mode=ro"

    def is_outage(self, problem: Exception) -> bool:
        return is_sqlite_outage(problem)

    def reclaim(self, connection: Connection) -> bool:
        raw = cast(sqlite3.Connection, connection.connection.driver_connection)
        raw.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")  # `execute` would give back one page
        (free,) = raw.execute("PRAGMA freelist_count").fetchone()
        if free:
            return False
        raw.execute("PRAGMA busy_timeout=0")  # who reads just now is not waited for: the next purge will do
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
        return True


def insert_many(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows that have a value for every column but the checksum, in the table's order.

    The driver gets them as they are: SQLAlchemy's own binding takes longer than SQLite's writing.
    """
    checked = [(*row, checksum(tuple(row))) for row in rows]
    connection.exec_driver_sql(_insertion(table, connection.dialect), checked)


@cache
def _insertion(table: Table, dialect: Dialect) -> str:
    return str(table.insert().compile(dialect=dialect))


def is_sqlite_outage(problem: Exception) -> bool:
    """Disk full, input or output error, damage: not an error of a statement or of its values."""
    problem = _root(problem)
    return isinstance(problem, sqlite3.OperationalError | OSError) or type(problem) is sqlite3.DatabaseError


def _root(problem: Exception) -> Exception:
    """What the driver said."""
    if isinstance(problem, exc.DBAPIError) and isinstance(problem.orig, Exception):
        return problem.orig
    return problem


def _require_whole(connection: sqlite3.Connection) -> None:
    # not quick_check, which compares no index with its rows: a damaged one would hide some
    for (verdict,) in connection.execute("PRAGMA integrity_check(1)"):
        if verdict != "ok":
            raise sqlite3.DatabaseError(" ".join(str(verdict).split()))


def _engine(name: str, uri: bool) -> Engine:
    # isolation_level=None and an explicit BEGIN: the module's own transactions begin too late
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(name, uri=uri, isolation_level=None, check_same_thread=False),
        poolclass=NullPool,
        hide_parameters=True,  # what goes into the store is told in no error, and so in no log
    )
    begin_properly(engine, "BEGIN" if uri else "BEGIN IMMEDIATE")
    if not uri:
        event.listen(engine, "connect", _set_up)
    return engine


def begin_properly(engine: Engine, statement: str) -> None:
    """Transactions of this engine begin with this statement."""
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(statement))


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _SET_UP:
        connection.execute(pragma)
