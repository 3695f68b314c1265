"""One connection that watches the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from pmslink.web.auth.caller import Caller
from pmslink.web.stream.replay_buffer import ReplayBuffer
from pmslink.web.stream.sse_events import is_removal

MAX_UNREAD_HEARTBEATS = 2
"""Heartbeats in a row that a watcher may leave unread."""
EVENTS_PER_WRITE = 100
"""Events that are written at once at most …"""
WRITE_THRESHOLD_BYTES = 64 * 1024
"""… unless they have so many bytes before."""

SnapshotFactory = Callable[[int, int], Iterator[bytes]]
"""All links as they are: a reset, then one event each. The last of them has the second number, which can be
resumed from; those before have the first."""


@implementer(IPushProducer)
class Subscriber:
    """Writes events as fast as they are read, and no faster.

    What a slow watcher has not had yet waits in the past that all watchers share, not in a buffer of
    its own. One that falls behind that past, or stops reading, is dropped: it may come back with the
    number it has got to.
    """

    def __init__(
        self,
        request: Request,
        caller: Caller,
        replay_buffer: ReplayBuffer,
        last_seq: int,
        initial_events: Iterator[bytes],
        snapshot_events: SnapshotFactory,
        enqueue_write: Callable[[Subscriber], None],
    ) -> None:
        self.caller = caller
        self._request = request
        self._replay_buffer = replay_buffer
        self._last_seq = last_seq  # the number of the last event written, once the opening is
        self._initial_events: Iterator[bytes] | None = initial_events
        self._snapshot_events = snapshot_events
        self._enqueue_write = enqueue_write
        self._is_paused = False
        self._is_closed = False
        self._unread_heartbeats = 0

    def start(self) -> None:
        self._request.registerProducer(self, True)
        self._enqueue_write(self)

    @property
    def has_pending(self) -> bool:
        """Whether there is something that can be written now."""
        return self._is_writable and (
            self._initial_events is not None or self._last_seq < self._replay_buffer.last_seq
        )

    def write(self) -> int:
        """Write some of what has not been written yet; gives how many events."""
        if not self._replay_buffer.covers(self._last_seq):
            self.drop()
            return 0
        events: list[bytes] = []
        size = 0
        while len(events) < EVENTS_PER_WRITE and size < WRITE_THRESHOLD_BYTES:
            event = self._next_event()
            if event is None:
                break
            events.append(event)
            size += len(event)
        if events:
            self._request.write(b"".join(events))
        return len(events)

    def _next_event(self) -> bytes | None:
        if self._initial_events is not None:
            opening = next(self._initial_events, None)
            if opening is not None:
                return opening
            self._initial_events = None
        kept = self._replay_buffer.first_after(self._last_seq)
        if kept is None:
            return None
        before, self._last_seq = self._last_seq, kept.seq
        if is_removal(kept.entry):
            self._initial_events = self._snapshot_events(before, kept.seq)
            return next(self._initial_events)
        return self._replay_buffer.render(kept, self.caller.sees_guests)

    def send_heartbeat(self) -> None:
        """Write a comment, which shows that the stream lives and finds connections that do not."""
        if self._is_writable:
            self._request.write(b":\n\n")
            return
        self._unread_heartbeats += 1
        if self._unread_heartbeats >= MAX_UNREAD_HEARTBEATS:
            self.drop()

    def drop(self) -> None:
        """End the connection without waiting for what is not read."""
        if not self._is_closed:
            self._is_closed = True
            self._request.channel.forceAbortClient()

    @property
    def _is_writable(self) -> bool:
        return not (self._is_paused or self._is_closed)

    # What the connection calls.

    def pauseProducing(self) -> None:
        self._is_paused = True

    def resumeProducing(self) -> None:
        self._is_paused = False
        self._unread_heartbeats = 0
        self._enqueue_write(self)

    def stopProducing(self) -> None:
        self._is_closed = True
