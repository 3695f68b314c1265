"""Store the data records of a link, within its budget. Records that only dock the link are not stored."""

from __future__ import annotations

from collections.abc import Callable

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.catalog import DOCKING_RECORDS, RECORDS
from pmslink.hotel.hotel_state import TIMESTAMPED_RECORD_IDS
from pmslink.hotel.pending_updates import WAKE_UP_CHANGING_RECORDS
from pmslink.link.record_budget import RecordBudget
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.log_entries import RecordLogged

_RECORDS_READ_AGAIN = TIMESTAMPED_RECORD_IDS.union(WAKE_UP_CHANGING_RECORDS)
"""Records of the PMS whose stored text decides something later.

After a restart it tells which records are replays, and before a wake-up request is sent again, whether the
PMS has changed the wake-up since.
"""


class RecordStorage:
    """Queue the records of one link for the store."""

    def __init__(self, journal: JournalPort, settings: Callable[[], LinkSettings]) -> None:
        self._journal = journal
        self.budget = RecordBudget(settings, journal.is_space_low)

    def store(self, entry: RecordLogged) -> None:
        """Queue a record for the store; over the budget, only what it means is stored.

        A docking record (LS, LA …) and a type that FIAS does not know are not stored: such an entry only
        gets a sequence number, and counts as published at once.
        """
        self.budget.begin_day(entry.at)
        if entry.type in RECORDS and entry.type not in DOCKING_RECORDS:
            is_read_again = entry.direction == "in" and entry.type in _RECORDS_READ_AGAIN
            entry.is_text_stored = self.budget.take(entry.text, is_read_again)
            # Subscribers wait for what the PMS sends. What is sent to the PMS can wait for the next commit.
            self._journal.submit_nowait(append_records, entry, urgent=entry.direction == "in")
        else:
            entry.seq, entry.published = self._journal.next_seq(), True
