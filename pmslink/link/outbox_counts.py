"""How many outbox rows of a link are in each state, and how many wait, counted in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from pmslink.hotel.pending_updates import POSTING_RECORD
from pmslink.link.status import OutboxStatus
from pmslink.store.operations.held_charges import AWAITS_GUEST
from pmslink.store.tables.outbox_rows import RowState, UnresolvedRow
from pmslink.timestamps import from_ms

_PENDING_STATES: tuple[RowState, ...] = ("pending", "sent")
_COUNTED_STATES: tuple[RowState, ...] = (*_PENDING_STATES, "unknown", "refused")


class CountedRow(Protocol):
    """What is counted of a row: an `OutboxRow` or an `UnresolvedRow`."""

    @property
    def id(self) -> int:
        """The number of the store's sequence with which it was accepted."""

    @property
    def record(self) -> str:
        """The id of its record."""

    @property
    def state(self) -> RowState:
        """Its state."""

    @property
    def queued(self) -> int:
        """1 if it is to be sent, 2 if it waits for its guest, else 0."""

    @property
    def created(self) -> int:
        """When it was accepted, in milliseconds since 1970 in UTC."""


def group_by_link(rows: Iterable[UnresolvedRow]) -> dict[str, list[UnresolvedRow]]:
    """Group rows by their link."""
    rows_by_link: dict[str, list[UnresolvedRow]] = defaultdict(list)
    for row in rows:
        rows_by_link[row.link].append(row)
    return rows_by_link


class OutboxCounts:
    """Count the rows of one link that are pending, sent, unknown or refused, and those that are queued."""

    def __init__(self) -> None:
        self.reset(())

    def reset(self, rows: Iterable[CountedRow]) -> None:
        """Start again with these rows, oldest first."""
        self._states: dict[int, RowState] = {}
        self._counts: Counter[RowState] = Counter()
        self._pending_created_ms: dict[int, int] = {}  # by id, oldest first
        self._queued_postings: dict[int, None] = {}  # their ids, mostly oldest first
        self._queued_records: set[int] = set()  # the ids of all other queued rows
        self._awaiting_guest_ms: dict[int, int] = {}  # when each posting was created that waits
        for row in rows:
            self.update(row)

    def update(self, row: CountedRow) -> None:
        """Count a row in its new state."""
        before = self._states.pop(row.id, None)
        if before is not None:
            self._counts[before] -= 1
        if row.state in _COUNTED_STATES:
            self._states[row.id] = row.state
            self._counts[row.state] += 1
        self._update_queued(row)
        if row.state not in _PENDING_STATES:
            self._pending_created_ms.pop(row.id, None)
        elif row.id not in self._pending_created_ms:
            out_of_order = bool(self._pending_created_ms) and row.id < next(
                reversed(self._pending_created_ms)
            )
            self._pending_created_ms[row.id] = row.created
            if out_of_order:  # a user requested to send an older row again
                self._pending_created_ms = dict(sorted(self._pending_created_ms.items()))

    def remove_refused(self, row_id: int) -> None:
        """Stop counting a refused row, which is deleted."""
        if self._states.pop(row_id, None) is not None:
            self._counts["refused"] -= 1

    def _update_queued(self, row: CountedRow) -> None:
        self._queued_postings.pop(row.id, None)
        self._queued_records.discard(row.id)
        self._awaiting_guest_ms.pop(row.id, None)
        if row.queued == AWAITS_GUEST:
            self._awaiting_guest_ms[row.id] = row.created
        elif row.queued and row.record == POSTING_RECORD:
            self._queued_postings[row.id] = None
        elif row.queued:
            self._queued_records.add(row.id)

    @property
    def queued(self) -> int:
        """Rows that are to be sent."""
        return len(self._queued_postings) + len(self._queued_records)

    def queued_postings(self, older_than_seq: int | None = None) -> int:
        """Return how many postings are to be sent.

        With a number of the store's sequence: how many wait if those accepted before it wait. As postings
        are sent in order, these are all or none.
        """
        if older_than_seq is None or any(row_id < older_than_seq for row_id in self._queued_postings):
            return len(self._queued_postings)
        return 0

    @property
    def awaiting_guest(self) -> int:
        """How many postings wait until the PMS has confirmed the stay of their guest."""
        return len(self._awaiting_guest_ms)

    @property
    def awaiting_guest_since(self) -> datetime | None:
        """Creation time of the oldest of these postings; None without one."""
        created_ms = min(self._awaiting_guest_ms.values(), default=None)
        return None if created_ms is None else from_ms(created_ms)

    @property
    def pending(self) -> int:
        """Rows that wait for the PMS or for its answer."""
        return len(self._pending_created_ms)

    @property
    def unknown(self) -> int:
        """Rows of which it is unknown whether the PMS has accepted them."""
        return self._counts["unknown"]

    @property
    def refused(self) -> int:
        """Rows that the PMS refused."""
        return self._counts["refused"]

    @property
    def not_final(self) -> int:
        """Rows whose state may still change."""
        return self.pending + self.unknown

    def status(self) -> OutboxStatus:
        """Take a snapshot."""
        return OutboxStatus(self.pending, self.unknown, self.refused, self.oldest)

    @property
    def oldest(self) -> datetime | None:
        """Creation time of the oldest pending row; None without one."""
        created_ms = next(iter(self._pending_created_ms.values()), None)
        return None if created_ms is None else from_ms(created_ms)
