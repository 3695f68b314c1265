"""The notices that last: opened, changed and ended as the links change, and acknowledged by people.

The rules are in `notice_rules.py`. All notices that are not over are in memory, and every change is submitted
to the journal. So one about the store itself exists before it can be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from functools import partial

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.errors import PmslinkError
from pmslink.link.link import Link
from pmslink.link.notice_rules import Fact, end_notice, find_facts, update_notice
from pmslink.link.state_history import Transition
from pmslink.link.turn_queue import Pace
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.audit_log import AuditEntry, append_audit_entries
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.store.tables.notice_rows import (
    Notice,
    NoticeChanged,
    NoticeKind,
    NoticeState,
    find_notice,
    newest_notices,
    store_notices,
)
from pmslink.store.tables.outbox_rows import OutboxRowChanged, RefusedRowPurged
from pmslink.store.tables.recent_failures import FailedWakeUp, parse_failed_wake_up
from pmslink.timestamps import format_timestamp, from_ms, to_ms

SWEEP_INTERVAL_S = 600.0
"""Seconds between two looks at all links, for what changes with the time of day only."""
_FROM_HISTORY = ("wake_up", "flapping")
"""Kinds whose facts are read from the store after the start."""

_Key = tuple[NoticeKind, str]  # kind and subject


class UnknownNoticeError(PmslinkError):
    """There is no notice with this id."""


class NoticeTracker:
    """Keep the notices of all links; `pace` spreads a look at all of them."""

    log = Logger()

    def __init__(
        self,
        store: Store,
        links: Mapping[str, Link],
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        self._store = store
        self._journal = store.journal
        self._links = links
        self._wall_clock = wall_clock
        self._pace = pace
        self._by_link: dict[str | None, dict[_Key, Notice]] = {}
        self._by_id: dict[int, Notice] = {}
        self._unstored: dict[int, NoticeChanged] = {}  # the last change of each, if it is not stored yet
        self._is_history_known = False
        for notice in store.startup_snapshot.lasting_notices:
            self._remember(notice)
        self._sweep_loop = LoopingCall(self._visit_all)
        self._sweep_loop.clock = clock
        store.journal.on_health_change.append(self._on_health_change)
        store.journal.on_commit.append(self._on_commit)

    def start(self) -> None:
        """Continue the notices of the last run. All configured links must be registered, and none started."""
        for notice in tuple(self._by_id.values()):
            link = self._find_link(notice)
            if link is None:  # it is no longer configured, or the store can be written again
                self._put(end_notice(notice, None, self._wall_clock()))
            elif notice.kind == "wake_up":
                _restore_failed_wake_up(link, notice)
        self._sweep_loop.start(SWEEP_INTERVAL_S, now=False).addErrback(
            lambda failure: self.log.failure(
                "The sweep for notices has stopped: subscriptions that end soon are not noticed", failure
            )
        )

    def stop(self) -> None:
        """Stop the regular look at all links."""
        if self._sweep_loop.running:
            self._sweep_loop.stop()

    def on_history_read(self) -> None:
        """End what is over by what the links have learnt from the store about the time before the start."""
        self._is_history_known = True
        self._visit_all()

    # For the API.

    def count_open(self) -> int:
        """Count the notices that are neither over nor acknowledged."""
        return sum(notice.state == "open" for notice in self._by_id.values())

    async def list_notices(
        self, link: str | None, states: Set[NoticeState], before: int | None, limit: int
    ) -> list[Notice]:
        """List notices in one of these states, newest first: those of a link, with ids below `before`."""
        stored = await self._store.read(newest_notices, link, states, before, limit)
        notices = {notice.id: notice for notice in stored}
        notices |= {entry.notice.id: entry.notice for entry in self._unstored.values()}
        wanted = (
            notice
            for notice in notices.values()
            if notice.state in states
            and (link is None or notice.link == link)
            and (before is None or notice.id < before)
        )
        return sorted(wanted, key=lambda notice: notice.id, reverse=True)[:limit]

    async def acknowledge(self, notice_id: int, by: str | None, audit: AuditEntry) -> Notice:
        """Acknowledge a notice for all users, and return it once that is stored.

        One that is acknowledged or over is returned as it is. Raises UnknownNoticeError, and
        StoreUnavailableError unless the notice itself waits for the store.
        """
        notice = self._by_id.get(notice_id)
        if notice is None:
            return await self._find_ended(notice_id)
        if notice.acknowledged_at is not None:
            return notice
        is_stored = notice_id not in self._unstored
        if is_stored:
            self._require_store()
        stored = self._acknowledge(notice, by)
        self._journal.submit_nowait(append_audit_entries, evolve(audit, link=notice.link))
        if is_stored:
            await stored
        return self._by_id.get(notice_id) or await self._find_ended(notice_id)

    async def acknowledge_all(self, by: str | None, audit: AuditEntry) -> int:
        """Acknowledge all open notices, some in each turn; return how many once that is stored.

        Raises StoreUnavailableError.
        """
        self._require_store()
        stored: list[Deferred[None]] = []
        all_called: Deferred[None] = Deferred()
        for notice in tuple(self._by_id.values()):
            if notice.state == "open":
                self._pace(partial(self._acknowledge_if_open, notice.id, by, stored))
        self._pace(lambda: all_called.callback(None))
        self._journal.submit_nowait(append_audit_entries, audit)
        await all_called
        await gatherResults(stored)
        return len(stored)

    def _acknowledge_if_open(self, notice_id: int, by: str | None, stored: list[Deferred[None]]) -> None:
        notice = self._by_id.get(notice_id)
        if notice is not None and notice.state == "open":
            stored.append(self._acknowledge(notice, by))

    def _acknowledge(self, notice: Notice, by: str | None) -> Deferred[None]:
        acknowledged = evolve(notice, acknowledged_by=by, acknowledged_at=to_ms(self._wall_clock()))
        stored = self._put(acknowledged)
        link = self._find_link(notice)
        if notice.kind == "wake_up" and link is not None:
            link.diagnosis.wake_up_failures.acknowledge(int(notice.subject))
            link.refresh()
        return stored

    def _require_store(self) -> None:
        if self._journal.failure_reason is not None:
            raise StoreUnavailableError(self._journal.failure_reason)

    async def _find_ended(self, notice_id: int) -> Notice:
        if notice_id in self._unstored:
            return self._unstored[notice_id].notice
        stored = await self._store.read_live(find_notice, notice_id)
        if stored is None:
            raise UnknownNoticeError(f"there is no notice {notice_id}")
        return stored

    # What happens to the links and to the store.

    def on_link_changed(self, link: Link, transition: Transition | None) -> None:
        """Open, change and end the notices of a link that has changed."""
        self._update(link)

    def on_reconfigured(self, name: str) -> None:
        """End the notices of a link that is no longer configured."""
        if name not in self._links:
            for notice in tuple(self._by_link.get(name, {}).values()):
                self._put(end_notice(notice, None, self._wall_clock()))

    def _visit_all(self) -> None:
        for link in tuple(self._links.values()):
            self._pace(partial(self._visit, link))

    def _visit(self, link: Link) -> None:
        if link.is_running:
            self._update(link)

    def _on_health_change(self) -> None:
        now, reason = self._wall_clock(), self._journal.failure_reason
        if reason is not None:
            self._open(None, Fact("store", format_timestamp(now), now, params={"reason": reason}))
            return
        for notice in tuple(self._by_link.get(None, {}).values()):
            self._put(end_notice(notice, None, now))

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for link in {link for entry in entries if (link := self._affected_link(entry)) is not None}:
            self._visit(link)

    def _affected_link(self, entry: Entry) -> Link | None:
        """Return the link of an entry that may open or end a notice without a change of the link."""
        if isinstance(entry, OutboxRowChanged):
            link = self._links.get(entry.row.link)
            return link if link is not None and self._has_other_decisions(link) else None
        if isinstance(entry, RefusedRowPurged):
            return self._links.get(entry.link)
        if isinstance(entry, HotelEventLogged) and parse_failed_wake_up(
            entry.seq, entry.at, entry.type, entry.room, entry.text
        ):
            return self._links.get(entry.link)
        return None

    def _has_other_decisions(self, link: Link) -> bool:
        notice = self._by_link.get(link.name, {}).get(("decision", ""))
        counts = link.outbox.counts
        noticed = (0, 0) if notice is None else (notice.params["unknown"], notice.params["refused"])
        return noticed != (counts.unknown, counts.refused)

    # Notices.

    def _update(self, link: Link) -> None:
        now, noteworthy = self._wall_clock(), link.noteworthy()
        facts = {(fact.kind, fact.subject): fact for fact in find_facts(noteworthy, now)}
        for key, notice in tuple(self._by_link.get(link.name, {}).items()):
            fact = facts.pop(key, None)
            if fact is not None:
                updated = update_notice(notice, fact)
            elif self._is_history_known or notice.kind not in _FROM_HISTORY:
                updated = end_notice(notice, noteworthy, now)
            else:
                continue
            if updated is not notice:
                self._put(updated)
        for fact in facts.values():
            if fact.opens:
                self._open(link.name, fact)

    def _open(self, link: str | None, fact: Fact) -> None:
        seq = self._journal.next_seq()
        self._put(Notice(seq, link, fact.kind, fact.subject, to_ms(fact.at), fact.params))

    def _put(self, notice: Notice) -> Deferred[None]:
        """Take over a notice that is new or has changed; the Deferred fires once it is stored."""
        if notice.over is None:
            self._remember(notice)
        else:
            self._forget(notice)
        entry = NoticeChanged(notice)
        self._unstored[notice.id] = entry
        stored = self._journal.submit(store_notices, entry, retry_until_stored=True)
        return stored.addBoth(self._on_stored, entry)

    def _on_stored(self, result: None, entry: NoticeChanged) -> None:
        if self._unstored.get(entry.notice.id) is entry:
            del self._unstored[entry.notice.id]
        return result

    def _remember(self, notice: Notice) -> None:
        self._by_link.setdefault(notice.link, {})[notice.kind, notice.subject] = notice
        self._by_id[notice.id] = notice

    def _forget(self, notice: Notice) -> None:
        del self._by_id[notice.id]
        del self._by_link[notice.link][notice.kind, notice.subject]
        if not self._by_link[notice.link]:
            del self._by_link[notice.link]

    def _find_link(self, notice: Notice) -> Link | None:
        return None if notice.link is None else self._links.get(notice.link)


def _restore_failed_wake_up(link: Link, notice: Notice) -> None:
    failures, seq = link.diagnosis.wake_up_failures, int(notice.subject)
    failures.add(FailedWakeUp(seq, from_ms(notice.opened), **notice.params))
    if notice.acknowledged_at is not None:
        failures.acknowledge(seq)
