"""The service with one link, its store and a simulated PMS, all in memory, checked by a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.config.link_definition import parse_link
from pmslink.fias.record import Record
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.record_trace import Trace
from pmslink.link.state_history import Transition
from pmslink.simulator.pms.connection_factory import PmsFactory
from pmslink.simulator.pms.property import Pms
from pmslink.store.core import store_metadata
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.store.tables.log_entries import Direction, RecordLogged
from pmslink.store.tables.outbox_rows import OutboxRow, fetch_rows, row_query
from pmslink.timestamps import to_ms
from tests.link.outbox_checks import check_step
from tests.link.outbox_model import MOVE_WINDOW_S, OutboxModel
from tests.link.outbox_row import row_identity
from tests.memory_network import Network, advance_clock
from tests.memory_store import InlineThread, MemoryDatabase, make_store

START_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
PA_FIELDS_WITH_ID = "RNASP#DATICTID"
"""The fields of PA, with the ID of the row that the answer is for."""

CHECKED_ROWS_SQL = "SELECT id, record, state, changed, number, created FROM postings ORDER BY id"


@frozen
class OutboxSettings:
    """The settings of one run."""

    unanswered: str = "resend"
    send_limit: int = 3
    digits: int = 8
    outbox_limit: int = 1000
    answer_timeout: float = 2.0


def report_records(trace: Trace, model: OutboxModel) -> None:
    """Report every record to the model before the link stores it or acts on it."""
    add = trace.add

    def report_and_add(direction: Direction, record_id: str, record: Record) -> RecordLogged:
        with model.collecting_errors():
            if direction == "in":
                model.on_received(record)
            else:
                model.on_sent(record)
        return add(direction, record_id, record)

    trace.add = report_and_add  # type: ignore[method-assign]


class CountingPms(Pms):
    """A PMS that counts the rows that it has received, by their own id."""

    def __init__(self, clock: Clock, wall: Callable[[], datetime]) -> None:
        super().__init__(clock, wall, room_count=2, max_records=100)
        self.received_counts: Counter[str] = Counter()
        self.posted_records: list[Record] = []

    def on_record(self, record: Record) -> None:
        self.received_counts[row_identity(record)] += 1
        if record.id == "PS":
            self.posted_records.append(record)
        super().on_record(record)


class CrashingThread(InlineThread):
    """A writer thread that can die after its next commit, before it reports the commit."""

    crashes_after_commit = False

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        done = super().run(call, *arguments)
        if not self.crashes_after_commit:
            return done
        done.addErrback(lambda failure: None)
        return Deferred()


class OutboxHarness:
    """One link over any number of restarts of the service."""

    def __init__(self, rules: OutboxSettings) -> None:
        self.rules = rules
        self.clock = Clock()
        self.database = MemoryDatabase()
        self.pms = CountingPms(self.clock, self.wall)
        self.room_names = [*self.pms.hotel.rooms[:2], "999"]  # the last is none: NG
        self.network = Network(self.clock, PmsFactory(self.pms))
        self.charset = "cp1252"
        self.model = OutboxModel(
            self.clock.seconds,
            self._wall_ms,
            self.pms.received_counts,
            rules.unanswered,
            rules.answer_timeout,
            rules.digits,
        )
        self.new_rows: list[NewRow] = []
        self.keyed_new_rows: list[NewRow] = []
        self.enqueuing_count = 0
        self.failures: list[Failure] = []
        self.start()

    # The service.

    def start(self) -> None:
        self.writer_thread = CrashingThread()
        self.store = make_store(self.clock, self.wall, self.database, writing=self.writer_thread)
        self.store.journal.on_commit.append(self.model.on_commit)
        self.links = LinkRegistry(self.clock, self.store, self.wall, self.network.dial)
        self.links.subscribe(self._on_change)
        self.link = self.links.add(self._link_config())
        report_records(self.link.trace, self.model)
        self.model.in_sync = lambda: self.link.session.in_sync
        self.store.journal.submit_nowait(store_metadata.mark_running, None)
        self.links.startService()

    def _link_config(self) -> Any:
        rules = self.rules
        return parse_link(
            "hotel",
            {
                "host": "192.0.2.1",
                "port": 5010,
                "timezone": "UTC",
                "charset": self.charset,
                "records": {"PA": PA_FIELDS_WITH_ID},
                "alive_interval": 10,
                "alive_timeout": 1,
                "listen_time": 1,
                "start_timeout": 8,
                "sync_timeout": 4,
                "retry_max": 3,
                "answer_timeout": rules.answer_timeout,
                "unanswered": rules.unanswered,
                "send_limit": rules.send_limit,
                "posting_digits": rules.digits,
                "outbox_limit": rules.outbox_limit,
            },
        )

    def _on_change(self, link: Link, transition: Transition | None) -> None:
        self.model.on_change(transition, link.session.in_sync)

    def restart(self, mode: str) -> None:
        """Restart after a stop, a SIGKILL, or a SIGKILL just after a commit."""
        if mode == "killed behind a commit":
            self.writer_thread.crashes_after_commit = True
            advance_clock(self.clock, 0)
        if mode != "stopped":
            self.store.journal.stop()
        self.model.on_outage()
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        advance_clock(self.clock, 0)
        assert stopped
        if mode == "stopped":
            self.store.journal.submit_nowait(store_metadata.mark_stopped, None)
            advance_clock(self.clock, 0)
            self.store.journal.stop()
        outage, self.database.commit_error = (
            self.database.commit_error,
            None,
        )  # else the service would not start at all
        self.enqueuing_count = 0
        self.model.on_restart(self.stored_rows())
        self.start()
        self.database.commit_error = outage

    # Checks.

    def stored_rows(self) -> list[OutboxRow]:
        with self.database.reader() as connection:
            return _query_all_rows(connection)

    def check(self) -> None:
        assert not self.failures
        counts = self.link.outbox.counts
        oldest = None if counts.oldest is None else to_ms(counts.oldest)
        with self.database.reader() as connection:
            rows = list(connection.exec_driver_sql(CHECKED_ROWS_SQL))
        check_step(self.model, rows, (counts.pending, counts.unknown, counts.refused, oldest))
        assert self.network.open_count <= 1
        if self._idle_rows():
            advance_clock(self.clock, 0)  # what is due now may still send them
            assert not self._idle_rows(), "not sent, although nothing holds them"

    def _idle_rows(self) -> list[OutboxRow]:
        """Return the rows that could be sent at once."""
        link = self.link
        blocked = link.resync.running or link.session.exchange.is_open or self.store.journal.is_failing
        if blocked or not link.session.in_sync:
            return []
        rows = self.stored_rows()
        posting_may_be_sent = link.outbox.hold() is None and not any(
            row.record == "PS" and row.state == "sent" for row in rows
        )
        is_moving = self.clock.seconds() <= self.model.guest_mentioned_at + 2 * MOVE_WINDOW_S
        return [
            row
            for row in rows
            if row.state == "pending"
            and (row.not_before or 0) <= self._wall_ms()
            and (row.record == "WA" or (not is_moving and (row.record != "PS" or posting_may_be_sent)))
        ]

    def wall(self) -> datetime:
        return START_TIME + timedelta(seconds=self.clock.seconds())

    def _wall_ms(self) -> int:
        return to_ms(self.wall())


def _query_all_rows(connection: Connection) -> list[OutboxRow]:
    return fetch_rows(connection, row_query())
