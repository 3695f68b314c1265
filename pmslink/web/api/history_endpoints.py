"""Endpoints of a link's history: its transitions, its records, and its events for the PBX."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import get_args

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.history_queries import events_after, newest_records, newest_transitions
from pmslink.store.tables.log_entries import Direction
from pmslink.web.api.link_lookup import find_link
from pmslink.web.auth.access_control import AccessControl
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.long_responses import make_list_response
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
    """Endpoints of the history, from the store and, for records, also from the link's trace."""

    def __init__(
        self,
        links: LinkRegistry,
        store: Store,
        clock: IReactorTime,
        long_poll: LongPoll,
        access_control: AccessControl,
    ) -> None:
        self._links = links
        self._store = store
        self._clock = clock
        self._long_poll = long_poll
        self._access_control = access_control

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "GET", "/api/v1/links/<link>/transitions", self.list_transitions
        yield "GET", "/api/v1/links/<link>/records", self.list_records
        yield "GET", "/api/v1/links/<link>/events", self.list_events

    async def list_transitions(self, request: Request, link: str) -> bytes:
        """List the newest changes of the link's state."""
        find_link(self._links, link)
        before, limit = before_param(request), limit_param(request)
        transitions = await self._store.read(newest_transitions, link, before, limit)
        serialized = map(serialize_stored_transition, transitions)
        return await make_list_response(request, "transitions", serialized, self._clock)

    async def list_records(self, request: ApiRequest, link: str) -> bytes:
        """List the newest records that the link sent and received."""
        trace = find_link(self._links, link).trace
        limit, before = limit_param(request), before_param(request)
        direction = enum_param(request, "direction", get_args(Direction))
        record_type = query_param(request, "type")
        # Records of link checks are only in the trace, older ones only in the store, others in both. The
        # trace has the order of reception: a stored record may get its number after a later LS.
        entries = {entry.seq: entry for entry in trace.newest(before, direction, record_type)}
        if len(entries) < limit:
            stored = await self._store.read(newest_records, link, direction, record_type, before, limit)
            entries = {entry.seq: entry for entry in stored} | entries
        newest = sorted(entries.values(), key=attrgetter("seq"), reverse=True)[:limit]
        if not request.caller.sees_guests:
            # filtered again, so that the filter does not reveal the masked type of an unknown record
            redacted = map(redact_record, newest)
            newest = [entry for entry in redacted if record_type in (None, entry.type)]
        return await make_list_response(request, "records", map(serialize_record, newest), self._clock)

    async def list_events(self, request: ApiRequest, link: str) -> bytes:
        """List the events after a number; if there are none, wait up to `wait` seconds for the first."""
        find_link(self._links, link)
        limit = limit_param(request)
        after = int_param(request, "after", maximum=MAX_SAFE_INTEGER, minimum=0) or 0
        wait_s = int_param(request, "wait", maximum=MAX_WAIT_S, minimum=0) or 0
        if after > self._store.journal.last_published_seq:
            after = 0
        events = await self._read_published_events(link, after, limit)
        if not events and wait_s:
            await self._long_poll.wait(link, after, wait_s, request.caller.name)
            self._access_control.require_still_authorized(request.caller)
            find_link(self._links, link)
            events = await self._read_published_events(link, after, limit)
        next_after = events[-1].seq if events else after
        visible = events if request.caller.sees_guests else map(redact_entry, events)
        serialized = map(serialize_event, visible)
        return await make_list_response(request, "events", serialized, self._clock, {"next": next_after})

    async def _read_published_events(self, link: str, after: int, limit: int) -> list[Entry]:
        # a commit is readable shortly before its entries are published
        entries = await self._store.read_live(events_after, link, after, limit)
        last_published_seq = self._store.journal.last_published_seq
        return [entry for entry in entries if entry.seq <= last_published_seq]
