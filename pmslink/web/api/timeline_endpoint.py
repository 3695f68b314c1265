"""The call about how a link was over the last hours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from twisted.web.server import Request

from pmslink.link.link_registry import LinkRegistry
from pmslink.store.store_service import Store
from pmslink.store.tables.availability import Span, Timeline
from pmslink.store.tables.timeline_query import read_timeline
from pmslink.timestamps import format_timestamp
from pmslink.web.api.link_lookup import find_link
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.query_parameters import int_param
from pmslink.web.http.routing import Route

DEFAULT_TIMELINE_HOURS = 24
"""Hours that are told of when none are asked for …"""
MAX_TIMELINE_HOURS = 168
"""… and however many are."""


class TimelineResource:
    """Answers from the store."""

    def __init__(self, links: LinkRegistry, store: Store, wall: Callable[[], datetime]) -> None:
        self._links = links
        self._store = store
        self._wall = wall

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links/<link>/timeline", self.get_timeline

    async def get_timeline(self, request: Request, link: str) -> bytes:
        find_link(self._links, link)
        hours = int_param(request, "hours", maximum=MAX_TIMELINE_HOURS) or DEFAULT_TIMELINE_HOURS
        now = self._wall()
        since = now - timedelta(hours=hours)
        found = await self._store.read(read_timeline, link, since, now, self._store.run_id)
        return make_response(request, serialize_timeline(found))


def serialize_timeline(timeline: Timeline) -> dict[str, Any]:
    """The spans of a stretch of time, and how much of it the link was in sync."""
    return {
        "from": format_timestamp(timeline.since),
        "until": format_timestamp(timeline.until),
        "spans": [_serialize_span(span) for span in timeline.spans],
        "in_sync": {
            "seconds": timeline.in_sync_time.total_seconds(),
            "known_seconds": timeline.observed_time.total_seconds(),
            "share": timeline.in_sync_ratio,
        },
    }


def _serialize_span(span: Span) -> dict[str, Any]:
    changed = span.transition
    return {
        "state": span.state,
        "since": format_timestamp(span.since),
        "until": format_timestamp(span.until),
        "reason": changed and changed.reason,
        "cause": changed and json.loads(changed.cause),
    }
