"""What the PBX posted: how often each posting number came, on which connection, and what it was answered.

A PBX that repeats a posting after an outage must do so under the same number, and a test of that
counts deliveries, so nothing is merged or left out here.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

from attrs import define, field

from pmslink.simulator.pms.record_log import MAX_TEXT_CHARS

MAX_POSTINGS = 100_000
"""So many numbers are remembered; the oldest goes first."""
MAX_DELIVERIES_PER_POSTING = 20
"""So many deliveries of one number are remembered; the oldest goes first."""


@define
class Delivery:
    """One time that a posting came. ``connection`` counts the connections since the start, from 1."""

    at: datetime
    connection: int
    answer: str | None = None
    """The answer code that was given to the link, also when a lost connection swallowed it."""
    answered_at: datetime | None = None

    def set_answer(self, code: str, at: datetime) -> None:
        """Its PA was given to the link."""
        self.answer, self.answered_at = code, at


@define
class Posting:
    """One posting number (P#; empty for postings without one) and its history."""

    number: str
    first_at: datetime
    text: str = ""
    """The record as it last came."""
    delivery_count: int = 0
    recent_deliveries: deque[Delivery] = field(factory=lambda: deque(maxlen=MAX_DELIVERIES_PER_POSTING))
    """The newest deliveries, newest last."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The answer codes that were given, in the order of the deliveries."""
        return tuple(one.answer for one in self.recent_deliveries if one.answer is not None)


class Postings:
    """All of them, by number, in the order in which each number first came."""

    def __init__(self) -> None:
        self.by_number: dict[str, Posting] = {}

    def add_delivery(self, number: str, text: str, at: datetime, connection: int) -> Delivery:
        """A PS came."""
        posting = self.by_number.get(number)
        if posting is None:
            if len(self.by_number) >= MAX_POSTINGS:
                del self.by_number[next(iter(self.by_number))]
            posting = self.by_number[number] = Posting(number, at)
        delivery = Delivery(at, connection)
        posting.text = text[:MAX_TEXT_CHARS]
        posting.delivery_count += 1
        posting.recent_deliveries.append(delivery)
        return delivery

    def delivery_counts(self) -> dict[str, int]:
        """How many times each number came."""
        return {number: posting.delivery_count for number, posting in self.by_number.items()}
