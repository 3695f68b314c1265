"""The changes of all links as they happen, what happens to them, and their postings, in Server-Sent Events.

There is one sequence, that of the store, the same for every watcher; it grows over restarts too. The
last of it is kept in memory, so that who comes back, or reads slowly, misses nothing.

A watcher first gets every link as it is now. Only the last of these events carries the number it can
resume from; those before carry one that is older than all that is kept, so that who is cut off in the
middle of the beginning begins again. Where links were removed, all who come by begin again as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.server import Request

from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.link.state_history import Transition
from pmslink.store.operations.retention import Purge
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Announced, Entry, keep_announcements
from pmslink.web.auth.caller import Caller
from pmslink.web.http.json_responses import ApiError, begin_answer
from pmslink.web.serializers.link_serializer import link_json
from pmslink.web.stream.replay_buffer import Past
from pmslink.web.stream.sse_events import announcement, event, is_shown, names_told, removal
from pmslink.web.stream.subscriber import Watcher

CONTENT_TYPE = b"text/event-stream"

HEARTBEAT = 15.0
"""Seconds between the comments that show that the stream lives."""
MOST_WATCHERS = 200
MOST_OF_A_TOKEN = 100
"""Watchers with one token, so that its holder cannot keep the others out."""
EVENTS_PER_TURN = 200
"""Events that are written to all watchers together before the reactor has another turn."""
RETRY = b"retry: 500\n\n"
"""Milliseconds after which a browser comes back."""


class Stream:
    """Keeps the last of what happens, and writes it to who watches."""

    log = Logger()

    def __init__(
        self,
        links: Links,
        store: Store,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        admits: Callable[[Caller], bool],
    ) -> None:
        """`admits` tells whether one who came to watch may go on."""
        self._links = links
        self._admits = admits
        self._journal = store.journal
        self._clock = clock
        self._wall = wall
        self._watchers: set[Watcher] = set()
        self._behind: dict[Watcher, None] = {}  # those that something is to be written to, in turn
        self._going_on: IDelayedCall | None = None
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock
        self._first = store.opened.first
        told = store.opened.last_told
        self._known = names_told(told)  # to whoever comes back
        self.past = Past(told[0].seq - 1 if told else self._first - 1)
        self.past.add(told, told_at=None)
        told.clear()  # guest data is kept in one place, where it is forgotten in time
        links.watch(self.changed)
        store.journal.told.append(self._told)
        store.purged.append(self._purged)

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def start(self) -> None:
        """To be called once the links are there that there are at the start."""
        gone = self._known.difference(link.name for link in self._links)
        self._known.clear()
        if gone:
            self.removed(sorted(gone))
        self._beats.start(HEARTBEAT, now=False).addErrback(
            lambda failure: self.log.failure("the stream has no heartbeat any more", failure)
        )

    def stop(self) -> None:
        """End all connections that watch."""
        if self._beats.running:
            self._beats.stop()
        if self._going_on is not None:
            self._going_on.cancel()
            self._going_on = None
        for watcher in tuple(self._watchers):
            watcher.drop()

    # For who watches.

    def watch(self, request: Request, caller: Caller) -> Deferred[bytes]:
        """Answer a request with the stream. The Deferred never fires: a stream has no end.

        Raises ApiError 503 when too many watch.
        """
        if len(self._watchers) >= MOST_WATCHERS:
            raise ApiError(503, "too_many_watchers", f"{MOST_WATCHERS} watch already")
        own = sum(one.caller.token == caller.token for one in self._watchers)
        if caller.token is not None and own >= MOST_OF_A_TOKEN:
            raise ApiError(503, "too_many_watchers", f"{MOST_OF_A_TOKEN} watch with this token already")
        begin_answer(request, 200, CONTENT_TYPE)
        request.setHeader(b"x-accel-buffering", b"no")  # nginx would hold events back
        number = _resume_from(request)
        if number is None or not self._was_told(number) or not self.past.reaches_back_to(number):
            before, got = self.past.forgotten - 1, self.past.last
            opening = self._beginning(before, got, reset=number is not None)
        else:
            opening, got = iter(()), number
        opening = chain((RETRY,), opening)
        watcher = Watcher(request, caller, self.past, got, opening, self._beginning, self._flow)
        self._watchers.add(watcher)
        request.notifyFinish().addBoth(lambda _: self._gone(watcher))
        watcher.start()
        return Deferred(canceller=lambda _: None)

    def send_away(self) -> None:
        """End the connections of those who may watch no longer."""
        for watcher in tuple(self._watchers):
            if not self._admits(watcher.caller):
                watcher.drop()

    def _was_told(self, number: int) -> bool:
        """Whether this number was given out, now or by an earlier service on the same store."""
        return number <= max(self.past.last, self._first - 1)

    def _beginning(self, before: int, last: int, reset: bool = True) -> Iterator[bytes]:
        links = list(self._links)
        if reset:
            yield event(before if links else last, "reset", self._wall(), {})
        for place, link in enumerate(links, 1):
            number = last if place == len(links) else before
            yield event(number, "link", self._wall(), {"link": link_json(link), "transition": None})

    # What happens.

    def changed(self, link: Link, transition: Transition | None) -> None:
        """A link has changed; the transition, if its state has."""
        self._announce(announcement(link, transition))

    def removed(self, names: Iterable[str]) -> None:
        """There are no such links any more."""
        self._announce(removal(names))

    def _announce(self, text: str) -> None:
        self._journal.append(keep_announcements, Announced(self._wall(), text))

    def _told(self, entries: Sequence[Entry]) -> None:
        self.past.add(filter(is_shown, entries), self._wall())
        self._flow(*self._watchers)

    def _purged(self, purge: Purge) -> None:
        self.past.forget_guests(purge.guest_before)

    # Writing.

    def _flow(self, *watchers: Watcher) -> None:
        """Write to these, each in its turn."""
        self._behind.update(dict.fromkeys(watchers))
        if self._going_on is None:
            self._write()

    def _write(self) -> None:
        """Write what one turn of the reactor has time for."""
        self._going_on = None
        written = 0
        while self._behind and written < EVENTS_PER_TURN:
            watcher = next(iter(self._behind))
            del self._behind[watcher]
            if watcher.waits:
                written += watcher.write()
                if watcher.waits:
                    self._behind[watcher] = None
        if self._behind:
            self._going_on = self._clock.callLater(0, self._write)

    def _gone(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        self._behind.pop(watcher, None)

    def _beat(self) -> None:
        self.send_away()
        for watcher in tuple(self._watchers):
            watcher.beat()


def _resume_from(request: Request) -> int | None:
    """The number that a watcher has got to; one that was never a number is older than all (0)."""
    text: str | None = request.getHeader("last-event-id")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
