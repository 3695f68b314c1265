"""A failing store: the links stop reading, and after a grace period they drop their connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from twisted.internet.interfaces import IReactorTime

from pmslink.link.countdown import Countdown
from pmslink.link.link import Link
from pmslink.link.turn_queue import Pace
from pmslink.store.core.journal_interface import JournalPort

STORE_GRACE_S = 5.0
"""Seconds that the store may fail before links drop their connections, so that PMSs queue records."""


class StoreOutage:
    """Pass failures and recoveries of the store on to all links, some of them in each turn of the reactor."""

    def __init__(
        self,
        clock: IReactorTime,
        journal: JournalPort,
        links: Callable[[], Iterable[Link]],
        pace: Pace,
    ) -> None:
        self._journal = journal
        self._links = links
        self._pace = pace
        self._change_count = 0  # of the store's health: what a link was to do for an earlier one is dropped
        self._grace = Countdown(clock, self._on_grace_over)

    def on_health_change(self, links_running: bool) -> None:
        """Handle a store that fails, or has recovered. Links that do not run need not react to a failure."""
        self.stop()
        if not self._journal.is_failing:
            self._for_each_link(Link.on_store_recovered)
        elif links_running:
            self._grace.start(STORE_GRACE_S)
            self._for_each_link(lambda link: link.dialer.pause_reading("store"))  # the PMS queues its records

    def stop(self) -> None:
        """Stop the grace period, and do not call the links that have not been called yet."""
        self._grace.stop()
        self._change_count += 1

    def _on_grace_over(self) -> None:
        self._for_each_link(Link.on_store_failed)

    def _for_each_link(self, action: Callable[[Link], None]) -> None:
        for link in [*self._links()]:
            self._pace(partial(self._act, link, action, self._change_count))

    def _act(self, link: Link, action: Callable[[Link], None], change_count: int) -> None:
        if change_count == self._change_count:
            action(link)
