"""A store that is open: the journal that writes it, a thread that reads it, and the purge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import evolve, frozen
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from pmslink.store.core import schema, store_metadata
from pmslink.store.core.database import Database
from pmslink.store.core.journal import Journal, Thread
from pmslink.store.core.row_checksum import AT_START, require_intact
from pmslink.store.core.store_errors import StoreError, StoreFailing, TooNew, in_words
from pmslink.store.operations.retention import Purge, Retention, purge, purge_time
from pmslink.store.tables.history_queries import last_told
from pmslink.store.tables.hotel_states import Houses, plans
from pmslink.store.tables.link_rows import KeptLink, kept_links
from pmslink.store.tables.log_entries import Entry
from pmslink.store.tables.outbox_rows import State, standing
from pmslink.store.tables.service_runs import Run, keep_runs
from pmslink.store.tables.webhook_cursors import kept_cursors
from pmslink.timestamps import to_ms

PURGE_INTERVAL = 600.0
"""Seconds between two purges."""
SEEN_INTERVAL = 60.0
"""Seconds between two notes that the service runs."""
LAST_WORDS = 5.0
"""Seconds that a stopping service gives the disk."""
_NOT_AS_WRITTEN = (SQLAlchemyError, ValueError, TypeError, LookupError, ArithmeticError)
"""What reading raises where something else stands than was written."""

P = ParamSpec("P")
Result = TypeVar("Result")


@frozen
class Opened:
    """What was found in a store at the start."""

    links: list[KeptLink]
    standing: list[tuple[str, int, State, int]]
    """Link, id, state and birth of the postings that are not done or discarded, oldest first."""
    last_told: list[Entry]
    plans: dict[str, int]
    """When something is due in a house, in milliseconds, by link."""
    cursors: dict[str, int]
    """How far each webhook was told, by link."""
    first: int
    """Where the sequence goes on."""
    unclean: bool
    """The last service on it did not stop in good order: what it had just read may be lost."""


def open_store(database: Database, now: datetime, remembered: int) -> Opened:
    """Make, check and read a store, before anything else runs. Raises StoreError.

    A new store's sequence begins at the time in milliseconds: whoever remembers a number of an
    earlier store in the same place, and asks what came after it, misses nothing of the new one.
    """
    database.create()
    with understood(database), database.writer() as connection, connection.begin():
        schema.prepare(connection)
        require_intact(connection, AT_START)
        return read_store(connection, now, remembered)


def read_store(connection: Connection, now: datetime, remembered: int) -> Opened:
    """All that a service wants to know of a store at its start."""
    reserved = store_metadata.read(connection, "sequence") or 0
    return Opened(
        links=kept_links(connection),
        standing=standing(connection),
        last_told=last_told(connection, remembered),
        plans=plans(connection),
        cursors=kept_cursors(connection),
        first=max(reserved + 1, to_ms(now)),
        unclean=bool(store_metadata.read(connection, "running")),
    )


@contextmanager
def understood(database: Database) -> Iterator[None]:
    """Whatever reading a store raises becomes a StoreError."""
    try:
        yield
    except TooNew as problem:
        raise StoreError(f"{database.name}: {problem}") from None
    except _NOT_AS_WRITTEN as problem:
        raise database.unusable(problem) from None


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


class Store(Service):
    """Runs while its service runs; what it needs of threads is handed in."""

    log = Logger()

    def __init__(
        self,
        database: Database,
        opened: Opened,
        clock: Any,
        wall: Callable[[], datetime],
        retention: Retention,
        writing: Thread,
        reading: Thread,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wall = wall
        self._retention = retention
        self._writing = writing
        self._reading = reading
        self._reader: Connection | None = None
        self._run: Run | None = None
        self._repeated: list[LoopingCall] = []
        self.opened = opened
        self.houses = Houses(wall)
        self.journal = Journal(database, writing, clock, opened.first, self.houses)
        self.purged: list[Callable[[Purge], None]] = []
        """Who is told that something has been forgotten, and how old that was."""

    def read(
        self, query: Callable[Concatenate[Connection, P], Result], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Result]:
        """What the query gives of what is committed. Fails with StoreFailing when the disk does."""
        return self._reading.run(self._read, lambda connection: query(connection, *args, **kwargs))

    def _read(self, query: Callable[[Connection], Result]) -> Result:
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
            raise StoreFailing(in_words(Failure())) from problem

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        for thread in (self._writing, self._reading):
            thread.start()
        self.journal.append(store_metadata.begin, None)
        now = self._wall()
        self._run = Run(self.journal.number(), now, now)
        self.journal.append(keep_runs, self._run)
        self._repeat(
            PURGE_INTERVAL, lambda: Deferred.fromCoroutine(self.purge()), "nothing is purged any more"
        )
        self._repeat(SEEN_INTERVAL, self._note_run, "it is not noted any more that the service runs")

    def _repeat(self, seconds: float, call: Callable[[], object], otherwise: str) -> None:
        """Call it again and again; what to log if that ends."""
        repeated = LoopingCall(call)
        repeated.clock = self._clock
        repeated.start(seconds, now=False).addErrback(lambda failure: self.log.failure(otherwise, failure))
        self._repeated.append(repeated)

    @property
    def run(self) -> int | None:
        """The id of this run of the service; None while nothing can be kept of it."""
        return None if self._run is None or self.journal.failing else self._run.id

    def _note_run(self) -> None:
        if not self.journal.failing:  # else they would pile up
            self._note_seen()

    def _note_seen(self) -> None:
        if self._run is not None:
            self.journal.append(keep_runs, evolve(self._run, seen=self._wall()), soon=False)

    def stopService(self) -> Deferred[None]:
        """Write what waits. A disk that does not take it in time cannot keep it."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for repeated in self._repeated:
            repeated.stop()
        self._note_seen()
        self.journal.append(store_metadata.end, None)
        try:
            await self.journal.idle().addTimeout(LAST_WORDS, self._clock)
        except TimeoutError:
            self.log.error(
                "the service stops, and not all could be kept: {reason}", reason=self.journal.reason
            )
        self.journal.stop()
        await self._reading.run(self._close_reader)
        await self._writing.run(self.journal.close)  # the last, which leaves one file behind
        for thread in (self._writing, self._reading):
            thread.stop()

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def purge(self) -> None:
        """Forget what has been kept long enough."""
        try:
            now = await self.journal.write(purge_time, self._wall())
            step = Purge(now - self._retention.guest, now - self._retention.history, now)
            gone = 0
            while self.running and (some := await self.journal.write(purge, step)):
                gone += some
            if not self.running:
                return  # the rest has time until the next start
            if gone:
                self.log.info("{gone} entries were kept long enough, and are gone", gone=gone)
            for watcher in tuple(self.purged):
                watcher(step)
            # Even if nothing has gone now: a link may have been removed, or a reader have been in the way.
            while self.running and not await self._writing.run(self.journal.reclaim):
                pass
        except Exception as problem:  # the next purge may fare better
            if isinstance(problem, StoreFailing) or self._database.is_outage(problem):
                self.log.warn("not all could be purged: {reason}", reason=str(problem))
            else:
                self.log.failure("not all could be purged")
