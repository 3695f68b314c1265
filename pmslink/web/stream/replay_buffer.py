"""What was last told to watchers of the stream, for those that come back or are slow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from attrs import define

from pmslink.store.tables.log_entries import Entry, Happened
from pmslink.web.serializers.redaction import masked_entry
from pmslink.web.stream.sse_events import rendered, size

KEPT = 10_000
"""Entries that are kept at most …"""
KEPT_BYTES = 16 * 1024 * 1024
"""… and about how many bytes of memory they may take."""

_by_number = attrgetter("seq")


@define(eq=False)
class Kept:
    """An entry, and its event once somebody has read it."""

    seq: int
    entry: Entry
    told_at: datetime | None
    event: bytes | None = None
    masked: bytes | None = None
    """For those who see no guests; the same where it names none."""

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        masked = b"" if self.masked is self.event else self.masked
        return size(self.entry) + len(self.event or b"") + len(masked or b"")


class Past:
    """The last entries of a sequence that grows, and has holes."""

    def __init__(self, forgotten: int, most: int = KEPT, most_bytes: int = KEPT_BYTES) -> None:
        self.forgotten = forgotten
        """The number up to which nothing is kept."""
        self._kept: list[Kept] = []
        self._begin = 0  # what stands before it in the list is forgotten
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    @property
    def last(self) -> int:
        """The number of the newest entry."""
        return self._kept[-1].seq if self._kept else self.forgotten

    def add(self, entries: Iterable[Entry], told_at: datetime | None) -> None:
        """Keep these, which are newer than all others, and forget what is too much.

        `told_at` is None for what an earlier service told.
        """
        for entry in entries:
            self._kept.append(Kept(entry.seq, entry, told_at))
            self._bytes += size(entry)
        self._bound()

    def reaches_back_to(self, number: int) -> bool:
        """Whether all that came after this number is kept."""
        return self.forgotten <= number

    def after(self, number: int) -> Kept | None:
        """The first that came after this number, if there is one."""
        place = bisect_right(self._kept, number, lo=self._begin, key=_by_number)
        return self._kept[place] if place < len(self._kept) else None

    def event(self, kept: Kept, sees_guests: bool = True) -> bytes:
        """What watchers are told of it."""
        if sees_guests:
            if kept.event is None:
                kept.event = rendered(kept.entry, kept.told_at)
                self._grown(kept, kept.event)
            return kept.event
        if kept.masked is None:
            entry = masked_entry(kept.entry)
            if entry is kept.entry:
                kept.masked = self.event(kept)
            else:
                kept.masked = rendered(entry, kept.told_at)
                self._grown(kept, kept.masked)
        return kept.masked

    def forget_guests(self, before: datetime) -> None:
        """Forget events that are older, and with them all that came before.

        Age is judged in the order of what happened, as the store does when it purges.
        """
        last = None
        for kept in self._kept[self._begin :]:
            if isinstance(kept.entry, Happened):
                if kept.entry.at >= before:
                    break
                last = kept.seq
        while last is not None and self.forgotten < last:
            self._forget()
        self._compact()

    def _grown(self, kept: Kept, event: bytes) -> None:
        if kept.seq > self.forgotten:
            self._bytes += len(event)
            self._bound()

    def _bound(self) -> None:
        while len(self._kept) - self._begin > self._most or self._bytes > self._most_bytes:
            self._forget()
        if self._begin > len(self._kept) // 2:
            self._compact()

    def _forget(self) -> None:
        kept = self._kept[self._begin]
        self._begin += 1
        self._bytes -= kept.size
        self.forgotten = kept.seq

    def _compact(self) -> None:
        del self._kept[: self._begin]
        self._begin = 0
