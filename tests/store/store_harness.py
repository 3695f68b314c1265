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
from pmslink.store.core.high_water_mark import HighWaterFile
from pmslink.store.core.store_errors import StoreError
from pmslink.store.core.transaction import Argument, Entry, Operation, Result, Transaction
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.outbox_enqueue import Enqueued, NewRow, enqueue
from pmslink.store.operations.retention import Retention
from pmslink.store.tables.audit_log import AuditEntry
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


AUDIT_ENTRY = AuditEntry(START_MS, "front-desk", "control", "link.change", LINK_NAME)


class DiskOutageError(Exception):
    """The error of a failing disk."""


class FaultyDatabase:
    """A wrapper of any database that counts commits, and fails when a test says so."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.name = inner.name
        self.commit_count = 0
        self.fails_at: Callable[[int], bool] = lambda commit: False
        """Whether the commit with this number fails."""
        self.commits_before_failing = False
        """Whether a commit that fails is in the database nevertheless."""
        self.settle_fails = False
        self.settle_count = 0
        self.reclaim_fails = False

    def start_failing(self) -> None:
        self.fails_at = lambda commit: True

    def stop_failing(self) -> None:
        self.fails_at = lambda commit: False

    def create(self) -> None:
        self.inner.create()

    def rebuild(self, fill: Callable[[Connection], None]) -> None:
        self.inner.rebuild(fill)

    def writer(self) -> Connection:
        connection = self.inner.writer()
        event.listen(connection, "commit", self._on_commit)
        return connection

    def _on_commit(self, connection: Connection) -> None:
        self.commit_count += 1
        if self.fails_at(self.commit_count):
            if self.commits_before_failing:
                driver_connection: Any = connection.connection.driver_connection
                driver_connection.commit()
            raise DiskOutageError("the disk is gone")

    def reader(self) -> Connection:
        return self.inner.reader()

    def stop_queries(self, connection: Connection, should_stop: Callable[[], bool] | None) -> None:
        self.inner.stop_queries(connection, should_stop)

    def to_store_error(self, problem: Exception) -> StoreError:
        return self.inner.to_store_error(problem)

    def is_outage(self, problem: Exception) -> bool:
        return isinstance(problem, DiskOutageError) or self.inner.is_outage(problem)

    def is_commit_in_doubt(self, problem: Exception) -> bool:
        return isinstance(problem, DiskOutageError) or self.inner.is_commit_in_doubt(problem)

    def settle(self, failed: Connection) -> Connection:
        if self.settle_fails:
            raise DiskOutageError("the disk is still gone")
        self.settle_count += 1
        connection = self.inner.settle(failed)
        event.listen(connection, "commit", self._on_commit)
        return connection

    def count_changes(self, connection: Connection) -> int:
        return self.inner.count_changes(connection)

    def is_space_low(self) -> bool:
        return self.inner.is_space_low()

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

    @property
    def is_busy(self) -> bool:
        return bool(self._queued_calls)

    def run_queued(self) -> None:
        due, self._queued_calls = self._queued_calls, []
        for call in due:
            call()


class StoreHarness:
    """A store that a test starts, stops, crashes, and starts again on the same database."""

    def __init__(
        self,
        database: FaultyDatabase,
        now: datetime = START_TIME,
        high_water_file: HighWaterFile | None = None,
    ) -> None:
        self.database = database
        self.high_water_file = high_water_file
        self.now = now
        self.is_clock_settled = True
        self.published: list[Entry] = []
        self.writer_thread: ManualThread | None = None
        self.start()

    def start(self) -> None:
        """Open the store of the database, and start it."""
        self.clock = Clock()
        self.store = make_store(
            self.clock,
            self.wall,
            self.database,
            RETENTION,
            writing=self.writer_thread,
            is_clock_settled=lambda: self.is_clock_settled,
            high_water_file=self.high_water_file,
        )
        self.journal = self.store.journal
        self.journal.on_commit.append(self.published.extend)
        self.is_usable = True
        self.store.on_unusable.append(lambda: setattr(self, "is_usable", False))
        self.store.startService()
        self.advance()

    def wall(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)

    def crash(self) -> None:
        """Stop like a killed process: queued writes are lost."""
        self.journal.stop()
        self.journal.close()
        self.store.close_readers()

    def stop(self) -> None:
        self.result(self.store.stopService())

    def result(self, deferred: Deferred[Outcome]) -> Outcome:
        """Return the result of a Deferred after the next reactor turn; raise its error."""
        (outcome,) = self.outcomes([deferred])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def outcomes(self, deferreds: Sequence[Deferred[Outcome]]) -> list[Outcome | Exception]:
        fired: list[Any] = []
        for deferred in deferreds:
            deferred.addBoth(fired.append)
        self.advance()
        assert len(fired) == len(deferreds)
        results: list[Any] = [result.value if isinstance(result, Failure) else result for result in fired]
        return results

    def submit(self, operation: Operation[Argument, Result], argument: Argument) -> Result:
        return self.result(self.journal.submit(operation, argument))

    def submit_all(
        self, operation: Operation[Argument, Result], *arguments: Argument
    ) -> list[Result | Exception]:
        """Submit all arguments in one reactor turn; return their results or errors."""
        return self.outcomes([self.journal.submit(operation, argument) for argument in arguments])

    def read(self, query: Callable[..., Result], *arguments: Any) -> Result:
        return self.result(self.store.read(query, *arguments))

    # The hotel.

    def receive_records(self, *texts: str, link: str = LINK_NAME, session: int = 0) -> None:
        """Store these records of the PMS, in one reactor turn."""
        self.submit_all(
            append_records, *(make_record(text, self.now, link=link, session=session) for text in texts)
        )

    def events(self, link: str = LINK_NAME) -> list[HotelEventLogged]:
        """Return the published hotel events of a link."""
        return [
            entry for entry in self.published if isinstance(entry, HotelEventLogged) and entry.link == link
        ]

    def event_types(self, link: str = LINK_NAME) -> list[str]:
        return [event.type for event in self.events(link)]

    def room(self, name: str = "101", link: str = LINK_NAME) -> Room | None:
        return self.read(room_of, link, name)

    # Rows.

    def enqueue(self, **changes: Any) -> OutboxRow:
        accepted = self.submit(enqueue, make_new_row(**changes))
        assert isinstance(accepted, Enqueued)
        return accepted.row

    def insert_rows(self, *rows: OutboxRow) -> None:
        """Insert these rows unchanged."""
        self.submit_all(insert_outbox_rows, *rows)

    def row(self, id: int) -> OutboxRow:
        row = self.read(row_of_link, LINK_NAME, id)
        assert row is not None
        return row

    def published_seqs(self) -> list[int]:
        """Return the numbers of all published entries."""
        return [entry.seq for entry in self.published]


def insert_outbox_rows(transaction: Transaction, rows: Sequence[OutboxRow]) -> Sequence[None]:
    """Operation: insert rows unchanged."""
    insert_rows(transaction, rows)
    return [None] * len(rows)


def echo_arguments(transaction: Transaction, arguments: Sequence[Any]) -> Sequence[Any]:
    """Operation: return the arguments as results."""
    return list(arguments)


def make_new_row(**changes: Any) -> NewRow:
    """Make a new posting for room 101 that needs a posting number."""
    new_row = NewRow(LINK_NAME, "PS", "call", "101", "{}", "PS|RN101|", START_MS, digits=4)
    return new_row._replace(**changes)


def make_row(id: int, state: str = "pending", **changes: Any) -> OutboxRow:
    """Make the row of a posting in a state, with plausible values."""
    is_queued = state == "pending"
    defaults: dict[str, Any] = {"queued": int(is_queued), "attempts": int(not is_queued), "number": id}
    base: Any = OutboxRow(
        *(id, LINK_NAME, "PS", "call", "101", "{}", "PS|RN101|", None, None, None, None, None, START_MS, id),
        state=state,  # type: ignore[arg-type]
    )
    row: OutboxRow = base._replace(**defaults | changes)
    return row


def make_record(text: str = "XL|RN101|MTHello|", at: datetime = START_TIME, **changes: Any) -> RecordLogged:
    """Make a received record; the default one does not change the hotel."""
    values: dict[str, Any] = {"link": LINK_NAME, "at": at, "direction": "in", "type": text[:2], "text": text}
    return RecordLogged(**values | changes)
