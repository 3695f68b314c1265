"""The judge of the money test: compares the bills with who was in the rooms.

It sees the truth of the front desk, the PMS's ledger, and the rows of the outbox. It knows no rule of the
program but these: a charge belongs to who was in the room at its start, as far as the link had been told; a
charge is booked once; and a row that rests says why.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import define, field, frozen

from pmslink.store.tables.outbox_rows import OutboxRow
from tests.money.cashier import Booking, Ledger, Receipt

Occupancy = Mapping[str, frozenset[int]]
MOVE_WINDOW_S = 3.0
"""Seconds for which a guest who was told to have left may still be moving, and a little more."""
READABLE_REASONS = {"refused": {"pms", "guest_left", "charset"}, "unknown": {"unanswered"}}


@frozen
class Charge:
    """A posting as the PBX gave it. `by_person`: a person had it sent again, without regard to the guests."""

    amount: str
    room: str
    started: float


@define
class History:
    """Who was in the rooms, at any time."""

    times: list[float] = field(factory=list)
    occupancies: list[Occupancy] = field(factory=list)

    def add(self, at: float, occupancy: Occupancy) -> None:
        self.times.append(at)
        self.occupancies.append(occupancy)

    def at(self, moment: float) -> Occupancy | None:
        """Return who was in the rooms at a moment, None before anything was known."""
        index = bisect_right(self.times, moment)
        return self.occupancies[index - 1] if index else None

    @property
    def latest(self) -> Occupancy:
        return self.occupancies[-1] if self.occupancies else {}


@define
class Judge:
    """Collects what happens, and raises AssertionError if somebody paid for another."""

    ledger: Ledger
    is_resending: bool
    truth: History = field(factory=History)
    told: History = field(factory=History)
    """What the link had been told, whenever it had been told everything."""
    begun_to_tell: History = field(factory=History)
    """What the link had been told in full or in part."""
    half_told: list[tuple[float, float]] = field(factory=list)
    """The times in which the link had been told a part of something."""
    charges: dict[str, Charge] = field(factory=dict)
    resent_by_person: set[str] = field(factory=set)
    judged: Counter[str] = field(factory=Counter)
    wrong_refusals: list[str] = field(factory=list)
    _half_told_since: float | None = None
    _checked_bookings: int = 0

    def check(self) -> None:
        """Check what has happened since the last check."""
        assert not self.wrong_refusals, self.wrong_refusals
        for booking in self.ledger.bookings[self._checked_bookings :]:
            self._check_booking(booking)
        self._checked_bookings = len(self.ledger.bookings)

    def _check_booking(self, booking: Booking) -> None:
        charge = self.charges[booking.amount]
        if booking.amount in self.resent_by_person or not booking.payers:
            return
        guests = self._possible_guests(charge)
        if guests is None:
            self.judged["not known"] += 1
            return
        assert guests & booking.payers, (
            f"{sorted(booking.payers)} in {booking.room} pay at {booking.at} for {sorted(guests)}, "
            f"who were in {charge.room} at {charge.started}"
        )
        self.judged["moved" if booking.room != charge.room else "stayed"] += 1

    def _possible_guests(self, charge: Charge) -> frozenset[int] | None:
        """Return who may have caused a charge: in truth, or by what the link had been told.

        Who is told to have left still counts for the time in which a move may follow.
        """
        known = (
            self.told.at(charge.started),
            self.told.at(charge.started - MOVE_WINDOW_S),
            self.begun_to_tell.at(charge.started),
            self.truth.at(charge.started),
        )
        guests: frozenset[int] = frozenset()
        for occupancy in known:
            if occupancy is None:
                return None
            guests |= occupancy[charge.room]
        return guests

    def note_told(self, now: float, occupancy: Occupancy, is_all: bool) -> None:
        """Note that the link has been told a record: the last one of something, or not."""
        self.begun_to_tell.add(now, occupancy)
        if is_all:
            self.told.add(now, occupancy)
        if self._half_told_since is not None:
            self.half_told.append((self._half_told_since, now))
        self._half_told_since = None if is_all else now

    def note_refusal(self, amount: str) -> None:
        """Note that a charge was refused, which is wrong while one of its guests is in the hotel."""
        charge = self.charges[amount]
        told, truth = self.told.at(charge.started), self.truth.at(charge.started)
        if told is None or truth is None:
            self.wrong_refusals.append(f"{amount} is refused, but nothing was known")
            return
        since = self._half_told_since
        is_half_told = since is not None and since <= charge.started
        if is_half_told or any(begin <= charge.started <= end for begin, end in self.half_told):
            return
        told_now = frozenset[int]().union(*self.told.latest.values())
        here_now = frozenset[int]().union(*self.truth.latest.values())
        if present := told[charge.room] & truth[charge.room] & told_now & here_now:
            self.wrong_refusals.append(f"{amount} is refused, but {sorted(present)} are still here")
        if since is None and not self.told.latest[charge.room] | self.truth.latest[charge.room]:
            self.wrong_refusals.append(f"{amount} is refused, but {charge.room} is vacant")
        self.judged["late"] += 1

    def check_end(self, rows: Mapping[str, OutboxRow]) -> None:
        """Check all rows, by amount, after everything has come to rest."""
        self.check()
        assert set(rows) == set(self.charges)
        counts = Counter(booking.amount for booking in self.ledger.bookings)
        for amount, row in rows.items():
            self._check_row(row, counts[amount], self.ledger.receipts.get(amount, []), amount)
            self.judged[row.state] += 1

    def _check_row(self, row: OutboxRow, booked: int, receipts: Sequence[Receipt], amount: str) -> None:
        assert row.state in ("done", "refused", "unknown", "discarded"), f"{row.state} for ever"
        if row.state in READABLE_REASONS:
            assert row.reason in READABLE_REASONS[row.state], f"{row.state} without a reason: {row.reason}"
        else:
            assert row.reason is None or row.state == "discarded"
        if row.state == "done":
            assert booked, "done, but not booked"
        if amount in self.resent_by_person:
            return
        assert booked <= 1 or self.is_resending, f"booked {booked} times"
        if row.state == "refused" and not self.is_resending:
            assert not booked, "refused, but booked"
        if row.reason == "pms":
            assert amount in self.ledger.refused, "refused, but not by the PMS"
        if row.state == "done":
            assert row.room_sent == receipts[-1].room
        assert row.state != "unknown" or amount not in self.ledger.accepted, "unknown, but answered with OK"
        for before, after in pairwise(receipts):
            is_asked_for = after.retry_answers > before.retry_answers
            assert is_asked_for or after.session > before.session, "sent again without a reason"
