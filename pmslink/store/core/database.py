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

STORE_FILE_NAME = "store.sqlite3"
STARTUP_CHECK_MAX_BYTES = 256 * 1024**2
"""Bytes up to which a store is looked through for damage at each start; that takes seconds."""
_HEADER_BYTES = 100
BUSY_TIMEOUT_MS = 5000
"""Milliseconds to wait for another connection's lock."""
VACUUM_BATCH_PAGES = 1000
"""Pages that are given back between two commits."""
_CONNECTION_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)

_ENVIRONMENT_ERROR_CODES = {
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

    def to_store_error(self, error: Exception) -> StoreError:
        """What to tell of one that could not be read at the start: this is why."""

    def is_outage(self, error: Exception) -> bool:
        """Whether this is a failure of the database or its disk, rather than of what was asked of it."""

    def reclaim(self, connection: Connection) -> bool:
        """After a purge: leave no copy of what was deleted, and give the space back.

        Does a part of it; whether that was the last.
        """


class SqliteDatabase:
    """A file of SQLite, in WAL mode, synchronous=FULL."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / STORE_FILE_NAME
        self.name = str(self.path)

    def create(self) -> None:
        with self._translate_errors():
            if not self.path.exists():
                self._create_file()
            self._check_header()
            with closing(sqlite3.connect(self.path)) as connection:
                for pragma in _CONNECTION_PRAGMAS:
                    connection.execute(pragma)
                if self.path.stat().st_size <= STARTUP_CHECK_MAX_BYTES:
                    _check_integrity(connection)

    def _create_file(self) -> None:
        """Under another name at first: one that is empty is not a new one, but has lost everything."""
        unfinished = self.path.with_name(f"{STORE_FILE_NAME}.new")
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished)) as connection:
            unfinished.chmod(0o600)  # it holds the guests' names
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
        unfinished.rename(self.path)

    def _check_header(self) -> None:
        if self.path.stat().st_size < _HEADER_BYTES:  # which SQLite takes for an empty one
            raise sqlite3.DatabaseError("it is cut off")

    def check_integrity(self) -> None:
        """Look the whole store through, however large. Raises StoreError for a damaged one."""
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no store")
        with self._translate_errors():
            self._check_header()
            with closing(sqlite3.connect(self._read_only_uri(), uri=True)) as connection:
                _check_integrity(connection)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (
            sqlite3.Error,
            OSError,
            ValueError,
        ) as problem:  # a damaged schema is told in what is no UTF-8
            raise self.to_store_error(problem) from None

    def to_store_error(self, error: Exception) -> StoreError:
        error = _driver_error(error)
        words = " ".join(str(error).split()) or type(error).__name__
        what = "".join(character if character.isprintable() else "?" for character in words)
        if (
            isinstance(error, OSError)
            or getattr(error, "sqlite_errorcode", 0) & 0xFF in _ENVIRONMENT_ERROR_CODES
        ):
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
        return _engine(self._read_only_uri(), uri=True).connect()

    def _read_only_uri(self) -> str:
        return f"file:{quote(str(self.path))}?mode=ro"

    def is_outage(self, error: Exception) -> bool:
        return is_sqlite_outage(error)

    def reclaim(self, connection: Connection) -> bool:
        raw = cast(sqlite3.Connection, connection.connection.driver_connection)
        raw.executescript(
            f"PRAGMA incremental_vacuum({VACUUM_BATCH_PAGES})"
        )  # `execute` would give back one page
        (free,) = raw.execute("PRAGMA freelist_count").fetchone()
        if free:
            return False
        raw.execute("PRAGMA busy_timeout=0")  # who reads just now is not waited for: the next purge will do
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return True


def insert_many(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows that have a value for every column but the checksum, in the table's order.

    The driver gets them as they are: SQLAlchemy's own binding takes longer than SQLite's writing.
    """
    checked = [(*row, checksum(tuple(row))) for row in rows]
    connection.exec_driver_sql(_insert_statement(table, connection.dialect), checked)


@cache
def _insert_statement(table: Table, dialect: Dialect) -> str:
    return str(table.insert().compile(dialect=dialect))


def is_sqlite_outage(error: Exception) -> bool:
    """Disk full, input or output error, damage: not an error of a statement or of its values."""
    error = _driver_error(error)
    return isinstance(error, sqlite3.OperationalError | OSError) or type(error) is sqlite3.DatabaseError


def _driver_error(error: Exception) -> Exception:
    """What the driver said."""
    if isinstance(error, exc.DBAPIError) and isinstance(error.orig, Exception):
        return error.orig
    return error


def _check_integrity(connection: sqlite3.Connection) -> None:
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
    set_begin_statement(engine, "BEGIN" if uri else "BEGIN IMMEDIATE")
    if not uri:
        event.listen(engine, "connect", _apply_pragmas)
    return engine


def set_begin_statement(engine: Engine, statement: str) -> None:
    """Transactions of this engine begin with this statement."""
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(statement))


def _apply_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _CONNECTION_PRAGMAS:
        connection.execute(pragma)
