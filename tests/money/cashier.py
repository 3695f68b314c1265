"""The PMS of the money test: it docks, tells what the front desk does, and books postings on the bills.

Its answers may be late, lost, doubled, RY, NA, or without P#. While no link stands it queues its records, and
sends them after its LA, as real PMSs do. It is written from the protocol's description, and uses nothing of
the program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from attrs import define, field, frozen
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.money.front_desk import FrontDesk

MAX_LATE_S = 20.0
MAX_LATE_WITHOUT_NUMBER_S = 60.0
QUEUE_GAP_S = 0.2
"""Time between two queued records, if the PMS does not send them all at once."""


@frozen
class Booking:
    """A posting that the PMS has booked: the guests who pay for it are those of the room at that moment."""

    amount: str
    room: str
    payers: frozenset[int]
    at: float


@frozen
class Receipt:
    """A PS that the PMS has received.

    `session` counts its link starts, `retry_answers` how often it had answered RY or NA to the posting.
    """

    room: str
    session: int
    retry_answers: int


@define
class Ledger:
    """What the PMS knows of all postings, by their amount, which is different for each."""

    bookings: list[Booking] = field(factory=list)
    receipts: dict[str, list[Receipt]] = field(factory=dict)
    refused: set[str] = field(factory=set)
    """The postings that the PMS has refused, though perhaps not each time."""
    accepted: set[str] = field(factory=set)
    """The postings that the PMS has answered with OK and their number, on a link that stood."""
    retry_answers: Counter[str] = field(factory=Counter)
    """How often the PMS has answered RY or NA."""


class CashierConnection(Protocol):
    """The PMS's end of a connection."""

    def __init__(self, cashier: Cashier) -> None:
        self.cashier = cashier
        self.is_linked = False
        self._buffer = b""

    def connectionMade(self) -> None:
        self.cashier.connection = self
        self.send("LS|")

    def send(self, text: str) -> None:
        if self.transport is not None:
            self.transport.write(b"\x02" + text.encode() + b"\x03")

    def dataReceived(self, data: bytes) -> None:
        *frames, self._buffer = (self._buffer + data).split(b"\x03")
        for frame in frames:
            self.cashier.on_record(self, frame.lstrip(b"\x02").decode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_linked = False
        if self.cashier.connection is self:
            self.cashier.connection = None


class Cashier(Factory):
    """The PMS.

    `on_act` is called when the front desk has done something, `on_told` when the link has been told of it,
    with whether this is all.
    """

    noisy = False

    def __init__(self, clock: Clock, random: Random, rooms: list[str], is_numbered: bool) -> None:
        self.clock = clock
        self.random = random
        self.desk = FrontDesk(random, rooms, is_numbered, clock.seconds, self._tell)
        self.ledger = Ledger()
        self.connection: CashierConnection | None = None
        self.answers = HONEST
        """How postings are answered, each time at random."""
        self.books_vacant_rooms = random.random() < 0.5
        self.on_told: Callable[[bool], None] = lambda is_all: None
        self.on_act: Callable[[], None] = lambda: None
        self._queue: list[str] = []  # records that wait for a link
        self._untold_count = 0  # records that wait for their time
        self._flushing = False
        self._acting = False
        self._is_night_audit = False
        self._session = 0
        self._amounts: dict[int, str] = {}
        """The amount of the posting that had each number last."""

    def buildProtocol(self, addr: IAddress | None) -> CashierConnection:
        return CashierConnection(self)

    # The link.

    def on_record(self, connection: CashierConnection, text: str) -> None:
        match text[:2]:
            case "LS":
                connection.send("LA|")
            case "LA" if not connection.is_linked:
                self._session += 1
                connection.is_linked = True
                connection.send("LA|")
                self._flush()
            case "LE":
                connection.is_linked = False
                connection.send("LE|")
                self.drop()
            case "DR":
                self._queue += ["DS|", *self.desk.resync_records(), "DE|"]
                self._flush()
            case "PS" if connection.is_linked:
                self._on_posting(connection, text)

    def start_again(self) -> None:
        """Send LS on the connection that stands: the PMS has restarted."""
        if self.connection is not None:
            self.connection.is_linked = False
            self.connection.send("LS|")

    def drop(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            transport: Any = self.connection.transport
            self.connection.is_linked = False
            self.connection = None
            transport.abortConnection()

    # What the front desk does.

    def act(self) -> None:
        """Let the front desk do something, unless it has not finished telling the last thing."""
        if self._untold_count:
            return
        self._acting = True
        self.random.choice(self.desk.acts)()
        self._acting = False
        self.on_act()
        if not self._queue:
            self._check_told()

    @property
    def is_telling(self) -> bool:
        """Whether the link has not been told yet what the front desk has done, although it stands."""
        return bool(self._untold_count or (self._queue and self.connection and self.connection.is_linked))

    def _tell(self, delay: float, text: str, also: Callable[[], None] | None = None) -> None:
        if delay:
            self._untold_count += 1
            self.clock.callLater(delay, self._tell_later, text, also)
        else:
            self._tell_now(text, also)

    def _tell_later(self, text: str, also: Callable[[], None] | None) -> None:
        self._untold_count -= 1
        self._tell_now(text, also)

    def _tell_now(self, text: str, also: Callable[[], None] | None) -> None:
        if also is not None:
            also()
            self.on_act()
        self._queue.append(text)
        self._flush()

    def _flush(self) -> None:
        if self._flushing or self.connection is None or not self.connection.is_linked:
            return
        self._flushing = True
        self._send_queued(QUEUE_GAP_S if len(self._queue) > 1 and self.random.random() < 0.3 else 0.0)

    def _send_queued(self, gap: float) -> None:
        while self._queue and self.connection is not None and self.connection.is_linked:
            self._send(self.connection, self._queue.pop(0))
            self._check_told()
            if gap and self._queue:
                self.clock.callLater(gap, self._send_queued, gap)
                return
        self._flushing = False

    def _send(self, connection: CashierConnection, text: str) -> None:
        fields = {part[:2]: part[2:] for part in text.split("|")[1:]}
        if text.startswith("PA") and "P#" in fields:
            amount = self._amounts[int(fields["P#"])]
            if fields["AS"].strip() == "OK":
                self.ledger.accepted.add(amount)
            elif fields["AS"] in ("RY", "NA"):
                self.ledger.retry_answers[amount] += 1
        connection.send(text)

    def _check_told(self) -> None:
        is_all = not self._queue and not self._untold_count and not self._acting
        if is_all:
            self.desk.on_all_told()
        self.on_told(is_all)

    # Postings.

    def _on_posting(self, connection: CashierConnection, text: str) -> None:
        fields = {part[:2]: part[2:] for part in text.split("|")[1:] if part}
        receipt = Receipt(fields["RN"], self._session, self.ledger.retry_answers[fields["TA"]])
        self.ledger.receipts.setdefault(fields["TA"], []).append(receipt)
        self._amounts[int(fields["P#"])] = fields["TA"]
        answer = self.random.choice(self.answers)
        if self._is_night_audit:
            answer = "NA"
        getattr(self, f"_answer_{answer.replace(' ', '_')}")(connection, fields)

    def _book(self, fields: dict[str, str]) -> str:
        """Book a posting, and return the answer status."""
        payers = self.desk.rooms.get(fields["RN"])
        if payers is None or (not payers and not self.books_vacant_rooms):
            self.ledger.refused.add(fields["TA"])
            return "NG"
        persons = frozenset(guest.id for guest in payers)
        self.ledger.bookings.append(Booking(fields["TA"], fields["RN"], persons, self.clock.seconds()))
        return "OK"

    def _answer(self, fields: dict[str, str], status: str, delay: float = 0.0, numbered: bool = True) -> None:
        number = f"P#{int(fields['P#']):04}|" if numbered else ""
        self._answer_later(f"PA|RN{fields['RN']}|AS{status}|{number}CTtext|", delay)

    def _answer_later(self, text: str, delay: float) -> None:
        if delay:
            self.clock.callLater(delay, self._answer_later, text, 0.0)
        else:
            self._queue.append(text)
            self._flush()

    def _answer_OK(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._answer(fields, self._book(fields))

    def _answer_late(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._answer(fields, self._book(fields), self.random.uniform(1.0, MAX_LATE_S))

    def _answer_twice(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        status = self._book(fields)
        self._answer(fields, status)
        self._answer(fields, status, self.random.choice((0.0, 1.0, 5.0)))

    def _answer_padded(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._queue.append(f"PA|RN{fields['RN']}|AS{self._book(fields)} |P# {fields['P#']} |")
        self._flush()

    def _answer_without_number(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        connection.send(f"PA|RN{fields['RN']}|AS{self._book(fields)}|")

    def _answer_late_without_number(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        """Answer later on the same connection, perhaps when another posting waits for its answer."""
        text = f"PA|RN{fields['RN']}|AS{self._book(fields)}|"
        self.clock.callLater(self.random.uniform(1.0, MAX_LATE_WITHOUT_NUMBER_S), connection.send, text)

    def _answer_never(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._book(fields)

    def _answer_not_read(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        """The posting gets lost."""

    def _answer_drop(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        if self.random.random() < 0.5:
            self._book(fields)
        self.drop()

    def _answer_RY(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._answer(fields, "RY")
        if self.random.random() < 0.2:
            self._answer(fields, "RY", 1.0)

    def _answer_late_RY(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._answer(fields, "RY", self.random.uniform(1.0, MAX_LATE_S))

    def _answer_NG(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self.ledger.refused.add(fields["TA"])
        self._answer(fields, "NG")

    def _answer_NA(self, connection: CashierConnection, fields: dict[str, str]) -> None:
        self._answer(fields, "NA")
        if not self._is_night_audit:
            self.start_night_audit()

    def start_night_audit(self) -> None:
        """Book nothing for a while. It may begin with NS, and it ends with NE."""
        self._is_night_audit = True
        if self.random.random() < 0.5:
            self._tell(0.0, "NS|")
        self.clock.callLater(self.random.uniform(5.0, 90.0), self.end_night_audit)

    def end_night_audit(self) -> None:
        """End the night audit."""
        self._is_night_audit = False
        self._tell(0.0, "NE|")


HONEST: tuple[str, ...] = ("OK",)
ASTRAY: tuple[str, ...] = (
    *("OK",) * 10,
    *("late", "late", "twice", "padded", "without number", "late without number"),
    *("never", "not read", "drop"),
    *("RY", "RY", "RY", "late RY", "NG", "NA"),
)
"""Answers that go astray in all ways that were seen."""
