"""A store in play: any database, no threads, a wall clock that a test sets, and all that was told."""

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
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.outbox_enqueue import Accepted, Offer, accept
from pmslink.store.operations.retention import Retention
from pmslink.store.tables.hotel_states import room_of
from pmslink.store.tables.log_entries import (
    Argument,
    Entry,
    Happened,
    Operation,
    Recorded,
    Result,
    Transaction,
)
from pmslink.store.tables.outbox_rows import Row, add, row_of
from pmslink.timestamps import to_ms
from tests.memory_store import make_store

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = to_ms(START)
DAY = timedelta(days=1)
RETENTION = Retention(guest=30 * DAY, history=400 * DAY)
LINK = "grand"

Outcome = TypeVar("Outcome")


class Outage(Exception):
    """What a disk says that fails."""


class Watched:
    """Any database: counts its commits, and fails when a test wants it to."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.name = inner.name
        self.commits = 0
        self.fail_at: Callable[[int], bool] = lambda commit: False
        """Whether the commit with this number fails."""
        self.reclaiming_fails = False

    def fail(self) -> None:
        self.fail_at = lambda commit: True

    def mend(self) -> None:
        self.fail_at = lambda commit: False

    def create(self) -> None:
        self.inner.create()

    def writer(self) -> Connection:
        connection = self.inner.writer()
        event.listen(connection, "commit", self._committing)
        return connection

    def _committing(self, _connection: Connection) -> None:
        self.commits += 1
        if self.fail_at(self.commits):
            raise Outage("the disk is gone")

    def reader(self) -> Connection:
        return self.inner.reader()

    def unusable(self, problem: Exception) -> StoreError:
        return self.inner.unusable(problem)

    def is_outage(self, problem: Exception) -> bool:
        return isinstance(problem, Outage) or self.inner.is_outage(problem)

    def reclaim(self, connection: Connection) -> bool:
        if self.reclaiming_fails:
            raise Outage("the disk is gone")
        return self.inner.reclaim(connection)


class Slow:
    """A thread that does its work only when a test says so."""

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []

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

        self._due.append(work)
        return done

    def work(self) -> None:
        due, self._due = self._due, []
        for one in due:
            one()


class Playing:
    """A store that runs, is stopped or crashes, and runs again on what it left."""

    def __init__(self, database: Watched) -> None:
        self.database = database
        self.now = START
        self.told: list[Entry] = []
        self.writing: Slow | None = None
        self.start()

    def start(self) -> None:
        """Open what there is, and let it run."""
        self.clock = Clock()
        self.store = make_store(self.clock, self.wall, self.database, RETENTION, writing=self.writing)
        self.journal = self.store.journal
        self.journal.told.append(self.told.extend)
        self.store.startService()
        self.turn()

    def wall(self) -> datetime:
        return self.now

    def turn(self, seconds: float = 0.0) -> None:
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
        self.turn()
        assert len(found) == len(deferreds)
        results: list[Any] = [one.value if isinstance(one, Failure) else one for one in found]
        return results

    def do(self, operation: Operation[Argument, Result], argument: Argument) -> Result:
        return self.result(self.journal.write(operation, argument))

    def do_all(
        self, operation: Operation[Argument, Result], *arguments: Argument
    ) -> list[Result | Exception]:
        """In one turn."""
        return self.outcomes([self.journal.write(operation, argument) for argument in arguments])

    def read(self, query: Callable[..., Result], *arguments: Any) -> Result:
        return self.result(self.store.read(query, *arguments))

    # The hotel.

    def say(self, *texts: str, link: str = LINK, session: int = 0) -> None:
        """Let the PMS say this, in one turn."""
        self.do_all(keep_records, *(a_record(text, self.now, link=link, session=session) for text in texts))

    def events(self, link: str = LINK) -> list[Happened]:
        """What was told of a hotel."""
        return [one for one in self.told if isinstance(one, Happened) and one.link == link]

    def types(self, link: str = LINK) -> list[str]:
        return [event.type for event in self.events(link)]

    def room(self, name: str = "101", link: str = LINK) -> Room | None:
        return self.read(room_of, link, name)

    # Rows.

    def accept(self, **changes: Any) -> Row:
        accepted = self.do(accept, offer(**changes))
        assert isinstance(accepted, Accepted)
        return accepted.row

    def have(self, *made: Row) -> None:
        """Let there be these rows."""
        self.do_all(put, *made)

    def row(self, id: int) -> Row:
        found = self.read(row_of, LINK, id)
        assert found is not None
        return found

    def tellings(self) -> list[int]:
        """The numbers of all that was told."""
        return [entry.seq for entry in self.told]


def put(transaction: Transaction, made: Sequence[Row]) -> Sequence[None]:
    """An operation: put in rows as they are."""
    add(transaction, made)
    return [None] * len(made)


def echo(transaction: Transaction, arguments: Sequence[Any]) -> Sequence[Any]:
    """An operation that gives back what it gets."""
    return list(arguments)


def offer(**changes: Any) -> Offer:
    """A posting for room 101, with a number."""
    made = Offer(LINK, "PS", "call", "101", "{}", "PS|RN101|", NOW, digits=4)
    return made._replace(**changes)


def a_row(id: int, state: str = "pending", **changes: Any) -> Row:
    """A posting in a state, as it would be."""
    waits = state == "pending"
    usual: dict[str, Any] = {"queued": int(waits), "attempts": int(not waits), "number": id}
    made: Any = Row(
        *(id, LINK, "PS", "call", "101", "{}", "PS|RN101|", None, None, None, None, None, NOW, id),
        state=state,  # type: ignore[arg-type]
    )
    row: Row = made._replace(**usual | changes)
    return row


def a_record(text: str = "XL|RN101|MTHello|", at: datetime = START, **changes: Any) -> Recorded:
    """A record that came in; unless a test wants it otherwise, it means nothing to the house."""
    values: dict[str, Any] = {"link": LINK, "at": at, "direction": "in", "type": text[:2], "text": text}
    return Recorded(**values | changes)
