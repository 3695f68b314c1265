"""Endpoints of the service itself: status, health, readiness, metrics, stream and OpenAPI document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import get_args

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from pmslink import __version__
from pmslink.link.attention import Attention
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.link_summary import LinkGroup, most_urgent
from pmslink.store.core.journal import Journal
from pmslink.web import metrics
from pmslink.web.api.openapi import serialize_openapi
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_responses import begin_response, make_response
from pmslink.web.http.long_responses import make_response_in_parts
from pmslink.web.http.query_parameters import enum_param
from pmslink.web.http.routing import Route
from pmslink.web.stream import broadcaster


class ServiceResource:
    """Endpoints of the service itself."""

    def __init__(
        self,
        links: LinkRegistry,
        journal: Journal,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        broadcaster: broadcaster.Broadcaster,
    ) -> None:
        self._links = links
        self._journal = journal
        self._clock = clock
        self._started_at_s = clock.seconds()
        self._broadcaster = broadcaster
        self._metrics = metrics.Metrics(links, journal, clock, wall_clock, partial(len, broadcaster))

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "GET", "/openapi.json", self.get_openapi
        yield "GET", "/healthz", self.get_health
        yield "GET", "/readyz", self.get_readiness
        yield "GET", "/metrics", self.get_metrics
        yield "GET", "/api/v1/status", self.get_status
        yield "GET", "/api/v1/stream", self.open_stream

    def get_openapi(self, request: Request) -> bytes:
        """Return the OpenAPI document."""
        return make_response(request, serialize_openapi())

    def get_health(self, request: Request) -> bytes:
        """Return that the process is running."""
        return make_response(request, {"ok": True})

    def get_readiness(self, request: Request) -> bytes:
        """Return whether the service can store data: 200, or 503 with the reason."""
        if self._journal.failure_reason is not None:
            raise ApiError(503, "not_ready", f"cannot write to disk: {self._journal.failure_reason}")
        return make_response(request, {"ok": True})

    async def get_metrics(self, request: Request) -> bytes:
        """Return the metrics in the Prometheus text format."""
        return await make_response_in_parts(request, self._metrics.render(), metrics.CONTENT_TYPE)

    def get_status(self, request: Request) -> bytes:
        """Return the version, the store's health, and a summary of the links."""
        reason = self._journal.failure_reason
        summaries = [link.summary for link in self._links]
        attention = Counter(summary.attention for summary in summaries)
        groups = Counter(summary.group for summary in summaries)
        return make_response(
            request,
            {
                "version": __version__,
                "uptime": round(self._clock.seconds() - self._started_at_s, 3),
                "store": {"ok": reason is None, "reason": reason},
                "links": self._links.count_by_marker(),
                "worst": most_urgent(summaries),
                "attention": {str(value): attention[value] for value in get_args(Attention)},
                "groups": {group: groups[group] for group in get_args(LinkGroup)},
            },
        )

    def open_stream(self, request: ApiRequest) -> bytes | Deferred[bytes]:
        """Send the stream of changes; to HEAD, its headers."""
        with_links = enum_param(request, "snapshot", ("links", "none")) != "none"
        if request.method == b"HEAD":
            begin_response(request, 200, broadcaster.CONTENT_TYPE)
            return b""
        return self._broadcaster.subscribe(request, request.caller, with_links)
