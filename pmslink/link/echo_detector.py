"""Recognize a peer that sends our own records back, such as an echo server.

A PMS may answer LS with LS, and may send a link description of its own. It never sends, word for word,
a record that only a PBX sends, with the version of this program in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pmslink.fias.catalog import RECORDS
from pmslink.fias.record import Record

MAX_REMEMBERED_RECORDS = 100
_PBX_RECORDS = frozenset(
    record_id
    for record_id, record_type in RECORDS.items()
    if record_type.direction == "to_pms" and record_id != "LR"  # a PMS may describe the same records
)
"""The ids of the records that only a PBX sends."""


class EchoDetector:
    """Remember the last records of one connection that no PMS would send."""

    def __init__(self) -> None:
        self._sent: deque[str] = deque(maxlen=MAX_REMEMBERED_RECORDS)

    def on_sent(self, records: Iterable[Record]) -> None:
        """Remember records that were sent, as far as only a PBX sends them."""
        self._sent.extend(record.text for record in records if record.id in _PBX_RECORDS)

    def is_echo(self, record: Record) -> bool:
        """Check whether a received record is one that was sent on this connection."""
        return record.id in _PBX_RECORDS and record.text in self._sent

    def reset(self) -> None:
        """Forget all: the connection has ended."""
        self._sent.clear()
