"""The delivery queue of a webhook: deliver every event of one link to its receiver in order, at least once.

The queue is the link's events in the store after a cursor, which is stored too. A failed delivery is
retried with exponential back-off; no later event overtakes it. An event that the receiver never accepts
blocks the queue until a user skips it.

After a failure, requests begin again with one event and double with each success. So an event that makes
its batch fail is soon alone in a request, and known.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.errors import NotApplicableError
from pmslink.link.countdown import Countdown
from pmslink.link.link import Link
from pmslink.link.webhook_status import StuckEvent, WebhookStatus
from pmslink.pbx.webhook.delivery_error import DeliveryError
from pmslink.pbx.webhook.delivery_slots import DeliverySlots
from pmslink.pbx.webhook.http_delivery import Receiver, WebhookTransport
from pmslink.pbx.webhook.request_body import build_body, fill_batch
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.audit_log import AuditEntry, store_even_if_rejected
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.log_entries import HotelEventLogged, TransitionLogged
from pmslink.store.tables.webhook_cursors import Cursor, count_events_after, store_cursors

READ_BATCH_EVENTS = 100
"""Maximum number of events that one query reads from the store."""
MIN_RETRY_DELAY_S, MAX_RETRY_DELAY_S = 1.0, 60.0
"""Seconds before a failed delivery is retried; the delay doubles with each failure, up to the maximum."""
RETRY_JITTER_RATIO = 0.1
"""Ratio by which a delay is randomly longer or shorter, so that webhooks do not retry at the same time."""

Event = HotelEventLogged | TransitionLogged


@frozen
class WebhookContext:
    """The collaborators that the delivery queues of all links share."""

    store: Store
    clock: IReactorTime
    wall_clock: Callable[[], datetime]
    transport: WebhookTransport
    serialize: Callable[[Entry], bytes]
    """Returns the JSON form of an event."""
    publish_change: Callable[[Link], None]
    """Notifies the subscribers of a link that its webhook status changed."""
    slots: DeliverySlots = field(init=False)

    @slots.default
    def _make_slots(self) -> DeliverySlots:
        return DeliverySlots(self.clock)


class DeliveryQueue:
    """Delivers the events of one link to one receiver, one request at a time."""

    log = Logger()

    def __init__(
        self,
        link: Link,
        receiver: Receiver,
        cursor: int,
        context: WebhookContext,
        previous: WebhookStatus | None = None,
    ) -> None:
        """Make a queue; it goes on counting lost and skipped events where the link's `previous` one ended."""
        self.receiver = receiver
        self.cursor = cursor
        """The number of the last event that was delivered."""
        self._link = link
        self._context = context
        self._backlog_counted = False  # whether the backlog in the status agrees with the store
        self._delivery: Deferred[None] | None = None
        self._deliver_again = False
        self._retry_timer = Countdown(context.clock, self.deliver)
        self._next_delay_s = MIN_RETRY_DELAY_S
        self._max_events = receiver.max_events
        self._requested: Sequence[Event] = ()  # the events in the last request
        self._stopped = False
        # Not "idle" until the store has confirmed that the queue is empty.
        self._status = WebhookStatus(receiver.url, "delivering")
        if previous is not None:
            self._update_status(lost=previous.lost, skipped=previous.skipped)
        link.webhook_status = self._status
        link.webhook_queue = self

    @property
    def status(self) -> WebhookStatus:
        """The status of the queue, after its end as it was then."""
        return self._status

    def stop(self) -> None:
        """Stop delivering. The result of a delivery in progress is unknown, so the next queue repeats it."""
        self._stopped = True
        self._retry_timer.stop()
        self._cancel_delivery()
        self._link.webhook_status = self._link.webhook_queue = None

    def skip(self, seq: int, audit: AuditEntry) -> Deferred[None]:
        """Skip the stuck event, which has the number `seq`; the entry says who does it.

        Fires when the new position is stored; fails with StoreUnavailableError. Raises NotApplicableError.
        """
        stuck = self._require_stuck(seq)
        self._cancel_delivery()
        self._retry_timer.stop()
        self._next_delay_s = MIN_RETRY_DELAY_S
        self.cursor = seq
        backlog, skipped = self._status.backlog - 1, self._status.skipped + 1
        self._update_status(backlog=backlog, skipped=skipped, stuck=None, next_at=None)
        self.log.warn(
            "{link}: {caller} skipped the event {seq} ({type}) of the webhook, which was not accepted: {why}",
            link=self._link.name,
            caller=audit.who,
            seq=seq,
            type=stuck.type,
            why=self._status.last_error,
        )
        journal = self._context.store.journal
        stored = journal.submit(store_cursors, Cursor(self._link.name, seq, audit))
        self._context.publish_change(self._link)
        self.deliver()
        return store_even_if_rejected(stored, journal, audit)

    def _require_stuck(self, seq: int) -> StuckEvent:
        stuck = self._status.stuck
        if stuck is None:
            raise NotApplicableError("not_stuck", f"no event blocks the webhook of {self._link.name}")
        if stuck.seq != seq:
            message = f"the event that blocks the webhook of {self._link.name} is {stuck.seq}, not {seq}"
            raise NotApplicableError("not_stuck", message)
        return stuck

    def enqueue_count(self, count: int) -> None:
        """Add `count` events that were just stored to the backlog, and deliver them."""
        self._update_status(backlog=self._status.backlog + count)
        self.deliver()

    def on_purge(self) -> None:
        """Count the backlog again: the retention may have deleted undelivered events."""
        if self._status.backlog:
            self._backlog_counted = False
            self._retry_timer.stop()
            self.deliver()

    def deliver(self) -> None:
        """Deliver the queued events, unless a delivery is in progress or a retry is scheduled."""
        if self._stopped or self._retry_timer.running:
            return
        if self._delivery is not None:
            self._deliver_again = True
            return
        self._deliver_again = False
        delivery = self._delivery = Deferred.fromCoroutine(self._deliver_all())
        delivery.addBoth(self._on_delivery_ended, delivery)

    def _cancel_delivery(self) -> None:
        """Cancel a delivery in progress, and ignore its outcome."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.cancel()

    async def _deliver_all(self) -> None:
        while True:
            if not self._backlog_counted and not await self._count_backlog():
                return
            events = await self._read_events()
            if not events:
                return
            while events:
                count = await self._deliver_first(events[: self._max_events])
                events = events[count:]

    async def _count_backlog(self) -> int:
        """Set the backlog to what the store has, and return it. Events that it deleted meanwhile are lost."""
        store, before = self._context.store, self._status.backlog
        stored = await store.read_live(
            count_events_after, self._link.name, self.cursor, store.journal.last_published_seq
        )
        self._backlog_counted = True
        lost = max(0, before - stored)
        self._update_status(backlog=self._status.backlog + stored - before, lost=self._status.lost + lost)
        if lost:
            self.log.error(
                "{link}: {lost} events expired before the webhook accepted them, and will not be delivered",
                link=self._link.name,
                lost=lost,
            )
            self._context.publish_change(self._link)
        return stored

    async def _read_events(self) -> list[Event]:
        store = self._context.store
        entries = await store.read_live(events_after, self._link.name, self.cursor, READ_BATCH_EVENTS)
        # An entry can be read shortly before it is published; enqueue_count has not counted it yet.
        published = store.journal.last_published_seq
        return [entry for entry in entries if isinstance(entry, Event) and entry.seq <= published]

    async def _deliver_first(self, events: Sequence[Event]) -> int:
        """Deliver as many of these events as one request holds, from the first on. Return how many."""
        if self._status.last_error is None:
            self._update_status(state="delivering")
        self._update_status(oldest=events[0].at, next_at=None)
        serialized = [self._context.serialize(event) for event in events]
        count = fill_batch(serialized)
        body = build_body(serialized[:count], self.receiver.max_events > 1)
        self._requested = events[:count]
        is_retry = self._status.last_error is not None
        await self._context.slots.run(is_retry, self._context.transport.post, self.receiver, body)
        self._on_accepted(events[count - 1].seq, count)
        return count

    def _on_accepted(self, seq: int, count: int) -> None:
        """Move the cursor past `count` delivered events, of which the last one has the number `seq`."""
        self.cursor = seq
        self._context.store.journal.submit_nowait(store_cursors, Cursor(self._link.name, seq), urgent=False)
        self._next_delay_s = MIN_RETRY_DELAY_S
        self._max_events = min(2 * self._max_events, self.receiver.max_events)
        self._on_success(
            "it accepts events again",
            state="delivering",
            backlog=self._status.backlog - count,
            last_delivered=self._context.wall_clock(),
        )

    def _on_delivery_ended(self, outcome: Failure | None, delivery: Deferred[None]) -> None:
        if self._delivery is not delivery:
            return  # it was cancelled
        self._delivery = None
        if not isinstance(outcome, Failure):
            self._on_queue_empty()
        elif outcome.check(DeliveryError):
            self._max_events = 1
            self._on_failure(outcome.getErrorMessage(), self._find_stuck_event(outcome.value))
        elif outcome.check(StoreUnavailableError):
            self._on_failure(f"events cannot be read: {outcome.getErrorMessage()}")
        else:
            self.log.failure(
                "{link}: an error in pmslink stopped the webhook; its delivery is retried",
                outcome,
                link=self._link.name,
            )
            self._on_failure(f"internal error in pmslink, see its log ({type(outcome.value).__name__})")

    def _on_queue_empty(self) -> None:
        if self._deliver_again:
            self.deliver()
        else:
            self._on_success("its queue is empty", state="idle", backlog=0, oldest=None)

    def _on_success(self, message: str, **changes: Any) -> None:
        recovered = self._status.last_error is not None
        self._update_status(last_error=None, next_at=None, stuck=None, **changes)
        if recovered:
            self.log.info("{link}: webhook recovered: {how}", link=self._link.name, how=message)
            self._context.publish_change(self._link)

    def _find_stuck_event(self, error: Any) -> StuckEvent | None:
        """Return the event that seems to cause an error: the only one in a request that was sent."""
        if not error.was_sent or len(self._requested) > 1:
            return None
        (event,) = self._requested
        if isinstance(event, TransitionLogged):
            return StuckEvent(event.seq, "link.changed", None)
        return StuckEvent(event.seq, event.type, event.room)

    def _on_failure(self, reason: str, stuck: StuckEvent | None = None) -> None:
        delay_s = self._next_delay_s * random.uniform(1 - RETRY_JITTER_RATIO, 1 + RETRY_JITTER_RATIO)  # noqa: S311 (no secret)
        self._next_delay_s = min(2 * self._next_delay_s, MAX_RETRY_DELAY_S)
        is_first = self._status.last_error is None
        next_at = self._context.wall_clock() + timedelta(seconds=delay_s)
        is_news = is_first or stuck != self._status.stuck
        self._update_status(state="retrying", last_error=reason, next_at=next_at, stuck=stuck)
        self._retry_timer.start(delay_s)
        if is_first:
            self.log.warn(
                "{link}: webhook delivery failed and is retried: {why}", link=self._link.name, why=reason
            )
        if is_news:
            self._context.publish_change(self._link)

    def _update_status(self, **changes: Any) -> None:
        self._status = evolve(self._status, **changes)
        if not self._stopped:
            self._link.webhook_status = self._status
