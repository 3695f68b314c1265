"""All the links of one process, and who is told of their changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkConfig, parse_api_link
from pmslink.errors import NotApplicableError
from pmslink.hotel_scheduler import HotelScheduler, build_policy
from pmslink.link.dialer import StartLinkDial
from pmslink.link.link import Link, LinkSubscriber
from pmslink.link.machine import Marker
from pmslink.link.outbox_counts import group_by_link
from pmslink.link.state_history import Transition
from pmslink.link.tls_dial import dial_over_tcp_or_tls
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.store_metadata import barrier
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.retention import Purge
from pmslink.store.store_service import Store
from pmslink.store.tables.link_rows import PostingsNotFinalError, RemoveLink, StoredLink, remove_links
from pmslink.store.tables.outbox_rows import OutboxRowChanged, RowState, read_unresolved_rows
from pmslink.typed_service import TypedService

STORE_GRACE_S = 5.0
"""Seconds that the store may fail before links are given up, so that their PMSs queue what they have."""
EXPIRY_CHECK_INTERVAL_S = 30.0
"""Seconds between looks at the wall clock for subscriptions that have ended."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class LinkRegistry(TypedService):
    """Starts, stops and finds links, and tells watchers of their changes."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        store: Store,
        wall_clock: Callable[[], datetime] = utc_now,
        dial: StartLinkDial | None = None,
    ) -> None:
        self._reactor = reactor
        self._store = store
        self._wall_clock = wall_clock
        self._dial = dial or dial_over_tcp_or_tls(reactor)
        self._links: dict[str, Link] = {}
        self._removing: set[str] = set()  # names of links that are being removed
        self._subscribers: list[LinkSubscriber] = []
        self.on_reconfigured: list[Callable[[str], None]] = []
        """Who is told that the link of this name was made, removed, or given other settings."""
        self._expiry_loop: LoopingCall | None = None
        self._store_grace_timer: IDelayedCall | None = None  # with a store that fails
        self._stored_links = {kept.name: kept for kept in store.startup_snapshot.links}
        self._unresolved_rows = group_by_link(store.startup_snapshot.unresolved_rows)
        self._scheduler = HotelScheduler(
            reactor, store.journal, wall_clock, store.startup_snapshot.next_due_times, store.hotels
        )
        store.journal.on_commit.append(self._on_commit)
        store.journal.on_health_change.append(self._on_store_health_change)
        store.on_purge.append(self._on_purge)

    def add(self, config: LinkConfig, definition: str | None = None) -> Link:
        """Make a link; it starts with the service, or at once if that runs.

        `definition` is what the interface was given for it, in JSON.
        """
        kept = self._stored_links.pop(config.name, None)
        link = self._make(config, kept, definition)
        link.outbox.counts.reset(self._unresolved_rows.pop(config.name, ()))
        if kept is not None and self._store.startup_snapshot.unclean_shutdown:
            link.resync.require()  # what was read last may not have been kept
        if self.running:
            link.start()
        return link

    def _make(self, config: LinkConfig, stored: StoredLink | None, definition: str | None) -> Link:
        journal = self._store.journal
        link = Link(
            config,
            self._reactor,
            self._wall_clock,
            self._dial,
            self._on_link_changed,
            journal,
            stored,
            definition,
        )
        self._links[config.name] = link
        self._apply_policy(link)
        return link

    def _apply_policy(self, link: Link) -> None:
        """Its hotel lives by these settings from now on."""
        self._store.hotels.set_policy(link.name, build_policy(link.name, link.settings()))
        self._scheduler.on_policy_changed(link.name)
        self._publish_reconfigured(link.name)

    def _remove_policy(self, name: str) -> None:
        """There is no such hotel any more."""
        self._store.hotels.remove_policy(name)
        self._scheduler.clear_warnings(name)

    def _publish_reconfigured(self, name: str) -> None:
        for watcher in tuple(self.on_reconfigured):
            watcher(name)

    def publish_change(self, link: Link) -> None:
        """Something about a link is different that is no state of it."""
        self._on_link_changed(link, None)

    def add_stored(self) -> None:
        """Make the links that the interface has made, but for those whose names the configuration took."""
        for kept in tuple(self._stored_links.values()):
            if kept.definition is None:
                continue
            try:
                config = parse_api_link(kept.name, json.loads(kept.definition))
            except ConfigError as problem:
                self.log.error(
                    "{link} is not started, for its settings are not right any more: {problem}",
                    link=kept.name,
                    problem=str(problem),
                )
            else:
                self.add(config, kept.definition)

    async def create(self, config: LinkConfig, definition: str) -> Link:
        """Create a stored link.

        Raises NotApplicableError if the name is taken, and StoreUnavailableError.
        """
        if config.name in self._links or config.name in self._removing:
            raise NotApplicableError("name_taken", f"there is a link {config.name} already")
        link = self.add(config, definition)
        try:
            await self.when_saved()
        except StoreUnavailableError:
            self._remove_policy(link.name)
            await self._drop(link)
            self._store.journal.submit_nowait(
                remove_links, RemoveLink(link.name, discard=True)
            )  # behind what waits
            raise
        return link

    def redefine(self, link: Link, definition: str, config: LinkConfig) -> None:
        """Take what the interface was given for a link."""
        link.redefine(definition, config)
        self._apply_policy(link)

    async def remove(self, link: Link, discard: bool) -> None:
        """Forget a link and all that is kept of it. Raises NotApplicableError and StoreUnavailableError.

        `discard`: also postings that are not final.
        """
        if link.declared:
            raise NotApplicableError(
                "declared", f"{link.name} stands in the configuration file; remove it there"
            )
        if link.outbox.counts.not_final and not discard:
            raise NotApplicableError(
                "not_final",
                f"{link.outbox.counts.not_final} postings of {link.name} are not final; "
                "discard=true gives them up",
            )
        self._removing.add(link.name)
        try:
            await self._drop(link)
            await self._store.journal.submit(remove_links, RemoveLink(link.name, discard))
            self._remove_policy(link.name)
        except (StoreUnavailableError, PostingsNotFinalError) as problem:
            again = self._make(link.config, link.state_history.stored, link.definition)
            again.outbox.counts = link.outbox.counts
            again.state_history.in_sync = link.state_history.in_sync  # until it is noted anew
            again.start()
            if isinstance(problem, PostingsNotFinalError):
                raise NotApplicableError("not_final", str(problem)) from None
            raise
        finally:
            self._removing.remove(link.name)

    async def _drop(self, link: Link) -> None:
        del self._links[link.name]
        self._publish_reconfigured(link.name)
        await link.stop()

    def when_saved(self) -> Deferred[None]:
        """Fires once all that was done to links is safe. Fails with StoreUnavailableError."""
        return self._store.journal.submit(barrier, None)

    def get(self, name: str) -> Link | None:
        return self._links.get(name)

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())

    def __len__(self) -> int:
        return len(self._links)

    def count_by_marker(self) -> dict[Marker, int]:
        """How many links are in each state."""
        counted = Counter(link.core.marker for link in self)
        return {marker: counted[marker] for marker in get_args(Marker)}

    def subscribe(self, subscriber: LinkSubscriber) -> Callable[[], None]:
        """Tell this one of every change from now on, until the returned function is called."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def startService(self) -> None:
        super().startService()
        for link in self:
            link.start()
        self._scheduler.start()
        self._expiry_loop = LoopingCall(self._check_expiries)
        self._expiry_loop.clock = self._reactor
        self._expiry_loop.start(EXPIRY_CHECK_INTERVAL_S, now=False).addErrback(
            lambda failure: self.log.failure("expiry is no longer watched", failure=failure)
        )

    def stopService(self) -> Deferred[list[None]]:
        super().stopService()
        if self._expiry_loop is not None:
            self._expiry_loop.stop()
        self._scheduler.stop()
        self._cancel_store_grace()
        return gatherResults([link.stop() for link in self])

    # From the store.

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, OutboxRowChanged) and (link := self._links.get(entry.row.link)):
                link.outbox.counts.update(entry.row.id, entry.row.state, entry.row.created)
                if entry.row.state == "pending":  # perhaps made by nobody who waits for it
                    link.outbox.send_next()

    def _on_store_health_change(self) -> None:
        self._cancel_store_grace()
        if self._store.journal.is_failing and self.running:
            self._store_grace_timer = self._reactor.callLater(STORE_GRACE_S, self._on_store_failed)
            for link in self:
                link.on_store_failing()
        elif not self._store.journal.is_failing:
            for link in self:
                link.on_store_recovered()

    def _on_store_failed(self) -> None:
        self._store_grace_timer = None
        for link in self:
            link.on_store_failed()

    def _cancel_store_grace(self) -> None:
        if self._store_grace_timer is not None:
            self._store_grace_timer.cancel()
            self._store_grace_timer = None

    def _on_purge(self, purge: Purge) -> None:
        for link in self:
            link.trace.purge(purge.guest_before)
        # by the writer, whose answer is in order with what it tells
        self._store.journal.submit(read_unresolved_rows, None).addCallbacks(
            self._reset_counts, lambda failure: self.log.failure("postings cannot be counted", failure)
        )

    def _reset_counts(self, rows: Sequence[tuple[str, int, RowState, int]]) -> None:
        of_links = group_by_link(rows)
        for link in self:
            link.outbox.counts.reset(of_links.get(link.name, ()))

    def _check_expiries(self) -> None:
        for link in self:
            link.check_expiry()

    def _on_link_changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None and transition.old is None:
            self.log.info(
                "{link}: {marker} ({reason})",
                link=link.name,
                marker=transition.new,
                reason=transition.reason,
            )
        elif transition is not None:
            self.log.info(
                "{link}: {old} to {new}: {reason}",
                link=link.name,
                old=transition.old,
                new=transition.new,
                reason=transition.reason,
            )
        for watcher in tuple(self._subscribers):
            try:
                watcher(link, transition)
            except Exception:  # a link must not suffer from who watches it
                self.log.failure("a watcher failed at {link}", link=link.name)
