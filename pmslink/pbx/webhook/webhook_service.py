"""The webhooks of all links that have one. Each holds nobody else up."""

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
    """Begins and ends them as the settings of links say."""

    def __init__(self, links: LinkRegistry, context: WebhookContext) -> None:
        self._links = links
        self._context = context
        self._cursors = dict(context.store.startup_snapshot.cursors)
        self._queues: dict[str, DeliveryQueue] = {}
        links.on_reconfigured.append(self._on_reconfigured)
        context.store.journal.on_commit.append(self._on_commit)
        context.store.on_purge.append(self._on_purge)

    def startService(self) -> None:
        super().startService()
        for link in self._links:
            self._on_reconfigured(link.name)

    def stopService(self) -> None:
        super().stopService()
        for hook in self._queues.values():
            hook.stop()
        self._queues.clear()
        self._context.transport.close()

    def _on_reconfigured(self, name: str) -> None:
        """A link was made, removed, or has other settings."""
        if not self.running:
            return
        link = self._links.get(name)
        receiver = None if link is None else receiver_of(link)
        hook = self._queues.get(name)
        if hook is not None:
            if hook.receiver == receiver:
                return
            self._cursors[name] = hook.cursor
            del self._queues[name]
            hook.stop()
        if link is None:
            return  # what is kept of it goes with it; or it comes back, for it could not be removed
        if receiver is not None:
            self._start_queue(link, receiver)
        elif self._cursors.pop(name, None) is not None:
            self._context.store.journal.submit_nowait(store_cursors, Cursor(name, None))

    def _start_queue(self, link: Link, receiver: Receiver) -> None:
        """A receiver that is new hears of what happens from now on."""
        journal = self._context.store.journal
        cursor = self._cursors.setdefault(link.name, journal.last_published_seq)
        journal.submit_nowait(store_cursors, Cursor(link.name, cursor))
        hook = self._queues[link.name] = DeliveryQueue(link, receiver, cursor, self._context)
        hook.deliver()

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
        for hook in self._queues.values():
            hook.on_purge()


def receiver_of(link: Link) -> Receiver | None:
    """Where a link's events go to, if they do."""
    settings = link.settings()
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    return Receiver(settings.webhook_url, settings.webhook_secret)
