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
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.state_history import Transition
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.retention import Purge
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import LinkSnapshotLogged, append_link_snapshots
from pmslink.web.auth.caller import Caller
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_responses import begin_response
from pmslink.web.serializers.link_serializer import serialize_link
from pmslink.web.stream.replay_buffer import ReplayBuffer
from pmslink.web.stream.sse_events import (
    is_streamed,
    published_link_names,
    serialize_link_snapshot,
    serialize_removal,
    serialize_sse_event,
)
from pmslink.web.stream.subscriber import Subscriber

CONTENT_TYPE = b"text/event-stream"

HEARTBEAT_INTERVAL_S = 15.0
"""Seconds between the comments that show that the stream lives."""
MAX_SUBSCRIBERS = 200
MAX_SUBSCRIBERS_PER_TOKEN = 100
"""Watchers with one token, so that its holder cannot keep the others out."""
EVENTS_PER_TURN = 200
"""Events that are written to all watchers together before the reactor has another turn."""
RETRY_FIELD = b"retry: 500\n\n"
"""Milliseconds after which a browser comes back."""


class Broadcaster:
    """Keeps the last of what happens, and writes it to who watches."""

    log = Logger()

    def __init__(
        self,
        links: LinkRegistry,
        store: Store,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        is_still_authorized: Callable[[Caller], bool],
    ) -> None:
        """`admits` tells whether one who came to watch may go on."""
        self._links = links
        self._is_still_authorized = is_still_authorized
        self._journal = store.journal
        self._clock = clock
        self._wall = wall
        self._subscribers: set[Subscriber] = set()
        self._write_queue: dict[Subscriber, None] = {}  # those that something is to be written to, in turn
        self._next_turn: IDelayedCall | None = None
        self._heartbeat_loop = LoopingCall(self._send_heartbeats)
        self._heartbeat_loop.clock = clock
        self._first_seq = store.startup_snapshot.first_seq
        told = store.startup_snapshot.last_published
        self._stored_link_names = published_link_names(told)  # to whoever comes back
        self.replay_buffer = ReplayBuffer(told[0].seq - 1 if told else self._first_seq - 1)
        self.replay_buffer.add(told, published_at=None)
        told.clear()  # guest data is kept in one place, where it is forgotten in time
        links.subscribe(self.publish_link)
        store.journal.on_commit.append(self._on_commit)
        store.on_purge.append(self._on_purge)

    def __len__(self) -> int:
        """How many watch."""
        return len(self._subscribers)

    def start(self) -> None:
        """To be called once the links are there that there are at the start."""
        gone = self._stored_link_names.difference(link.name for link in self._links)
        self._stored_link_names.clear()
        if gone:
            self.publish_removal(sorted(gone))
        self._heartbeat_loop.start(HEARTBEAT_INTERVAL_S, now=False).addErrback(
            lambda failure: self.log.failure("the stream has no heartbeat any more", failure)
        )

    def stop(self) -> None:
        """End all connections that watch."""
        if self._heartbeat_loop.running:
            self._heartbeat_loop.stop()
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None
        for watcher in tuple(self._subscribers):
            watcher.drop()

    # For who watches.

    def subscribe(self, request: Request, caller: Caller) -> Deferred[bytes]:
        """Answer a request with the stream. The Deferred never fires: a stream has no end.

        Raises ApiError 503 when too many watch.
        """
        if len(self._subscribers) >= MAX_SUBSCRIBERS:
            raise ApiError(503, "too_many_watchers", f"{MAX_SUBSCRIBERS} watch already")
        own = sum(one.caller.token == caller.token for one in self._subscribers)
        if caller.token is not None and own >= MAX_SUBSCRIBERS_PER_TOKEN:
            raise ApiError(
                503, "too_many_watchers", f"{MAX_SUBSCRIBERS_PER_TOKEN} watch with this token already"
            )
        begin_response(request, 200, CONTENT_TYPE)
        request.setHeader(b"x-accel-buffering", b"no")  # nginx would hold events back
        number = _parse_last_event_id(request)
        if number is None or not self._was_published(number) or not self.replay_buffer.covers(number):
            before, got = self.replay_buffer.last_evicted_seq - 1, self.replay_buffer.last_seq
            opening = self._snapshot_events(before, got, reset=number is not None)
        else:
            opening, got = iter(()), number
        opening = chain((RETRY_FIELD,), opening)
        watcher = Subscriber(
            request, caller, self.replay_buffer, got, opening, self._snapshot_events, self._enqueue_write
        )
        self._subscribers.add(watcher)
        request.notifyFinish().addBoth(lambda _: self._unsubscribe(watcher))
        watcher.start()
        return Deferred(canceller=lambda _: None)

    def drop_unauthorized(self) -> None:
        """End the connections of those who may watch no longer."""
        for watcher in tuple(self._subscribers):
            if not self._is_still_authorized(watcher.caller):
                watcher.drop()

    def _was_published(self, seq: int) -> bool:
        """Whether this number was given out, now or by an earlier service on the same store."""
        return seq <= max(self.replay_buffer.last_seq, self._first_seq - 1)

    def _snapshot_events(self, snapshot_seq: int, resume_seq: int, reset: bool = True) -> Iterator[bytes]:
        links = list(self._links)
        if reset:
            yield serialize_sse_event(snapshot_seq if links else resume_seq, "reset", self._wall(), {})
        for place, link in enumerate(links, 1):
            number = resume_seq if place == len(links) else snapshot_seq
            yield serialize_sse_event(
                number, "link", self._wall(), {"link": serialize_link(link.status()), "transition": None}
            )

    # What happens.

    def publish_link(self, link: Link, transition: Transition | None) -> None:
        """A link has changed; the transition, if its state has."""
        self._store_snapshot(serialize_link_snapshot(link, transition))

    def publish_removal(self, names: Iterable[str]) -> None:
        """There are no such links any more."""
        self._store_snapshot(serialize_removal(names))

    def _store_snapshot(self, text: str) -> None:
        self._journal.submit_nowait(append_link_snapshots, LinkSnapshotLogged(self._wall(), text))

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        self.replay_buffer.add(filter(is_streamed, entries), self._wall())
        self._enqueue_write(*self._subscribers)

    def _on_purge(self, purge: Purge) -> None:
        self.replay_buffer.evict_guest_events(purge.guest_before)

    # Writing.

    def _enqueue_write(self, *subscribers: Subscriber) -> None:
        """Write to these, each in its turn."""
        self._write_queue.update(dict.fromkeys(subscribers))
        if self._next_turn is None:
            self._write_turn()

    def _write_turn(self) -> None:
        """Write what one turn of the reactor has time for."""
        self._next_turn = None
        written = 0
        while self._write_queue and written < EVENTS_PER_TURN:
            watcher = next(iter(self._write_queue))
            del self._write_queue[watcher]
            if watcher.has_pending:
                written += watcher.write()
                if watcher.has_pending:
                    self._write_queue[watcher] = None
        if self._write_queue:
            self._next_turn = self._clock.callLater(0, self._write_turn)

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        self._write_queue.pop(subscriber, None)

    def _send_heartbeats(self) -> None:
        self.drop_unauthorized()
        for watcher in tuple(self._subscribers):
            watcher.send_heartbeat()


def _parse_last_event_id(request: Request) -> int | None:
    """The number that a watcher has got to; one that was never a number is older than all (0)."""
    text: str | None = request.getHeader("last-event-id")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
