"""The latest records of one link, in bounded memory, and counts of all of them.

The store holds the records that last (see `record_storage`). The trace shows a record that is stored only
after its commit.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from attrs import frozen

from pmslink.fias.catalog import RECORDS
from pmslink.fias.record import Record
from pmslink.store.tables.log_entries import Direction, RecordLogged

MAX_RECORDS = 1000
"""Records that are remembered of each link."""
MAX_CHARACTERS = 256 * 1024
"""Total text of the records that are remembered of each link. A PMS may send long ones."""


@frozen
class TrafficCounts:
    """The counters of one link since the service started."""

    records: Mapping[tuple[Direction, str], int]
    """Records by direction and type; types that FIAS does not know count as ``junk``."""
    skipped_bytes: Mapping[str, int]
    """Bytes that were no record, by kind."""


class Trace:
    """The records of one link, newest last."""

    def __init__(self, link: str, wall_clock: Callable[[], datetime]) -> None:
        self._link = link
        self._wall_clock = wall_clock
        self._records: deque[RecordLogged] = deque()
        self._characters = 0
        self.record_counts: Counter[tuple[Direction, str]] = Counter()
        """Records by direction and type; types that FIAS does not know count as ``junk``."""
        self.skipped_bytes: Counter[str] = Counter()
        """Bytes that were no record, by kind."""
        self.last_received: datetime | None = None
        self.session_number = 0
        """Incremented whenever the PMS may start again and repeat records."""

    def add(self, direction: Direction, record_id: str, record: Record) -> RecordLogged:
        """Remember and count a record. Return its entry, which is not yet numbered or published."""
        at = self._wall_clock()
        if direction == "in":
            self.last_received = at
        self.record_counts[direction, record_id if record_id in RECORDS else "junk"] += 1
        entry = RecordLogged(self._link, at, direction, record_id, record.text, self.session_number)
        self._records.append(entry)
        self._characters += len(entry.text)
        while len(self._records) > MAX_RECORDS or self._characters > MAX_CHARACTERS:
            self._characters -= len(self._records.popleft().text)
        return entry

    def counts(self) -> TrafficCounts:
        """Take a snapshot of the counters."""
        return TrafficCounts(dict(self.record_counts), dict(self.skipped_bytes))

    def newest(
        self, before: int | None, direction: Direction | None, record_id: str | None
    ) -> Iterator[RecordLogged]:
        """Iterate over published records, newest first.

        Each argument that is not None is a filter: sequence numbers below `before`, one direction, one type.
        """
        return (
            entry
            for entry in reversed(self._records)
            if entry.published
            and (before is None or entry.seq < before)
            and (direction is None or entry.direction == direction)
            and (record_id is None or entry.type == record_id)
        )

    def purge(self, before: datetime) -> None:
        """Drop the records from before this moment: their retention is over."""
        while self._records and self._records[0].at < before:
            self._characters -= len(self._records.popleft().text)
