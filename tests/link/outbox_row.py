"""One row of the outbox as the model knows it, and the answers that the PMS gave to it."""

from __future__ import annotations

from attrs import define, field

from pmslink.fias.record import Record
from pmslink.store.tables.outbox_rows import Row

OPEN = ("pending", "sent", "unknown")
AGAIN = ("RY", "NA")
"""Answers after which a posting is sent again."""


def identity_of(record: Record) -> str:
    """What tells a row from all others: the ID that the test gave it; of a wake-up's result, which the hotel
    makes by itself, what it says."""
    return record.get("ID") or record.text


@define(eq=False)
class Heard:
    """An answer of the PMS. It is not `sure` if a crash may have come before it was kept."""

    status: str
    at: float
    sure: bool = True


@define(eq=False)
class Known:
    """One row, as the model knows it."""

    id: int
    identity: str
    row: Row
    made: float
    said: list[float] = field(factory=list)
    outage: int = 0
    """How many outages there had been when it was said last."""
    answers: list[Heard] = field(factory=list)
    """To this row itself."""
    person: float | None = None
    """When a person last had it sent again."""
    asked_again: bool = False
    given_up: bool = False
    """A person has asked for that."""

    @property
    def record(self) -> str:
        return self.row.record

    @property
    def state(self) -> str:
        return self.row.state

    @property
    def booked(self) -> bool:
        """The PMS has said OK: unless a person has not believed it, it may not be sent again."""
        since = -1.0 if self.person is None else self.person
        return any(heard.sure and heard.status == "OK" and heard.at > since for heard in self.answers)
