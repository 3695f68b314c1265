"""One row of the outbox as the model knows it, and the answers that the PMS gave to it."""

from __future__ import annotations

from attrs import define, field

from pmslink.fias.record import Record
from pmslink.store.tables.outbox_rows import OutboxRow

OPEN_STATES = ("pending", "sent", "unknown")
RETRY_STATUSES = ("RY", "NA")
"""Answers after which a posting is sent again."""


def row_identity(record: Record) -> str:
    """What tells a row from all others: the ID that the test gave it; of a wake-up's result, which the hotel
    makes by itself, what it says."""
    return record.get("ID") or record.text


@define(eq=False)
class ReceivedAnswer:
    """An answer of the PMS. It is not `sure` if a crash may have come before it was kept."""

    status: str
    received_at: float
    is_surely_stored: bool = True


@define(eq=False)
class ModelRow:
    """One row, as the model knows it."""

    id: int
    identity: str
    row: OutboxRow
    created_at: float
    sent_times: list[float] = field(factory=list)
    outages_when_sent: int = 0
    """How many outages there had been when it was said last."""
    answers: list[ReceivedAnswer] = field(factory=list)
    """To this row itself."""
    resent_by_operator_at: float | None = None
    """When a person last had it sent again."""
    resend_requested: bool = False
    discard_requested: bool = False
    """A person has asked for that."""

    @property
    def record(self) -> str:
        return self.row.record

    @property
    def state(self) -> str:
        return self.row.state

    @property
    def is_booked(self) -> bool:
        """The PMS has said OK: unless a person has not believed it, it may not be sent again."""
        since = -1.0 if self.resent_by_operator_at is None else self.resent_by_operator_at
        return any(
            heard.is_surely_stored and heard.status == "OK" and heard.received_at > since
            for heard in self.answers
        )
