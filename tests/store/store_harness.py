"""A store for tests: any database, no threads, a wall clock that a test sets, and all published entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.hotel.rooms import Room
from pmslink.store.core.database import Database
from pmslink.store.core.store_errors import StoreError
from pmslink.store.core.transaction import Argument, Entry, Operation, Result, Transaction
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.outbox_enqueue import Enqueued, NewRow, enqueue
from pmslink.store.operations.retention import Retention
from pmslink.store.tables.hotel_states import room_of
from pmslink.store.tables.log_entries import HotelEventLogged, RecordLogged
from pmslink.store.tables.outbox_rows import OutboxRow, insert_rows, row_of_link
from pmslink.timestamps import to_ms
from tests.memory_store import make_store

START_TIME = datetime(2026, 1, 1, tzinfo=UTC)
START_MS = to_ms(START_TIME)
DAY = timedelta(days=1)
RETENTION = Retention(guest=30 * DAY, history=400 * DAY)
LINK_NAME = "grand"

Outcome = TypeVar("Outcome")


class DiskOutageError(Exception):
    """What a disk says that fails."""


class FaultyDatabase:
    """Any database: counts its commits, and fails when a test wants it to."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.name = inner.name
        self.commit_count = 0
        self.fails_at: Callable[[int], bool] = lambda commit: False
        """Whether the commit with this number fails."""
        self.reclaim_fails = False

    def start_failing(self) -> None:
        self.fails_at = lambda commit: True

    def stop_failing(self) -> None:
        self.fails_at = lambda commit: False

    def create(self) -> None:
        self.inner.create()

    def writer(self) -> Connection:
        connection = self.inner.writer()
        event.listen(connection, "commit", self._on_commit)
        return connection

    def _on_commit(self, _connection: Connection) -> None:
        self.commit_count += 1
        if self.fails_at(self.commit_count):
            raise DiskOutageError("the disk is gone")

    def reader(self) -> Connection:
        return self.inner.reader()

    def to_store_error(self, problem: Exception) -> StoreError:
        return self.inner.to_store_error(problem)

    def is_outage(self, problem: Exception) -> bool:
        return isinstance(problem, DiskOutageError) or self.inner.is_outage(problem)

    def reclaim(self, connection: Connection) -> bool:
        if self.reclaim_fails:
            raise DiskOutageError("the disk is gone")
        return self.inner.reclaim(connection)


class ManualThread:
    """A thread that does its work only when a test says so."""

    def __init__(self) -> None:
        self._queued_calls: list[Callable[[], None]] = []

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()

        def work() -> None:
            try:
                result = call(*arguments)
            except Exception:
                done.errback()
            else:
                done.callback(result)

        self._queued_calls.append(work)
        return done

    def run_queued(self) -> None:
        due, self._queued_calls = self._queued_calls, []
        for one in due:
            one()


class StoreHarness:
    """A store that runs, is stopped or crashes, and runs again on what it left."""

    def __init__(self, database: FaultyDatabase, now: datetime = START_TIME) -> None:
        self.database = database
        self.now = now
        self.published: list[Entry] = []
        self.writer_thread: ManualThread | None = None
        self.start()

    def start(self) -> None:
        """Open what there is, and let it run."""
        self.clock = Clock()
        self.store = make_store(self.clock, self.wall, self.database, RETENTION, writing=self.writer_thread)
        self.journal = self.store.journal
        self.journal.on_commit.append(self.published.extend)
        self.store.startService()
        self.advance()

    def wall(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)

    def crash(self) -> None:
        """End without a word: what waits is gone."""
        self.journal.stop()
        self.journal.close()
        self.store._close_reader()

    def stop(self) -> None:
        self.result(self.store.stopService())

    def result(self, deferred: Deferred[Outcome]) -> Outcome:
        """What it has fired with by the next turn; raises what it has failed with."""
        (one,) = self.outcomes([deferred])
        if isinstance(one, Exception):
            raise one
        return one

    def outcomes(self, deferreds: Sequence[Deferred[Outcome]]) -> list[Outcome | Exception]:
        found: list[Any] = []
        for deferred in deferreds:
            deferred.addBoth(found.append)
        self.advance()
        assert len(found) == len(deferreds)
        results: list[Any] = [one.value if isinstance(one, Failure) else one for one in found]
        return results

    def submit(self, operation: Operation[Argument, Result], argument: Argument) -> Result:
        return self.result(self.journal.submit(operation, argument))

    def submit_all(
        self, operation: Operation[Argument, Result], *arguments: Argument
    ) -> list[Result | Exception]:
        """In one turn."""
        return self.outcomes([self.journal.submit(operation, argument) for argument in arguments])

    def read(self, query: Callable[..., Result], *arguments: Any) -> Result:
        return self.result(self.store.read(query, *arguments))

    # The hotel.

    def receive_records(self, *texts: str, link: str = LINK_NAME, session: int = 0) -> None:
        """Let the PMS say this, in one turn."""
        self.submit_all(
            append_records, *(make_record(text, self.now, link=link, session=session) for text in texts)
        )

    def events(self, link: str = LINK_NAME) -> list[HotelEventLogged]:
        """What was told of a hotel."""
        return [one for one in self.published if isinstance(one, HotelEventLogged) and one.link == link]

    def event_types(self, link: str = LINK_NAME) -> list[str]:
        return [event.type for event in self.events(link)]

    def room(self, name: str = "101", link: str = LINK_NAME) -> Room | None:
        return self.read(room_of, link, name)

    # Rows.

    def enqueue(self, **changes: Any) -> OutboxRow:
        accepted = self.submit(enqueue, make_new_row(**changes))
        assert isinstance(accepted, Enqueued)
        return accepted.row

    def insert_rows(self, *made: OutboxRow) -> None:
        """Let there be these rows."""
        self.submit_all(insert_outbox_rows, *made)

    def row(self, id: int) -> OutboxRow:
        found = self.read(row_of_link, LINK_NAME, id)
        assert found is not None
        return found

    def published_seqs(self) -> list[int]:
        """The numbers of all that was told."""
        return [entry.seq for entry in self.published]


def insert_outbox_rows(transaction: Transaction, rows: Sequence[OutboxRow]) -> Sequence[None]:
    """An operation: put in rows as they are."""
    insert_rows(transaction, rows)
    return [None] * len(rows)


def echo_arguments(transaction: Transaction, arguments: Sequence[Any]) -> Sequence[Any]:
    """An operation that gives back what it gets."""
    return list(arguments)


def make_new_row(**changes: Any) -> NewRow:
    """A posting for room 101, with a number."""
    made = NewRow(LINK_NAME, "PS", "call", "101", "{}", "PS|RN101|", START_MS, digits=4)
    return made._replace(**changes)


def make_row(id: int, state: str = "pending", **changes: Any) -> OutboxRow:
    """A posting in a state, as it would be."""
    waits = state == "pending"
    usual: dict[str, Any] = {"queued": int(waits), "attempts": int(not waits), "number": id}
    made: Any = OutboxRow(
        *(id, LINK_NAME, "PS", "call", "101", "{}", "PS|RN101|", None, None, None, None, None, START_MS, id),
        state=state,  # type: ignore[arg-type]
    )
    row: OutboxRow = made._replace(**usual | changes)
    return row


def make_record(text: str = "XL|RN101|MTHello|", at: datetime = START_TIME, **changes: Any) -> RecordLogged:
    """A record that came in; unless a test wants it otherwise, it means nothing to the house."""
    values: dict[str, Any] = {"link": LINK_NAME, "at": at, "direction": "in", "type": text[:2], "text": text}
    return RecordLogged(**values | changes)
