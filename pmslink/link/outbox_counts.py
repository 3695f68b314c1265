"""How many outbox rows of a link are in each state, counted in memory."""

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
"""The id, state and creation time (in milliseconds) of a row."""


def group_by_link(rows: Iterable[tuple[str, int, RowState, int]]) -> dict[str, list[UnresolvedRow]]:
    """Group rows of (link, id, state, creation time in milliseconds) by link."""
    rows_by_link: dict[str, list[UnresolvedRow]] = defaultdict(list)
    for link, *row in rows:
        rows_by_link[link].append(cast(UnresolvedRow, tuple(row)))
    return rows_by_link


class OutboxCounts:
    """Count the rows of one link that are pending, sent, unknown or refused."""

    def __init__(self) -> None:
        self.reset(())

    def reset(self, rows: Iterable[UnresolvedRow]) -> None:
        """Start again with these rows, oldest first."""
        self._states: dict[int, RowState] = {}
        self._counts: Counter[RowState] = Counter()
        self._pending_created_ms: dict[int, int] = {}  # by id, oldest first
        for row in rows:
            self.update(*row)

    def update(self, row_id: int, state: RowState, created_ms: int) -> None:
        """Count a row in its new state."""
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
            if out_of_order:  # a user requested to send an older row again
                self._pending_created_ms = dict(sorted(self._pending_created_ms.items()))

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
