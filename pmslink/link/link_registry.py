"""All the links of one process, and who is told of their changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IConnector, IDelayedCall
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.config.loader import ConfigError, LinkConfig, read_defined
from pmslink.errors import NotApplicable
from pmslink.hotel_scheduler import Hours, rules_of
from pmslink.link.connection import LinkFactory
from pmslink.link.link import Dial, Link, Watcher
from pmslink.link.machine import Marker
from pmslink.link.outbox_counts import by_link
from pmslink.link.state_history import Transition
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.core.store_metadata import nothing
from pmslink.store.operations.retention import Purge
from pmslink.store.store_service import Store
from pmslink.store.tables.link_rows import KeptLink, NotFinal, Remove, remove_links
from pmslink.store.tables.log_entries import Entry
from pmslink.store.tables.outbox_rows import Moved, State, count_standing

PATIENCE = 5.0
"""Seconds that the store may fail before links are given up, so that their PMSs queue what they have."""
EXPIRY_CHECK = 30.0
"""Seconds between looks at the wall clock for subscriptions that have ended."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def dial_with(reactor: Any) -> Dial:
    """Dials over TCP, or TLS with the PMS's certificate verified against the system's or a file's."""

    def dial(factory: LinkFactory, config: LinkConfig) -> IConnector:
        settings = config.settings
        # The link's own start timeout ends a dial that hangs; this one only stands behind it.
        arguments = (config.host, config.port, factory)
        if not settings.tls:
            return reactor.connectTCP(*arguments, timeout=settings.start_timeout + 1)  # type: ignore[no-any-return]
        trust = platformTrust()
        if settings.ca_file is not None:
            with open(settings.ca_file, "rb") as file:
                trust = trustRootFromCertificates(_certificates(file.read()))
        options = optionsForClientTLS(config.host, trustRoot=trust)
        return reactor.connectSSL(*arguments, options, timeout=settings.start_timeout + 1)  # type: ignore[no-any-return]

    return dial


def _certificates(pem: bytes) -> list[Certificate]:
    end = b"-----END CERTIFICATE-----"
    return [Certificate.loadPEM(part + end) for part in pem.split(end)[:-1]]


class Links(Service):
    """Starts, stops and finds links, and tells watchers of their changes."""

    log = Logger()

    def __init__(
        self, reactor: Any, store: Store, wall: Callable[[], datetime] = utc_now, dial: Dial | None = None
    ) -> None:
        self._reactor = reactor
        self._store = store
        self._wall = wall
        self._dial = dial or dial_with(reactor)
        self._links: dict[str, Link] = {}
        self._leaving: set[str] = set()  # names of links that are being removed
        self._watchers: list[Watcher] = []
        self.settled: list[Callable[[str], None]] = []
        """Who is told that the link of this name was made, removed, or given other settings."""
        self._expiry: LoopingCall | None = None
        self._patience: IDelayedCall | None = None  # with a store that fails
        self._kept = {kept.name: kept for kept in store.opened.links}
        self._standing = by_link(store.opened.standing)
        self._hours = Hours(reactor, store.journal, wall, store.opened.plans, store.houses)
        store.journal.told.append(self._told)
        store.journal.health.append(self._store_changed)
        store.purged.append(self._purged)

    def add(self, config: LinkConfig, definition: str | None = None) -> Link:
        """Make a link; it starts with the service, or at once if that runs.

        `definition` is what the interface was given for it, in JSON.
        """
        kept = self._kept.pop(config.name, None)
        link = self._make(config, kept, definition)
        link.outbox.tally.reset(self._standing.pop(config.name, ()))
        if kept is not None and self._store.opened.unclean:
            link.resync.want()  # what was read last may not have been kept
        if self.running:
            link.start()
        return link

    def _make(self, config: LinkConfig, kept: KeptLink | None, definition: str | None) -> Link:
        journal = self._store.journal
        link = Link(config, self._reactor, self._wall, self._dial, self._changed, journal, kept, definition)
        self._links[config.name] = link
        self._rule(link)
        return link

    def _rule(self, link: Link) -> None:
        """Its hotel lives by these settings from now on."""
        self._store.houses.live_by(link.name, rules_of(link.name, link.settings()))
        self._hours.look(link.name)
        self._tell_settled(link.name)

    def _unrule(self, name: str) -> None:
        """There is no such hotel any more."""
        self._store.houses.forget_rules(name)
        self._hours.forget(name)

    def _tell_settled(self, name: str) -> None:
        for watcher in tuple(self.settled):
            watcher(name)

    def announce(self, link: Link) -> None:
        """Something about a link is different that is no state of it."""
        self._changed(link, None)

    def add_kept(self) -> None:
        """Make the links that the interface has made, but for those whose names the configuration took."""
        for kept in tuple(self._kept.values()):
            if kept.definition is None:
                continue
            try:
                config = read_defined(kept.name, json.loads(kept.definition))
            except ConfigError as problem:
                self.log.error(
                    "{link} is not started, for its settings are not right any more: {problem}",
                    link=kept.name,
                    problem=str(problem),
                )
            else:
                self.add(config, kept.definition)

    async def create(self, config: LinkConfig, definition: str) -> Link:
        """Make a link that lasts. Raises NotApplicable where there is one of that name, StoreFailing."""
        if config.name in self._links or config.name in self._leaving:
            raise NotApplicable("name_taken", f"there is a link {config.name} already")
        link = self.add(config, definition)
        try:
            await self.saved()
        except StoreFailing:
            self._unrule(link.name)
            await self._drop(link)
            self._store.journal.append(remove_links, Remove(link.name, discard=True))  # behind what waits
            raise
        return link

    def redefine(self, link: Link, definition: str, config: LinkConfig) -> None:
        """Take what the interface was given for a link."""
        link.define(definition, config)
        self._rule(link)

    async def remove(self, link: Link, discard: bool) -> None:
        """Forget a link and all that is kept of it. Raises NotApplicable and StoreFailing.

        `discard`: also postings that are not final.
        """
        if link.declared:
            raise NotApplicable("declared", f"{link.name} stands in the configuration file; remove it there")
        if link.outbox.tally.not_final and not discard:
            raise NotApplicable(
                "not_final",
                f"{link.outbox.tally.not_final} postings of {link.name} are not final; "
                "discard=true gives them up",
            )
        self._leaving.add(link.name)
        try:
            await self._drop(link)
            await self._store.journal.write(remove_links, Remove(link.name, discard))
            self._unrule(link.name)
        except (StoreFailing, NotFinal) as problem:
            again = self._make(link.config, link.chronicle.kept, link.definition)
            again.outbox.tally = link.outbox.tally
            again.chronicle.in_sync = link.chronicle.in_sync  # until it is noted anew
            again.start()
            if isinstance(problem, NotFinal):
                raise NotApplicable("not_final", str(problem)) from None
            raise
        finally:
            self._leaving.remove(link.name)

    async def _drop(self, link: Link) -> None:
        del self._links[link.name]
        self._tell_settled(link.name)
        await link.stop()

    def saved(self) -> Deferred[None]:
        """Fires once all that was done to links is safe. Fails with StoreFailing."""
        return self._store.journal.write(nothing, None)

    def get(self, name: str) -> Link | None:
        return self._links.get(name)

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())

    def __len__(self) -> int:
        return len(self._links)

    def by_marker(self) -> dict[Marker, int]:
        """How many links are in each state."""
        counted = Counter(link.core.marker for link in self)
        return {marker: counted[marker] for marker in get_args(Marker)}

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell this one of every change from now on, until the returned function is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        for link in self:
            link.start()
        self._hours.start()
        self._expiry = LoopingCall(self._check_expiries)
        self._expiry.clock = self._reactor
        self._expiry.start(EXPIRY_CHECK, now=False).addErrback(
            lambda failure: self.log.failure("expiry is no longer watched", failure=failure)
        )

    def stopService(self) -> Deferred[list[None]]:
        super().stopService()  # type: ignore[no-untyped-call]
        if self._expiry is not None:
            self._expiry.stop()
        self._hours.stop()
        self._stop_waiting()
        return gatherResults([link.stop() for link in self])

    # From the store.

    def _told(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Moved) and (link := self._links.get(entry.row.link)):
                link.outbox.tally.note(entry.row.id, entry.row.state, entry.row.created)
                if entry.row.state == "pending":  # perhaps made by nobody who waits for it
                    link.outbox.flow()

    def _store_changed(self) -> None:
        self._stop_waiting()
        if self._store.journal.failing and self.running:
            self._patience = self._reactor.callLater(PATIENCE, self._store_failed)
            for link in self:
                link.store_troubled()
        elif not self._store.journal.failing:
            for link in self:
                link.store_recovered()

    def _store_failed(self) -> None:
        self._patience = None
        for link in self:
            link.store_failed()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _purged(self, purge: Purge) -> None:
        for link in self:
            link.trace.forget(purge.guest_before)
        # by the writer, whose answer is in order with what it tells
        self._store.journal.write(count_standing, None).addCallbacks(
            self._count_again, lambda failure: self.log.failure("postings cannot be counted", failure)
        )

    def _count_again(self, rows: Sequence[tuple[str, int, State, int]]) -> None:
        of_links = by_link(rows)
        for link in self:
            link.outbox.tally.reset(of_links.get(link.name, ()))

    def _check_expiries(self) -> None:
        for link in self:
            link.check_expiry()

    def _changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.log.info(
                "{link}: {old} to {new}: {reason}",
                link=link.name,
                old=transition.old,
                new=transition.new,
                reason=transition.reason,
            )
        for watcher in tuple(self._watchers):
            try:
                watcher(link, transition)
            except Exception:  # a link must not suffer from who watches it
                self.log.failure("a watcher failed at {link}", link=link.name)
