"""The received postings: deliveries, connections and answers for each posting number.

A PBX that repeats a posting after an outage must reuse its number. Tests check this by counting deliveries,
so none is merged or omitted here.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

from attrs import define, field

from pmslink.simulator.pms.record_log import MAX_TEXT_CHARS

MAX_POSTINGS = 100_000
"""Posting numbers that are stored; the oldest is deleted first."""
MAX_DELIVERIES_PER_POSTING = 20
"""Deliveries that are stored for one number; the oldest is deleted first."""


@define
class Delivery:
    """One delivery of a posting. ``connection`` counts the connections since the start, from 1."""

    at: datetime
    connection: int
    answer: str | None = None
    """The answer code that was written to the link; it may have been lost with its connection."""
    answered_at: datetime | None = None

    def set_answer(self, code: str, at: datetime) -> None:
        """Record that the PA was written to the link."""
        self.answer, self.answered_at = code, at


@define
class Posting:
    """One posting number (P#; empty for postings without one) and its deliveries."""

    number: str
    first_at: datetime
    text: str = ""
    """The text of the last delivery's record."""
    delivery_count: int = 0
    recent_deliveries: deque[Delivery] = field(factory=lambda: deque(maxlen=MAX_DELIVERIES_PER_POSTING))
    """The newest deliveries, newest last."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The answer codes that were sent, in the order of the deliveries."""
        return tuple(delivery.answer for delivery in self.recent_deliveries if delivery.answer is not None)


class Postings:
    """All received postings by number, in the order of their first delivery."""

    def __init__(self) -> None:
        self.by_number: dict[str, Posting] = {}

    def add_delivery(self, number: str, text: str, at: datetime, connection: int) -> Delivery:
        """Add the delivery of a PS, and return it."""
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
        """Return how many times each number was delivered."""
        return {number: posting.delivery_count for number, posting in self.by_number.items()}
