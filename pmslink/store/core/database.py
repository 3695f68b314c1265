"""The database under a store: the interface that the store needs, and its implementation for SQLite.

A second kind of database needs another class with the interface of `Database`. The rest of the store does
not depend on the kind, and `tests/store` runs over each.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import NullPool

from pmslink.store.core.prepared_statements import driver_connection
from pmslink.store.core.state_directory import STORE_FILE_NAME
from pmslink.store.core.store_errors import StoreError
from pmslink.store.core.wal_file import WalIndex, copy_to_new_file, cut_off_after_commits, sync_to_disk

STARTUP_CHECK_MAX_BYTES = 256 * 1024**2
"""Maximum size in bytes of a store that each start checks completely; that takes seconds."""
LOW_SPACE_SHARE = 0.25
LOW_SPACE_BYTES = 256 * 1024**2
"""A disk with less free space, or a smaller one with less than this share of it, is nearly full."""
REBUILT_SCHEMA = "rebuilt"
"""The name of the attached database that a rebuild fills."""
_REBUILD_SPACE_FACTOR = 1.3
"""How much larger than the old store a rebuilt one may be, with what is sorted for its indexes."""
_HEADER_BYTES = 100
PROGRESS_INSTRUCTIONS = 1_000_000
"""Instructions of SQLite between two reports of a check's progress; some run in a tenth of a second."""
BUSY_TIMEOUT_MS = 5000
"""Milliseconds to wait for another connection's lock."""
VACUUM_BATCH_PAGES = 300
"""Free pages that are returned to the file system between two commits."""
_PROGRESS_STEPS = 10_000
"""Steps of SQLite's virtual machine between two looks whether a query should end."""
_CONNECTION_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # deleted guest data is overwritten
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)
_REBUILD_PRAGMAS = ("PRAGMA secure_delete=ON", f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
_REBUILT_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-64000")
"""For a new file that is thrown away unless it is completed."""

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
"""SQLite's errors about the environment, which say nothing about the content of the file."""

_ROLLED_BACK_ERROR_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
"""Errors of a COMMIT that has not written the last page of its transaction."""


class Database(Protocol):
    """The database that holds a store."""

    name: str
    """The name in messages, such as the path of the file."""

    def create(self) -> None:
        """Create the database if it does not exist. Raises StoreError if it is damaged or no database."""

    def rebuild(self, fill: Callable[[Connection], None]) -> None:
        """Replace the database by a new one, or leave it as it was if `fill` raises or the process ends.

        `fill` gets a connection to the old database in a transaction, with the new one attached as
        REBUILT_SCHEMA. It may also change the old database. Raises StoreError without enough space.
        """

    def writer(self) -> Connection:
        """Return the only connection that writes. It must stay in the calling thread."""

    def reader(self) -> Connection:
        """Return a connection that reads committed data and cannot write."""

    def stop_queries(self, connection: Connection, should_stop: Callable[[], bool] | None) -> None:
        """Let a query of a reader fail as soon as `should_stop` returns true; None ends that.

        `should_stop` is called often, in the thread of the query.
        """

    def to_store_error(self, error: Exception) -> StoreError:
        """Return the StoreError for an error at the start; its text tells an operator how to correct it."""

    def is_outage(self, error: Exception) -> bool:
        """Return whether the database or its disk has failed, rather than a single statement."""

    def is_commit_in_doubt(self, error: Exception) -> bool:
        """Return whether a commit that raised this outage error may be in the database nevertheless."""

    def settle(self, failed: Connection) -> Connection:
        """Return a new writer in place of one whose commit is in doubt.

        From now on that commit is durably in the database, or it never will be there. Raises the database's
        own error, and leaves the old writer open, if that cannot be achieved.
        """

    def count_changes(self, connection: Connection) -> int:
        """Return how many rows a connection has changed since it was opened."""

    def is_space_low(self) -> bool:
        """Return whether its disk is nearly full."""

    def reclaim(self, connection: Connection) -> bool:
        """Remove deleted data from the files, and return free space to the file system, after a purge.

        Runs one step, and returns whether it was the last step.
        """


class SqliteDatabase:
    """A SQLite file in WAL mode with synchronous=FULL."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / STORE_FILE_NAME
        self.name = str(self.path)
        self._wal = directory / f"{STORE_FILE_NAME}-wal"
        self._index = directory / f"{STORE_FILE_NAME}-shm"
        self._wal_index = WalIndex(self._index)
        self._rebuilt_path = directory / f"{STORE_FILE_NAME}.{REBUILT_SCHEMA}"

    def create(self) -> None:
        """Create the file if it does not exist, check it, and set its pragmas. Raises StoreError."""
        with self._translate_errors():
            if not self.path.exists():
                unfinished = self.path.with_name(f"{STORE_FILE_NAME}.new")
                self._create_file(unfinished)
                unfinished.rename(self.path)
            copy_to_new_file(self._wal, self._index)  # its last sync may have failed
            self._check_header()
            self._rebuilt_path.unlink(missing_ok=True)  # of a process that was killed
            with closing(sqlite3.connect(self.path)) as connection:
                for pragma in _CONNECTION_PRAGMAS:
                    connection.execute(pragma)
                if self.path.stat().st_size <= STARTUP_CHECK_MAX_BYTES:
                    _check_integrity(connection)

    def _create_file(self, path: Path) -> None:
        # Created under another name, because an empty file with the final name counts as damaged, not as new.
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            path.chmod(0o600)  # it contains the names of guests
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")

    def _check_header(self) -> None:
        if self.path.stat().st_size < _HEADER_BYTES:  # SQLite would open it as an empty database
            raise sqlite3.DatabaseError("the file is truncated")

    def rebuild(self, fill: Callable[[Connection], None]) -> None:
        """Fill a new file beside the old one, which it then replaces by one rename. Raises StoreError."""
        with self._translate_errors():
            with closing(sqlite3.connect(self.path)) as connection:
                # Without a WAL: one that the old file leaves would be applied to the new file.
                connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
                connection.execute("PRAGMA journal_mode=DELETE")
            self._require_space()
            self._create_file(self._rebuilt_path)
            try:
                self._fill(fill)
                sync_to_disk(self._rebuilt_path)
                self._rebuilt_path.rename(self.path)
                sync_to_disk(self.path.parent)
            finally:
                self._rebuilt_path.unlink(missing_ok=True)

    def _require_space(self) -> None:
        needed = int(self.path.stat().st_size * _REBUILD_SPACE_FACTOR)
        free = shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise StoreError(
                f"{self.path} cannot be upgraded: that needs {needed // 1024**2 + 1} MB of free disk space, "
                f"and {free // 1024**2} MB are free. The store is unchanged: free some space, and start again"
            )

    def _fill(self, fill: Callable[[Connection], None]) -> None:
        with _engine(str(self.path), uri=False, pragmas=_REBUILD_PRAGMAS).connect() as connection:
            raw = driver_connection(connection)
            raw.execute(f"ATTACH ? AS {REBUILT_SCHEMA}", (str(self._rebuilt_path),))
            for pragma in _REBUILT_PRAGMAS:
                raw.execute(f"PRAGMA {REBUILT_SCHEMA}.{pragma}")
            with connection.begin():
                fill(connection)

    def check_integrity(self, on_progress: Callable[[], None] = lambda: None) -> None:
        """Check the whole store, whatever its size. Raises StoreError if it is damaged or missing.

        `on_progress` is called now and then.
        """
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no store")
        with self._translate_errors():
            self._check_header()
            with closing(sqlite3.connect(self._read_only_uri(), uri=True)) as connection:
                connection.set_progress_handler(on_progress, PROGRESS_INSTRUCTIONS)
                _check_integrity(connection)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as problem:  # ValueError: damaged text is not UTF-8
            raise self.to_store_error(problem) from None

    def to_store_error(self, error: Exception) -> StoreError:
        """Return a StoreError that distinguishes a damaged file from one that cannot be opened."""
        error = _driver_error(error)
        text = " ".join(str(error).split()) or type(error).__name__
        reason = "".join(character if character.isprintable() else "?" for character in text)
        if (
            isinstance(error, OSError)
            or getattr(error, "sqlite_errorcode", 0) & 0xFF in _ENVIRONMENT_ERROR_CODES
        ):
            return StoreError(
                f"{self.path} cannot be opened: {reason}. Check the disk, and the owner and the "
                "permissions of the file and its directory"
            )
        return StoreError(
            f"{self.path} is damaged: {reason}. Keep a copy for a repair, then run "
            "pmslink store move-aside and start again with a new store"
        )

    def writer(self) -> Connection:
        """Return the only connection that writes."""
        return _engine(str(self.path), uri=False).connect()

    def reader(self) -> Connection:
        """Return a read-only connection."""
        return _engine(self._read_only_uri(), uri=True).connect()

    def stop_queries(self, connection: Connection, should_stop: Callable[[], bool] | None) -> None:
        """Let SQLite ask `should_stop`, several times in each millisecond of a query."""
        driver_connection(connection).set_progress_handler(should_stop, _PROGRESS_STEPS)

    def _read_only_uri(self) -> str:
        return f"file:{quote(str(self.path))}?mode=ro"

    def is_outage(self, error: Exception) -> bool:
        """Return whether the database or its disk has failed."""
        return is_sqlite_outage(error)

    def is_commit_in_doubt(self, error: Exception) -> bool:
        """Return whether COMMIT failed after it may have written the last page of the transaction."""
        return getattr(_driver_error(error), "sqlite_errorcode", 0) & 0xFF not in _ROLLED_BACK_ERROR_CODES

    def settle(self, failed: Connection) -> Connection:
        """Return a new writer; by then, the failed commit is cut off from the WAL.

        After a failed sync, the complete commit may be in the kernel's cache of the WAL, on the disk, in both
        or in none. SQLite has rolled it back, but only in its index of the WAL. It loses the index when the
        last connection is closed, and would then read the commit from the WAL and make it true. So the new
        writer is opened first.
        """
        connection = self.writer()
        try:
            with suppress(sqlite3.Error):
                driver_connection(failed).rollback()  # it may still have a lock
            cut_off_after_commits(self._wal, self._wal_index)
        except BaseException:
            connection.close()
            raise
        with suppress(Exception):
            failed.close()
        return connection

    def count_changes(self, connection: Connection) -> int:
        """Return how many rows a connection has changed."""
        return count_sqlite_changes(connection)

    def is_space_low(self) -> bool:
        """Return whether less is free on the file system than LOW_SPACE_SHARE of it and LOW_SPACE_BYTES."""
        try:
            disk = shutil.disk_usage(self.path.parent)
        except OSError:  # the next commit fails as well, and says why
            return False
        return disk.free < min(disk.total * LOW_SPACE_SHARE, LOW_SPACE_BYTES)

    def reclaim(self, connection: Connection) -> bool:
        """Vacuum some free pages; after the last ones, truncate the WAL. Return whether none are left."""
        raw = driver_connection(connection)
        free_before = _count_free_pages(raw)
        # not `execute`, which would vacuum one page only
        raw.executescript(f"PRAGMA incremental_vacuum({VACUUM_BATCH_PAGES})")
        if 0 < _count_free_pages(raw) < free_before:  # a file without auto_vacuum keeps its free pages
            return False
        raw.execute("PRAGMA busy_timeout=0")  # a reader may block it: the next purge tries again
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return True


def is_sqlite_outage(error: Exception) -> bool:
    """Return whether SQLite reports a full disk, an I/O error or damage, rather than a faulty statement."""
    error = _driver_error(error)
    return isinstance(error, sqlite3.OperationalError | OSError) or type(error) is sqlite3.DatabaseError


def count_sqlite_changes(connection: Connection) -> int:
    """Return how many rows a connection to SQLite has changed since it was opened."""
    return driver_connection(connection).total_changes


def _count_free_pages(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(count)


def _driver_error(error: Exception) -> Exception:
    """Return the driver's own error."""
    if isinstance(error, exc.DBAPIError) and isinstance(error.orig, Exception):
        return error.orig
    return error


def _check_integrity(connection: sqlite3.Connection) -> None:
    # not quick_check: it does not compare indexes with rows, and a damaged index would hide rows
    for (verdict,) in connection.execute("PRAGMA integrity_check(1)"):
        if verdict != "ok":
            raise sqlite3.DatabaseError(" ".join(str(verdict).split()))


def _engine(name: str, uri: bool, pragmas: Sequence[str] = _CONNECTION_PRAGMAS) -> Engine:
    # isolation_level=None and an explicit BEGIN: the module's own transactions begin too late
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(name, uri=uri, isolation_level=None, check_same_thread=False),
        poolclass=NullPool,
        hide_parameters=True,  # errors, and so the log, contain no stored values
    )
    set_begin_statement(engine, "BEGIN" if uri else "BEGIN IMMEDIATE")
    if not uri:
        event.listen(engine, "connect", partial(_apply_pragmas, pragmas))
    return engine


def set_begin_statement(engine: Engine, statement: str) -> None:
    """Begin each transaction of an engine with this statement."""
    event.listen(engine, "begin", lambda connection: driver_connection(connection).execute(statement))


def _apply_pragmas(pragmas: Sequence[str], connection: sqlite3.Connection, _record: object) -> None:
    for pragma in pragmas:
        connection.execute(pragma)
