"""Replay buffer of the stream: the newest entries, for clients that reconnect or read slowly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime
from operator import attrgetter

from attrs import define

from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged, LinkSnapshotLogged, TransitionLogged
from pmslink.store.tables.notice_rows import NoticeChanged
from pmslink.store.tables.outbox_rows import OutboxRowChanged
from pmslink.web.serializers.redaction import redact_entry
from pmslink.web.stream.sse_events import EntryKind, entry_kind, serialize_sse_entry

MAX_BUFFERED_EVENTS = 10_000
"""Entries in the buffer."""
MAX_BUFFER_BYTES = 16 * 1024 * 1024
"""Estimated memory of all entries."""

_seq_of = attrgetter("seq")


@define(eq=False)
class BufferedEvent:
    """An entry, and its serialized forms once a subscriber has read them."""

    seq: int
    kind: EntryKind
    entry: Entry
    published_at: datetime | None
    is_resumable: bool
    """Whether a client can resume from it."""
    sse: bytes | None = None
    redacted_sse: bytes | None = None
    """For callers who may not see guests; the same object as `sse` if the entry has no guest data."""

    @property
    def size_bytes(self) -> int:
        """The estimated memory of the entry and its serialized forms."""
        redacted_sse = b"" if self.redacted_sse is self.sse else self.redacted_sse
        return estimate_size_bytes(self.entry) + len(self.sse or b"") + len(redacted_sse or b"")


class ReplayBuffer:
    """The newest entries of a growing sequence of numbers, which has gaps."""

    def __init__(
        self, last_evicted_seq: int, max_events: int = MAX_BUFFERED_EVENTS, max_bytes: int = MAX_BUFFER_BYTES
    ) -> None:
        self.last_evicted_seq = last_evicted_seq
        """The number up to which no entry is in the buffer."""
        self._events: list[BufferedEvent] = []
        self._first_index = 0  # entries before it are evicted, and deleted from the list later
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._size_bytes = 0

    @property
    def last_seq(self) -> int:
        """The number of the newest entry."""
        return self._events[-1].seq if self._events else self.last_evicted_seq

    def add(
        self,
        entries: Iterable[Entry],
        published_at: datetime | None,
        is_resumable: Callable[[int], bool] = lambda seq: True,
    ) -> None:
        """Add those of the entries that the stream sends, and evict the oldest above the limits.

        The entries are newer than all in the buffer. `published_at` is None for entries that an earlier run
        of the service published. `is_resumable` returns whether a client can resume from a number.
        """
        for entry in entries:
            kind = entry_kind(entry)
            if kind is not None:
                self._events.append(
                    BufferedEvent(entry.seq, kind, entry, published_at, is_resumable(entry.seq))
                )
                self._size_bytes += estimate_size_bytes(entry)
        self._enforce_limits()

    def covers(self, seq: int) -> bool:
        """Return whether all entries after this number are in the buffer."""
        return self.last_evicted_seq <= seq

    def first_after(self, seq: int) -> BufferedEvent | None:
        """Return the first entry after this number, or None."""
        index = bisect_right(self._events, seq, lo=self._first_index, key=_seq_of)
        return self._events[index] if index < len(self._events) else None

    def render(self, buffered: BufferedEvent, sees_guests: bool = True) -> bytes:
        """Return the serialized form of an entry, redacted unless the caller may see guests."""
        if sees_guests:
            if buffered.sse is None:
                buffered.sse = _serialize(buffered, buffered.entry)
                self._count_rendered(buffered, buffered.sse)
            return buffered.sse
        if buffered.redacted_sse is None:
            entry = redact_entry(buffered.entry)
            if entry is buffered.entry:
                buffered.redacted_sse = self.render(buffered)
            else:
                buffered.redacted_sse = _serialize(buffered, entry)
                self._count_rendered(buffered, buffered.redacted_sse)
        return buffered.redacted_sse

    def evict_guest_events(self, before: datetime) -> None:
        """Evict the hotel events that are older than this, and all entries before them.

        The search ends at the first newer event, as in the store's purge: a clock that was set back may have
        dated later events too early.
        """
        last_seq = None
        for buffered in self._events[self._first_index :]:
            if isinstance(buffered.entry, HotelEventLogged):
                if buffered.entry.at >= before:
                    break
                last_seq = buffered.seq
        while last_seq is not None and self.last_evicted_seq < last_seq:
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
        evicted = self._events[self._first_index]
        self._first_index += 1
        self._size_bytes -= evicted.size_bytes
        self.last_evicted_seq = evicted.seq

    def _compact(self) -> None:
        del self._events[: self._first_index]
        self._first_index = 0


def _serialize(buffered: BufferedEvent, entry: Entry) -> bytes:
    return serialize_sse_entry(entry, buffered.published_at, buffered.is_resumable)


def estimate_size_bytes(entry: Entry) -> int:
    """Estimate the memory of an entry. Raises TypeError for an entry that the stream does not send."""
    match entry:
        case LinkSnapshotLogged() | HotelEventLogged():
            return 400 + len(entry.text)
        case TransitionLogged():
            return 600 + len(entry.reason) + len(entry.cause)
        case NoticeChanged():
            return 1200
        case OutboxRowChanged():
            return 800 + len(entry.row.body) + len(entry.row.text) + len(entry.row.text_answer or "")
        case _:
            raise TypeError(entry)
