"""How many postings of a link are in which state, without asking the store each time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import cast

from pmslink.link.status import OutboxStatus
from pmslink.store.tables.outbox_rows import RowState
from pmslink.timestamps import from_ms

_PENDING_STATES: tuple[RowState, ...] = ("pending", "sent")
_COUNTED_STATES: tuple[RowState, ...] = (*_PENDING_STATES, "unknown", "refused")


UnresolvedRow = tuple[int, RowState, int]
"""The id, state and birth (in milliseconds) of a row."""


def group_by_link(rows: Iterable[tuple[str, int, RowState, int]]) -> dict[str, list[UnresolvedRow]]:
    """Rows that begin with the name of their link, by that."""
    sorted_out: dict[str, list[UnresolvedRow]] = defaultdict(list)
    for link, *row in rows:
        sorted_out[link].append(cast(UnresolvedRow, tuple(row)))
    return sorted_out


class OutboxCounts:
    """Follows the rows of one link that are not done or discarded."""

    def __init__(self) -> None:
        self.reset(())

    def reset(self, rows: Iterable[UnresolvedRow]) -> None:
        """These are all there are: id, state and birth, oldest first."""
        self._states: dict[int, RowState] = {}
        self._counts: Counter[RowState] = Counter()
        self._pending_created_ms: dict[int, int] = {}  # id and birth, oldest first
        for row in rows:
            self.update(*row)

    def update(self, row_id: int, state: RowState, created_ms: int) -> None:
        """A row is in this state now."""
        before = self._states.pop(row_id, None)
        if before is not None:
            self._counts[before] -= 1
        if state in _COUNTED_STATES:
            self._states[row_id] = state
            self._counts[state] += 1
        if state not in _PENDING_STATES:
            self._pending_created_ms.pop(row_id, None)
        elif row_id not in self._pending_created_ms:
            out_of_order = bool(self._pending_created_ms) and row_id < next(
                reversed(self._pending_created_ms)
            )
            self._pending_created_ms[row_id] = created_ms
            if out_of_order:  # a person has it sent again
                self._pending_created_ms = dict(sorted(self._pending_created_ms.items()))

    @property
    def pending(self) -> int:
        """How many wait for the PMS."""
        return len(self._pending_created_ms)

    @property
    def unknown(self) -> int:
        return self._counts["unknown"]

    @property
    def refused(self) -> int:
        return self._counts["refused"]

    @property
    def not_final(self) -> int:
        """How many may still change."""
        return self.pending + self.unknown

    def status(self) -> OutboxStatus:
        """Take a snapshot."""
        return OutboxStatus(self.pending, self.unknown, self.refused, self.oldest)

    @property
    def oldest(self) -> datetime | None:
        """Since when the one waits that has waited longest."""
        born = next(iter(self._pending_created_ms.values()), None)
        return None if born is None else from_ms(born)
