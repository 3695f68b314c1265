"""A failing store: the links stop reading, and after a grace period they drop their connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime

from pmslink.link.countdown import Countdown
from pmslink.link.link import Link
from pmslink.store.core.journal_interface import JournalPort

STORE_GRACE_S = 5.0
"""Seconds that the store may fail before links drop their connections, so that PMSs queue records."""


class StoreOutage:
    """Pass failures and recoveries of the store on to all links."""

    def __init__(
        self, clock: IReactorTime, journal: JournalPort, links: Callable[[], Iterable[Link]]
    ) -> None:
        self._journal = journal
        self._links = links
        self._grace = Countdown(clock, self._on_grace_over)

    def on_health_change(self, links_running: bool) -> None:
        """Handle a store that fails, or has recovered. Links that do not run need not react to a failure."""
        self._grace.stop()
        if not self._journal.is_failing:
            for link in self._links():
                link.on_store_recovered()
        elif links_running:
            self._grace.start(STORE_GRACE_S)
            for link in self._links():
                link.dialer.pause_reading()  # the PMS queues its records

    def stop(self) -> None:
        """Stop the grace period."""
        self._grace.stop()

    def _on_grace_over(self) -> None:
        for link in self._links():
            link.on_store_failed()
