"""One run of the money test: a link, its store and the PMS, in memory on a test clock, with random events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.config.link_definition import parse_link
from pmslink.errors import NotApplicableError
from pmslink.link import controls
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core import store_metadata
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.operator_actions import OperatorAction, discard, resend
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, fetch_rows, row_query
from pmslink.web.api.outbox_requests import make_posting_row
from tests.memory_network import Network, advance_clock
from tests.memory_store import MemoryDatabase, make_store
from tests.money.cashier import ASTRAY, HONEST, Cashier
from tests.money.judge import Charge, Judge

START_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROOMS = ["101", "102", "103", "104"]
MAX_PAST_S = 90.0
MAX_RECOVERY_S = 3 * 3600.0


@frozen
class RunOptions:
    """What is different from run to run."""

    seed: int
    steps: int = 150
    unanswered: str = "hold"
    is_numbered: bool = True


class MoneyRun:
    """One run. Each step does something at random, and the judge looks at the bills after it."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self.random = Random(options.seed)
        self.clock = Clock()
        self.database = MemoryDatabase()
        self.cashier = Cashier(self.clock, self.random, ROOMS, options.is_numbered)
        self.network = Network(self.clock, self.cashier)
        self.judge = Judge(self.cashier.ledger, options.unanswered == "resend")
        self.cashier.on_told = self._on_told
        self.cashier.on_act = self._record_truth
        self.failures: list[Failure] = []
        self.steps: tuple[tuple[float, Callable[[], None]], ...] = (
            (30, self.cashier.act),
            (30, self.post),
            (4, self.post_to_vacant_room),
            (2, self.cashier.drop),
            (1, self.cashier.start_again),
            (2, self.break_network),
            (1, self.switch_off),
            (2, self.restart),
            (2, self.act_on_row),
            (1, self.cashier.start_night_audit),
        )
        self.start()

    def start(self) -> None:
        self.store = make_store(self.clock, self.wall, self.database)
        self.store.journal.on_commit.append(self._on_commit)
        self.links = LinkRegistry(self.clock, self.store, self.wall, self.network.dial)
        settings: dict[str, Any] = {
            "host": "192.0.2.1",
            "port": 5010,
            "timezone": "UTC",
            "alive_interval": 20,
            "alive_timeout": 3,
            "retry_max": 5,
            "answer_timeout": 5,
            "unanswered": self.options.unanswered,
        }
        self.link = self.links.add(parse_link("hotel", settings))
        self.store.journal.submit_nowait(store_metadata.mark_running, None)
        self.links.startService()

    # The run.

    def run(self) -> Judge:
        """Make the run, and return the judge."""
        self._fill_hotel()
        self.cashier.answers = ASTRAY
        weights = [weight for weight, _ in self.steps]
        for _, step in self.random.choices(self.steps, weights, k=self.options.steps):
            step()
            self.wait(self.random.choice((0.01, 0.3, 3.0, 3.0, 10.0, 40.0)) * self.random.uniform(0.5, 1.5))
        self._recover()
        self.judge.check_end(self.rows())
        return self.judge

    def _fill_hotel(self) -> None:
        """Let some guests check in before the link docks: a resync tells of them and of the vacant rooms."""
        for _ in range(2):
            self.cashier.desk.check_in()
        self._record_truth()
        self.wait(30.0)

    def _recover(self) -> None:
        """Make everything work again, and wait until all rows rest."""
        self.cashier.answers = HONEST
        self.cashier.end_night_audit()
        self.network.mode = "accept"
        controls.enable(self.link)
        until = self.clock.seconds() + MAX_RECOVERY_S
        while self.clock.seconds() < until and any(
            row.queued or row.state == "sent" for row in self.rows().values()
        ):
            self.wait(61.7)

    def wait(self, seconds: float) -> None:
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            advance_clock(self.clock, min(1.0, end - self.clock.seconds()))
            self.judge.check()
        assert not self.failures

    # Steps.

    def post(self) -> None:
        """Post a charge of an occupied room, now or with a start in the past."""
        occupied = [room for room, guests in self.cashier.desk.rooms.items() if guests]
        if occupied:
            past = self.random.uniform(0.0, MAX_PAST_S) if self.random.random() < 0.2 else 0.0
            self._post(self.random.choice(occupied), past)

    def post_to_vacant_room(self) -> None:
        """Post a charge of a room without guests, such as a maid's call."""
        vacant = [room for room, guests in self.cashier.desk.rooms.items() if not guests]
        if vacant:
            self._post(self.random.choice(vacant), 0.0)

    def _post(self, room: str, past: float) -> None:
        if self.cashier.is_telling:  # nobody could know whose charge it is
            return
        amount = 1000 + len(self.judge.charges)
        started = self.wall() - timedelta(seconds=past)
        body = {"type": "charge", "room": room, "amount": amount, "started": started.isoformat()}
        self.judge.charges[str(amount)] = Charge(str(amount), room, self.clock.seconds() - past)
        new_row = make_posting_row(self.link, body, f"key {amount}", self.wall())
        self._collect(self.link.outbox.enqueue(new_row))
        self.wait(0.0)

    def break_network(self) -> None:
        """Let the network fail for a while."""
        self.cashier.drop()
        self.network.mode = "refuse"
        self.clock.callLater(self.random.uniform(1.0, 60.0), setattr, self.network, "mode", "accept")

    def switch_off(self) -> None:
        """Let a user disable or disconnect the link for a while."""
        try:
            self.random.choice((controls.disable, controls.disconnect))(self.link)
        except NotApplicableError:
            return
        self.clock.callLater(self.random.uniform(1.0, 60.0), self._switch_on)

    def _switch_on(self) -> None:
        controls.enable(self.link)

    def restart(self) -> None:
        """Stop the service, or kill it, and start it again."""
        is_killed = self.random.random() < 0.5
        if is_killed:
            self.store.journal.stop()
        self.links.stopService()
        advance_clock(self.clock, 0)
        if not is_killed:
            self.store.journal.submit_nowait(store_metadata.mark_stopped, None)
            advance_clock(self.clock, 0)
            self.store.journal.stop()
        self.start()
        controls.enable(self.link)

    def act_on_row(self) -> None:
        """Let a person decide on a posting."""
        rows = [(amount, row) for amount, row in self.rows().items() if row.state in ("unknown", "refused")]
        if not rows:
            return
        amount, row = self.random.choice(rows)
        operation = self.random.choice((resend, discard))
        if operation is resend:
            self.judge.resent_by_person.add(amount)
        action = OperatorAction("hotel", row.id, self.link.settings().posting_digits)
        submitted: Deferred[Any] = self.store.journal.submit(operation, action)
        self._collect(submitted.addCallback(self.link.outbox.on_resent) if operation is resend else submitted)

    # What the judge sees.

    def rows(self) -> dict[str, OutboxRow]:
        """Return all postings, by amount."""
        with self.database.reader() as connection:
            return {_amount(row): row for row in fetch_rows(connection, row_query())}

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if (
                isinstance(entry, OutboxRowChanged)
                and entry.row.state == "refused"
                and entry.row.reason == "guest_left"
            ):
                self.judge.note_refusal(_amount(entry.row))

    def _on_told(self, is_all: bool) -> None:
        self.judge.note_told(self.clock.seconds(), self.cashier.desk.occupancy(), is_all)

    def _record_truth(self) -> None:
        self.judge.truth.add(self.clock.seconds(), self.cashier.desk.occupancy())

    def _collect(self, done: Deferred[Any]) -> None:
        done.addErrback(self.failures.append)

    def wall(self) -> datetime:
        return START_TIME + timedelta(seconds=self.clock.seconds())


def _amount(row: OutboxRow) -> str:
    return next(field[2:] for field in row.text.split("|") if field.startswith("TA"))
