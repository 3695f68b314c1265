"""Tests of the access log."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.web.test.requesthelper import DummyChannel

from pmslink.config.loader import Config
from pmslink.link.config_reload import ConfigReload
from pmslink.link.link_registry import LinkRegistry
from pmslink.timestamps import utc_now
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.auth.caller import Caller
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.site import ApiSite, make_site
from tests.memory_store import make_store
from tests.web.served_api import NO_STATE_DIR

NEIGHBOUR = Caller()


def logged(method: bytes, path: bytes, caller: Caller | None = NEIGHBOUR, route: str = "") -> list[str]:
    from twisted.internet.task import Clock

    async def no_test(config: object, on_progress: object) -> list[Any]:
        return []

    clock = Clock()
    store = make_store(clock, utc_now)
    tokens = TokenRegistry(NO_STATE_DIR, clock)
    links = LinkRegistry(clock, store)
    config_reload = ConfigReload(Config, Config(), links, store)
    site: ApiSite = make_site(links, store, clock, no_test, config_reload, tokens, local_only=True)
    request = ApiRequest(DummyChannel(), False)  # type: ignore[no-untyped-call]
    request.method, request.path, request.code = method, path, 200
    request.route = route
    request.client = IPv4Address("TCP", "127.0.0.1", 4711)
    if caller is not None:
        request.caller = caller
    events: list[LogEvent] = []
    publisher: Any = globalLogPublisher
    publisher.addObserver(events.append)
    site.log(request)
    publisher.removeObserver(events.append)
    return [formatEvent(event) for event in events]


def test_a_change_is_logged_with_its_caller() -> None:
    (line,) = logged(b"POST", b"/api/v1/links/grand/disable")
    assert (
        line
        == "IPv4Address(type='TCP', host='127.0.0.1', port=4711): POST '/api/v1/links/grand/disable': 200"
    )


def test_a_path_cannot_forge_log_lines() -> None:
    (line,) = logged(b"POST", b"/x\r\nforged")
    assert "\n" not in line


def test_reads_are_not_logged() -> None:
    assert logged(b"GET", b"/api/v1/links") == []


def test_unauthenticated_requests_and_long_paths_cannot_fill_the_log() -> None:
    assert logged(b"POST", b"/api/v1/links", caller=None) == []
    (line,) = logged(b"POST", b"/" + b"x" * 16_000)
    assert len(line) < 400


@pytest.mark.parametrize(
    ("route", "count"), [("/api/v1/links/<link>/postings", 0), ("/api/v1/links/<link>", 1)]
)
def test_requests_that_are_stored_are_not_logged(route: str, count: int) -> None:
    assert len(logged(b"POST", b"/api/v1/links/grand/%70ostings", route=route)) == count
