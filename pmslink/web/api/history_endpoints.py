"""Calls about what a link has been through: its transitions, its records, and both as events."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import get_args

from twisted.web.server import Request

from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.history_queries import events_after, newest_records, newest_transitions
from pmslink.store.tables.log_entries import Direction
from pmslink.web.api.link_lookup import find_link
from pmslink.web.auth.access_control import AccessControl
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.query_parameters import (
    MAX_SAFE_INTEGER,
    before_param,
    enum_param,
    int_param,
    limit_param,
    query_param,
)
from pmslink.web.http.routing import Route
from pmslink.web.serializers.event_serializer import serialize_event
from pmslink.web.serializers.link_serializer import serialize_record, serialize_stored_transition
from pmslink.web.serializers.redaction import redact_entry, redact_record
from pmslink.web.stream.long_poll import MAX_WAIT_S, LongPoll


class HistoryResource:
    """Answers from the store, and for records from what the link remembers as well."""

    def __init__(
        self, links: LinkRegistry, store: Store, long_poll: LongPoll, access_control: AccessControl
    ) -> None:
        self._links = links
        self._store = store
        self._long_poll = long_poll
        self._access_control = access_control

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links/<link>/transitions", self.list_transitions
        yield "GET", "/api/v1/links/<link>/records", self.list_records
        yield "GET", "/api/v1/links/<link>/events", self.list_events

    async def list_transitions(self, request: Request, link: str) -> bytes:
        find_link(self._links, link)
        newest = await self._store.read(newest_transitions, link, before_param(request), limit_param(request))
        return make_response(request, {"transitions": [serialize_stored_transition(one) for one in newest]})

    async def list_records(self, request: ApiRequest, link: str) -> bytes:
        trace = find_link(self._links, link).trace
        limit, before = limit_param(request), before_param(request)
        direction = enum_param(request, "direction", get_args(Direction))
        type = query_param(request, "type")
        # The records that keep the link are only remembered, older ones only stored, some are both. What
        # is remembered stands as it happened: a record gets its number later than an LS that came after it.
        found = {one.seq: one for one in trace.newest(before, direction, type)}
        if len(found) < limit:
            stored = await self._store.read(newest_records, link, direction, type, before, limit)
            found = {one.seq: one for one in stored} | found
        newest = sorted(found.values(), key=attrgetter("seq"), reverse=True)[:limit]
        if not request.caller.sees_guests:
            shown = map(redact_record, newest)
            newest = [
                one for one in shown if type in (None, one.type)
            ]  # no guess of what is masked comes true
        return make_response(request, {"records": [serialize_record(one) for one in newest]})

    async def list_events(self, request: ApiRequest, link: str) -> bytes:
        find_link(self._links, link)
        limit = limit_param(request)
        after = int_param(request, "after", maximum=MAX_SAFE_INTEGER, minimum=0) or 0
        wait = int_param(request, "wait", maximum=MAX_WAIT_S, minimum=0) or 0
        if after > self._store.journal.last_published_seq:
            after = 0
        found = await self._read_published_events(link, after, limit)
        if not found and wait:
            await self._long_poll.wait(link, after, wait, request.caller.name)
            self._access_control.require_still_authorized(request.caller)
            find_link(self._links, link)
            found = await self._read_published_events(link, after, limit)
        next = found[-1].seq if found else after
        if not request.caller.sees_guests:
            found = list(map(redact_entry, found))
        return make_response(request, {"events": [serialize_event(one) for one in found], "next": next})

    async def _read_published_events(self, link: str, after: int, limit: int) -> list[Entry]:
        """What is kept and told: a reader may see a commit a moment before anybody is told of it."""
        found = await self._store.read(events_after, link, after, limit)
        told = self._store.journal.last_published_seq
        return [one for one in found if one.seq <= told]
