"""Store the data records of a link. Records that only dock the link are not stored."""

from __future__ import annotations

from pmslink.fias.catalog import DOCKING_RECORDS, RECORDS
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.log_entries import RecordLogged


def store_record(journal: JournalPort, entry: RecordLogged) -> None:
    """Queue a record for the store.

    A docking record (LS, LA …) and a type that FIAS does not know are not stored: such an entry only gets
    a sequence number, and counts as published at once.
    """
    if entry.type in RECORDS and entry.type not in DOCKING_RECORDS:
        # Subscribers wait for what the PMS sends. What is sent to the PMS can wait for the next commit.
        journal.submit_nowait(append_records, entry, urgent=entry.direction == "in")
    else:
        entry.seq, entry.published = journal.next_seq(), True
