"""One connection that watches the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from pmslink.web.auth.caller import Caller
from pmslink.web.stream.replay_buffer import Past
from pmslink.web.stream.sse_events import is_removal

BEATS_UNREAD = 2
"""Heartbeats in a row that a watcher may leave unread."""
AT_ONCE = 100
"""Events that are written at once at most …"""
AT_ONCE_BYTES = 64 * 1024
"""… unless they have so many bytes before."""

Beginning = Callable[[int, int], Iterator[bytes]]
"""All links as they are: a reset, then one event each. The last of them has the second number, which can be
resumed from; those before have the first."""


@implementer(IPushProducer)
class Watcher:
    """Writes events as fast as they are read, and no faster.

    What a slow watcher has not had yet waits in the past that all watchers share, not in a buffer of
    its own. One that falls behind that past, or stops reading, is dropped: it may come back with the
    number it has got to.
    """

    def __init__(
        self,
        request: Request,
        caller: Caller,
        past: Past,
        got: int,
        opening: Iterator[bytes],
        beginning: Beginning,
        flow: Callable[[Watcher], None],
    ) -> None:
        self.caller = caller
        self._request = request
        self._past = past
        self._got = got  # the number of the last event written, once the opening is
        self._opening: Iterator[bytes] | None = opening
        self._beginning = beginning
        self._flow = flow
        self._paused = False
        self._ended = False
        self._unread = 0

    def start(self) -> None:
        self._request.registerProducer(self, True)
        self._flow(self)

    @property
    def waits(self) -> bool:
        """Whether there is something that can be written now."""
        return self._ready and (self._opening is not None or self._got < self._past.last)

    def write(self) -> int:
        """Write some of what has not been written yet; gives how many events."""
        if not self._past.reaches_back_to(self._got):
            self.drop()
            return 0
        events: list[bytes] = []
        size = 0
        while len(events) < AT_ONCE and size < AT_ONCE_BYTES:
            event = self._next()
            if event is None:
                break
            events.append(event)
            size += len(event)
        if events:
            self._request.write(b"".join(events))
        return len(events)

    def _next(self) -> bytes | None:
        if self._opening is not None:
            opening = next(self._opening, None)
            if opening is not None:
                return opening
            self._opening = None
        kept = self._past.after(self._got)
        if kept is None:
            return None
        before, self._got = self._got, kept.seq
        if is_removal(kept.entry):
            self._opening = self._beginning(before, kept.seq)
            return next(self._opening)
        return self._past.event(kept, self.caller.sees_guests)

    def beat(self) -> None:
        """Write a comment, which shows that the stream lives and finds connections that do not."""
        if self._ready:
            self._request.write(b":\n\n")
            return
        self._unread += 1
        if self._unread >= BEATS_UNREAD:
            self.drop()

    def drop(self) -> None:
        """End the connection without waiting for what is not read."""
        if not self._ended:
            self._ended = True
            self._request.channel.forceAbortClient()

    @property
    def _ready(self) -> bool:
        return not (self._paused or self._ended)

    # What the connection calls.

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._unread = 0
        self._flow(self)

    def stopProducing(self) -> None:
        self._ended = True
