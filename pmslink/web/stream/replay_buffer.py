"""What was last told to watchers of the stream, for those that come back or are slow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from attrs import define

from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.web.serializers.redaction import redact_entry
from pmslink.web.stream.sse_events import estimate_size_bytes, serialize_sse_entry

MAX_BUFFERED_EVENTS = 10_000
"""Entries that are kept at most …"""
MAX_BUFFER_BYTES = 16 * 1024 * 1024
"""… and about how many bytes of memory they may take."""

_seq_of = attrgetter("seq")


@define(eq=False)
class BufferedEvent:
    """An entry, and its event once somebody has read it."""

    seq: int
    entry: Entry
    published_at: datetime | None
    sse: bytes | None = None
    redacted_sse: bytes | None = None
    """For those who see no guests; the same where it names none."""

    @property
    def size_bytes(self) -> int:
        """About how many bytes it takes in memory."""
        masked = b"" if self.redacted_sse is self.sse else self.redacted_sse
        return estimate_size_bytes(self.entry) + len(self.sse or b"") + len(masked or b"")


class ReplayBuffer:
    """The last entries of a sequence that grows, and has holes."""

    def __init__(
        self, last_evicted_seq: int, max_events: int = MAX_BUFFERED_EVENTS, max_bytes: int = MAX_BUFFER_BYTES
    ) -> None:
        self.last_evicted_seq = last_evicted_seq
        """The number up to which nothing is kept."""
        self._events: list[BufferedEvent] = []
        self._first_index = 0  # what stands before it in the list is forgotten
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._size_bytes = 0

    @property
    def last_seq(self) -> int:
        """The number of the newest entry."""
        return self._events[-1].seq if self._events else self.last_evicted_seq

    def add(self, entries: Iterable[Entry], published_at: datetime | None) -> None:
        """Keep these, which are newer than all others, and forget what is too much.

        `published_at` is None for what an earlier service told.
        """
        for entry in entries:
            self._events.append(BufferedEvent(entry.seq, entry, published_at))
            self._size_bytes += estimate_size_bytes(entry)
        self._enforce_limits()

    def covers(self, seq: int) -> bool:
        """Whether all that came after this number is kept."""
        return self.last_evicted_seq <= seq

    def first_after(self, seq: int) -> BufferedEvent | None:
        """The first that came after this number, if there is one."""
        place = bisect_right(self._events, seq, lo=self._first_index, key=_seq_of)
        return self._events[place] if place < len(self._events) else None

    def render(self, buffered: BufferedEvent, sees_guests: bool = True) -> bytes:
        """What watchers are told of it."""
        if sees_guests:
            if buffered.sse is None:
                buffered.sse = serialize_sse_entry(buffered.entry, buffered.published_at)
                self._count_rendered(buffered, buffered.sse)
            return buffered.sse
        if buffered.redacted_sse is None:
            entry = redact_entry(buffered.entry)
            if entry is buffered.entry:
                buffered.redacted_sse = self.render(buffered)
            else:
                buffered.redacted_sse = serialize_sse_entry(entry, buffered.published_at)
                self._count_rendered(buffered, buffered.redacted_sse)
        return buffered.redacted_sse

    def evict_guest_events(self, before: datetime) -> None:
        """Forget events that are older, and with them all that came before.

        Age is judged in the order of what happened, as the store does when it purges.
        """
        last = None
        for kept in self._events[self._first_index :]:
            if isinstance(kept.entry, HotelEventLogged):
                if kept.entry.at >= before:
                    break
                last = kept.seq
        while last is not None and self.last_evicted_seq < last:
            self._evict_oldest()
        self._compact()

    def _count_rendered(self, buffered: BufferedEvent, sse: bytes) -> None:
        if buffered.seq > self.last_evicted_seq:
            self._size_bytes += len(sse)
            self._enforce_limits()

    def _enforce_limits(self) -> None:
        while len(self._events) - self._first_index > self._max_events or self._size_bytes > self._max_bytes:
            self._evict_oldest()
        if self._first_index > len(self._events) // 2:
            self._compact()

    def _evict_oldest(self) -> None:
        kept = self._events[self._first_index]
        self._first_index += 1
        self._size_bytes -= kept.size_bytes
        self.last_evicted_seq = kept.seq

    def _compact(self) -> None:
        del self._events[: self._first_index]
        self._first_index = 0
