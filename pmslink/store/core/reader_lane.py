"""Reads of committed data: threads with a connection each, and bounds for what one caller costs the others.

A store has several lanes, so that what must be delivered at once does not wait for a list. In each, the
number of queued reads is limited, and so is the time of each query. A read that nobody waits for is not run.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from attrs import define, frozen
from sqlalchemy import Connection
from twisted.internet.defer import CancelledError, Deferred, DeferredList, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.store.core.database import Database
from pmslink.store.core.journal import Thread
from pmslink.store.core.store_errors import ReadLimitError, StoreUnavailableError, describe_failure

Result = TypeVar("Result")
Query = Callable[[Connection], Any]


@frozen
class ReadLimits:
    """The limits of a lane: queued reads, and seconds that one query may take."""

    queued: int
    seconds: float


LIVE_LIMITS = ReadLimits(queued=20_000, seconds=30.0)
"""For events and webhooks. At a start, the webhooks of all links read at once."""
LIST_LIMITS = ReadLimits(queued=100, seconds=5.0)
"""For lists that somebody looks at. By its index, each takes some milliseconds."""

_EXPECTED_ERRORS = (CancelledError, ReadLimitError, StoreUnavailableError)


@define(eq=False)
class _Read:
    """A query that a caller waits for."""

    query: Query
    done: Deferred[Any]
    is_cancelled: bool = False
    has_timed_out: bool = False


class ReaderLane:
    """Runs queries in the order of the calls, as many at once as it has threads."""

    log = Logger()

    def __init__(self, database: Database, threads: Sequence[Thread], limits: ReadLimits) -> None:
        self._workers = [_Worker(database, thread, limits) for thread in threads]
        self._idle = self._workers[:]
        self._limits = limits
        self._queue: deque[_Read] = deque()

    def start(self) -> None:
        """Start the threads."""
        for worker in self._workers:
            worker.thread.start()

    def read(self, query: Callable[[Connection], Result]) -> Deferred[Result]:
        """Run a query in one of the threads; the Deferred fires with its result, and may be cancelled.

        It fails with ReadLimitError if too many reads are queued or the query takes too long, and with
        StoreUnavailableError if the database fails.
        """
        if len(self._queue) >= self._limits.queued:
            return fail(
                ReadLimitError(
                    f"{self._limits.queued} other reads are waiting; send one request after the other, "
                    "and this one again in some seconds"
                )
            )
        done: Deferred[Result] = Deferred(lambda _: self._cancel(read))
        read = _Read(query, done)
        self._queue.append(read)
        self._start_next()
        return done

    def _cancel(self, read: _Read) -> None:
        read.is_cancelled = True  # ends it, if it runs
        with suppress(ValueError):
            self._queue.remove(read)

    def _start_next(self) -> None:
        while self._queue and self._idle:
            worker, read = self._idle.pop(), self._queue.popleft()
            worker.thread.run(worker.execute, read).addBoth(self._on_executed, worker, read)

    def _on_executed(self, outcome: Any, worker: _Worker, read: _Read) -> None:
        self._idle.append(worker)
        if not read.done.called:  # it was cancelled
            read.done.callback(outcome)  # or its errback, for a Failure
        elif isinstance(outcome, Failure) and not outcome.check(*_EXPECTED_ERRORS):
            self.log.failure("a query failed, and nobody waited for it any more", outcome)
        self._start_next()

    def stop(self) -> Deferred[Any]:
        """Cancel all reads and close the connections; the Deferred fires once the threads may be stopped."""
        for worker in self._workers:
            worker.stop()
        for read in tuple(self._queue):
            read.done.cancel()
        return DeferredList([worker.thread.run(worker.close) for worker in self._workers])

    def stop_threads(self) -> None:
        """Stop the threads, after `stop`."""
        for worker in self._workers:
            worker.thread.stop()

    def close(self) -> None:
        """Close the connections, in the calling thread."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """A thread and its connection. `execute` and `close` run in the thread."""

    def __init__(self, database: Database, thread: Thread, limits: ReadLimits) -> None:
        self.thread = thread
        self._database = database
        self._limits = limits
        self._connection: Connection | None = None
        self._is_stopping = False

    def stop(self) -> None:
        """End the query that runs, and run none before the connection is closed."""
        self._is_stopping = True

    def execute(self, read: _Read) -> Any:
        """Run a query in a transaction of its own."""
        end = time.monotonic() + self._limits.seconds

        def should_stop() -> bool:
            read.has_timed_out = time.monotonic() > end
            return read.has_timed_out or read.is_cancelled or self._is_stopping

        try:
            if read.is_cancelled or self._is_stopping:
                raise CancelledError
            if self._connection is None:
                self._connection = self._database.reader()
            self._database.stop_queries(self._connection, should_stop)
            with self._connection.begin():
                result = read.query(self._connection)
            self._database.stop_queries(self._connection, None)
        except Exception as error:
            translated = self._translate(error, read)
            with suppress(Exception):
                self._close_connection()
            self._connection = None
            raise translated from error
        return result

    def _translate(self, error: Exception, read: _Read) -> Exception:
        if read.is_cancelled or self._is_stopping:
            return CancelledError()
        if read.has_timed_out:
            return ReadLimitError(
                f"reading took longer than {self._limits.seconds:g} s and was ended; "
                "ask for fewer entries (limit=), or try again when the disk has less to do"
            )
        if self._database.is_outage(error):
            return StoreUnavailableError(describe_failure(Failure(error)))
        return error

    def close(self) -> None:
        """Close the connection; the next read opens it again."""
        self._is_stopping = False
        self._close_connection()

    def _close_connection(self) -> None:
        if self._connection is not None:
            self._database.stop_queries(self._connection, None)
            self._connection.close()
            self._connection = None
