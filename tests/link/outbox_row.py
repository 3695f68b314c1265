"""One row of the outbox as the model knows it, and the answers that the PMS gave to it."""

from __future__ import annotations

from attrs import define, field

from pmslink.fias.record import Record
from pmslink.store.tables.outbox_rows import OutboxRow

OPEN_STATES = ("pending", "sent", "unknown")
RETRY_STATUSES = ("RY", "NA")
"""Answers after which a posting is sent again."""


def row_identity(record: Record) -> str:
    """Return the identity of a row from its record: its ID, or the whole text for a wake-up result.

    The hotel makes wake-up results itself, without an ID.
    """
    return record.get("ID") or record.text


@define(eq=False)
class ReceivedAnswer:
    """An answer of the PMS. It is not surely stored if the service may have crashed before its commit."""

    status: str
    received_at: float
    is_surely_stored: bool = True


@define(eq=False)
class ModelRow:
    """One row in the model."""

    id: int
    identity: str
    row: OutboxRow
    created_at: float
    sent_times: list[float] = field(factory=list)
    positions: list[int] = field(factory=list)
    """Which record of the link it was, for each time it was sent and not answered."""
    outages_when_sent: int = 0
    """Outages before the row was sent last."""
    answers: list[ReceivedAnswer] = field(factory=list)
    """To this row itself."""
    timed_out: bool = False
    """Whether the PMS did not answer it in time, on a connection that stood."""
    resent_by_operator_at: float | None = None
    """When a user last had the row sent again."""
    resend_requested: bool = False
    discard_requested: bool = False
    """A user has requested it."""

    @property
    def record(self) -> str:
        return self.row.record

    @property
    def state(self) -> str:
        return self.row.state

    @property
    def is_booked(self) -> bool:
        """Whether the PMS has answered OK since a user last had the row sent again: it is sent no more."""
        since = -1.0 if self.resent_by_operator_at is None else self.resent_by_operator_at
        return any(
            answer.is_surely_stored and answer.status == "OK" and answer.received_at > since
            for answer in self.answers
        )
