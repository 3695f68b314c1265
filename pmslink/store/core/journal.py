"""The one writer of a store: whatever waits goes into one commit, and is told when that is safe on disk.

An *operation* is a function that gets a transaction and a list of arguments, and returns a list of
results. `Journal.write` hands one argument over. What waits when a commit begins is written by it:
neighbours with the same operation in one call. What one turn of the reactor hands over is therefore
committed together, or not at all.

When the database fails, what was handed over with `keep` stays and is tried again each second; the
rest was not accepted, and its caller hears so at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count, groupby
from operator import attrgetter
from typing import Any, Protocol

from attrs import define
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.store.core.database import Database
from pmslink.store.core.store_errors import StoreUnavailableError, describe_failure
from pmslink.store.core.store_metadata import check_writable, reserve_numbers
from pmslink.store.tables.hotel_states import HotelStore, UnitOfWork
from pmslink.store.tables.log_entries import (
    Argument,
    Entry,
    LinkSnapshotLogged,
    Operation,
    Result,
    Transaction,
)

BATCH_DELAY_S = 0.05
"""Seconds that what nobody waits for may wait for others to be committed with."""
RETRY_DELAY_S = 1.0
"""Seconds between attempts while the database fails."""
BACKPRESSURE_LIMIT_WRITES = 1000
"""So much may wait before reading from the PMS pauses."""
COMMIT_TIMEOUT_S = 5.0
"""Seconds after which a commit that is not done counts as a failure, until it is."""
QUEUE_LIMIT_WRITES = 20_000
"""So much may wait before new work is refused."""


class Thread(Protocol):
    """Where blocking calls run, one after the other."""

    def start(self) -> None:
        """Before anything runs there."""

    def stop(self) -> None:
        """Nothing more will run there."""

    def run(self, call: Callable[..., Result], *arguments: Any) -> Deferred[Result]:
        """Call it there; the Deferred fires on the reactor's side."""


@define(eq=False)
class _Write:
    operation: Operation[Any, Any]
    argument: Any
    done: Deferred[Any] | None
    retry_until_stored: bool


class Journal:
    """Writes, numbers and tells. It knows no links, only operations."""

    log = Logger()

    def __init__(
        self, database: Database, thread: Thread, clock: IReactorTime, first_seq: int, hotels: HotelStore
    ) -> None:
        self._database = database
        self._thread = thread
        self._clock = clock
        self._hotels = hotels
        self._connection: Connection | None = None
        self._queue: list[_Write] = []
        self._commit_timeout: IDelayedCall | None = None
        self._stopped = False
        self._batch_size = 0  # how much the commit holds that runs
        self._next_commit: IDelayedCall | None = None
        self._is_commit_delayed = False  # the next commit is put off, for nobody waits for it
        self._sequence = count(first_seq)
        self._reserved_until = first_seq
        self._idle_waiters: list[Deferred[None]] = []
        self._drain_callbacks: list[Callable[[], None]] = []
        self.on_commit: list[Callable[[Sequence[Entry]], None]] = []
        """Who is told what was committed, in order."""
        self.on_health_change: list[Callable[[], None]] = []
        """Who is told that `reason` has changed between something and None."""
        self.failure_reason: str | None = None
        """Why nothing can be written; None while all is well."""
        self.last_published_seq = first_seq - 1
        """The number of the newest entry that was told."""

    # From whoever has something to keep.

    def submit(
        self, operation: Operation[Argument, Result], argument: Argument, retry_until_stored: bool = False
    ) -> Deferred[Result]:
        """Fires with the result once it is committed.

        With `keep` that may take as long as the database fails. Without, it fails with
        StoreUnavailableError, and with whatever the operation raised.
        """
        if not retry_until_stored and (refusal := self._refusal_reason()):
            return fail(StoreUnavailableError(refusal))
        done: Deferred[Result] = Deferred()
        self._enqueue(_Write(operation, argument, done, retry_until_stored))
        return done

    def submit_nowait(
        self, operation: Operation[Argument, Any], argument: Argument, urgent: bool = True
    ) -> None:
        """Keep this, whatever comes; nobody waits for it. If not `soon`, it may wait for the next commit."""
        self._enqueue(
            _Write(operation, argument, None, retry_until_stored=True), 0 if urgent else BATCH_DELAY_S
        )

    def next_seq(self) -> int:
        """A number of the sequence for what is not kept."""
        return next(self._sequence)

    @property
    def is_failing(self) -> bool:
        return self.failure_reason is not None

    @property
    def is_congested(self) -> bool:
        """Whether so much waits that no more should be read."""
        return len(self._queue) + self._batch_size > BACKPRESSURE_LIMIT_WRITES

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call it once, when the journal is neither crowded nor failing."""
        self._drain_callbacks.append(callback)

    def _refusal_reason(self) -> str | None:
        if self.failure_reason is None and len(self._queue) >= QUEUE_LIMIT_WRITES:
            return "the disk cannot keep up; try again in a moment"
        return self.failure_reason

    def _enqueue(self, write: _Write, delay: float = 0) -> None:
        self._queue.append(write)
        if self._batch_size or self._stopped:
            return
        if self._next_commit is None:
            self._next_commit = self._clock.callLater(delay, self._start_commit)
            self._is_commit_delayed = delay > 0
        elif self._is_commit_delayed and delay == 0:
            self._next_commit.reset(0)
            self._is_commit_delayed = False

    # The commit.

    def _start_commit(self) -> None:
        self._next_commit = None
        self._is_commit_delayed = False
        batch, self._queue = self._queue, []
        if self.is_failing:
            batch.append(_Write(check_writable, None, None, retry_until_stored=False))
        self._batch_size = len(batch)
        self._commit_timeout = self._clock.callLater(
            COMMIT_TIMEOUT_S, self._set_failure_reason, "the disk does not answer"
        )
        self._thread.run(self._commit, batch).addCallbacks(
            self._committed, self._failed, callbackArgs=(batch,), errbackArgs=(batch,)
        ).addErrback(self._log_unexpected)

    def _commit(self, batch: Sequence[_Write]) -> tuple[list[Any], list[Entry], Failure | None]:
        """In the writer's thread. One result for each write, a Failure for one that is at fault itself.

        Fewer results, and the outage, when the database fails after some were committed alone.
        """
        try:
            return *self._execute(batch), None
        except Exception as problem:
            if self._database.is_outage(problem):
                raise
        # Something is wrong with one of them, which is not to spoil the others.
        results: list[Any] = []
        told: list[Entry] = []
        for write in batch:
            try:
                alone, entries = self._execute([write])
            except Exception as problem:
                if self._database.is_outage(problem):
                    return results, told, Failure()
                results.append(Failure())
            else:
                results.extend(alone)
                told.extend(entries)
        return results, told, None

    def _execute(self, batch: Sequence[_Write]) -> tuple[list[Any], list[Entry]]:
        if self._connection is None:
            self._connection = self._database.writer()
        results: list[Any] = []
        try:
            with self._connection.begin():
                transaction = Transaction(self._connection, self._sequence, UnitOfWork(self._hotels))
                for operation, writes in groupby(batch, key=attrgetter("operation")):
                    results.extend(operation(transaction, [write.argument for write in writes]))
                transaction.hotels.flush(transaction)
                reserved = reserve_numbers(transaction, self._reserved_until)
            transaction.hotels.committed()
            self._reserved_until = reserved
        except Exception:
            # A connection whose disk has failed may hold on to what it could not write.
            with suppress(Exception):
                self._connection.close()
            self._connection = None
            raise
        return results, transaction.to_publish

    def _committed(
        self, outcome: tuple[list[Any], list[Entry], Failure | None], batch: Sequence[_Write]
    ) -> None:
        results, told, outage = outcome
        self._end_commit()
        if outage is None:
            if self._queue and not self._stopped:
                self._next_commit = self._clock.callLater(0, self._start_commit)
            self._set_failure_reason(None)
        self._publish(told)
        for write, result in zip(batch, results, strict=False):
            self._deliver_result(write, result)
        if outage is None:
            self._notify_if_drained()
        else:
            self._failed(outage, batch[len(results) :])

    def _failed(self, failure: Failure, batch: Sequence[_Write]) -> None:
        reason = describe_failure(failure)
        self.log.error("the store cannot be written: {reason}", reason=reason)
        self._end_commit()
        undone = [*batch, *self._queue]
        self._queue = [write for write in undone if write.retry_until_stored]
        if not self._stopped:
            self._next_commit = self._clock.callLater(RETRY_DELAY_S, self._start_commit)
        self._set_failure_reason(reason)
        self._publish(
            [
                self._assign_seq(write.argument)
                for write in self._queue
                if _is_published_unstored(write.argument)
            ]
        )
        for write in undone:
            if not write.retry_until_stored and write.done is not None:
                self._deliver_result(write, Failure(StoreUnavailableError(reason)))

    def _end_commit(self) -> None:
        """The commit that ran has ended, in whatever way."""
        self._batch_size = 0
        if self._commit_timeout is not None and self._commit_timeout.active():
            self._commit_timeout.cancel()

    def _assign_seq(self, entry: Entry) -> Entry:
        entry.seq = self.next_seq()
        return entry

    def _deliver_result(self, write: _Write, result: Any) -> None:
        failed = Failure(result) if isinstance(result, Exception) else result
        if write.done is not None:
            write.done.callback(failed)  # or its errback, for a Failure
        elif isinstance(failed, Failure):
            self.log.failure("something could not be kept", failed)

    def _set_failure_reason(self, reason: str | None) -> None:
        changed = (reason is None) != (self.failure_reason is None)
        self.failure_reason = reason
        if changed:
            for watcher in tuple(self.on_health_change):
                self._notify(watcher)

    def _publish(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.last_published_seq = entries[-1].seq
        for entry in entries:
            entry.published = True
        for watcher in tuple(self.on_commit):
            self._notify(watcher, entries)

    def _notify(self, subscriber: Callable[..., None], *arguments: Any) -> None:
        try:
            subscriber(*arguments)
        except Exception:
            self.log.failure("who is told of the store has failed")

    def _notify_if_drained(self) -> None:
        if not self.is_congested and not self.is_failing:
            roomy, self._drain_callbacks = self._drain_callbacks, []
            for then in roomy:
                self._notify(then)
        if not self._queue and not self._batch_size:
            idle, self._idle_waiters = self._idle_waiters, []
            for done in idle:
                done.callback(None)

    def _log_unexpected(self, failure: Failure) -> None:
        self.log.failure("the journal has failed", failure)

    # From the service.

    def wait_idle(self) -> Deferred[None]:
        """Fires once nothing waits; with what could not be written, when the database fails."""
        done: Deferred[None] = Deferred()
        self._idle_waiters.append(done)
        self._clock.callLater(0, self._notify_if_drained)
        return done

    def stop(self) -> None:
        """Write no more; whatever could not be written is lost."""
        self._stopped = True
        if self._next_commit is not None:
            self._next_commit.cancel()
            self._next_commit = None

    def reclaim(self) -> bool:
        """In the writer's thread: do a part of `Database.reclaim`; whether that was the last."""
        return self._connection is None or self._database.reclaim(self._connection)

    def close(self) -> None:
        """In the writer's thread: let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_published_unstored(argument: object) -> bool:
    """Whether this is told even while it cannot be kept: how the links are is nobody's secret."""
    return isinstance(argument, LinkSnapshotLogged) and not argument.published
