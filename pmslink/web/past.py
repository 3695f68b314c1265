"""The events of the stream that were last given out, for watchers that come back or are slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice


class Past:
    """A growing sequence of events of which the last are kept, bounded in number and in bytes.

    The number of an event is its place in the sequence, which goes on from `first`.
    """

    def __init__(self, first: int, most: int = 2000, most_bytes: int = 4 * 1024 * 1024) -> None:
        self.forgotten = first
        """The number up to which nothing is kept."""
        self._events: deque[bytes] = deque()
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    @property
    def last(self) -> int:
        """The number of the event that was given out last."""
        return self.forgotten + len(self._events)

    def add(self, event: bytes) -> None:
        """Keep the event that has the number after the last, and forget what is too much."""
        self._events.append(event)
        self._bytes += len(event)
        while len(self._events) > self._most or self._bytes > self._most_bytes:
            self._bytes -= len(self._events.popleft())
            self.forgotten += 1

    def reaches_back_to(self, number: int) -> bool:
        """Whether all that came after this number is kept, and the number was given out."""
        return self.forgotten <= number <= self.last

    def after(self, number: int) -> Iterator[bytes]:
        """What came after this number, oldest first; the past must reach back to it."""
        return islice(self._events, number - self.forgotten, None)
