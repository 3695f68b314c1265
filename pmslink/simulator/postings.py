"""What the PBX posted: how often each posting number came, and what it was answered.

A PBX that repeats a posting after an outage must do so under the same number, and a test of that
counts deliveries, so nothing is merged or left out here.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from pmslink.simulator.trace import TEXT_KEPT

KEPT = 100_000
"""So many numbers are remembered; the oldest goes first."""
ANSWERS_KEPT = 20


@frozen
class Posting:
    """One posting number (P#; empty for postings without one) and its history."""

    number: str
    deliveries: int
    first_at: datetime
    last_at: datetime
    text: str
    """The record as it last came."""
    answers: tuple[str, ...] = ()
    """The answer codes that were given, newest last; also those that a lost connection swallowed."""


class Postings:
    """All of them, by number."""

    def __init__(self) -> None:
        self.by_number: dict[str, Posting] = {}

    def delivered(self, number: str, text: str, at: datetime) -> None:
        """A PS came."""
        text = text[:TEXT_KEPT]
        known = self.by_number.get(number)
        if known is None:
            if len(self.by_number) >= KEPT:
                del self.by_number[next(iter(self.by_number))]
            self.by_number[number] = Posting(number, 1, at, at, text)
        else:
            self.by_number[number] = evolve(known, deliveries=known.deliveries + 1, last_at=at, text=text)

    def answered(self, number: str, code: str) -> None:
        """Its PA was given to the link."""
        known = self.by_number.get(number)
        if known is not None:
            answers = (*known.answers, code)[-ANSWERS_KEPT:]
            self.by_number[number] = evolve(known, answers=answers)

    def deliveries(self) -> dict[str, int]:
        """How many times each number came."""
        return {number: posting.deliveries for number, posting in self.by_number.items()}
