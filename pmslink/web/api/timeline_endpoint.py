"""The call about how a link was over the last hours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from twisted.web.server import Request

from pmslink.link.link_registry import Links
from pmslink.store.store_service import Store
from pmslink.store.tables.availability import Span, Timeline
from pmslink.store.tables.timeline_query import read_timeline
from pmslink.timestamps import timestamp
from pmslink.web.http.json_responses import answer, asked_number
from pmslink.web.http.routing import Route, find_link

USUAL = 24
"""Hours that are told of when none are asked for …"""
AT_MOST = 168
"""… and however many are."""


class TimelineCalls:
    """Answers from the store."""

    def __init__(self, links: Links, store: Store, wall: Callable[[], datetime]) -> None:
        self._links = links
        self._store = store
        self._wall = wall

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links/<link>/timeline", self.timeline

    async def timeline(self, request: Request, link: str) -> bytes:
        find_link(self._links, link)
        hours = asked_number(request, "hours", most=AT_MOST) or USUAL
        now = self._wall()
        since = now - timedelta(hours=hours)
        found = await self._store.read(read_timeline, link, since, now, self._store.run)
        return answer(request, timeline_json(found))


def timeline_json(timeline: Timeline) -> dict[str, Any]:
    """The spans of a stretch of time, and how much of it the link was in sync."""
    return {
        "from": timestamp(timeline.since),
        "until": timestamp(timeline.until),
        "spans": [_span_json(span) for span in timeline.spans],
        "in_sync": {
            "seconds": timeline.in_sync.total_seconds(),
            "known_seconds": timeline.known.total_seconds(),
            "share": timeline.share,
        },
    }


def _span_json(span: Span) -> dict[str, Any]:
    changed = span.changed
    return {
        "state": span.state,
        "since": timestamp(span.since),
        "until": timestamp(span.until),
        "reason": changed and changed.reason,
        "cause": changed and json.loads(changed.cause),
    }
