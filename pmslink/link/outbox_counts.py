"""How many postings of a link are in which state, without asking the store each time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import cast

from pmslink.store.tables.outbox_rows import State
from pmslink.timestamps import from_ms

_WAITING: tuple[State, ...] = ("pending", "sent")
_COUNTED: tuple[State, ...] = (*_WAITING, "unknown", "refused")


Standing = tuple[int, State, int]
"""The id, state and birth (in milliseconds) of a row."""


def by_link(rows: Iterable[tuple[str, int, State, int]]) -> dict[str, list[Standing]]:
    """Rows that begin with the name of their link, by that."""
    sorted_out: dict[str, list[Standing]] = defaultdict(list)
    for link, *row in rows:
        sorted_out[link].append(cast(Standing, tuple(row)))
    return sorted_out


class Tally:
    """Follows the rows of one link that are not done or discarded."""

    def __init__(self) -> None:
        self.reset(())

    def reset(self, rows: Iterable[Standing]) -> None:
        """These are all there are: id, state and birth, oldest first."""
        self._states: dict[int, State] = {}
        self._counts: Counter[State] = Counter()
        self._waiting: dict[int, int] = {}  # id and birth, oldest first
        for row in rows:
            self.note(*row)

    def note(self, id: int, state: State, created: int) -> None:
        """A row is in this state now."""
        before = self._states.pop(id, None)
        if before is not None:
            self._counts[before] -= 1
        if state in _COUNTED:
            self._states[id] = state
            self._counts[state] += 1
        if state not in _WAITING:
            self._waiting.pop(id, None)
        elif id not in self._waiting:
            out_of_order = bool(self._waiting) and id < next(reversed(self._waiting))
            self._waiting[id] = created
            if out_of_order:  # a person has it sent again
                self._waiting = dict(sorted(self._waiting.items()))

    @property
    def pending(self) -> int:
        """How many wait for the PMS."""
        return len(self._waiting)

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

    @property
    def oldest(self) -> datetime | None:
        """Since when the one waits that has waited longest."""
        born = next(iter(self._waiting.values()), None)
        return None if born is None else from_ms(born)
