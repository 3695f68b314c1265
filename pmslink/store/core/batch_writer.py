"""The writer's side of the journal: executes batches, and finds out what became of a failed commit.

Everything here runs in the writer's thread, and owns its connection. `journal.py` is the side that runs
in the reactor's thread.

Each commit that changes the database stores a *receipt*, a number that grows by one. An error of COMMIT
itself does not say whether the commit is in the database. Such a commit is *in doubt*: its results are kept
until the database has settled, and its receipt is there or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any

from attrs import define, field
from sqlalchemy import Connection
from sqlalchemy.engine import RootTransaction
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pmslink.store.core.database import Database
from pmslink.store.core.store_metadata import read_receipt, reserve_numbers, write_receipt
from pmslink.store.core.transaction import Entry, Operation, Transaction, UnitOfWorkFactory

COMMIT_WORK_LIMIT_S = 0.05
"""Seconds of work after which a commit takes no further writes."""
PIECE_WRITES = 64
"""Writes that are executed between two looks at the time, or all of one turn if they are more."""


@define(eq=False)
class Write:
    """One argument for an operation, as a caller submitted it."""

    operation: Operation[Any, Any]
    argument: Any
    done: Deferred[Any] | None
    retry_until_stored: bool
    turn: int = 0
    """The turn of the reactor in which it was submitted; all writes of one turn are in one commit."""


@define(eq=False)
class CommitOutcome:
    """What became of the first writes of a batch. The others were not tried.

    Each result belongs to one write, in order; it is a Failure if the write's own operation failed. If the
    database failed at the next write, `outage` is its error. The commit of the next `in_doubt` writes failed
    as well, but may be in the database.
    """

    results: list[Any] = field(factory=list)
    to_publish: list[Entry] = field(factory=list)
    outage: Failure | None = None
    in_doubt: int = 0

    def extend(self, later: CommitOutcome) -> None:
        """Append the outcome of the commit that followed."""
        self.results.extend(later.results)
        self.to_publish.extend(later.to_publish)
        self.outage, self.in_doubt = later.outage, later.in_doubt


@define(eq=False)
class _Commit:
    """A commit in progress, and what it needs once it has succeeded."""

    transaction: Transaction
    database_transaction: RootTransaction
    results: list[Any] = field(factory=list)
    writes: int = 0
    """The number of writes whose operations were called."""
    reserved_until: int = 0
    receipt: int | None = None
    """The number of its receipt; None if it changes nothing."""
    is_executed: bool = False
    """Whether all that is left is COMMIT."""
    failure: Failure | None = None


class BatchWriter:
    """Commits batches of writes to a database. `seconds` returns the time of a clock that never jumps."""

    def __init__(
        self,
        database: Database,
        sequence: Iterator[int],
        hotels: UnitOfWorkFactory,
        seconds: Callable[[], float],
    ) -> None:
        self._database = database
        self._sequence = sequence
        self._hotels = hotels
        self._seconds = seconds
        self._connection: Connection | None = None
        self._receipt: int | None = None  # of the last commit; None until it is read
        self._commit_in_doubt: _Commit | None = None
        self._must_settle = False  # something else than a commit was perhaps not written
        self.progress = 0
        """Grows whenever the database has completed something. Any thread may read it."""
        self.reserved_until = 0
        """The newest number that is reserved, 0 before the first commit. Any thread may read it."""

    def commit(self, batch: Sequence[Write]) -> CommitOutcome:
        """Commit the writes of a batch, as many as COMMIT_WORK_LIMIT_S allows; an empty batch tests the disk.

        If one of them is faulty, each is committed alone, so that the others are stored. Raises no error of
        the database.
        """
        commit: _Commit | None = None
        try:
            self._settle_if_needed()
        except Exception:
            return CommitOutcome(outage=Failure())
        try:
            commit = self._begin()
            self._execute(commit, batch)
            commit.database_transaction.commit()
        except Exception as problem:
            failure = Failure()
            if not self._database.is_outage(problem):
                self._drop_connection()
                return self._commit_one_by_one(batch[: commit.writes] if commit else batch, failure)
            if commit is not None and commit.is_executed and self._database.is_commit_in_doubt(problem):
                commit.failure = failure
                self._commit_in_doubt = commit
                return self.settle()
            if commit is None:  # nothing was written
                self._drop_connection()
            else:
                self._give_up_transaction(problem)
            return CommitOutcome(outage=failure)
        return self._complete(commit)

    def _begin(self) -> _Commit:
        if self._connection is None:
            self._connection = self._database.writer()
        database_transaction = self._connection.begin()
        if self._receipt is None:
            self._receipt = read_receipt(self._connection)
        return _Commit(
            Transaction(self._connection, self._sequence, self._hotels.begin()), database_transaction
        )

    def _execute(self, commit: _Commit, batch: Sequence[Write]) -> None:
        transaction = commit.transaction
        changes_before = self._database.count_changes(transaction.connection)
        started_at = self._seconds()
        for piece in split_at_turns(batch):
            commit.writes += len(piece)
            for operation, writes in groupby(piece, key=attrgetter("operation")):
                commit.results.extend(operation(transaction, [write.argument for write in writes]))
                self.progress += 1
            if self._seconds() - started_at >= COMMIT_WORK_LIMIT_S:
                break
        transaction.hotels.flush(transaction)
        commit.reserved_until = reserve_numbers(transaction, self.reserved_until)
        if not batch or self._database.count_changes(transaction.connection) != changes_before:
            commit.receipt = (self._receipt or 0) + 1
            write_receipt(transaction.connection, commit.receipt)
        self.progress += 1
        commit.is_executed = True

    def _complete(self, commit: _Commit) -> CommitOutcome:
        self.progress += 1
        commit.transaction.hotels.committed()
        self.reserved_until = commit.reserved_until
        if commit.receipt is not None:
            self._receipt = commit.receipt
        return CommitOutcome(commit.results, commit.transaction.to_publish)

    def _commit_one_by_one(self, writes: Sequence[Write], failure: Failure) -> CommitOutcome:
        if not writes:
            return CommitOutcome(outage=failure)
        if len(writes) == 1:
            return CommitOutcome([failure])
        outcome = CommitOutcome()
        started_at = self._seconds()
        for write in writes:
            outcome.extend(self.commit([write]))
            if outcome.outage is not None or self._seconds() - started_at >= COMMIT_WORK_LIMIT_S:
                break
        return outcome

    def settle(self) -> CommitOutcome:
        """Find out what became of the commit in doubt, if the database answers.

        Its results, if it is in the database. Otherwise `outage` is its error, and none of its writes will
        ever be in the database. While the database does not answer, they remain in doubt.
        """
        commit = self._commit_in_doubt
        if commit is None or self._connection is None:
            return CommitOutcome()
        try:
            self._connection = self._database.settle(self._connection)
            with self._connection.begin() as reading:
                is_stored = commit.receipt is not None and read_receipt(self._connection) == commit.receipt
                reading.rollback()
        except Exception:
            return CommitOutcome(outage=Failure(), in_doubt=commit.writes)
        self._commit_in_doubt = None
        return self._complete(commit) if is_stored else CommitOutcome(outage=commit.failure)

    def reclaim(self) -> bool:
        """Run one step of `Database.reclaim`; return whether it was the last step.

        It commits as well. If that fails, the next commit settles the database before it begins.
        """
        if self._connection is None or self._must_settle or self._commit_in_doubt is not None:
            return True
        try:
            return self._database.reclaim(self._connection)
        except Exception as problem:
            self._must_settle = self._database.is_commit_in_doubt(problem)
            raise
        finally:
            self.progress += 1

    def _settle_if_needed(self) -> None:
        if self._must_settle and self._connection is not None:
            self._connection = self._database.settle(self._connection)
        self._must_settle = False

    def _give_up_transaction(self, problem: Exception) -> None:
        """Roll back after an error of the disk before COMMIT."""
        if self._connection is not None and self._database.is_commit_in_doubt(problem):
            # A large transaction is partly written before COMMIT. Closing the only connection would lose what
            # is known about that part.
            self._must_settle = True
        else:
            self._drop_connection()

    def _drop_connection(self) -> None:
        # After a failure of the disk, a connection may still have unwritten data in its cache.
        with suppress(Exception):
            self.close()
        self._connection = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def split_at_turns(batch: Sequence[Write]) -> Iterator[Sequence[Write]]:
    """Yield the batch in pieces of at least PIECE_WRITES, each of whole turns."""
    start = 0
    while start < len(batch):
        end = min(start + PIECE_WRITES, len(batch))
        while end < len(batch) and batch[end].turn == batch[end - 1].turn:
            end += 1
        yield batch[start:end]
        start = end
