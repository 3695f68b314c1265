"""The service that runs one delivery queue for each link with a webhook; no queue waits for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.pbx.webhook.delivery_queue import DeliveryQueue, WebhookContext
from pmslink.pbx.webhook.http_delivery import Receiver
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.retention import Purge
from pmslink.store.tables.log_entries import HotelEventLogged, TransitionLogged
from pmslink.store.tables.webhook_cursors import Cursor, store_cursors
from pmslink.typed_service import TypedService


class WebhookService(TypedService):
    """Starts and stops delivery queues as links and their webhook settings change."""

    def __init__(self, links: LinkRegistry, context: WebhookContext) -> None:
        self._links = links
        self._context = context
        self._cursors = dict(context.store.startup_snapshot.cursors)
        self._queues: dict[str, DeliveryQueue] = {}
        links.on_reconfigured.append(self._on_reconfigured)
        context.store.journal.on_commit.append(self._on_commit)
        context.store.on_purge.append(self._on_purge)

    def startService(self) -> None:
        """Start the queues of the links that exist."""
        super().startService()
        for link in self._links:
            self._on_reconfigured(link.name)

    def stopService(self) -> None:
        """Stop all queues and close the idle connections."""
        super().stopService()
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
            del self._queues[name]
            queue.stop()
        if link is None:
            return  # the store deletes the cursor with the link; if that fails, the link is added again
        if receiver is not None:
            self._start_queue(link, receiver)
        elif self._cursors.pop(name, None) is not None:
            self._context.store.journal.submit_nowait(store_cursors, Cursor(name, None))

    def _start_queue(self, link: Link, receiver: Receiver) -> None:
        """Start a queue. Its cursor is the stored one; a new receiver gets only events after this call."""
        journal = self._context.store.journal
        cursor = self._cursors.setdefault(link.name, journal.last_published_seq)
        journal.submit_nowait(store_cursors, Cursor(link.name, cursor))
        queue = self._queues[link.name] = DeliveryQueue(link, receiver, cursor, self._context)
        queue.deliver()

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
