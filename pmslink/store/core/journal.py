"""The only writer of a store: a group-commit journal that publishes entries after they are on disk.

An *operation* is a function that gets a transaction and a list of arguments, and returns a list of
results. `Journal.submit` queues one argument for an operation. A commit writes what is queued when it
begins: neighbours with the same operation in one call. After some time of work it ends with the turn of the
reactor that it has come to, and the rest follows in the next commit. So all writes of one turn are
committed together, or none of them is.

While the database fails, the journal retries each second. Writes submitted with `retry_until_stored`
stay in the queue. All others are rejected at once with StoreUnavailableError. But while a failed commit may
be in the database nevertheless, its writes are *in doubt*: none of them is answered, published or retried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.store.core.batch_writer import BatchWriter, CommitOutcome, Write
from pmslink.store.core.database import Database
from pmslink.store.core.disk_watch import DiskWatch
from pmslink.store.core.store_errors import StoreUnavailableError, describe_failure
from pmslink.store.core.transaction import Argument, Entry, Operation, Result, UnitOfWorkFactory
from pmslink.store.core.turn_slices import TurnSlices

BATCH_DELAY_S = 0.05
"""Seconds that a write which is not urgent waits, to be committed together with later ones."""
RETRY_DELAY_S = 1.0
"""Seconds between attempts while the database fails."""
BACKPRESSURE_LIMIT_WRITES = 1000
"""Queued writes above which reading from the PMS pauses."""
QUEUE_LIMIT_WRITES = 20_000
"""Queued writes above which new ones are rejected."""
PUBLISHED_TOGETHER = 50
"""Entries that subscribers get in one call."""


class Thread(Protocol):
    """A thread that runs blocking calls one after the other."""

    def start(self) -> None:
        """Start the thread, before the first call."""

    def stop(self) -> None:
        """Stop the thread, after the last call."""

    def run(self, call: Callable[..., Result], *arguments: Any) -> Deferred[Result]:
        """Run a call in the thread. The Deferred fires in the reactor's thread."""


class Journal:
    """Queues writes, commits them in batches, and publishes their entries. It does not depend on links."""

    log = Logger()

    def __init__(
        self,
        database: Database,
        thread: Thread,
        clock: IReactorTime,
        first_seq: int,
        hotels: UnitOfWorkFactory,
    ) -> None:
        self._database = database
        self._thread = thread
        self._clock = clock
        self._queue: list[Write] = []
        self._in_doubt: list[Write] = []
        self._commit_count = 0  # commits that have succeeded
        self._batch_size = 0  # writes in the commit that runs
        self._is_committing = False
        self._stopped = False
        self._turn = 0
        self._turn_end: IDelayedCall | None = None
        self._next_commit: IDelayedCall | None = None
        self._is_commit_delayed = False  # it waits, because no write in the queue is urgent
        self._is_urgent = False  # a write in the queue is urgent
        self._sequence = count(first_seq)
        self._writer = BatchWriter(database, self._sequence, hotels, clock.seconds)
        self._disk_watch = DiskWatch(clock, lambda: self._writer.progress, self._on_disk_silent)
        self._delivery = TurnSlices(clock)
        self._idle_waiters: list[Deferred[None]] = []
        self._drain_callbacks: list[Callable[[], None]] = []
        self.on_commit: list[Callable[[Sequence[Entry]], None]] = []
        """Subscribers; each gets the entries of each commit in order, those of a large one in parts."""
        self.on_health_change: list[Callable[[], None]] = []
        """Subscribers; each is called when `failure_reason` changes from or to None."""
        self.failure_reason: str | None = None
        """Why the database cannot be written; None while it can."""
        self.last_published_seq = first_seq - 1
        """The number of the newest entry that was published."""

    # Submitting.

    def submit(
        self, operation: Operation[Argument, Result], argument: Argument, retry_until_stored: bool = False
    ) -> Deferred[Result]:
        """Queue a write, and return a Deferred that fires with its result after the commit.

        With `retry_until_stored`, the write is retried while the database fails. Without it, the Deferred
        fails with StoreUnavailableError. In both cases it fails if the operation raises or returns an error.
        """
        if not retry_until_stored and (refusal := self._refusal_reason()):
            return fail(StoreUnavailableError(refusal))
        done: Deferred[Result] = Deferred()
        self._enqueue(Write(operation, argument, done, retry_until_stored))
        return done

    def submit_nowait(
        self, operation: Operation[Argument, Any], argument: Argument, urgent: bool = True
    ) -> None:
        """Queue a write that is retried until it is stored, and whose result is not needed.

        Unless it is urgent, it may wait up to BATCH_DELAY_S for the next commit.
        """
        write = Write(operation, argument, None, retry_until_stored=True)
        self._enqueue(write, 0 if urgent else BATCH_DELAY_S)

    def next_seq(self) -> int:
        """Return the next number of the sequence, for an entry that is not stored."""
        return next(self._sequence)

    def is_reserved(self, seq: int) -> bool:
        """Return whether no later run uses this number again, even if this one ends without another commit.

        It may, if the database has failed since the start, or for very long, and then the wall clock is set
        back or the service soon starts again.
        """
        return seq <= self._writer.reserved_until

    @property
    def is_failing(self) -> bool:
        """Whether the database cannot be written now."""
        return self.failure_reason is not None

    @property
    def is_congested(self) -> bool:
        """Whether so many writes are queued that reading from the PMS should pause."""
        return self.queue_length > BACKPRESSURE_LIMIT_WRITES

    def is_space_low(self) -> bool:
        """Return whether the disk of the store is nearly full."""
        return self._database.is_space_low()

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call the callback once, as soon as the journal is neither congested nor failing."""
        self._drain_callbacks.append(callback)

    def _refusal_reason(self) -> str | None:
        if self.failure_reason is None and len(self._queue) >= QUEUE_LIMIT_WRITES:
            return "the disk is too slow; try again in a few seconds"
        return self.failure_reason

    def _enqueue(self, write: Write, delay: float = 0) -> None:
        write.turn = self._turn
        self._queue.append(write)
        if self._stopped:
            return
        if self._turn_end is None:
            self._turn_end = self._clock.callLater(0, self._end_turn)
        self._is_urgent |= delay == 0
        if not self._is_committing:
            self._schedule_commit(delay)

    def _end_turn(self) -> None:
        self._turn_end = None
        self._turn += 1

    def _schedule_commit(self, delay: float) -> None:
        if self._stopped:
            return
        if self._next_commit is None:
            self._next_commit = self._clock.callLater(delay, self._start_commit)
            self._is_commit_delayed = 0 < delay <= BATCH_DELAY_S
        elif self._is_commit_delayed and delay == 0:
            self._next_commit.reset(0)
            self._is_commit_delayed = False

    def _cancel_commit(self) -> None:
        if self._next_commit is not None:
            self._next_commit.cancel()
            self._next_commit = None

    # Committing.

    def _start_commit(self) -> None:
        self._next_commit = None
        self._is_commit_delayed = False
        if self._delivery.is_running:
            return  # it begins after that
        if self._in_doubt:
            batch, self._in_doubt = self._in_doubt, []
            self._run(batch, self._writer.settle)
        else:
            batch, self._queue = self._queue, []
            self._is_urgent = False
            self._run(batch, self._writer.commit, batch)

    def _run(self, batch: list[Write], call: Callable[..., CommitOutcome], *arguments: Any) -> None:
        self._is_committing = True
        self._batch_size = len(batch)
        self._disk_watch.start()
        self._thread.run(call, *arguments).addErrback(self._on_writer_error).addCallback(
            self._on_outcome, batch
        ).addErrback(self._log_unexpected)

    def _on_writer_error(self, failure: Failure) -> CommitOutcome:
        self.log.failure("unexpected error in the writer of the store", failure)
        return CommitOutcome(outage=failure)

    def _on_disk_silent(self) -> None:
        self._set_failure_reason("the disk does not respond")

    def _on_outcome(self, outcome: CommitOutcome, batch: list[Write]) -> None:
        self._disk_watch.stop()
        self._is_committing = False
        self._batch_size = 0
        stored = len(outcome.results)
        doubtful_end = stored + outcome.in_doubt
        self._in_doubt = batch[stored:doubtful_end]
        if doubtful_end < len(batch):
            self._queue[:0] = batch[doubtful_end:]
            self._is_urgent = True
        if outcome.outage is None:
            self._commit_count += 1
            self._schedule_rest()
            self._set_failure_reason(None)
        self._delivery.run(self._deliver(outcome, batch), lambda: self._on_delivered(outcome.outage))

    def _deliver(self, outcome: CommitOutcome, batch: Sequence[Write]) -> Iterator[None]:
        """Publish the entries and deliver the results, with a step for each call of others."""
        for start in range(0, len(outcome.to_publish), PUBLISHED_TOGETHER):
            self._publish(outcome.to_publish[start : start + PUBLISHED_TOGETHER])
            yield
        for write, result in zip(batch, outcome.results, strict=False):
            self._deliver_result(write, result)
            yield

    def _on_delivered(self, outage: Failure | None) -> None:
        if outage is not None:
            self._on_outage(outage)
            return
        self._schedule_rest()
        self._notify_if_drained()

    def _schedule_rest(self) -> None:
        if self._queue:
            self._schedule_commit(0 if self._is_urgent else BATCH_DELAY_S)

    def _on_outage(self, failure: Failure) -> None:
        reason = describe_failure(failure)
        self.log.error(
            "the store cannot be written: {reason}; trying again every {seconds:g} s{doubt}",
            reason=reason,
            seconds=RETRY_DELAY_S,
            doubt="; whether the last commit is stored is not known yet" if self._in_doubt else "",
        )
        rejected = [write for write in self._queue if not write.retry_until_stored]
        self._queue = [write for write in self._queue if write.retry_until_stored]
        self._cancel_commit()
        self._schedule_commit(RETRY_DELAY_S)
        self._set_failure_reason(reason)
        self._publish_unstored()
        for write in rejected:
            self._deliver_result(write, Failure(StoreUnavailableError(reason)))

    def _publish_unstored(self) -> None:
        """Publish what subscribers get even while the database fails.

        Entries in doubt have numbers, and may have to be published under them: until that is known, no
        higher number is published.
        """
        if not self._in_doubt:
            arguments = [write.argument for write in self._queue]
            self._publish([self._assign_seq(entry) for entry in arguments if _is_published_unstored(entry)])

    def _assign_seq(self, entry: Entry) -> Entry:
        entry.seq = self.next_seq()
        return entry

    def _deliver_result(self, write: Write, result: Any) -> None:
        outcome = Failure(result) if isinstance(result, Exception) else result
        if write.done is not None:
            write.done.callback(outcome)  # or its errback, for a Failure
        elif isinstance(outcome, Failure):
            self.log.failure(
                "operation {operation} failed; its entry is not stored",
                outcome,
                operation=getattr(write.operation, "__name__", "?"),
            )

    def _set_failure_reason(self, reason: str | None) -> None:
        changed = (reason is None) != (self.failure_reason is None)
        self.failure_reason = reason
        if changed:
            for subscriber in tuple(self.on_health_change):
                self._notify(subscriber)

    def _publish(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.last_published_seq = entries[-1].seq
        for entry in entries:
            entry.published = True
        for subscriber in tuple(self.on_commit):
            self._notify(subscriber, entries)

    def _notify(self, subscriber: Callable[..., None], *arguments: Any) -> None:
        try:
            subscriber(*arguments)
        except Exception:
            self.log.failure("a subscriber of the store failed; the other subscribers are still called")

    def _notify_if_drained(self) -> None:
        if not self.is_congested and not self.is_failing:
            callbacks, self._drain_callbacks = self._drain_callbacks, []
            for callback in callbacks:
                self._notify(callback)
        if not self.queue_length and not self._is_committing and not self._delivery.is_running:
            waiters, self._idle_waiters = self._idle_waiters, []
            for done in waiters:
                done.callback(None)

    def _log_unexpected(self, failure: Failure) -> None:
        self.log.failure("unexpected error in the journal", failure)

    # For the store service.

    @property
    def is_committing(self) -> bool:
        """Whether the writer's thread is busy."""
        return self._is_committing

    @property
    def queue_length(self) -> int:
        """The number of writes that are not stored yet."""
        return len(self._queue) + len(self._in_doubt) + self._batch_size

    @property
    def progress(self) -> tuple[int, int]:
        """Changes while writes get closer to the disk; while the database fails, only with a commit."""
        return self._commit_count, 0 if self.is_failing else self._writer.progress

    def wait_idle(self) -> Deferred[None]:
        """Return a Deferred that fires once nothing is queued.

        While the database fails, it does not fire.
        """
        done: Deferred[None] = Deferred()
        self._idle_waiters.append(done)
        self._clock.callLater(0, self._notify_if_drained)
        return done

    def stop(self) -> None:
        """Stop writing. Writes that are still queued are lost."""
        self._stopped = True
        self._disk_watch.stop()
        self._delivery.finish()
        self._cancel_commit()
        if self._turn_end is not None:
            self._turn_end.cancel()
            self._turn_end = None

    def reclaim(self) -> bool:
        """Run one step of `Database.reclaim` in the writer's thread; return whether it was the last step."""
        return self._writer.reclaim()

    def close(self) -> None:
        """Close the connection, in the writer's thread."""
        self._writer.close()


def _is_published_unstored(argument: object) -> bool:
    return isinstance(argument, Entry) and argument.publish_when_failing and not argument.published
