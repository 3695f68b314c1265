"""The delivery queue of a webhook: deliver every event of one link to its receiver in order, at least once.

The queue is the link's events in the store after a cursor, which is stored too. A failed delivery is
retried with exponential back-off; no later event overtakes it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.link.countdown import Countdown
from pmslink.link.link import Link
from pmslink.link.webhook_status import WebhookStatus
from pmslink.pbx.webhook.delivery_error import DeliveryError
from pmslink.pbx.webhook.http_delivery import Receiver, WebhookTransport
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.log_entries import HotelEventLogged, TransitionLogged
from pmslink.store.tables.webhook_cursors import Cursor, count_events_after, store_cursors

READ_BATCH_EVENTS = 100
"""Maximum number of events that one query reads from the store."""
MIN_RETRY_DELAY_S, MAX_RETRY_DELAY_S = 1.0, 60.0
"""Seconds before a failed delivery is retried; the delay doubles with each failure, up to the maximum."""
RETRY_JITTER_RATIO = 0.1
"""Ratio by which a delay is randomly longer or shorter, so that webhooks do not retry at the same time."""


@frozen
class WebhookContext:
    """The collaborators that the delivery queues of all links share."""

    store: Store
    clock: IReactorTime
    wall_clock: Callable[[], datetime]
    transport: WebhookTransport
    serialize: Callable[[Entry], bytes]
    """Returns the request body of an event."""
    publish_change: Callable[[Link], None]
    """Notifies the subscribers of a link that its webhook status changed."""


class DeliveryQueue:
    """Delivers the events of one link to one receiver, one at a time."""

    log = Logger()

    def __init__(self, link: Link, receiver: Receiver, cursor: int, context: WebhookContext) -> None:
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
        self._stopped = False
        # Not "idle" until the store has confirmed that the queue is empty.
        self._status = link.webhook_status = WebhookStatus(receiver.url, "delivering")

    def stop(self) -> None:
        """Stop delivering. The result of a delivery in progress is unknown, so the next queue repeats it."""
        self._stopped = True
        self._retry_timer.stop()
        if self._delivery is not None:
            self._delivery.cancel()
        self._link.webhook_status = None

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
        self._delivery = Deferred.fromCoroutine(self._deliver_all())
        self._delivery.addBoth(self._on_delivery_ended)

    async def _deliver_all(self) -> None:
        while True:
            if not self._backlog_counted:
                await self._count_backlog()
            events = await self._read_batch()
            if not events:
                return
            for entry in events:
                await self._deliver_one(entry)

    async def _count_backlog(self) -> None:
        """Set the backlog to what the store has; queued events that the retention deleted are lost."""
        store, before = self._context.store, self._status.backlog
        stored = await store.read(
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

    async def _read_batch(self) -> list[HotelEventLogged | TransitionLogged]:
        store = self._context.store
        entries = await store.read(events_after, self._link.name, self.cursor, READ_BATCH_EVENTS)
        # An entry can be read shortly before it is published; enqueue_count has not counted it yet.
        published = store.journal.last_published_seq
        return [
            entry
            for entry in entries
            if isinstance(entry, HotelEventLogged | TransitionLogged) and entry.seq <= published
        ]

    async def _deliver_one(self, entry: HotelEventLogged | TransitionLogged) -> None:
        if self._status.last_error is None:
            self._update_status(state="delivering")
        self._update_status(oldest=entry.at, next_at=None)
        await self._context.transport.post(self.receiver, self._context.serialize(entry))
        self.cursor = entry.seq
        self._context.store.journal.submit_nowait(
            store_cursors, Cursor(self._link.name, entry.seq), urgent=False
        )
        self._next_delay_s = MIN_RETRY_DELAY_S
        backlog = self._status.backlog - 1
        self._on_success(
            "it accepts events again",
            state="delivering",
            backlog=backlog,
            last_delivered=self._context.wall_clock(),
        )

    def _on_delivery_ended(self, outcome: Failure | None) -> None:
        self._delivery = None
        if not isinstance(outcome, Failure):
            self._on_queue_empty()
        elif outcome.check(DeliveryError):
            self._on_failure(outcome.getErrorMessage())
        elif outcome.check(StoreUnavailableError):
            self._on_failure(f"events cannot be read: {outcome.getErrorMessage()}")
        elif not (self._stopped and outcome.check(CancelledError)):
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
        self._update_status(last_error=None, next_at=None, **changes)
        if recovered:
            self.log.info("{link}: webhook recovered: {how}", link=self._link.name, how=message)
            self._context.publish_change(self._link)

    def _on_failure(self, reason: str) -> None:
        if self._stopped:
            return
        delay_s = self._next_delay_s * random.uniform(1 - RETRY_JITTER_RATIO, 1 + RETRY_JITTER_RATIO)  # noqa: S311 (no secret)
        self._next_delay_s = min(2 * self._next_delay_s, MAX_RETRY_DELAY_S)
        is_first = self._status.last_error is None
        next_at = self._context.wall_clock() + timedelta(seconds=delay_s)
        self._update_status(state="retrying", last_error=reason, next_at=next_at)
        self._retry_timer.start(delay_s)
        if is_first:
            self.log.warn(
                "{link}: webhook delivery failed and is retried: {why}", link=self._link.name, why=reason
            )
            self._context.publish_change(self._link)

    def _update_status(self, **changes: Any) -> None:
        self._status = evolve(self._status, **changes)
        if not self._stopped:
            self._link.webhook_status = self._status
