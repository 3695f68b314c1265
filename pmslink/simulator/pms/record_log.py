"""What a property received and sent: the newest records, numbered."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from itertools import islice
from typing import Literal

from attrs import frozen

MAX_TEXT_CHARS = 2100
"""Characters that are kept of one record; FIAS ends at 2 000."""

Direction = Literal["in", "out"]


@frozen
class TraceEntry:
    """One record on its way in (from the PBX) or out."""

    id: int
    at: datetime
    direction: Direction
    text: str

    @property
    def type(self) -> str:
        """The record's id, as far as it has one."""
        return self.text.partition("|")[0][:2]


class Trace:
    """The newest ``keep`` records; ids grow by one and are never given twice."""

    def __init__(self, max_entries: int) -> None:
        self._entries: deque[TraceEntry] = deque(maxlen=max_entries)
        self._last_id = 0

    def add(self, at: datetime, direction: Direction, text: str) -> None:
        """Note a record; of a very long one only the beginning is kept."""
        self._last_id += 1
        self._entries.append(TraceEntry(self._last_id, at, direction, text[:MAX_TEXT_CHARS]))

    def after(self, id: int = 0, limit: int | None = None) -> list[TraceEntry]:
        """The oldest entries with a greater id, at most ``limit``."""
        return list(islice((entry for entry in self._entries if entry.id > id), limit))

    def texts(self, direction: Direction) -> list[str]:
        """The texts of all records of one direction, oldest first."""
        return [entry.text for entry in self._entries if entry.direction == direction]

    def clear(self) -> None:
        """Forget them; the numbering goes on."""
        self._entries.clear()
