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
_AMBIGUOUS_RECORDS = frozenset({"LR"})
"""Records of a description that a PMS with the same records may send as well."""


class EchoDetector:
    """Remember the last records of one connection that no PMS would send."""

    def __init__(self) -> None:
        self._sent: deque[str] = deque(maxlen=MAX_REMEMBERED_RECORDS)

    def on_sent(self, records: Iterable[Record]) -> None:
        """Remember records that were sent, as far as only a PBX sends them."""
        self._sent.extend(record.text for record in records if _is_of_pbx(record.id))

    def is_echo(self, record: Record) -> bool:
        """Check whether a received record is one that was sent on this connection."""
        return bool(self._sent) and _is_of_pbx(record.id) and record.text in self._sent

    def reset(self) -> None:
        """Forget all: the connection has ended."""
        self._sent.clear()


def _is_of_pbx(record_id: str) -> bool:
    record_type = RECORDS.get(record_id)
    return (
        record_type is not None and record_type.direction == "to_pms" and record_id not in _AMBIGUOUS_RECORDS
    )
