"""Endpoints of a link's past: its states over the last hours, and its phases over the last months."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from twisted.web.server import Request

from pmslink.link.link_registry import LinkRegistry
from pmslink.store.store_service import Store
from pmslink.store.tables.timeline_query import read_phases, read_timeline
from pmslink.web.api.link_lookup import find_link
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.query_parameters import int_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.timeline_serializer import serialize_phases, serialize_timeline

DEFAULT_TIMELINE_HOURS = 24
"""Hours of a timeline if the request sets none."""
MAX_TIMELINE_HOURS = 168
"""Hours of a timeline at most."""
MAX_PHASES_HOURS = 400 * 24
"""Hours of phases at most: for how long transitions are retained by default."""


class TimelineResource:
    """The endpoints of timeline and phases."""

    def __init__(self, links: LinkRegistry, store: Store, wall_clock: Callable[[], datetime]) -> None:
        self._links = links
        self._store = store
        self._wall_clock = wall_clock

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "GET", "/api/v1/links/<link>/timeline", self.get_timeline
        yield "GET", "/api/v1/links/<link>/phases", self.get_phases

    async def get_timeline(self, request: Request, link: str) -> bytes:
        """Return the states of a link over the last hours."""
        since, now = self._period(request, link, MAX_TIMELINE_HOURS)
        timeline = await self._store.read(read_timeline, link, since, now, self._store.run_id)
        return make_response(request, serialize_timeline(timeline))

    async def get_phases(self, request: Request, link: str) -> bytes:
        """Return the phases of a link over the last hours: an outage with all its redials is one of them."""
        since, now = self._period(request, link, MAX_PHASES_HOURS)
        phases = await self._store.read(read_phases, link, since, now, self._store.run_id)
        return make_response(request, serialize_phases(phases))

    def _period(self, request: Request, link: str, max_hours: int) -> tuple[datetime, datetime]:
        """Return the period that a request for a link asks for, up to now. Raises ApiError 400 or 404."""
        find_link(self._links, link)
        hours = int_param(request, "hours", maximum=max_hours) or DEFAULT_TIMELINE_HOURS
        now = self._wall_clock()
        return now - timedelta(hours=hours), now
