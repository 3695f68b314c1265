"""The output of one connection: bytes, cut into TCP segments as the property's faults require."""

from __future__ import annotations

from collections import deque
from typing import Literal, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Transport(Protocol):
    """The methods of a connection's transport that Wire uses."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def loseConnection(self) -> None:
        """Close the connection after all bytes are sent."""

    def abortConnection(self) -> None:
        """Close the connection at once."""


Segmentation = Literal["records", "bytes", "joined"]

JOIN_DELAY_S = 0.02
"""Time during which records are collected into one segment."""
MAX_SEGMENTS = 1_000_000
"""Limit of queued segments; above it all are sent at once."""


class Wire:
    """Writes bytes in order. With the segmentation ``records``, each write is sent at once."""

    def __init__(self, transport: Transport, clock: IReactorTime) -> None:
        self._transport = transport
        self._clock = clock
        self._segments: deque[bytes] = deque()
        self._timer: IDelayedCall | None = None

    def write(self, data: bytes, segmentation: Segmentation) -> None:
        """Send bytes, now or in segments over the next iterations of the reactor."""
        if segmentation == "bytes":
            self._segments.extend(bytes([byte]) for byte in data)
            self._schedule(0)
        elif segmentation == "joined":
            self._segments.append((self._segments.pop() if self._segments else b"") + data)
            self._schedule(JOIN_DELAY_S)
        elif self._segments:
            self._segments.append(data)
        else:
            self._transport.write(data)
        if len(self._segments) > MAX_SEGMENTS:
            self.flush()

    def flush(self) -> None:
        """Send all queued segments at once."""
        self.stop()
        if self._segments:
            self._transport.write(b"".join(self._segments))
            self._segments.clear()

    def close(self) -> None:
        """Close the connection after all queued bytes are sent."""
        self.flush()
        self._transport.loseConnection()

    def abort(self) -> None:
        """Close the connection at once; queued bytes are dropped."""
        self.stop()
        self._transport.abortConnection()

    def stop(self) -> None:
        """Stop the timer; queued segments are not sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, delay: float) -> None:
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._write_segment)

    def _write_segment(self) -> None:
        self._timer = None
        self._transport.write(self._segments.popleft())
        if self._segments:
            self._schedule(0)
