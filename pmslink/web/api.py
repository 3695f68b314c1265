"""The routes of the interface. `openapi.yaml` describes them to those who call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import get_args

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.server import Request

from pmslink import __version__
from pmslink.config import ConfigError, LinkConfig, read_link
from pmslink.link.link import Link
from pmslink.link.links import Links
from pmslink.link.probe import Step
from pmslink.link.trace import KEPT, Direction
from pmslink.web import metrics, stream
from pmslink.web.answers import (
    MOST,
    ApiError,
    answer,
    answer_failure,
    asked,
    asked_number,
    begin_answer,
    json_object,
    require_json,
)
from pmslink.web.described import link_json, record_json, transition_json
from pmslink.web.openapi import openapi_json
from pmslink.web.overview import worst

Ready = Callable[[], str | None]
"""What keeps the service from doing its work, in words; None when nothing does."""

TestLink = Callable[[LinkConfig], Awaitable[Sequence[Step]]]
"""Tries what a link would do. Raises NotApplicable where that would disturb one."""

USUAL = 100
"""Entries of a list that are given when no limit is asked for."""


class Api:
    """Answers from the links as they are.

    Whatever changes a link does so before its call returns: Klein cancels the Deferreds of callers who
    go away, and a change must not end half-way.
    """

    app = Klein()
    app.url_map.merge_slashes = False  # "//" is an unknown path, not a redirect

    def __init__(
        self,
        links: Links,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        ready: Ready,
        test_link: TestLink,
    ) -> None:
        self._links = links
        self._clock = clock
        self._begun = clock.seconds()
        self._ready = ready
        self._test_link = test_link
        self.stream = stream.Stream(links, clock, wall)
        self._metrics = metrics.Metrics(links, partial(len, self.stream))

    # About the service.

    @app.route("/", methods=["GET"])
    def index(self, request: Request) -> bytes:
        return answer(request, {"version": __version__, "openapi": "/openapi.json"})

    @app.route("/openapi.json", methods=["GET"])
    def openapi(self, request: Request) -> bytes:
        return answer(request, openapi_json())

    @app.route("/healthz", methods=["GET"])
    def health(self, request: Request) -> bytes:
        return answer(request, {"ok": True})

    @app.route("/readyz", methods=["GET"])
    def readiness(self, request: Request) -> bytes:
        reason = self._ready()
        if reason is not None:
            raise ApiError(503, "not_ready", reason)
        return answer(request, {"ok": True})

    @app.route("/metrics", methods=["GET"])
    def metrics_text(self, request: Request) -> bytes:
        return answer(request, self._metrics.text(), type=metrics.CONTENT_TYPE)

    @app.route("/api/v1/status", methods=["GET"])
    def status(self, request: Request) -> bytes:
        reason = self._ready()
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

    @app.route("/api/v1/stream", methods=["GET"])
    def watch(self, request: Request) -> bytes | Deferred[bytes]:
        if request.method == b"HEAD":
            begin_answer(request, 200, stream.CONTENT_TYPE)
            return b""
        return self.stream.watch(request)

    # Links, and what can be done with one.

    @app.route("/api/v1/links", methods=["GET"])
    def links(self, request: Request) -> bytes:
        return answer(request, {"links": [link_json(link) for link in self._links]})

    @app.route("/api/v1/links/test", methods=["POST"])
    async def test(self, request: Request) -> bytes:
        steps = await self._test_link(_asked_settings(request))
        return answer(
            request,
            {
                "steps": [
                    {"step": one.step, "ok": one.ok, "reason": one.reason, "seconds": round(one.seconds, 3)}
                    for one in steps
                ]
            },
        )

    @app.route("/api/v1/links/<link>", methods=["GET"])
    def link(self, request: Request, link: str) -> bytes:
        return answer(request, link_json(self._found(link)))

    @app.route("/api/v1/links/<link>/enable", methods=["POST"])
    def enable(self, request: Request, link: str) -> bytes:
        return self._control(request, link, Link.enable)

    @app.route("/api/v1/links/<link>/disable", methods=["POST"])
    def disable(self, request: Request, link: str) -> bytes:
        return self._control(request, link, Link.disable)

    @app.route("/api/v1/links/<link>/expire", methods=["POST"])
    def expire(self, request: Request, link: str) -> bytes:
        return self._control(request, link, Link.expire)

    @app.route("/api/v1/links/<link>/disconnect", methods=["POST"])
    def disconnect(self, request: Request, link: str) -> bytes:
        return self._control(request, link, Link.disconnect)

    # What a link has been through.

    @app.route("/api/v1/links/<link>/transitions", methods=["GET"])
    def transitions(self, request: Request, link: str) -> bytes:
        limit, before = _asked_part(request)
        newest = self._found(link).history.newest(before)
        return answer(request, {"transitions": [transition_json(one) for one in islice(newest, limit)]})

    @app.route("/api/v1/links/<link>/records", methods=["GET"])
    def records(self, request: Request, link: str) -> bytes:
        limit, before = _asked_part(request)
        newest = self._found(link).trace.newest(before, _asked_direction(request), asked(request, "type"))
        return answer(request, {"records": [record_json(one) for one in islice(newest, limit)]})

    def _control(self, request: Request, name: str, control: Callable[[Link], None]) -> bytes:
        link = self._found(name)
        require_json(request)
        control(link)
        return answer(request, link_json(link))

    def _found(self, name: str) -> Link:
        link = self._links.get(name)
        if link is None:
            raise ApiError(404, "unknown_link", f"there is no link {name!r}")
        return link

    @app.handle_errors(Exception)  # type: ignore[arg-type]  # Klein's type knows no failure as argument
    def failed(self, request: Request, failure: Failure) -> bytes:
        return answer_failure(request, failure)


def _asked_part(request: Request) -> tuple[int, int | None]:
    """How many entries of a list, and older than which."""
    limit = asked_number(request, "limit", most=KEPT)
    return USUAL if limit is None else limit, asked_number(request, "before", most=MOST)


def _asked_direction(request: Request) -> Direction | None:
    direction = asked(request, "direction")
    for known in get_args(Direction):
        if direction == known:
            return known  # type: ignore[no-any-return]
    if direction is not None:
        raise ApiError(400, "invalid", 'direction must be "in" or "out"', "direction")
    return None


def _asked_settings(request: Request) -> LinkConfig:
    try:
        return read_link("test", json_object(request))
    except ConfigError as problem:
        message = "; ".join(str(problem).splitlines())
        raise ApiError(400, "invalid", message, problem.key) from None
    except RecursionError:
        raise ApiError(400, "invalid", "the body is nested too deeply") from None
