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
from pmslink.store.core.journal_interface import Keeper
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.tables.log_entries import Direction, Recorded

KEPT = 1000
"""Records that are remembered of each link at most."""
KEPT_CHARACTERS = 256 * 1024
"""So much text of records is remembered of each link at most, for a PMS may send long ones."""


class Trace:
    """The records of one link, newest last."""

    def __init__(self, link: str, keeper: Keeper, wall: Callable[[], datetime]) -> None:
        self._link = link
        self._keeper = keeper
        self._wall = wall
        self._records: deque[Recorded] = deque()
        self._characters = 0
        self.counts: Counter[tuple[Direction, str]] = Counter()
        """How many records by direction and id; all that FIAS does not know count as ``junk``."""
        self.skipped: Counter[str] = Counter()
        """Bytes that were no record, by what they were."""
        self.last_received: datetime | None = None
        self.session = 0
        """Grows whenever the PMS may begin anew, and repeat what it has said."""

    def add(self, direction: Direction, id: str, record: Record) -> bool:
        """Keep and count a record; tells whether its id is known to FIAS."""
        at = self._wall()
        if direction == "in":
            self.last_received = at
        known = id in RECORDS
        self.counts[direction, id if known else "junk"] += 1
        recorded = Recorded(self._link, at, direction, id, record.text, self.session)
        if known and id not in DOCKING_RECORDS:
            # what came in is waited for by those who are told of it
            self._keeper.append(keep_records, recorded, soon=direction == "in")
        else:
            recorded.seq, recorded.told = self._keeper.number(), True
        self._remember(recorded)
        return known

    def _remember(self, recorded: Recorded) -> None:
        self._records.append(recorded)
        self._characters += len(recorded.text)
        while len(self._records) > KEPT or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._records.popleft().text)

    def newest(self, before: int | None, direction: Direction | None, type: str | None) -> Iterator[Recorded]:
        """From the newest on, those older than this number, of this direction and record id."""
        return (
            one
            for one in reversed(self._records)
            if one.told
            and (before is None or one.seq < before)
            and (direction is None or one.direction == direction)
            and (type is None or one.type == type)
        )

    @property
    def reaches_back_to(self) -> int | None:
        """The number of the oldest record that is remembered here, if any is."""
        return next((one.seq for one in self._records if one.told), None)

    def forget(self, before: datetime) -> None:
        """What is older than this has been kept long enough."""
        while self._records and self._records[0].at < before:
            self._characters -= len(self._records.popleft().text)
