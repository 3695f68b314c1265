"""A subscriber of the stream: one connection, written to as fast as its client reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from pmslink.web.auth.caller import Caller
from pmslink.web.stream.replay_buffer import ReplayBuffer

MAX_UNREAD_HEARTBEATS = 2
"""Heartbeats in a row that may be due while the client does not read."""
EVENTS_PER_WRITE = 100
"""Events in one write."""
WRITE_THRESHOLD_BYTES = 64 * 1024
"""Size of a write above which no further event is added to it."""


class SnapshotFactory(Protocol):
    """Serialize what a client begins with: a reset if it is due, then one event for each link.

    The last event has the number `resume_seq`, from which the client can resume; the others have
    `snapshot_seq`, from which it cannot.
    """

    def __call__(self, snapshot_seq: int, resume_seq: int, reset: bool = True) -> Iterator[bytes]:
        """Yield the events."""


@implementer(IPushProducer)
class Subscriber:
    """Write events to one client, no faster than it reads.

    Events that a slow client has not received yet stay in the shared replay buffer, not in a buffer of its
    own. A client that falls behind the replay buffer, or stops reading, is disconnected. It may reconnect
    with the number of its last event.
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
        self._last_seq = last_seq  # valid once the initial events are written
        self._initial_events: Iterator[bytes] | None = initial_events
        self._snapshot_events = snapshot_events
        self._enqueue_write = enqueue_write
        self._is_paused = False
        self._is_closed = False
        self._unread_heartbeats = 0

    def start(self) -> None:
        """Begin to write."""
        self._request.registerProducer(self, True)
        self._enqueue_write(self)

    @property
    def has_pending(self) -> bool:
        """Whether there is an event that can be written now."""
        return self._is_writable and (
            self._initial_events is not None or self._last_seq < self._replay_buffer.last_seq
        )

    def write(self) -> int:
        """Write the next events, up to the limits; return how many."""
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
            initial_event = next(self._initial_events, None)
            if initial_event is not None:
                return initial_event
            self._initial_events = None
        buffered = self._replay_buffer.first_after(self._last_seq)
        if buffered is None:
            return None
        previous_seq, self._last_seq = self._last_seq, buffered.seq
        if buffered.kind == "removal":
            self._initial_events = self._snapshot_events(previous_seq, buffered.seq)
            return next(self._initial_events)
        return self._replay_buffer.render(buffered, self.caller.sees_guests)

    def send_heartbeat(self) -> None:
        """Write a comment, which shows that the stream is alive and detects dead connections."""
        if self._is_writable:
            self._request.write(b":\n\n")
            return
        self._unread_heartbeats += 1
        if self._unread_heartbeats >= MAX_UNREAD_HEARTBEATS:
            self.drop()

    def drop(self) -> None:
        """Abort the connection, and discard the data that the client has not read."""
        if not self._is_closed:
            self._is_closed = True
            self._request.channel.forceAbortClient()

    @property
    def _is_writable(self) -> bool:
        return not (self._is_paused or self._is_closed)

    # IPushProducer, called by the connection

    def pauseProducing(self) -> None:
        """Stop writing: the connection's buffer is full."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """Write again: the connection's buffer is empty."""
        self._is_paused = False
        self._unread_heartbeats = 0
        self._enqueue_write(self)

    def stopProducing(self) -> None:
        """Stop writing permanently: the connection has ended."""
        self._is_closed = True
