"""What went over one link last, in bounded memory; what lasts is in the store.

Of the records that only keep the link (LS, LA …) and of junk nothing else remains. What is kept in the
store as well is not shown before it is safe there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import datetime

from pmslink.fias.catalog import DOCKING_RECORDS, RECORDS
from pmslink.fias.record import Record
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.log_entries import Direction, RecordLogged

MAX_RECORDS = 1000
"""Records that are remembered of each link at most."""
MAX_CHARACTERS = 256 * 1024
"""So much text of records is remembered of each link at most, for a PMS may send long ones."""


class Trace:
    """The records of one link, newest last."""

    def __init__(self, link: str, journal: JournalPort, wall_clock: Callable[[], datetime]) -> None:
        self._link = link
        self._journal = journal
        self._wall_clock = wall_clock
        self._records: deque[RecordLogged] = deque()
        self._characters = 0
        self.record_counts: Counter[tuple[Direction, str]] = Counter()
        """How many records by direction and id; all that FIAS does not know count as ``junk``."""
        self.skipped_bytes: Counter[str] = Counter()
        """Bytes that were no record, by what they were."""
        self.last_received: datetime | None = None
        self.session_number = 0
        """Grows whenever the PMS may begin anew, and repeat what it has said."""

    def add(self, direction: Direction, record_id: str, record: Record) -> bool:
        """Keep and count a record; tells whether its id is known to FIAS."""
        at = self._wall_clock()
        if direction == "in":
            self.last_received = at
        known = record_id in RECORDS
        self.record_counts[direction, record_id if known else "junk"] += 1
        recorded = RecordLogged(self._link, at, direction, record_id, record.text, self.session_number)
        if known and record_id not in DOCKING_RECORDS:
            # what came in is waited for by those who are told of it
            self._journal.submit_nowait(append_records, recorded, urgent=direction == "in")
        else:
            recorded.seq, recorded.published = self._journal.next_seq(), True
        self._append(recorded)
        return known

    def _append(self, entry: RecordLogged) -> None:
        self._records.append(entry)
        self._characters += len(entry.text)
        while len(self._records) > MAX_RECORDS or self._characters > MAX_CHARACTERS:
            self._characters -= len(self._records.popleft().text)

    def newest(
        self, before: int | None, direction: Direction | None, record_id: str | None
    ) -> Iterator[RecordLogged]:
        """From the newest on, those older than this number, of this direction and record id."""
        return (
            one
            for one in reversed(self._records)
            if one.published
            and (before is None or one.seq < before)
            and (direction is None or one.direction == direction)
            and (record_id is None or one.type == record_id)
        )

    @property
    def oldest_seq(self) -> int | None:
        """The number of the oldest record that is remembered here, if any is."""
        return next((one.seq for one in self._records if one.published), None)

    def purge(self, before: datetime) -> None:
        """What is older than this has been kept long enough."""
        while self._records and self._records[0].at < before:
            self._characters -= len(self._records.popleft().text)
