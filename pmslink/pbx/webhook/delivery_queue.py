"""A webhook: every event of one link, brought to its receiver in order, at least once.

How far it has come is kept in the store, and so is what the receiver did not take: that is tried again
after a pause that grows.
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
from pmslink.link.webhook_status import Reception
from pmslink.pbx.webhook.http_delivery import Courier, NotDelivered, Receiver
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.store_service import Store
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.log_entries import Changed, Entry, Happened
from pmslink.store.tables.webhook_cursors import Cursor, count_after, keep_cursors

AT_ONCE = 100
"""Events that are read from the store at once."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a failed delivery is tried again; the pause doubles up to the longest."""
SPREAD = 0.1
"""A pause is longer or shorter by up to this share, so that webhooks do not beat together."""


@frozen
class Means:
    """What the webhooks of all links share. `write` gives an event as it is posted; `announce` tells those
    who watch a link that something about it is different."""

    store: Store
    clock: IReactorTime
    wall: Callable[[], datetime]
    courier: Courier
    write: Callable[[Entry], bytes]
    announce: Callable[[Link], None]


class Webhook:
    """Tells the events of one link to one receiver."""

    log = Logger()

    def __init__(self, link: Link, receiver: Receiver, cursor: int, means: Means) -> None:
        self.receiver = receiver
        self.cursor = cursor
        """The last event that was told."""
        self._link = link
        self._means = means
        self._counted = False  # the backlog is what the store has
        self._running: Deferred[None] | None = None
        self._more = False
        self._pause = Countdown(means.clock, self.deliver)
        self._next_pause = FIRST_PAUSE
        self._stopped = False
        # Not idle before it is known that nothing waits.
        self._shown = link.webhook = Reception(receiver.url, "delivering")

    def stop(self) -> None:
        """Tell no more. What is on its way is told again by who comes next, for nobody knows."""
        self._stopped = True
        self._pause.stop()
        if self._running is not None:
            self._running.cancel()
        self._link.webhook = None

    def happened(self, count: int) -> None:
        """So many events more are to be told."""
        self._show(backlog=self._shown.backlog + count)
        self.deliver()

    def purged(self) -> None:
        """Something has been kept long enough, and perhaps was to be told."""
        if self._shown.backlog:
            self._counted = False
            self._pause.stop()
            self.deliver()

    def deliver(self) -> None:
        """Go on with what waits, unless that is being done, or a pause is made."""
        if self._stopped or self._pause.running:
            return
        if self._running is not None:
            self._more = True
            return
        self._more = False
        self._running = Deferred.fromCoroutine(self._deliver())
        self._running.addBoth(self._rest)

    async def _deliver(self) -> None:
        while True:
            if not self._counted:
                await self._count()
            events = await self._read()
            if not events:
                return
            for entry in events:
                await self._bring(entry)

    async def _count(self) -> None:
        """What waited and is not in the store any more is lost."""
        store, before = self._means.store, self._shown.backlog
        there = await store.read(count_after, self._link.name, self.cursor, store.journal.told_up_to)
        self._counted = True
        lost = max(0, before - there)
        self._show(backlog=self._shown.backlog + there - before, lost=self._shown.lost + lost)
        if lost:
            self.log.error(
                "{link}: {lost} events have been kept long enough and are gone, before the webhook took them",
                link=self._link.name,
                lost=lost,
            )
            self._means.announce(self._link)

    async def _read(self) -> list[Happened | Changed]:
        store = self._means.store
        found = await store.read(events_after, self._link.name, self.cursor, AT_ONCE)
        told = store.journal.told_up_to
        return [one for one in found if isinstance(one, Happened | Changed) and one.seq <= told]

    async def _bring(self, entry: Happened | Changed) -> None:
        if self._shown.last_error is None:
            self._show(state="delivering")
        self._show(oldest=entry.at, next_at=None)
        await self._means.courier.post(self.receiver, self._means.write(entry))
        self.cursor = entry.seq
        self._means.store.journal.append(keep_cursors, Cursor(self._link.name, entry.seq), soon=False)
        self._next_pause = FIRST_PAUSE
        backlog = self._shown.backlog - 1
        self._well(
            "it takes events again", state="delivering", backlog=backlog, last_delivered=self._means.wall()
        )

    def _rest(self, outcome: Failure | None) -> None:
        """All is told, or something is in the way."""
        self._running = None
        if not isinstance(outcome, Failure):
            self._told_all()
        elif outcome.check(NotDelivered):
            self._failed(outcome.getErrorMessage())
        elif outcome.check(StoreFailing):
            self._failed(f"events cannot be read: {outcome.getErrorMessage()}")
        elif not (self._stopped and outcome.check(CancelledError)):
            self.log.failure("{link}: the webhook has failed", outcome, link=self._link.name)
            self._failed(f"pmslink is at fault, see its log ({type(outcome.value).__name__})")

    def _told_all(self) -> None:
        if self._more:
            self.deliver()
        else:
            self._well("nothing waits for it any more", state="idle", backlog=0, oldest=None)

    def _well(self, how: str, **changes: Any) -> None:
        recovered = self._shown.last_error is not None
        self._show(last_error=None, next_at=None, **changes)
        if recovered:
            self.log.info("{link}: the webhook: {how}", link=self._link.name, how=how)
            self._means.announce(self._link)

    def _failed(self, why: str) -> None:
        if self._stopped:
            return
        pause = self._next_pause * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 (no secret)
        self._next_pause = min(2 * self._next_pause, LONGEST_PAUSE)
        first = self._shown.last_error is None
        next_at = self._means.wall() + timedelta(seconds=pause)
        self._show(state="retrying", last_error=why, next_at=next_at)
        self._pause.start(pause)
        if first:
            self.log.warn("{link}: the webhook: {why}", link=self._link.name, why=why)
            self._means.announce(self._link)

    def _show(self, **changes: Any) -> None:
        self._shown = evolve(self._shown, **changes)
        if not self._stopped:
            self._link.webhook = self._shown
