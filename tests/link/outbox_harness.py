"""The service with one link and its store, and a simulated PMS, all in memory, for a model to look on."""

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

from pmslink.config.loader import read_link
from pmslink.fias.record import Record
from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.link.record_trace import Trace
from pmslink.link.state_history import Transition
from pmslink.simulator.pms.pbx_connection import PmsFactory
from pmslink.simulator.pms.property import Pms
from pmslink.store.core import store_metadata
from pmslink.store.core.journal_interface import Keeper
from pmslink.store.operations.outbox_enqueue import Offer
from pmslink.store.tables.log_entries import Direction
from pmslink.store.tables.outbox_rows import Row, question, rows
from pmslink.timestamps import to_ms
from tests.link.outbox_checks import judge
from tests.link.outbox_model import Model
from tests.link.outbox_row import identity_of
from tests.memory_network import Network, run
from tests.memory_store import Inline, MemoryDatabase, make_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PA_WITH_ID = "RNASP#DATICTID"
"""The fields of PA, so that the PMS says which row it means."""

WHAT_IS_JUDGED = "SELECT id, record, state, changed, number, created FROM postings ORDER BY id"


@frozen
class Rules:
    """What is set for one life of the link."""

    unanswered: str = "resend"
    send_limit: int = 3
    digits: int = 8
    outbox_limit: int = 1000
    answer_timeout: float = 2.0


class Ear(Trace):
    """Tells the model what the link says and hears, before anything comes of it."""

    def __init__(self, model: Model, keeper: Keeper, wall: Callable[[], datetime]) -> None:
        super().__init__("hotel", keeper, wall)
        self._model = model

    def add(self, direction: Direction, id: str, record: Record) -> bool:
        with self._model.objecting():
            if direction == "in":
                self._model.heard(record)
            else:
                self._model.says(record)
        return super().add(direction, id, record)


class CountingPms(Pms):
    """Counts what it has taken from the PBX, by the row's own id."""

    def __init__(self, clock: Clock, wall: Callable[[], datetime]) -> None:
        super().__init__(clock, wall, rooms=2, keep=100)
        self.taken: Counter[str] = Counter()
        self.posted: list[Record] = []

    def received(self, record: Record) -> None:
        self.taken[identity_of(record)] += 1
        if record.id == "PS":
            self.posted.append(record)
        super().received(record)


class Mortal(Inline):
    """A writer's thread that may die behind its next commit, before anybody hears of that."""

    dying = False

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        done = super().run(call, *arguments)
        if not self.dying:
            return done
        done.addErrback(lambda failure: None)
        return Deferred()


class Life:
    """One life of a link, over however many services."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.clock = Clock()
        self.database = MemoryDatabase()
        self.pms = CountingPms(self.clock, self.wall)
        self.rooms = [*self.pms.hotel.rooms[:2], "999"]  # the last is none: NG
        self.network = Network(self.clock, PmsFactory(self.pms))
        self.charset = "cp1252"
        self.model = Model(
            self.clock.seconds,
            self._wall_ms,
            self.pms.taken,
            rules.unanswered,
            rules.answer_timeout,
            rules.digits,
        )
        self.offers: list[Offer] = []
        self.keyed: list[Offer] = []
        self.accepting = 0
        self.failures: list[Failure] = []
        self.begin()

    # The service.

    def begin(self) -> None:
        self.thread = Mortal()
        self.store = make_store(self.clock, self.wall, self.database, writing=self.thread)
        self.store.journal.told.append(self.model.told)
        self.links = Links(self.clock, self.store, self.wall, self.network.dial)
        self.links.watch(self._changed)
        self.link = self.links.add(self._config())
        self.link.trace = Ear(self.model, self.store.journal, self.wall)
        self.model.in_sync = lambda: self.link.conversation.in_sync
        self.store.journal.append(store_metadata.begin, None)
        self.links.startService()

    def _config(self) -> Any:
        rules = self.rules
        return read_link(
            "hotel",
            {
                "host": "192.0.2.1",
                "port": 5010,
                "timezone": "UTC",
                "charset": self.charset,
                "records": {"PA": PA_WITH_ID},
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

    def _changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.model.moved_on(transition)

    def restart(self, how: str) -> None:
        """In good order, by SIGKILL, or by SIGKILL just behind a commit."""
        if how == "killed behind a commit":
            self.thread.dying = True
            run(self.clock, 0)
        if how != "stopped":
            self.store.journal.stop()
        self.model.outage()
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        run(self.clock, 0)
        assert stopped
        if how == "stopped":
            self.store.journal.append(store_metadata.end, None)
            run(self.clock, 0)
            self.store.journal.stop()
        outage, self.database.outage = self.database.outage, None  # else the service would not start at all
        self.accepting = 0
        self.model.restarted(self.rows())
        self.begin()
        self.database.outage = outage

    # What there is.

    def rows(self) -> list[Row]:
        with self.database.reader() as connection:
            return _all_rows(connection)

    def judge(self) -> None:
        assert not self.failures
        shown = self.link.outbox.tally
        oldest = None if shown.oldest is None else to_ms(shown.oldest)
        with self.database.reader() as connection:
            held = list(connection.exec_driver_sql(WHAT_IS_JUDGED))
        judge(self.model, held, (shown.pending, shown.unknown, shown.refused, oldest))
        assert self.network.open <= 1

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.clock.seconds())

    def _wall_ms(self) -> int:
        return to_ms(self.wall())


def _all_rows(connection: Connection) -> list[Row]:
    return rows(connection, question())
