"""Calls about the service itself: what it is, whether it is well, and what it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from pmslink import __version__
from pmslink.link.attention import worst
from pmslink.link.link_registry import Links
from pmslink.store.core.journal import Journal
from pmslink.web import metrics
from pmslink.web.api.openapi import openapi_json
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import ApiError, answer, begin_answer
from pmslink.web.http.routing import Route
from pmslink.web.stream import broadcaster


class AboutCalls:
    """Answers from the service as it is."""

    def __init__(
        self,
        links: Links,
        journal: Journal,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        watched: broadcaster.Stream,
    ) -> None:
        self._links = links
        self._journal = journal
        self._clock = clock
        self._begun = clock.seconds()
        self._stream = watched
        self._metrics = metrics.Metrics(links, journal, wall, partial(len, watched))

    def routes(self) -> Iterator[Route]:
        yield "GET", "/openapi.json", self.openapi
        yield "GET", "/healthz", self.health
        yield "GET", "/readyz", self.readiness
        yield "GET", "/metrics", self.metrics
        yield "GET", "/api/v1/status", self.status
        yield "GET", "/api/v1/stream", self.watch

    def openapi(self, request: Request) -> bytes:
        return answer(request, openapi_json())

    def health(self, request: Request) -> bytes:
        return answer(request, {"ok": True})

    def readiness(self, request: Request) -> bytes:
        if self._journal.reason is not None:
            raise ApiError(503, "not_ready", f"nothing can be kept: {self._journal.reason}")
        return answer(request, {"ok": True})

    def metrics(self, request: Request) -> bytes:
        return answer(request, self._metrics.text(), type=metrics.CONTENT_TYPE)

    def status(self, request: Request) -> bytes:
        reason = self._journal.reason
        return answer(
            request,
            {
                "version": __version__,
                "uptime": round(self._clock.seconds() - self._begun, 3),
                "store": {"ok": reason is None, "reason": reason},
                "links": self._links.by_marker(),
                "worst": worst(self._links),
            },
        )

    def watch(self, request: BoundedRequest) -> bytes | Deferred[bytes]:
        if request.method == b"HEAD":
            begin_answer(request, 200, broadcaster.CONTENT_TYPE)
            return b""
        return self._stream.watch(request, request.caller)
