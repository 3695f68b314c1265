"""The writer's side of the journal: executes a batch of operations in one transaction.

Everything here runs in the writer's thread, and owns its connection. `journal.py` is the side that runs
in the reactor's thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any

from attrs import define
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pmslink.store.core.database import Database
from pmslink.store.core.store_metadata import reserve_numbers
from pmslink.store.core.transaction import Entry, Operation, Transaction, UnitOfWorkFactory


@define(eq=False)
class Write:
    """One argument for an operation, as a caller submitted it."""

    operation: Operation[Any, Any]
    argument: Any
    done: Deferred[Any] | None
    retry_until_stored: bool


@define(eq=False)
class CommitOutcome:
    """The results of a batch.

    There is one result for each write, and a Failure for a write whose own operation failed. When the
    database fails after some writes were committed one by one, there are results for those only, and
    `outage` is the error of the next write.
    """

    results: list[Any]
    to_publish: list[Entry]
    outage: Failure | None = None


class BatchWriter:
    """Commits batches of writes to a database."""

    def __init__(
        self, database: Database, sequence: Iterator[int], first_seq: int, hotels: UnitOfWorkFactory
    ) -> None:
        self._database = database
        self._sequence = sequence
        self._hotels = hotels
        self._connection: Connection | None = None
        self._reserved_until = first_seq

    def commit(self, batch: Sequence[Write]) -> CommitOutcome:
        """Commit a batch. If the database fails for the whole batch, raises the database's own error."""
        try:
            return self._execute(batch)
        except Exception as problem:
            if self._database.is_outage(problem):
                raise
        # One of the writes is faulty: commit each alone, so that the others are stored.
        outcome = CommitOutcome([], [])
        for write in batch:
            try:
                single = self._execute([write])
            except Exception as problem:
                if self._database.is_outage(problem):
                    outcome.outage = Failure()
                    return outcome
                outcome.results.append(Failure())
            else:
                outcome.results.extend(single.results)
                outcome.to_publish.extend(single.to_publish)
        return outcome

    def _execute(self, batch: Sequence[Write]) -> CommitOutcome:
        if self._connection is None:
            self._connection = self._database.writer()
        results: list[Any] = []
        try:
            with self._connection.begin():
                transaction = Transaction(self._connection, self._sequence, self._hotels.begin())
                for operation, writes in groupby(batch, key=attrgetter("operation")):
                    results.extend(operation(transaction, [write.argument for write in writes]))
                transaction.hotels.flush(transaction)
                reserved = reserve_numbers(transaction, self._reserved_until)
            transaction.hotels.committed()
            self._reserved_until = reserved
        except Exception:
            # After a failure of the disk, a connection may still have unwritten data in its cache.
            with suppress(Exception):
                self._connection.close()
            self._connection = None
            raise
        return CommitOutcome(results, transaction.to_publish)

    def reclaim(self) -> bool:
        """Run one step of `Database.reclaim`; return whether it was the last step."""
        return self._connection is None or self._database.reclaim(self._connection)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
