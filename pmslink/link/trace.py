"""What went over one link last: its records and its changes of state, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Literal

from attrs import frozen

from pmslink.fias.catalog import RECORDS
from pmslink.fias.record import Record
from pmslink.link.cause import Cause
from pmslink.link.machine import Marker

KEPT = 1000
"""Records, and transitions, that are kept of each link at most."""
KEPT_CHARACTERS = 256 * 1024
"""So much text of records is kept of each link at most, for a PMS may send long ones."""

Direction = Literal["in", "out"]


@frozen
class Traced:
    """A record that came in or went out; ids grow over all links."""

    id: int
    at: datetime
    direction: Direction
    record: Record


@frozen
class Transition:
    """A change of marker; the first after a start comes from None."""

    id: int
    at: datetime
    old: Marker | None
    new: Marker
    reason: str
    cause: Cause


class Trace:
    """The records of one link, newest last."""

    _ids = count(1)

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._records: deque[tuple[int, datetime, Direction, str]] = deque()
        self._characters = 0
        self.counts: Counter[tuple[Direction, str]] = Counter()
        """How many records by direction and id; all that FIAS does not know count as ``junk``."""
        self.skipped: Counter[str] = Counter()
        """Bytes that were no record, by what they were."""
        self.last_received: datetime | None = None

    def add(self, direction: Direction, id: str, record: Record) -> bool:
        """Keep and count a record; tells whether its id is known to FIAS."""
        at = self._wall()
        if direction == "in":
            self.last_received = at
        # Its text alone: a record would keep the fields that somebody once asked for.
        self._records.append((next(self._ids), at, direction, record.text))
        self._characters += len(record.text)
        while len(self._records) > KEPT or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._records.popleft()[-1])
        known = id in RECORDS
        self.counts[direction, id if known else "junk"] += 1
        return known

    def newest(self, before: int | None, direction: Direction | None, type: str | None) -> Iterator[Traced]:
        """From the newest on, those older than this id, of this direction and record id."""
        for number, at, went, text in reversed(self._records):
            traced = Traced(number, at, went, Record(text))
            if (
                (before is None or traced.id < before)
                and (direction is None or traced.direction == direction)
                and (type is None or traced.record.id == type)
            ):
                yield traced


class History:
    """The transitions of one link, newest last."""

    _ids = count(1)

    def __init__(self) -> None:
        self._transitions: deque[Transition] = deque(maxlen=KEPT)
        self.counts: Counter[tuple[Marker | None, Marker]] = Counter()

    def add(self, at: datetime, old: Marker | None, new: Marker, reason: str, cause: Cause) -> Transition:
        transition = Transition(next(self._ids), at, old, new, reason, cause)
        self._transitions.append(transition)
        self.counts[old, new] += 1
        return transition

    def newest(self, before: int | None = None) -> Iterator[Transition]:
        """From the newest on, those older than this id."""
        return (one for one in reversed(self._transitions) if before is None or one.id < before)
