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
from pmslink.store.core.store_errors import StoreFailing, in_words
from pmslink.store.core.store_metadata import keep_reserve, test_write
from pmslink.store.tables.hotel_states import Drafts, Houses
from pmslink.store.tables.log_entries import Announced, Argument, Entry, Operation, Result, Transaction

UNHURRIED = 0.05
"""Seconds that what nobody waits for may wait for others to be committed with."""
RETRY = 1.0
"""Seconds between attempts while the database fails."""
CROWDED = 1000
"""So much may wait before reading from the PMS pauses."""
HANGING = 5.0
"""Seconds after which a commit that is not done counts as a failure, until it is."""
MOST_WAITING = 20_000
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
    keep: bool


class Journal:
    """Writes, numbers and tells. It knows no links, only operations."""

    log = Logger()

    def __init__(
        self, database: Database, thread: Thread, clock: IReactorTime, first: int, houses: Houses
    ) -> None:
        self._database = database
        self._thread = thread
        self._clock = clock
        self._houses = houses
        self._connection: Connection | None = None
        self._waiting: list[_Write] = []
        self._hanging: IDelayedCall | None = None
        self._stopped = False
        self._writing = 0  # how much the commit holds that runs
        self._next: IDelayedCall | None = None
        self._unhurried = False  # the next commit is put off, for nobody waits for it
        self._numbers = count(first)
        self._reserved = first
        self._idle: list[Deferred[None]] = []
        self._when_roomy: list[Callable[[], None]] = []
        self.told: list[Callable[[Sequence[Entry]], None]] = []
        """Who is told what was committed, in order."""
        self.health: list[Callable[[], None]] = []
        """Who is told that `reason` has changed between something and None."""
        self.reason: str | None = None
        """Why nothing can be written; None while all is well."""
        self.told_up_to = first - 1
        """The number of the newest entry that was told."""

    # From whoever has something to keep.

    def write(
        self, operation: Operation[Argument, Result], argument: Argument, keep: bool = False
    ) -> Deferred[Result]:
        """Fires with the result once it is committed.

        With `keep` that may take as long as the database fails. Without, it fails with StoreFailing, and
        with whatever the operation raised.
        """
        if not keep and (refusal := self._refusal()):
            return fail(StoreFailing(refusal))
        done: Deferred[Result] = Deferred()
        self._wait(_Write(operation, argument, done, keep))
        return done

    def append(self, operation: Operation[Argument, Any], argument: Argument, soon: bool = True) -> None:
        """Keep this, whatever comes; nobody waits for it. If not `soon`, it may wait for the next commit."""
        self._wait(_Write(operation, argument, None, keep=True), 0 if soon else UNHURRIED)

    def number(self) -> int:
        """A number of the sequence for what is not kept."""
        return next(self._numbers)

    @property
    def failing(self) -> bool:
        return self.reason is not None

    @property
    def crowded(self) -> bool:
        """Whether so much waits that no more should be read."""
        return len(self._waiting) + self._writing > CROWDED

    def when_roomy(self, then: Callable[[], None]) -> None:
        """Call it once, when the journal is neither crowded nor failing."""
        self._when_roomy.append(then)

    def _refusal(self) -> str | None:
        if self.reason is None and len(self._waiting) >= MOST_WAITING:
            return "the disk cannot keep up; try again in a moment"
        return self.reason

    def _wait(self, write: _Write, delay: float = 0) -> None:
        self._waiting.append(write)
        if self._writing or self._stopped:
            return
        if self._next is None:
            self._next = self._clock.callLater(delay, self._begin)
            self._unhurried = delay > 0
        elif self._unhurried and delay == 0:
            self._next.reset(0)
            self._unhurried = False

    # The commit.

    def _begin(self) -> None:
        self._next = None
        self._unhurried = False
        batch, self._waiting = self._waiting, []
        if self.failing:
            batch.append(_Write(test_write, None, None, keep=False))
        self._writing = len(batch)
        self._hanging = self._clock.callLater(HANGING, self._set_reason, "the disk does not answer")
        self._thread.run(self._commit, batch).addCallbacks(
            self._committed, self._failed, callbackArgs=(batch,), errbackArgs=(batch,)
        ).addErrback(self._bug)

    def _commit(self, batch: Sequence[_Write]) -> tuple[list[Any], list[Entry], Failure | None]:
        """In the writer's thread. One result for each write, a Failure for one that is at fault itself.

        Fewer results, and the outage, when the database fails after some were committed alone.
        """
        try:
            return *self._attempt(batch), None
        except Exception as problem:
            if self._database.is_outage(problem):
                raise
        # Something is wrong with one of them, which is not to spoil the others.
        results: list[Any] = []
        told: list[Entry] = []
        for write in batch:
            try:
                alone, entries = self._attempt([write])
            except Exception as problem:
                if self._database.is_outage(problem):
                    return results, told, Failure()
                results.append(Failure())
            else:
                results.extend(alone)
                told.extend(entries)
        return results, told, None

    def _attempt(self, batch: Sequence[_Write]) -> tuple[list[Any], list[Entry]]:
        if self._connection is None:
            self._connection = self._database.writer()
        results: list[Any] = []
        try:
            with self._connection.begin():
                transaction = Transaction(self._connection, self._numbers, Drafts(self._houses))
                for operation, writes in groupby(batch, key=attrgetter("operation")):
                    results.extend(operation(transaction, [write.argument for write in writes]))
                transaction.houses.write(transaction)
                reserved = keep_reserve(transaction, self._reserved)
            transaction.houses.committed()
            self._reserved = reserved
        except Exception:
            # A connection whose disk has failed may hold on to what it could not write.
            with suppress(Exception):
                self._connection.close()
            self._connection = None
            raise
        return results, transaction.told

    def _committed(
        self, outcome: tuple[list[Any], list[Entry], Failure | None], batch: Sequence[_Write]
    ) -> None:
        results, told, outage = outcome
        self._ends()
        if outage is None:
            if self._waiting and not self._stopped:
                self._next = self._clock.callLater(0, self._begin)
            self._set_reason(None)
        self._tell(told)
        for write, result in zip(batch, results, strict=False):
            self._answer(write, result)
        if outage is None:
            self._rest()
        else:
            self._failed(outage, batch[len(results) :])

    def _failed(self, failure: Failure, batch: Sequence[_Write]) -> None:
        reason = in_words(failure)
        self.log.error("the store cannot be written: {reason}", reason=reason)
        self._ends()
        undone = [*batch, *self._waiting]
        self._waiting = [write for write in undone if write.keep]
        if not self._stopped:
            self._next = self._clock.callLater(RETRY, self._begin)
        self._set_reason(reason)
        self._tell([self._numbered(write.argument) for write in self._waiting if _is_urgent(write.argument)])
        for write in undone:
            if not write.keep and write.done is not None:
                self._answer(write, Failure(StoreFailing(reason)))

    def _ends(self) -> None:
        """The commit that ran has ended, in whatever way."""
        self._writing = 0
        if self._hanging is not None and self._hanging.active():
            self._hanging.cancel()

    def _numbered(self, entry: Entry) -> Entry:
        entry.seq = self.number()
        return entry

    def _answer(self, write: _Write, result: Any) -> None:
        failed = Failure(result) if isinstance(result, Exception) else result
        if write.done is not None:
            write.done.callback(failed)  # or its errback, for a Failure
        elif isinstance(failed, Failure):
            self.log.failure("something could not be kept", failed)

    def _set_reason(self, reason: str | None) -> None:
        changed = (reason is None) != (self.reason is None)
        self.reason = reason
        if changed:
            for watcher in tuple(self.health):
                self._tell_one(watcher)

    def _tell(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.told_up_to = entries[-1].seq
        for entry in entries:
            entry.told = True
        for watcher in tuple(self.told):
            self._tell_one(watcher, entries)

    def _tell_one(self, watcher: Callable[..., None], *news: Any) -> None:
        try:
            watcher(*news)
        except Exception:
            self.log.failure("who is told of the store has failed")

    def _rest(self) -> None:
        if not self.crowded and not self.failing:
            roomy, self._when_roomy = self._when_roomy, []
            for then in roomy:
                self._tell_one(then)
        if not self._waiting and not self._writing:
            idle, self._idle = self._idle, []
            for done in idle:
                done.callback(None)

    def _bug(self, failure: Failure) -> None:
        self.log.failure("the journal has failed", failure)

    # From the service.

    def idle(self) -> Deferred[None]:
        """Fires once nothing waits; with what could not be written, when the database fails."""
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        self._clock.callLater(0, self._rest)
        return done

    def stop(self) -> None:
        """Write no more; whatever could not be written is lost."""
        self._stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def reclaim(self) -> bool:
        """In the writer's thread: do a part of `Database.reclaim`; whether that was the last."""
        return self._connection is None or self._database.reclaim(self._connection)

    def close(self) -> None:
        """In the writer's thread: let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_urgent(argument: object) -> bool:
    """Whether this is told even while it cannot be kept: how the links are is nobody's secret."""
    return isinstance(argument, Announced) and not argument.told
