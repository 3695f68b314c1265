"""A store that is open: the journal that writes it, a thread that reads it, and the purge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import evolve, frozen
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from pmslink.store.core import schema, store_metadata
from pmslink.store.core.database import Database
from pmslink.store.core.journal import Journal, Thread
from pmslink.store.core.row_checksum import STARTUP_CHECK_ROWS, verify_checksums
from pmslink.store.core.store_errors import (
    StoreError,
    StoreTooNewError,
    StoreUnavailableError,
    describe_failure,
)
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.retention import Purge, Retention, advance_purge_clock, purge
from pmslink.store.tables.history_queries import last_published
from pmslink.store.tables.hotel_states import HotelStore, next_due_times
from pmslink.store.tables.link_rows import StoredLink, read_links
from pmslink.store.tables.outbox_rows import RowState, unresolved_rows
from pmslink.store.tables.service_runs import Run, store_runs
from pmslink.store.tables.webhook_cursors import read_cursors
from pmslink.timestamps import to_ms
from pmslink.typed_service import TypedService

PURGE_INTERVAL_S = 600.0
"""Seconds between two purges."""
RUN_UPDATE_INTERVAL_S = 60.0
"""Seconds between two notes that the service runs."""
SHUTDOWN_TIMEOUT_S = 5.0
"""Seconds that a stopping service gives the disk."""
_UNREADABLE_STORE_ERRORS = (SQLAlchemyError, ValueError, TypeError, LookupError, ArithmeticError)
"""What reading raises where something else stands than was written."""

P = ParamSpec("P")
Result = TypeVar("Result")


@frozen
class StartupSnapshot:
    """What was found in a store at the start."""

    links: list[StoredLink]
    unresolved_rows: list[tuple[str, int, RowState, int]]
    """Link, id, state and birth of the postings that are not done or discarded, oldest first."""
    last_published: list[Entry]
    next_due_times: dict[str, int]
    """When something is due in a house, in milliseconds, by link."""
    cursors: dict[str, int]
    """How far each webhook was told, by link."""
    first_seq: int
    """Where the sequence goes on."""
    unclean_shutdown: bool
    """The last service on it did not stop in good order: what it had just read may be lost."""


def open_store(database: Database, now: datetime, replay_limit: int) -> StartupSnapshot:
    """Make, check and read a store, before anything else runs. Raises StoreError.

    A new store's sequence begins at the time in milliseconds: whoever remembers a number of an
    earlier store in the same place, and asks what came after it, misses nothing of the new one.
    """
    database.create()
    with translate_errors(database), database.writer() as connection, connection.begin():
        schema.create_or_migrate(connection)
        verify_checksums(connection, STARTUP_CHECK_ROWS)
        return read_startup_snapshot(connection, now, replay_limit)


def read_startup_snapshot(connection: Connection, now: datetime, replay_limit: int) -> StartupSnapshot:
    """All that a service wants to know of a store at its start."""
    reserved = store_metadata.read_value(connection, "sequence") or 0
    return StartupSnapshot(
        links=read_links(connection),
        unresolved_rows=unresolved_rows(connection),
        last_published=last_published(connection, replay_limit),
        next_due_times=next_due_times(connection),
        cursors=read_cursors(connection),
        first_seq=max(reserved + 1, to_ms(now)),
        unclean_shutdown=bool(store_metadata.read_value(connection, "running")),
    )


@contextmanager
def translate_errors(database: Database) -> Iterator[None]:
    """Whatever reading a store raises becomes a StoreError."""
    try:
        yield
    except StoreTooNewError as problem:
        raise StoreError(f"{database.name}: {problem}") from None
    except _UNREADABLE_STORE_ERRORS as problem:
        raise database.to_store_error(problem) from None


class PoolThread:
    """A thread of its own, from `start` to `stop`."""

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(1, 1, name)

    def start(self) -> None:
        self._pool.start()

    def stop(self) -> None:
        self._pool.stop()

    def run(self, call: Callable[..., Result], *arguments: Any) -> Deferred[Result]:
        return deferToThreadPool(self._reactor, self._pool, call, *arguments)


class Store(TypedService):
    """Runs while its service runs; what it needs of threads is handed in."""

    log = Logger()

    def __init__(
        self,
        database: Database,
        startup_snapshot: StartupSnapshot,
        clock: Any,
        wall_clock: Callable[[], datetime],
        retention: Retention,
        writer_thread: Thread,
        reader_thread: Thread,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wall_clock = wall_clock
        self._retention = retention
        self._writer_thread = writer_thread
        self._reader_thread = reader_thread
        self._reader: Connection | None = None
        self._run: Run | None = None
        self._loops: list[LoopingCall] = []
        self.startup_snapshot = startup_snapshot
        self.hotels = HotelStore(wall_clock)
        self.journal = Journal(database, writer_thread, clock, startup_snapshot.first_seq, self.hotels)
        self.on_purge: list[Callable[[Purge], None]] = []
        """Who is told that something has been forgotten, and how old that was."""

    def read(
        self, query: Callable[Concatenate[Connection, P], Result], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Result]:
        """What the query gives of what is committed. Fails with StoreUnavailableError when the disk does."""
        return self._reader_thread.run(self._run_query, lambda connection: query(connection, *args, **kwargs))

    def _run_query(self, query: Callable[[Connection], Result]) -> Result:
        try:
            if self._reader is None:
                self._reader = self._database.reader()
            with self._reader.begin():
                return query(self._reader)
        except Exception as problem:
            with suppress(Exception):
                self._close_reader()
            self._reader = None
            if not self._database.is_outage(problem):
                raise
            raise StoreUnavailableError(describe_failure(Failure())) from problem

    def startService(self) -> None:
        super().startService()
        for thread in (self._writer_thread, self._reader_thread):
            thread.start()
        self.journal.submit_nowait(store_metadata.mark_running, None)
        now = self._wall_clock()
        self._run = Run(self.journal.next_seq(), now, now)
        self.journal.submit_nowait(store_runs, self._run)
        self._start_loop(
            PURGE_INTERVAL_S, lambda: Deferred.fromCoroutine(self.purge()), "nothing is purged any more"
        )
        self._start_loop(
            RUN_UPDATE_INTERVAL_S, self._update_run, "it is not noted any more that the service runs"
        )

    def _start_loop(self, seconds: float, call: Callable[[], object], failure_message: str) -> None:
        """Call it again and again; what to log if that ends."""
        repeated = LoopingCall(call)
        repeated.clock = self._clock
        repeated.start(seconds, now=False).addErrback(
            lambda failure: self.log.failure(failure_message, failure)
        )
        self._loops.append(repeated)

    @property
    def run_id(self) -> int | None:
        """The id of this run of the service; None while nothing can be kept of it."""
        return None if self._run is None or self.journal.is_failing else self._run.id

    def _update_run(self) -> None:
        if not self.journal.is_failing:  # else they would pile up
            self._submit_run_update()

    def _submit_run_update(self) -> None:
        if self._run is not None:
            self.journal.submit_nowait(store_runs, evolve(self._run, seen=self._wall_clock()), urgent=False)

    def stopService(self) -> Deferred[None]:
        """Write what waits. A disk that does not take it in time cannot keep it."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for repeated in self._loops:
            repeated.stop()
        self._submit_run_update()
        self.journal.submit_nowait(store_metadata.mark_stopped, None)
        try:
            await self.journal.wait_idle().addTimeout(SHUTDOWN_TIMEOUT_S, self._clock)
        except TimeoutError:
            self.log.error(
                "the service stops, and not all could be kept: {reason}", reason=self.journal.failure_reason
            )
        self.journal.stop()
        await self._reader_thread.run(self._close_reader)
        await self._writer_thread.run(self.journal.close)  # the last, which leaves one file behind
        for thread in (self._writer_thread, self._reader_thread):
            thread.stop()

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def purge(self) -> None:
        """Forget what has been kept long enough."""
        try:
            now = await self.journal.submit(advance_purge_clock, self._wall_clock())
            step = Purge(now - self._retention.guest, now - self._retention.history, now)
            gone = 0
            while self.running and (some := await self.journal.submit(purge, step)):
                gone += some
            if not self.running:
                return  # the rest has time until the next start
            if gone:
                self.log.info("{gone} entries were kept long enough, and are gone", gone=gone)
            for watcher in tuple(self.on_purge):
                watcher(step)
            # Even if nothing has gone now: a link may have been removed, or a reader have been in the way.
            while self.running and not await self._writer_thread.run(self.journal.reclaim):
                pass
        except Exception as problem:  # the next purge may fare better
            if isinstance(problem, StoreUnavailableError) or self._database.is_outage(problem):
                self.log.warn("not all could be purged: {reason}", reason=str(problem))
            else:
                self.log.failure("not all could be purged")
