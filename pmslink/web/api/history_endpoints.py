"""Calls about what a link has been through: its transitions, its records, and both as events."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import get_args

from twisted.web.server import Request

from pmslink.link.link_registry import Links
from pmslink.store.store_service import Store
from pmslink.store.tables.history_queries import events_after, newest_records, newest_transitions
from pmslink.store.tables.log_entries import Direction, Entry
from pmslink.web.auth.access_control import Door
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import MOST, answer, asked, asked_choice, asked_number
from pmslink.web.http.routing import Route, asked_before, asked_limit, find_link
from pmslink.web.serializers.event_serializer import event_json
from pmslink.web.serializers.link_serializer import changed_json, record_json
from pmslink.web.serializers.redaction import masked_entry, masked_record
from pmslink.web.stream.long_poll import LONGEST, Waiting


class ListCalls:
    """Answers from the store, and for records from what the link remembers as well."""

    def __init__(self, links: Links, store: Store, waiting: Waiting, door: Door) -> None:
        self._links = links
        self._store = store
        self._waiting = waiting
        self._door = door

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links/<link>/transitions", self.transitions
        yield "GET", "/api/v1/links/<link>/records", self.records
        yield "GET", "/api/v1/links/<link>/events", self.events

    async def transitions(self, request: Request, link: str) -> bytes:
        find_link(self._links, link)
        newest = await self._store.read(newest_transitions, link, asked_before(request), asked_limit(request))
        return answer(request, {"transitions": [changed_json(one) for one in newest]})

    async def records(self, request: BoundedRequest, link: str) -> bytes:
        trace = find_link(self._links, link).trace
        limit, before = asked_limit(request), asked_before(request)
        direction = asked_choice(request, "direction", get_args(Direction))
        type = asked(request, "type")
        # The records that keep the link are only remembered, older ones only stored, some are both. What
        # is remembered stands as it happened: a record gets its number later than an LS that came after it.
        found = {one.seq: one for one in trace.newest(before, direction, type)}
        if len(found) < limit:
            stored = await self._store.read(newest_records, link, direction, type, before, limit)
            found = {one.seq: one for one in stored} | found
        newest = sorted(found.values(), key=attrgetter("seq"), reverse=True)[:limit]
        if not request.caller.sees_guests:
            shown = map(masked_record, newest)
            newest = [
                one for one in shown if type in (None, one.type)
            ]  # no guess of what is masked comes true
        return answer(request, {"records": [record_json(one) for one in newest]})

    async def events(self, request: BoundedRequest, link: str) -> bytes:
        find_link(self._links, link)
        limit = asked_limit(request)
        after = asked_number(request, "after", most=MOST, least=0) or 0
        wait = asked_number(request, "wait", most=LONGEST, least=0) or 0
        if after > self._store.journal.told_up_to:
            after = 0
        found = await self._read(link, after, limit)
        if not found and wait:
            await self._waiting.wait(link, after, wait, request.caller.name)
            self._door.require_admitted(request.caller)
            find_link(self._links, link)
            found = await self._read(link, after, limit)
        next = found[-1].seq if found else after
        if not request.caller.sees_guests:
            found = list(map(masked_entry, found))
        return answer(request, {"events": [event_json(one) for one in found], "next": next})

    async def _read(self, link: str, after: int, limit: int) -> list[Entry]:
        """What is kept and told: a reader may see a commit a moment before anybody is told of it."""
        found = await self._store.read(events_after, link, after, limit)
        told = self._store.journal.told_up_to
        return [one for one in found if one.seq <= told]
