"""What the links learn from the store: counts of rows and of changes by hand, record numbers, failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pmslink.hotel.manual_changes import ManualCounts
from pmslink.link.hourly_states import read_hours
from pmslink.link.link import Link
from pmslink.link.outbox_counts import group_by_link
from pmslink.link.turn_queue import Pace
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.retention import Purge
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import HotelEventLogged, ManualChangesCounted, RecordLogged
from pmslink.store.tables.outbox_rows import (
    OutboxRowChanged,
    RefusedRowPurged,
    UnresolvedRow,
    UnresolvedRowsRead,
    publish_unresolved_rows,
)
from pmslink.store.tables.recent_failures import StoredFailures, parse_failed_wake_up, read_recent_failures

_LINKS_AT_ONCE = 500
"""Links whose failures one read returns; the time of a read is limited."""
_HISTORIES_AT_ONCE = 20
"""Links whose states of the last 24 hours one read returns; each may have thousands."""


class StoreFeed:
    """Pass on to the links, by name, what is committed and purged; `pace` spreads work for all of them."""

    log = Logger()

    def __init__(
        self,
        store: Store,
        links: Mapping[str, Link],
        pace: Pace,
        on_history_read: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_history_read` is called once all links know what went wrong with them before the start."""
        self._store = store
        self._on_history_read = on_history_read
        self._links = links
        self._pace = pace
        self._manual_counts = dict(store.startup_snapshot.manual_counts)
        store.journal.on_commit.append(self._on_commit)
        store.on_purge.append(self._on_purge)

    def restore_manual_counts(self, link: Link) -> None:
        """Tell a link how many changes by hand its hotel has."""
        link.set_manual_counts(self._manual_counts.get(link.name, ManualCounts()))

    def restore_failures(self, since_ms: int) -> None:
        """Add what went wrong with the links since this time, as the store has it."""
        read = Deferred.fromCoroutine(self._restore_failures(since_ms))
        read.addErrback(
            lambda failure: self.log.failure(
                "Cannot read the outages and failed wake-ups from before the start; they are not shown",
                failure,
            )
        )
        read.addCallback(lambda _: self._pace(self._on_history_read))

    async def _restore_failures(self, since_ms: int) -> None:
        names = [*self._links]
        for begin in range(0, len(names), _LINKS_AT_ONCE):
            links = names[begin : begin + _LINKS_AT_ONCE]
            self._on_failures_read(await self._store.read(read_recent_failures, links, since_ms))

    def _on_failures_read(self, failures: dict[str, StoredFailures]) -> None:
        for name, stored in failures.items():
            self._pace(partial(self._restore_failures_of, name, stored))

    def _restore_failures_of(self, name: str, stored: StoredFailures) -> None:
        if (link := self._links.get(name)) is not None:
            session = link.session
            link.diagnosis.restore(stored, session.last_in_sync if session.in_sync else None)
            link.refresh()

    def restore_hours(self, since: datetime, until: datetime) -> None:
        """Add the states that the links had in this period, which ends now, as the store has them."""
        Deferred.fromCoroutine(self._restore_hours(since, until)).addErrback(
            lambda failure: self.log.failure(
                "Cannot read the states of the links before the start; lists show them as unknown", failure
            )
        )

    async def _restore_hours(self, since: datetime, until: datetime) -> None:
        names = [*self._links]
        for begin in range(0, len(names), _HISTORIES_AT_ONCE):
            links = names[begin : begin + _HISTORIES_AT_ONCE]
            hours = await self._store.read(read_hours, links, since, until, self._store.run_id)
            for name in hours.keys() & self._links.keys():
                self._links[name].hourly_states.restore(hours[name])

    def recount(self) -> None:
        """Count the rows of all outboxes again, as the store has them."""
        # Read by the writer, and published among the changes, so that none is lost or counted twice.
        self._store.journal.submit(publish_unresolved_rows, None).addErrback(
            lambda failure: self.log.failure(
                "Cannot count the rows of the outboxes again; the counts may be wrong", failure
            )
        )

    def _reset_counts(self, rows: Sequence[UnresolvedRow]) -> None:
        rows_by_link = group_by_link(rows)
        for link in self._links.values():
            link.outbox.counts.reset(rows_by_link.get(link.name, ()))

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        changed: set[Link] = set()
        for entry in entries:
            if isinstance(entry, OutboxRowChanged) and (link := self._links.get(entry.row.link)):
                link.outbox.counts.update(entry.row)
                changed.add(link)
                if entry.row.state == "pending":  # the scheduler queues rows too, and waits for no answer
                    link.outbox.on_row_pending(entry.row)
            elif isinstance(entry, HotelEventLogged) and (link := self._links.get(entry.link)):
                failed = parse_failed_wake_up(entry.seq, entry.at, entry.type, entry.room, entry.text)
                if failed is not None:
                    link.diagnosis.wake_up_failures.add(failed)
                    changed.add(link)
            elif isinstance(entry, RecordLogged) and (link := self._links.get(entry.link)):
                link.diagnosis.on_record_numbered(entry)
                if entry.is_beyond_bounds:
                    changed.add(link)
            elif isinstance(entry, ManualChangesCounted):
                self._manual_counts[entry.link] = entry.counts
                if (link := self._links.get(entry.link)) is not None:
                    link.set_manual_counts(entry.counts)
                    changed.add(link)
            elif isinstance(entry, RefusedRowPurged) and (link := self._links.get(entry.link)):
                link.outbox.counts.remove_refused(entry.row_id)
                changed.add(link)
            elif isinstance(entry, UnresolvedRowsRead):
                self._reset_counts(entry.rows)
        for link in changed:
            link.refresh()

    def _on_purge(self, purge: Purge) -> None:
        for link in self._links.values():
            self._pace(partial(link.trace.purge, purge.guest_before))
