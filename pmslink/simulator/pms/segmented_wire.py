"""The way out of one connection: bytes, cut into segments as the property's faults ask for."""

from __future__ import annotations

from collections import deque
from typing import Literal, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Transport(Protocol):
    """All that is used of a connection's transport."""

    def write(self, data: bytes) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


Segmentation = Literal["records", "bytes", "joined"]

JOIN_DELAY_S = 0.02
"""Seconds for which records are gathered into one segment."""
MAX_SEGMENTS = 1_000_000


class Wire:
    """Writes in order. ``records`` gives each write to the transport at once."""

    def __init__(self, transport: Transport, clock: IReactorTime) -> None:
        self._transport = transport
        self._clock = clock
        self._segments: deque[bytes] = deque()
        self._timer: IDelayedCall | None = None

    def write(self, data: bytes, segmentation: Segmentation) -> None:
        """Send, now or in pieces over the next turns of the reactor."""
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
        """Send all that waits, at once."""
        self.stop()
        if self._segments:
            self._transport.write(b"".join(self._segments))
            self._segments.clear()

    def close(self) -> None:
        """Close, when all is sent."""
        self.flush()
        self._transport.loseConnection()

    def abort(self) -> None:
        """Close, whatever was not sent."""
        self.stop()
        self._transport.abortConnection()

    def stop(self) -> None:
        """End the timer; what waits is not sent."""
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
