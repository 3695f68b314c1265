"""The service that runs one delivery queue for each link with a webhook; no queue waits for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.turn_queue import TurnQueue
from pmslink.link.webhook_status import WebhookStatus
from pmslink.pbx.webhook.delivery_queue import DeliveryQueue, WebhookContext
from pmslink.pbx.webhook.http_delivery import Receiver
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.retention import Purge
from pmslink.store.tables.log_entries import HotelEventLogged, TransitionLogged
from pmslink.store.tables.webhook_cursors import Cursor, store_cursors
from pmslink.typed_service import TypedService

QUEUES_PER_TURN = 20
"""Delivery queues that are started in one turn of the reactor."""


class WebhookService(TypedService):
    """Starts and stops delivery queues as links and their webhook settings change."""

    def __init__(self, links: LinkRegistry, context: WebhookContext) -> None:
        self._links = links
        self._context = context
        self._cursors = dict(context.store.startup_snapshot.cursors)
        self._stored = {*self._cursors}
        """The links whose cursors the store has."""
        self._queues: dict[str, DeliveryQueue] = {}
        self._ended: dict[str, WebhookStatus] = {}
        """The last status of the queues that ended, for the counts of the next queue of their link."""
        self._turns = TurnQueue(context.clock, QUEUES_PER_TURN)
        links.on_reconfigured.append(self._on_reconfigured)
        context.store.journal.on_commit.append(self._on_commit)
        context.store.on_purge.append(self._on_purge)

    def startService(self) -> None:
        """Start the queues of the links that exist, some in each turn of the reactor."""
        super().startService()
        for link in self._links:
            if receiver_of(link) is not None:
                self._begin_at_cursor(link.name)
            self._turns.add(partial(self._on_reconfigured, link.name))

    def stopService(self) -> None:
        """Stop all queues and close the idle connections."""
        super().stopService()
        self._turns.clear()
        for queue in self._queues.values():
            queue.stop()
        self._queues.clear()
        self._context.transport.close()

    def _on_reconfigured(self, name: str) -> None:
        """Start, replace or stop the queue of a link that was added, removed or reconfigured."""
        if not self.running:
            return
        link = self._links.get(name)
        receiver = None if link is None else receiver_of(link)
        queue = self._queues.get(name)
        if queue is not None:
            if queue.receiver == receiver:
                return
            self._cursors[name] = queue.cursor
            self._ended[name] = queue.status
            del self._queues[name]
            queue.stop()
        if link is None:
            self._ended.pop(name, None)
            # the store deletes the cursor with the link; if that fails, the link is added again
            self._stored.discard(name)
            return
        if receiver is not None:
            self._start_queue(link, receiver)
        elif self._cursors.pop(name, None) is not None:
            self._stored.discard(name)
            self._context.store.journal.submit_nowait(store_cursors, Cursor(name, None))

    def _start_queue(self, link: Link, receiver: Receiver) -> None:
        """Start the queue of a link at its cursor."""
        cursor = self._begin_at_cursor(link.name)
        ended = self._ended.pop(link.name, None)
        queue = self._queues[link.name] = DeliveryQueue(link, receiver, cursor, self._context, ended)
        queue.deliver()

    def _begin_at_cursor(self, name: str) -> int:
        """Return the cursor of a link, and store it if it is not. A new receiver gets only later events."""
        journal = self._context.store.journal
        cursor = self._cursors.setdefault(name, journal.last_published_seq)
        if name not in self._stored:
            self._stored.add(name)
            journal.submit_nowait(store_cursors, Cursor(name, cursor))
        return cursor

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        if not self._queues:
            return
        counts = Counter(
            entry.link for entry in entries if isinstance(entry, HotelEventLogged | TransitionLogged)
        )
        for name, count in counts.items():
            if name in self._queues:
                self._queues[name].enqueue_count(count)

    def _on_purge(self, purge: Purge) -> None:
        for queue in self._queues.values():
            queue.on_purge()


def receiver_of(link: Link) -> Receiver | None:
    """Return the receiver of a link's events, or None if the link has no webhook."""
    settings = link.settings()
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    return Receiver(settings.webhook_url, settings.webhook_secret, settings.webhook_batch)
