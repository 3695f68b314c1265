"""The trace of a property: the newest records received and sent, with consecutive ids."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from itertools import islice
from typing import Literal

from attrs import frozen

MAX_TEXT_CHARS = 2100
"""Characters that are stored of one record; FIAS allows 2 000."""

Direction = Literal["in", "out"]


@frozen
class TraceEntry:
    """One record, received from the PBX ("in") or sent to it ("out")."""

    id: int
    at: datetime
    direction: Direction
    text: str

    @property
    def type(self) -> str:
        """The record id (GI, …): the first two characters before a bar."""
        return self.text.partition("|")[0][:2]


class Trace:
    """The newest ``max_entries`` records; ids increase by one and are never reused."""

    def __init__(self, max_entries: int) -> None:
        self._entries: deque[TraceEntry] = deque(maxlen=max_entries)
        self._last_id = 0

    def add(self, at: datetime, direction: Direction, text: str) -> None:
        """Add a record; a very long text is cut to MAX_TEXT_CHARS."""
        self._last_id += 1
        self._entries.append(TraceEntry(self._last_id, at, direction, text[:MAX_TEXT_CHARS]))

    def after(self, entry_id: int = 0, limit: int | None = None) -> list[TraceEntry]:
        """Return the oldest entries with a greater id, at most ``limit``."""
        return list(islice((entry for entry in self._entries if entry.id > entry_id), limit))

    def texts(self, direction: Direction) -> list[str]:
        """Return the texts of all records of one direction, oldest first."""
        return [entry.text for entry in self._entries if entry.direction == direction]

    def clear(self) -> None:
        """Delete all entries; ids continue."""
        self._entries.clear()
