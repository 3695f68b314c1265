"""The backlog of one link: what was received from its PMS and is not stored yet, in bounds of its own.

So a PMS that sends as fast as it can waits for its own records, and the records of the others do not.
"""

from __future__ import annotations

from typing import Protocol

from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.core.store_metadata import barrier

RECORDS_PER_STEP = 100
"""Records between two looks at how far the store is."""
MAX_STEPS = 2
"""Steps of records that may wait for the store; then reading from this PMS pauses."""


class PausableReader(Protocol):
    """The connection of the link, or none."""

    def pause_reading(self, reason: str) -> None:
        """Stop reading for this reason."""

    def resume_reading(self, reason: str) -> None:
        """Withdraw this reason."""


class ReceiveBacklog:
    """Pause reading from one PMS while too many of its own records wait for the store.

    Every record counts, also one that is not stored: many in one turn would hold up the other links too.
    """

    def __init__(self, journal: JournalPort, reader: PausableReader) -> None:
        self._journal = journal
        self._reader = reader
        self._records = 0  # since the last step
        self._waiting_steps = 0

    def on_record(self) -> None:
        """Count a record, and pause reading if too many wait."""
        self._records += 1
        if self._records >= RECORDS_PER_STEP:
            self._records = 0
            self._waiting_steps += 1
            # writes are committed in order, so all records before it are stored with the barrier
            stored = self._journal.submit(barrier, None, retry_until_stored=True)
            stored.addBoth(self._on_step_stored)
        if self._waiting_steps >= MAX_STEPS:
            self._reader.pause_reading("backlog")

    def _on_step_stored(self, _: object) -> None:
        self._waiting_steps -= 1
        self._reader.resume_reading("backlog")
