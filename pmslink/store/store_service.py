"""The store as a service: the journal that writes it, the threads that read it, and the purge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import evolve, frozen
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.hotel.manual_changes import ManualCounts
from pmslink.store.core import schema_version, store_metadata
from pmslink.store.core.database import Database
from pmslink.store.core.high_water_mark import HighWaterFile
from pmslink.store.core.journal import Journal, Thread
from pmslink.store.core.prepared_statements import DriverError
from pmslink.store.core.reader_lane import LIST_LIMITS, LIVE_LIMITS, ReaderLane
from pmslink.store.core.row_checksum import STARTUP_CHECK_ROWS, verify_checksums
from pmslink.store.core.store_errors import (
    StoreError,
    StoreTooNewError,
    StoreUnavailableError,
)
from pmslink.store.core.store_upgrade import Report, rebuild_older_store
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.restored_store import continue_restored_store
from pmslink.store.operations.retention import Purge, PurgeStep, Retention, advance_purge_clock, purge
from pmslink.store.tables.history_queries import StoredControl, last_published, last_user_controls
from pmslink.store.tables.hotel_states import HotelStore, manual_counts, next_due_times
from pmslink.store.tables.link_rows import StoredLink, read_links
from pmslink.store.tables.notice_rows import Notice, lasting_notices
from pmslink.store.tables.outbox_rows import UnresolvedRow, unresolved_rows
from pmslink.store.tables.service_runs import Run, store_runs
from pmslink.store.tables.webhook_cursors import read_cursors
from pmslink.timestamps import to_ms
from pmslink.typed_service import TypedService

PURGE_INTERVAL_S = 600.0
"""Seconds between two purges."""
RUN_UPDATE_INTERVAL_S = 60.0
"""Seconds between two updates of the row of this run."""
SHUTDOWN_TIMEOUT_S = 5.0
"""Seconds without progress after which a stopping service gives up storing the queued writes."""
_UNREADABLE_STORE_ERRORS = (
    SQLAlchemyError,
    DriverError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
)
"""Errors that reading a damaged database raises."""

P = ParamSpec("P")
Result = TypeVar("Result")


log = Logger()


def _log_progress(message: str) -> None:
    log.info("{message}", message=message)


@frozen
class StartupSnapshot:
    """The content of a store at the start of the service."""

    links: list[StoredLink]
    last_controls: dict[str, StoredControl]
    """The last control of a user, by link, for links that are not enabled."""
    unresolved_rows: list[UnresolvedRow]
    """The rows that are not done or discarded, oldest first."""
    last_published: list[Entry]
    next_due_times: dict[str, int]
    """When something is due in each hotel, by link, in milliseconds since 1970 in UTC."""
    lasting_notices: list[Notice]
    """The notices that are not over."""
    manual_counts: dict[str, ManualCounts]
    """How many changes by hand each hotel has that has any, by link."""
    cursors: dict[str, int]
    """The number of the last delivered event of each webhook, by link."""
    first_seq: int
    """The first free number of the sequence."""
    unclean_shutdown: bool
    """Whether the last service did not stop cleanly. The last records that it received may be lost."""
    restored: bool
    """Whether the store is an older copy of the one that the last service used."""


def open_store(
    database: Database,
    now: datetime,
    replay_limit: int,
    report: Report = _log_progress,
    high_water_mark: int | None = None,
) -> StartupSnapshot:
    """Create or upgrade a store, check it and read it, before other services start. Raises StoreError.

    `report` gets the progress of an upgrade, which may take minutes. `high_water_mark` is that of the file
    beside the store.

    The sequence of a new store begins at the time in milliseconds. So a client that has saved a number of an
    earlier store in the same directory, and reads the events after it, gets all events of the new store.
    """
    database.create()
    with translate_errors(database):
        rebuild_older_store(database, report)
    with translate_errors(database), database.writer() as connection, connection.begin():
        schema_version.create_or_migrate(connection)
        verify_checksums(connection, STARTUP_CHECK_ROWS)
        return read_startup_snapshot(connection, now, replay_limit, high_water_mark)


def read_startup_snapshot(
    connection: Connection, now: datetime, replay_limit: int, high_water_mark: int | None = None
) -> StartupSnapshot:
    """Read the content of a store that the service needs at its start; `replay_limit`: number of entries."""
    reserved = store_metadata.read_value(connection, "sequence") or 0
    restored = store_metadata.is_older_copy(connection, high_water_mark)
    if restored and high_water_mark is not None:
        # numbers that were assigned since the copy are not used again
        reserved = max(reserved, high_water_mark + store_metadata.SEQUENCE_RESERVE_NUMBERS)
    links = read_links(connection)
    return StartupSnapshot(
        links=links,
        last_controls=last_user_controls(
            connection, (link.name for link in links if link.intent != "enabled")
        ),
        unresolved_rows=unresolved_rows(connection),
        last_published=last_published(connection, replay_limit),
        next_due_times=next_due_times(connection),
        lasting_notices=lasting_notices(connection),
        manual_counts=manual_counts(connection),
        cursors=read_cursors(connection),
        first_seq=max(reserved + 1, to_ms(now)),
        unclean_shutdown=bool(store_metadata.read_value(connection, "running")),
        restored=restored,
    )


@contextmanager
def translate_errors(database: Database) -> Iterator[None]:
    """Turn the errors that reading a store raises into StoreError."""
    try:
        yield
    except StoreTooNewError as error:
        raise StoreError(f"{database.name}: {error}") from None
    except _UNREADABLE_STORE_ERRORS as error:
        raise database.to_store_error(error) from None


class Store(TypedService):
    """The store as a service. Its threads are arguments: one writes, one reads events, the others lists."""

    log = Logger()

    def __init__(
        self,
        database: Database,
        startup_snapshot: StartupSnapshot,
        clock: Any,
        wall_clock: Callable[[], datetime],
        retention: Retention,
        writer_thread: Thread,
        live_thread: Thread,
        list_threads: Sequence[Thread],
        is_clock_settled: Callable[[], bool] = lambda: True,
        high_water_file: HighWaterFile | None = None,
    ) -> None:
        self._database = database
        self._high_water_file = high_water_file
        self._clock = clock
        self._wall_clock = wall_clock
        self._is_clock_settled = is_clock_settled
        self._writer_thread = writer_thread
        self._live = ReaderLane(database, [live_thread], LIVE_LIMITS)
        self._lists = ReaderLane(database, list_threads, LIST_LIMITS)
        self._run: Run | None = None
        self._loops: list[LoopingCall] = []
        self.retention = retention
        """The retention times; each purge uses the current ones."""
        self.startup_snapshot = startup_snapshot
        self.hotels = HotelStore(wall_clock, is_clock_settled)
        self.journal = Journal(database, writer_thread, clock, startup_snapshot.first_seq, self.hotels)
        self.on_purge: list[Callable[[Purge], None]] = []
        """Subscribers; each is called after a purge, with its time limits."""
        self.on_unusable: list[Callable[[], object]] = []
        """Subscribers; each is called if the service must not continue with this store."""
        self._is_restored_pending = (
            startup_snapshot.restored
        )  # what has to be changed in a restored store is not yet

    def read(
        self, query: Callable[Concatenate[Connection, P], Result], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Result]:
        """Run a query for a list on committed data, and return its result; may be cancelled.

        The Deferred fails with ReadLimitError if too many lists are read at the same time or the query takes
        too long, and with StoreUnavailableError if the database fails.
        """
        return self._lists.read(lambda connection: query(connection, *args, **kwargs))

    def read_live(
        self, query: Callable[Concatenate[Connection, P], Result], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Result]:
        """Run a query for events, or for a single row; as `read`, but it waits for no list."""
        return self._live.read(lambda connection: query(connection, *args, **kwargs))

    def close_readers(self) -> None:
        """Close the connections of the readers, in the calling thread."""
        self._live.close()
        self._lists.close()

    def startService(self) -> None:
        """Start the threads, store that the service runs, and start the purge."""
        super().startService()
        self._writer_thread.start()
        self._live.start()
        self._lists.start()
        self.journal.submit_nowait(store_metadata.mark_running, None)
        if self.startup_snapshot.restored:  # before any row can be sent, or given a number
            self.journal.submit(continue_restored_store, None, retry_until_stored=True).addCallbacks(
                self._on_restored_store_continued, self._on_restored_store_unusable
            )
        now = self._wall_clock()
        self._run = Run(self.journal.next_seq(), now, now)
        self.journal.submit_nowait(store_runs, self._run)
        self._start_loop(
            PURGE_INTERVAL_S,
            lambda: Deferred.fromCoroutine(self.purge()),
            "the purge has stopped; expired entries are not deleted until the next start",
        )
        self._advance_high_water_mark()
        self._start_loop(
            RUN_UPDATE_INTERVAL_S,
            self._update_run,
            "the update of the service's run has stopped; the timeline ends here until the next start",
        )

    def _start_loop(self, seconds: float, call: Callable[[], object], failure_message: str) -> None:
        """Call a function at an interval; log the message if a call fails, which ends the loop."""
        loop = LoopingCall(call)
        loop.clock = self._clock
        loop.start(seconds, now=False).addErrback(lambda failure: self.log.failure(failure_message, failure))
        self._loops.append(loop)

    @property
    def run_id(self) -> int | None:
        """The id of this run of the service; None while the database fails and the run is not updated."""
        return None if self._run is None or self.journal.is_failing else self._run.id

    def _update_run(self) -> None:
        if not self.journal.is_failing:  # updates during an outage would fill the queue
            self._submit_run_update()
            self._advance_high_water_mark()

    def _advance_high_water_mark(self) -> None:
        """Commit a new high-water mark, and then write it into the file."""
        file, mark = self._high_water_file, self.journal.next_seq()
        if file is None or self._is_restored_pending:
            return
        committed = self.journal.submit(store_metadata.store_high_water_marks, mark, retry_until_stored=True)
        committed.addCallback(lambda _: self._writer_thread.run(file.write, mark)).addErrback(
            lambda failure: self.log.warn(
                "the high-water mark is not written, so a restored store may not be noticed: {reason}",
                reason=failure.getErrorMessage(),
            )
        )

    def _on_restored_store_continued(self, rows: int) -> None:
        self._is_restored_pending = False
        self._advance_high_water_mark()
        self.log.warn(
            "the store was restored from an older copy: {rows} rows of the outboxes that were not final are "
            "unknown now and wait for a person, posting numbers are skipped, and each link requests a resync",
            rows=rows,
        )

    def _on_restored_store_unusable(self, failure: Failure) -> None:
        # If the links were in sync now, they would send again what was sent since the copy was made.
        self.log.failure("The restored store cannot be continued, and the service stops", failure)
        for subscriber in tuple(self.on_unusable):
            subscriber()

    def _submit_run_update(self) -> None:
        if self._run is not None:
            self.journal.submit_nowait(store_runs, evolve(self._run, seen=self._wall_clock()), urgent=False)

    def stopService(self) -> Deferred[None]:
        """Store the queued writes, and close the store. Those of a disk without progress are lost."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for loop in self._loops:
            if loop.running:  # a call that failed has ended its loop
                loop.stop()
        self._submit_run_update()
        if not self.journal.is_failing:
            self._advance_high_water_mark()
        self.journal.submit_nowait(store_metadata.mark_stopped, None)
        await self._store_queued_writes()
        self.journal.stop()
        if self.journal.is_committing:
            return  # a disk that does not respond blocks the thread, which ends with the process
        await gatherResults([self._live.stop(), self._lists.stop()])
        await self._writer_thread.run(self.journal.close)  # the last connection: closing it removes the WAL
        self._writer_thread.stop()
        self._live.stop_threads()
        self._lists.stop_threads()

    async def _store_queued_writes(self) -> None:
        """Wait until all is stored, or the disk has made no progress for SHUTDOWN_TIMEOUT_S."""
        while True:
            progress_before = self.journal.progress
            try:
                await self.journal.wait_idle().addTimeout(SHUTDOWN_TIMEOUT_S, self._clock)
            except DeferredTimeoutError:
                count = self.journal.queue_length
                if self.journal.progress == progress_before:
                    self.log.error(
                        "the service stops before all writes are stored; the last {count} are lost: {reason}",
                        count=count,
                        reason=self.journal.failure_reason or "the disk does not respond",
                    )
                    return
                self.log.info("stopping: {count} writes are not stored yet", count=count)
            else:
                return

    async def purge(self) -> None:
        """Delete expired entries, and return their space to the file system.

        While the wall clock may be wrong, nothing is deleted: the next purge does it.
        """
        if not self._is_clock_settled():
            return
        try:
            now = await self.journal.submit(advance_purge_clock, self._wall_clock())
            limits = Purge(now - self.retention.guest, now - self.retention.history, now)
            deleted = 0
            step: PurgeStep | None = PurgeStep(limits)
            while self.running and step is not None:
                done = await self.journal.submit(purge, step)
                deleted += done.deleted
                step = done.next_step
            if not self.running:
                return  # the next start purges the rest
            if deleted:
                self.log.info("purged {count} expired entries", count=deleted)
            for subscriber in tuple(self.on_purge):
                subscriber(limits)
            # Even if nothing was deleted: a link may be removed, or a reader may have blocked this step.
            while self.running and not await self._writer_thread.run(self.journal.reclaim):
                pass
        except Exception as error:  # the next purge may succeed
            if isinstance(error, StoreUnavailableError) or self._database.is_outage(error):
                self.log.warn(
                    "the purge is incomplete and will be retried at the next interval: {reason}",
                    reason=str(error),
                )
            else:
                self.log.failure("the purge failed and will be retried at the next interval")
