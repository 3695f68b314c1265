"""Broadcaster of the stream: changes of links, events and postings, as Server-Sent Events to all subscribers.

All subscribers receive one sequence: that of the store, whose numbers grow over restarts. Its newest part is
in memory, so that a client that reconnects, or reads slowly, misses nothing. Numbers of events that are
published while the store fails may not be reserved: a later run may use them again, so no client resumes
from them.

A new subscriber first receives all links. Only the last of these events carries the number from which the
client can resume. The others carry one that is older than the replay buffer, so that a client that is cut
off in the middle starts again. After a removal of links, every subscriber starts again as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from pmslink.store.tables.log_entries import append_link_snapshots
from pmslink.web.auth.caller import Caller
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_responses import begin_response
from pmslink.web.serializers.link_json import LinkJson
from pmslink.web.stream.link_snapshots import (
    LinkSnapshot,
    make_link_snapshot,
    make_removal,
    parse_link_snapshot,
    published_link_names,
    serialize_link_payload,
)
from pmslink.web.stream.replay_buffer import ReplayBuffer
from pmslink.web.stream.sse_events import NO_RESUME_ID, serialize_sse_event, serialize_sse_link
from pmslink.web.stream.subscriber import SnapshotFactory, Subscriber

CONTENT_TYPE = b"text/event-stream"

HEARTBEAT_INTERVAL_S = 15.0
"""Seconds between two heartbeats, which are comments in the stream."""
MAX_SUBSCRIBERS = 200
"""Subscribers at the same time."""
MAX_SUBSCRIBERS_PER_TOKEN = 100
"""Subscribers with one token, so that one token cannot use all connections."""
EVENTS_PER_TURN = 200
"""Events that are written to all subscribers together in one turn of the reactor."""
RETRY_FIELD = b"retry: 500\n\n"
"""The SSE field that makes browsers reconnect after 500 milliseconds."""


class Broadcaster:
    """Publish entries of the store to all subscribers."""

    log = Logger()

    def __init__(
        self,
        links: LinkRegistry,
        store: Store,
        link_json: LinkJson,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        is_still_authorized: Callable[[Caller], bool],
    ) -> None:
        """`is_still_authorized` returns whether a subscriber may still receive the stream."""
        self._links = links
        self._link_json = link_json
        self._is_still_authorized = is_still_authorized
        self._journal = store.journal
        self._clock = clock
        self._wall_clock = wall_clock
        self._subscribers: set[Subscriber] = set()
        self._write_queue: dict[Subscriber, None] = {}  # in the order of their turns
        self._next_turn: IDelayedCall | None = None
        self._heartbeat_loop = LoopingCall(self._send_heartbeats)
        self._heartbeat_loop.clock = clock
        self._first_seq = store.startup_snapshot.first_seq
        published = [parse_link_snapshot(entry) for entry in store.startup_snapshot.last_published]
        self._stored_link_names = published_link_names(
            published
        )  # clients that reconnect may have these links
        self.replay_buffer = ReplayBuffer((published[0].seq if published else self._first_seq) - 1)
        self.replay_buffer.add(published, published_at=None)
        # guest data stays in the replay buffer only, which evicts it when the store purges it
        store.startup_snapshot.last_published.clear()
        links.subscribe(self.publish_link)
        store.journal.on_commit.append(self._on_commit)
        store.on_purge.append(self._on_purge)

    def __len__(self) -> int:
        """Return the number of subscribers."""
        return len(self._subscribers)

    @property
    def is_writing(self) -> bool:
        """Whether events wait for a turn to be written; the benchmark of many links waits for them."""
        return bool(self._write_queue)

    def start(self) -> None:
        """Start the heartbeats, and publish the removal of stored links that are no longer configured.

        All configured links must be registered before.
        """
        removed = self._stored_link_names.difference(link.name for link in self._links)
        self._stored_link_names.clear()
        if removed:
            self.publish_removal(sorted(removed))
        self._heartbeat_loop.start(HEARTBEAT_INTERVAL_S, now=False).addErrback(
            lambda failure: self.log.failure(
                "Heartbeats of the stream stopped; dead connections are no longer detected", failure
            )
        )

    def stop(self) -> None:
        """Disconnect all subscribers."""
        if self._heartbeat_loop.running:
            self._heartbeat_loop.stop()
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None
        for subscriber in tuple(self._subscribers):
            subscriber.drop()

    # Subscribers

    def subscribe(self, request: Request, caller: Caller, with_links: bool = True) -> Deferred[bytes]:
        """Answer a request with the stream. The Deferred never fires, as a stream has no end.

        Without `with_links`, a snapshot is only a reset: the client reads the links that it shows itself.
        Raises ApiError 503 if there are too many subscribers.
        """
        self._require_free_slot(caller)
        begin_response(request, 200, CONTENT_TYPE)
        request.setHeader(b"x-accel-buffering", b"no")  # nginx would delay events
        snapshot = self._snapshot_events if with_links else self._reset_event
        last_seq, initial_events = self._resume_or_restart(_parse_last_event_id(request), snapshot)
        subscriber = Subscriber(
            request,
            caller,
            self.replay_buffer,
            last_seq,
            chain((RETRY_FIELD,), initial_events),
            snapshot,
            self._enqueue_write,
        )
        self._subscribers.add(subscriber)
        request.notifyFinish().addBoth(lambda _: self._unsubscribe(subscriber))
        subscriber.start()
        return Deferred(canceller=lambda _: None)

    def _require_free_slot(self, caller: Caller) -> None:
        """Raise ApiError 503 if there are too many subscribers."""
        if len(self._subscribers) >= MAX_SUBSCRIBERS:
            message = f"too many clients receive the stream ({MAX_SUBSCRIBERS})"
            raise ApiError(503, "too_many_watchers", message)
        own_count = sum(subscriber.caller.token == caller.token for subscriber in self._subscribers)
        if caller.token is not None and own_count >= MAX_SUBSCRIBERS_PER_TOKEN:
            message = f"too many clients receive the stream with this token ({MAX_SUBSCRIBERS_PER_TOKEN})"
            raise ApiError(503, "too_many_watchers", message)

    def _resume_or_restart(
        self, last_event_id: int | None, snapshot: SnapshotFactory
    ) -> tuple[int, Iterator[bytes]]:
        """Return the number after which a subscriber continues, and the events that come first."""
        if (
            last_event_id is not None
            and self._was_published(last_event_id)
            and self.replay_buffer.covers(last_event_id)
        ):
            return last_event_id, iter(())
        snapshot_seq, resume_seq = self.replay_buffer.last_evicted_seq - 1, self.replay_buffer.last_seq
        return resume_seq, snapshot(snapshot_seq, resume_seq, last_event_id is not None)

    def drop_unauthorized(self) -> None:
        """Disconnect the subscribers whose access was revoked."""
        for subscriber in tuple(self._subscribers):
            if not self._is_still_authorized(subscriber.caller):
                subscriber.drop()

    def _was_published(self, seq: int) -> bool:
        """Return whether this run or an earlier one on the same store has published this number."""
        return seq <= max(self.replay_buffer.last_seq, self._first_seq - 1)

    def _snapshot_events(self, snapshot_seq: int, resume_seq: int, reset: bool = True) -> Iterator[bytes]:
        links = list(self._links)
        if reset:
            yield self._serialize_reset(snapshot_seq if links else resume_seq)
        for position, link in enumerate(links, 1):
            seq = resume_seq if position == len(links) else snapshot_seq
            payload = serialize_link_payload(self._link_json.serialize(link), None)
            yield serialize_sse_link(seq, self._wall_clock(), payload, self._event_id(seq))

    def _reset_event(self, snapshot_seq: int, resume_seq: int, reset: bool = True) -> Iterator[bytes]:
        """Yield the snapshot for a client that reads the links itself: a reset from which it can resume."""
        yield self._serialize_reset(resume_seq)

    def _serialize_reset(self, seq: int) -> bytes:
        return serialize_sse_event(seq, "reset", self._wall_clock(), {}, self._event_id(seq))

    def _event_id(self, seq: int) -> int:
        return seq if self._journal.is_reserved(seq) else NO_RESUME_ID

    # Publishing

    def publish_link(self, link: Link, transition: Transition | None) -> None:
        """Store and send the current state of a link; `transition` is its change of state, if it had one."""
        link_json = self._link_json.serialize(link)
        self._store_snapshot(make_link_snapshot(link.name, link_json, transition, self._wall_clock()))

    def publish_removal(self, names: Sequence[str]) -> None:
        """Store and send the removal of these links."""
        self._store_snapshot(make_removal(names, self._wall_clock()))

    def _store_snapshot(self, snapshot: LinkSnapshot) -> None:
        self._journal.submit_nowait(append_link_snapshots, snapshot)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        self.replay_buffer.add(entries, self._wall_clock(), self._journal.is_reserved)
        self._enqueue_write(*self._subscribers)

    def _on_purge(self, purge: Purge) -> None:
        self.replay_buffer.evict_guest_events(purge.guest_before)

    # Writing

    def _enqueue_write(self, *subscribers: Subscriber) -> None:
        """Write to these subscribers, each in its turn."""
        self._write_queue.update(dict.fromkeys(subscribers))
        if self._next_turn is None:
            self._write_turn()

    def _write_turn(self) -> None:
        """Write as many events as one turn of the reactor may."""
        # Scheduled first: a subscriber that has room again at once enqueues itself in this turn.
        self._next_turn = self._clock.callLater(0, self._write_turn)
        written = 0
        while self._write_queue and written < EVENTS_PER_TURN:
            subscriber = next(iter(self._write_queue))
            del self._write_queue[subscriber]
            if subscriber.has_pending:
                written += subscriber.write()
                if subscriber.has_pending:
                    self._write_queue[subscriber] = None
        if not written:
            self._next_turn.cancel()
            self._next_turn = None

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        self._write_queue.pop(subscriber, None)

    def _send_heartbeats(self) -> None:
        self.drop_unauthorized()
        for subscriber in tuple(self._subscribers):
            subscriber.send_heartbeat()


def _parse_last_event_id(request: Request) -> int | None:
    """Return the number of the last event that a client received; 0 for a malformed one: older than all."""
    value: bytes | None = request.getHeader(b"last-event-id")
    if not value:
        return None
    return int(value) if value.isdigit() and len(value) <= 16 else 0
