"""The registry of all links of the service, and of the subscribers to their changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, get_args

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkConfig, parse_api_link
from pmslink.errors import NotApplicableError
from pmslink.host_resolver import HostResolver
from pmslink.hotel_scheduler import HotelScheduler, build_policy
from pmslink.link.cause import SETTINGS_CAUSE, Cause, settings_cause
from pmslink.link.controls import address_in_use
from pmslink.link.dialer import StartLinkDial
from pmslink.link.hourly_states import HOURS
from pmslink.link.last_control import LastControl
from pmslink.link.link import Link, LinkSubscriber
from pmslink.link.link_sweep import SWEEP_INTERVAL_S, LinkSweep
from pmslink.link.machine import Marker
from pmslink.link.notice_tracker import NoticeTracker
from pmslink.link.outbox_counts import group_by_link
from pmslink.link.saved_state import Creation
from pmslink.link.state_history import Transition
from pmslink.link.store_feed import StoreFeed
from pmslink.link.store_outage import StoreOutage
from pmslink.link.tcp_accepting import AcceptingNetwork, TcpAccepting
from pmslink.link.tcp_dial import TcpDial
from pmslink.link.turn_queue import TurnQueue
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.store_metadata import barrier
from pmslink.store.operations.link_removal import delete_history
from pmslink.store.store_service import Store
from pmslink.store.tables.audit_log import AuditEntry, append_audit_entries, store_even_if_rejected
from pmslink.store.tables.link_rows import PostingsNotFinalError, RemoveLink, StoredLink, remove_links
from pmslink.timestamps import to_ms, utc_now
from pmslink.typed_service import TypedService

LINKS_PER_TURN = 25
"""Links that start, redial, react to the store, or stop with the service, in one turn of the reactor.

The turns follow each other as fast as the connections of these links are handled. So a service with
thousands of links answers each of them, and the API, in time.
"""
FAILURE_HISTORY = timedelta(hours=24)
"""How far back outages and failed wake-ups are read at the start."""


class LinkRegistry(TypedService):
    """Start, stop and find links, and publish their changes."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        store: Store,
        wall_clock: Callable[[], datetime] = utc_now,
        dial: StartLinkDial | None = None,
        is_clock_settled: Callable[[], bool] = lambda: True,
        accepting: AcceptingNetwork | None = None,
    ) -> None:
        self._reactor = reactor
        self._store = store
        self._wall_clock = wall_clock
        self._is_clock_settled = is_clock_settled
        resolver = HostResolver(reactor)
        self._accepting = accepting or TcpAccepting(reactor, resolver)
        self._dial = dial or TcpDial(reactor, resolver)
        self._links: dict[str, Link] = {}
        self._address_holders: dict[tuple[str, int], Link] = {}
        """The link that may use each host and port, by `LinkConfig.address_key`."""
        self._removing: set[str] = set()  # names of links that are being removed
        self._withdrawing: set[Deferred[None]] = set()  # each fires when a withdrawn link's TCP is closed
        self._subscribers: list[LinkSubscriber] = []
        self.on_reconfigured: list[Callable[[str], None]] = []
        """Called with the name of a link that was added, removed, or given other settings."""
        self._sweep_loop: LoopingCall | None = None
        self._turns = TurnQueue(reactor, LINKS_PER_TURN)
        self._dials = TurnQueue(reactor, LINKS_PER_TURN, has_consequences=True)
        self._sweep = LinkSweep(self._links.values, self._turns.add)
        self._store_outage = StoreOutage(reactor, store.journal, self._links.values, self._turns.add)
        self._stored_links = {stored.name: stored for stored in store.startup_snapshot.links}
        self._last_controls = dict(store.startup_snapshot.last_controls)
        self._unresolved_rows = group_by_link(store.startup_snapshot.unresolved_rows)
        snapshot = store.startup_snapshot
        lacks_records = snapshot.unclean_shutdown or snapshot.restored
        self._incomplete_links = set(self._stored_links) if lacks_records else set()
        """Names of links whose last records may not be in the store."""
        self._scheduler = HotelScheduler(
            reactor, store.journal, wall_clock, store.startup_snapshot.next_due_times, store.hotels
        )
        store.journal.on_health_change.append(lambda: self._store_outage.on_health_change(bool(self.running)))
        self.notices = NoticeTracker(store, self._links, reactor, wall_clock, self._turns.add)
        """The notices about all links, and about the store."""
        self._store_feed = StoreFeed(store, self._links, self._turns.add, self.notices.on_history_read)
        self._subscribers.append(self.notices.on_link_changed)
        self.on_reconfigured.append(self.notices.on_reconfigured)

    def add(
        self,
        config: LinkConfig,
        definition: str | None = None,
        start: bool = True,
        made: Creation | None = None,
    ) -> Link:
        """Add a link. It starts with the service, or at once if the service runs.

        Without `start`, it starts at `start_later`, and its outbox is counted at `recount_outboxes`.
        `definition` is the JSON that the API received for it; None for a link of the configuration file.
        `made` says who creates it.
        """
        stored = self._stored_links.pop(config.name, None)
        link = self._build_link(config, stored, definition, made)
        link.outbox.counts.reset(self._unresolved_rows.pop(config.name, ()))
        if config.name in self._incomplete_links:
            self._incomplete_links.remove(config.name)
            link.resync.require()  # the last records that were read may not be stored
        if self.running and start:
            if stored is not None:
                self.recount_outboxes()
            link.start()
        return link

    def start_later(self, link: Link) -> None:
        """Start a link that was added without starting it. Of many links, some start in each turn."""
        self._dials.add(partial(self._start, link))

    def recount_outboxes(self) -> None:
        """Count the rows of all outboxes again, as the store has them."""
        self._store_feed.recount()

    def _build_link(
        self,
        config: LinkConfig,
        stored: StoredLink | None,
        definition: str | None,
        made: Creation | None = None,
    ) -> Link:
        journal, on_change = self._store.journal, self._on_link_changed
        link = Link(
            *(config, self._reactor, self._wall_clock, self._dial, on_change, journal, stored, definition),
            is_clock_settled=self._is_clock_settled,
            accepting=self._accepting,
            pace_redial=self._dials.add,
            on_input=self._sweep.note_input,
            made=made,
            last_control=LastControl.restore(self._last_controls.pop(config.name, None)),
        )
        holder = self._address_holders.setdefault(config.address_key, link)
        link.connector.blocked_by = None if holder is link else holder.name
        self._links[config.name] = link
        self.apply_policy(link)
        self._store_feed.restore_manual_counts(link)
        return link

    def apply_policy(self, link: Link) -> None:
        """Apply the link's settings to its hotel; this reads the extension table, if there is one."""
        self._store.hotels.set_policy(link.name, build_policy(link.name, link.settings()))
        self._scheduler.on_policy_changed(link.name)
        self._publish_reconfigured(link.name)

    def _remove_policy(self, name: str) -> None:
        """Remove the policy of a hotel that is removed."""
        self._store.hotels.remove_policy(name)
        self._scheduler.clear_warnings(name)

    def _publish_reconfigured(self, name: str) -> None:
        for callback in tuple(self.on_reconfigured):
            callback(name)

    def publish_change(self, link: Link) -> None:
        """Publish a change of a link that is no change of its state, such as its webhook's."""
        self._on_link_changed(link, None)

    def call_in_turn(self, call: Callable[[], object]) -> None:
        """Make a call about one link of many: some are made in each turn of the reactor."""
        self._turns.add(call)

    def add_stored(self) -> None:
        """Add the links that were created through the API, unless the configuration file uses their name."""
        for stored in tuple(self._stored_links.values()):
            if stored.definition is None:
                continue
            try:
                config = parse_api_link(stored.name, json.loads(stored.definition))
            except ConfigError as problem:
                self.log.error(
                    "{link}: not started, because its stored settings are not valid: {problem}",
                    link=stored.name,
                    problem=str(problem),
                )
            else:
                self.add(config, stored.definition)

    async def create(self, config: LinkConfig, definition: str, by: str | None, audit: AuditEntry) -> Link:
        """Create a link, and return it once it is stored, with the entry that tells of it.

        `by` is the name of the user's token.

        Raises NotApplicableError if the name, or the host and port, are taken, and StoreUnavailableError if
        it cannot be stored.
        """
        if config.name in self._links or config.name in self._removing:
            raise NotApplicableError("name_taken", f"there is a link {config.name} already")
        self._require_free_address(config)
        link = self.add(config, definition, made=Creation(by, self._wall_clock()))
        try:
            await self._store.journal.submit(append_audit_entries, audit)
        except StoreUnavailableError:
            # a reload may have declared it in the meantime, or a request removed it
            if self._links.get(link.name) is link and not link.declared:
                await self._discard(link)
            raise
        return link

    async def _discard(self, link: Link) -> None:
        """Remove a link that could not be stored."""
        self._removing.add(link.name)
        try:
            self._remove_policy(link.name)
            await self._drop(link)
            # The writes of this link may still be queued. Remove the rows that they store.
            self._store.journal.submit_nowait(remove_links, RemoveLink(link.name, discard=True))
        finally:
            self._removing.remove(link.name)

    def redefine(self, link: Link, definition: str, config: LinkConfig, by: str | None = None) -> None:
        """Apply a new definition, as the API received it, to a link. `by` is the name of the user's token.

        Raises NotApplicableError if another link has the host and port.
        """
        self._require_free_address(config, link)
        self.reconfigure(link, config, definition, settings_cause(by))
        self.unblock_links()

    def reconfigure(
        self, link: Link, config: LinkConfig, definition: str | None, cause: Cause = SETTINGS_CAUSE
    ) -> None:
        """Apply a configuration to a link. It gets the host and port, also from another link."""
        link.definition = definition
        self._release_address(link)
        self.take_address(config)
        self._address_holders[config.address_key] = link
        was_blocked = link.connector.blocked_by is not None
        link.connector.blocked_by = None
        link.apply_config(config, cause)
        self.apply_policy(link)
        if was_blocked:
            link.unblock()

    def withdraw(self, link: Link) -> None:
        """Stop a link that the configuration file does not declare any more; its stored data stay."""
        name = link.name
        del self._links[name]
        self._publish_reconfigured(name)
        self._release_address(link)
        closed = self._stop(link)
        if link.state_history.stored is not None:  # for the same link, if it is declared again
            self._stored_links[name] = link.state_history.stored
        self._withdrawing.add(closed)
        closed.addCallback(lambda _: self._on_withdrawn(name, closed))

    def when_withdrawn(self) -> Deferred[list[None]]:
        """Return a Deferred that fires once the connections of all withdrawn links are closed."""
        return gatherResults([*self._withdrawing])

    def _on_withdrawn(self, name: str, closed: Deferred[None]) -> None:
        self._withdrawing.discard(closed)
        self._remove_policy_when_stored(name)

    def _remove_policy_when_stored(self, name: str) -> None:
        """Remove the policy of a stopped link once all that it received is stored."""
        stored = self._store.journal.submit(barrier, None, retry_until_stored=True)
        stored.addCallback(lambda _: None if name in self._links else self._remove_policy(name))

    def take_address(self, config: LinkConfig) -> None:
        """Make a host and port free for the link of this name; a link that has them is blocked."""
        holder = self._address_holders.get(config.address_key)
        if holder is not None and holder.name != config.name:
            del self._address_holders[config.address_key]
            holder.block(config.name)

    def is_removing(self, name: str) -> bool:
        """Check whether a link of this name is being removed with its data."""
        return name in self._removing

    def _require_free_address(self, config: LinkConfig, itself: Link | None = None) -> None:
        holder = self._address_holders.get(config.address_key, itself)
        if holder is not None and holder is not itself:
            raise address_in_use(config, holder.name)

    def _release_address(self, link: Link) -> None:
        if self._address_holders.get(link.config.address_key) is link:
            del self._address_holders[link.config.address_key]

    def unblock_links(self) -> None:
        """Start the links whose host and port no other link has any more."""
        for link in self:
            if link.connector.blocked_by is not None:
                self._turns.add(partial(self._update_block, link))

    def _update_block(self, link: Link) -> None:
        if self._links.get(link.name) is not link:
            return
        holder = self._address_holders.setdefault(link.config.address_key, link)
        if holder is link:
            link.unblock()
        else:
            link.block(holder.name)

    async def remove(self, link: Link, discard: bool, audit: AuditEntry) -> None:
        """Remove a link with all its data. `discard` allows postings that are not final.

        Raises NotApplicableError if the link is declared in the configuration file or has postings that are
        not final, and StoreUnavailableError. After an error the link runs again, perhaps without its history.
        """
        if link.declared:
            raise NotApplicableError(
                "declared", f"{link.name} is defined in the configuration file; remove it there"
            )
        if link.outbox.counts.not_final and not discard:
            raise NotApplicableError(
                "not_final",
                f"{link.outbox.counts.not_final} postings of {link.name} are not final; "
                "discard=true discards them",
            )
        self._removing.add(link.name)
        try:
            await self._drop(link)
            request = RemoveLink(link.name, discard, audit)
            while not await self._store.journal.submit(delete_history, request):
                pass  # a commit for each step
            await self._store.journal.submit(remove_links, request)
            self._remove_policy(link.name)
        except (StoreUnavailableError, PostingsNotFinalError) as problem:
            restored = self._build_link(link.config, link.state_history.stored, link.definition)
            restored.outbox.counts = link.outbox.counts
            restored.state_history.in_sync = link.state_history.in_sync  # until the next change is stored
            restored.start()
            if isinstance(problem, PostingsNotFinalError):
                raise NotApplicableError("not_final", str(problem)) from None
            raise
        finally:
            self._removing.remove(link.name)

    async def _drop(self, link: Link) -> None:
        del self._links[link.name]
        self._publish_reconfigured(link.name)
        self._release_address(link)
        await link.stop()
        self.unblock_links()

    def when_saved(self, audit: AuditEntry) -> Deferred[None]:
        """Return a Deferred that fires once all changes are stored. It fails with StoreUnavailableError.

        The entry, which tells of the changes that were made in this turn of the reactor, is in their commit.
        After a failure, it is stored once the disk works again: the changes took effect.
        """
        journal = self._store.journal
        return store_even_if_rejected(journal.submit(append_audit_entries, audit), journal, audit)

    def get(self, name: str) -> Link | None:
        """Return the link of this name; None without one."""
        return self._links.get(name)

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())

    def __len__(self) -> int:
        return len(self._links)

    def count_by_marker(self) -> dict[Marker, int]:
        """Count the links in each state."""
        counts = Counter(link.core.marker for link in self)
        return {marker: counts[marker] for marker in get_args(Marker)}

    def subscribe(self, subscriber: LinkSubscriber) -> Callable[[], None]:
        """Call `subscriber` at every change, until the returned function is called."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def startService(self) -> None:
        """Start all links, some in each turn of the reactor, and the scheduler of the hotels."""
        super().startService()
        self.notices.start()
        for link in self:
            self.start_later(link)
        now = self._wall_clock()
        self._store_feed.restore_failures(to_ms(now - FAILURE_HISTORY))
        self._store_feed.restore_hours(now - timedelta(hours=HOURS), now)
        self._scheduler.start()
        self._sweep_loop = LoopingCall(self._sweep.visit_next_part)
        self._sweep_loop.clock = self._reactor
        self._sweep_loop.start(SWEEP_INTERVAL_S, now=False).addErrback(
            lambda failure: self.log.failure(
                "The sweep of the links has stopped: links do not expire any more, and their attention, "
                "hints and outages are not published in time",
                failure=failure,
            )
        )

    def stopService(self) -> Deferred[list[None]]:
        """Stop all links, some in each turn. The Deferred fires once every connection is closed."""
        super().stopService()
        if self._sweep_loop is not None and self._sweep_loop.running:
            self._sweep_loop.stop()
        self._scheduler.stop()
        self._store_outage.stop()
        self.notices.stop()
        self._turns.clear()
        self._dials.clear()
        return gatherResults([*self._withdrawing, *map(self._stop_in_turn, self)])

    def _start(self, link: Link) -> None:
        if self.running and self._links.get(link.name) is link:
            link.start()

    def _stop_in_turn(self, link: Link) -> Deferred[None]:
        stopped: Deferred[None] = Deferred()
        self._turns.add(lambda: self._stop(link).chainDeferred(stopped))
        return stopped

    def _stop(self, link: Link) -> Deferred[None]:
        """Stop a link. The Deferred fires once its connection is closed; a failure is only logged."""
        return maybeDeferred(link.stop).addErrback(
            lambda failure: self.log.failure(
                "{link}: it was not stopped; its connection may still be open", failure, link=link.name
            )
        )

    def _on_link_changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.log.info("{link}: {change}", link=link.name, change=transition.describe())
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(link, transition)
            except Exception:  # an error in a subscriber must not interrupt the link
                self.log.failure("{link}: a subscriber failed; the others are still called", link=link.name)
