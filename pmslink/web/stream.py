"""The changes of all links as they happen, in Server-Sent Events.

There is one sequence of events, the same for every watcher. It begins at the time of the start, in
milliseconds, so that its numbers grow over restarts too, and a number from before is known as old.

A watcher first gets every link as it is now. Only the last of these events carries the number it can
resume from; those before carry one that is older than all that is kept, so that who is cut off in the
middle of the beginning begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.server import Request

from pmslink.link.link import Link
from pmslink.link.links import Links
from pmslink.link.trace import Transition
from pmslink.web.answers import ApiError, begin_answer, written
from pmslink.web.described import link_json, timestamp, transition_json
from pmslink.web.past import Past
from pmslink.web.watcher import Watcher

CONTENT_TYPE = b"text/event-stream"

HEARTBEAT = 15.0
"""Seconds between the comments that show that the stream lives."""
MOST_WATCHERS = 200
RETRY = b"retry: 500\n\n"
"""Milliseconds after which a browser comes back."""


class Stream:
    """Numbers what happens, keeps the last of it, and writes it to who watches."""

    log = Logger()

    def __init__(self, links: Links, clock: IReactorTime, wall: Callable[[], datetime]) -> None:
        self._links = links
        self._wall = wall
        self._first = int(wall().timestamp() * 1000)
        self._watchers: set[Watcher] = set()
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock
        self.past = Past(self._first)
        links.watch(self._changed)

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def start(self) -> None:
        self._beats.start(HEARTBEAT, now=False).addErrback(
            lambda failure: self.log.failure("the stream has no heartbeat any more", failure)
        )

    def stop(self) -> None:
        """End all connections that watch."""
        if self._beats.running:
            self._beats.stop()
        for watcher in tuple(self._watchers):
            watcher.drop()

    def watch(self, request: Request) -> Deferred[bytes]:
        """Answer a request with the stream. The Deferred never fires: a stream has no end.

        Raises ApiError 503 when too many watch.
        """
        if len(self._watchers) >= MOST_WATCHERS:
            raise ApiError(503, "too_many_watchers", f"{MOST_WATCHERS} watch already")
        begin_answer(request, 200, CONTENT_TYPE)
        request.setHeader(b"x-accel-buffering", b"no")  # nginx would hold events back
        number = _resume_from(request)
        if number is not None and self.past.reaches_back_to(number):
            watcher = Watcher(request, self.past, number, [RETRY])
        else:
            watcher = Watcher(request, self.past, self.past.last, self._beginning(reset=number is not None))
        self._watchers.add(watcher)
        request.notifyFinish().addBoth(lambda _: self._watchers.remove(watcher))
        watcher.start()
        return Deferred(canceller=lambda _: None)

    def _beginning(self, reset: bool) -> Iterator[bytes]:
        now, before = self.past.last, self._first - 1
        yield RETRY
        links = list(self._links)
        if reset:
            yield self._event(before if links else now, "reset", {})
        for place, link in enumerate(links, 1):
            yield self._link_event(now if place == len(links) else before, link, None)

    def _changed(self, link: Link, transition: Transition | None) -> None:
        self.past.add(self._link_event(self.past.last + 1, link, transition))
        for watcher in tuple(self._watchers):
            watcher.flow()

    def _link_event(self, number: int, link: Link, transition: Transition | None) -> bytes:
        change = None if transition is None else transition_json(transition)
        return self._event(number, "link", {"link": link_json(link), "transition": change})

    def _event(self, number: int, kind: str, told: dict[str, object]) -> bytes:
        data = written({"seq": number, "at": timestamp(self._wall()), **told})
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), data)

    def _beat(self) -> None:
        for watcher in tuple(self._watchers):
            watcher.beat()


def _resume_from(request: Request) -> int | None:
    """The number that a watcher has got to; one that was never a number is older than all (0)."""
    text: str | None = request.getHeader("last-event-id")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
