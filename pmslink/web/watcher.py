"""One connection that watches the stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from pmslink.web.past import Past

BEATS_UNREAD = 2
"""Heartbeats in a row that a watcher may leave unread."""


@implementer(IPushProducer)
class Watcher:
    """Writes events as fast as they are read, and no faster.

    What a slow watcher has not had yet waits in the past that all watchers share, not in a buffer of
    its own. One that falls behind that past, or stops reading, is dropped: it may come back with the
    number it has got to.
    """

    def __init__(self, request: Request, past: Past, got: int, opening: Iterable[bytes]) -> None:
        self._request = request
        self._past = past
        self._got = got  # the number of the last event written, once the opening is
        self._opening = deque(opening)
        self._paused = False
        self._ended = False
        self._unread = 0

    def start(self) -> None:
        self._request.registerProducer(self, True)
        self.flow()

    def flow(self) -> None:
        """Write what has not been written yet, until the connection has enough for now."""
        while self._opening and self._ready:
            self._request.write(self._opening.popleft())
        if not self._past.reaches_back_to(self._got):
            self.drop()
            return
        for event in self._past.after(self._got):
            if not self._ready:
                return
            self._got += 1
            self._request.write(event)

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
        self.flow()

    def stopProducing(self) -> None:
        self._ended = True
