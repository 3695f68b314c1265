"""The webhooks of all links that have one. Each holds nobody else up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.application.service import Service

from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.pbx.webhook.delivery_queue import Means, Webhook
from pmslink.pbx.webhook.http_delivery import Receiver
from pmslink.store.operations.retention import Purge
from pmslink.store.tables.log_entries import Changed, Entry, Happened
from pmslink.store.tables.webhook_cursors import Cursor, keep_cursors


class Webhooks(Service):
    """Begins and ends them as the settings of links say."""

    def __init__(self, links: Links, means: Means) -> None:
        self._links = links
        self._means = means
        self._cursors = dict(means.store.opened.cursors)
        self._hooks: dict[str, Webhook] = {}
        links.settled.append(self._settled)
        means.store.journal.told.append(self._told)
        means.store.purged.append(self._purged)

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        for link in self._links:
            self._settled(link.name)

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call]
        for hook in self._hooks.values():
            hook.stop()
        self._hooks.clear()
        self._means.courier.close()

    def _settled(self, name: str) -> None:
        """A link was made, removed, or has other settings."""
        if not self.running:
            return
        link = self._links.get(name)
        receiver = None if link is None else receiver_of(link)
        hook = self._hooks.get(name)
        if hook is not None:
            if hook.receiver == receiver:
                return
            self._cursors[name] = hook.cursor
            del self._hooks[name]
            hook.stop()
        if link is None:
            return  # what is kept of it goes with it; or it comes back, for it could not be removed
        if receiver is not None:
            self._begin(link, receiver)
        elif self._cursors.pop(name, None) is not None:
            self._means.store.journal.append(keep_cursors, Cursor(name, None))

    def _begin(self, link: Link, receiver: Receiver) -> None:
        """A receiver that is new hears of what happens from now on."""
        journal = self._means.store.journal
        cursor = self._cursors.setdefault(link.name, journal.told_up_to)
        journal.append(keep_cursors, Cursor(link.name, cursor))
        hook = self._hooks[link.name] = Webhook(link, receiver, cursor, self._means)
        hook.deliver()

    def _told(self, entries: Sequence[Entry]) -> None:
        if not self._hooks:
            return
        counts = Counter(entry.link for entry in entries if isinstance(entry, Happened | Changed))
        for name, count in counts.items():
            if name in self._hooks:
                self._hooks[name].happened(count)

    def _purged(self, purge: Purge) -> None:
        for hook in self._hooks.values():
            hook.purged()


def receiver_of(link: Link) -> Receiver | None:
    """Where a link's events go to, if they do."""
    settings = link.settings()
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    return Receiver(settings.webhook_url, settings.webhook_secret)
