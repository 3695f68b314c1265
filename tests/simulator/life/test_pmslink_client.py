"""Tests of the phones' HTTP client, over a loopback socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest
import pytest_twisted
from klein import Klein
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import Logger, formatEvent
from twisted.web.iweb import IRequest
from twisted.web.server import Site

from pmslink.simulator.life import pmslink_client
from pmslink.simulator.life.api_target import ApiTarget, target_from_endpoint
from pmslink.simulator.life.phones import Phones, UnreachableError
from pmslink.simulator.life.pmslink_client import HttpApiClient, make_endpoint_phones, make_phones
from tests.simulator.sockets import reactor, sockets_closed_after


class Pmslink:
    """An API that records requests, and returns their headers."""

    app = Klein()

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.pending_count = 0

    @app.route("/silent")
    def silent(self, request: IRequest) -> Deferred[bytes]:
        self.pending_count += 1
        return Deferred()

    @app.route("/page")
    def page(self, request: IRequest) -> bytes:
        return b"<html>"

    @app.route("/", branch=True)
    def answer(self, request: Any) -> bytes:
        self.requests.append((request.method.decode(), request.uri.decode(), request.content.read()))
        request.setResponseCode(202)
        key = request.getHeader("Idempotency-Key") or ""
        kind = request.getHeader("Content-Type") or ""
        return f'{{"key": "{key}", "kind": "{kind}"}}'.encode()


@asynccontextmanager
async def served(factory: Any) -> AsyncIterator[str]:
    async with sockets_closed_after():
        port: Any = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
        yield f"http://127.0.0.1:{port.getHost().port}"
        await port.stopListening()


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_a_call_carries_method_path_body_and_key() -> None:
    pmslink = Pmslink()
    async with served(Site(pmslink.app.resource())) as url:
        client = HttpApiClient(reactor, url)
        created = await client.call("POST", "/postings", {"room": "101"}, "phone-1")
        deleted = await client.call("DELETE", "/rooms/1%202%2F3/wake-up?at=2026-11-20T07%3A00")
        await client.close()
    assert created == (202, {"key": "phone-1", "kind": "application/json"})
    assert deleted == (202, {"key": "", "kind": ""})
    assert pmslink.requests == [
        ("POST", "/postings", b'{"room": "101"}'),
        ("DELETE", "/rooms/1%202%2F3/wake-up?at=2026-11-20T07%3A00", b""),
    ]


class HalfResponse(Protocol):
    """Sends half a response, and then closes the connection or sends nothing more."""

    closes = False

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
        if self.closes:
            self.transport.loseConnection()


class HalfResponseThenClose(HalfResponse):
    closes = True


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_an_incomplete_response_is_unreachable_and_its_connection_is_closed() -> None:
    async with served(Factory.forProtocol(HalfResponseThenClose)) as url:
        client = HttpApiClient(reactor, url)
        with pytest.raises(UnreachableError):
            await client.call("GET", "/")
    async with served(Factory.forProtocol(HalfResponse)) as url:
        client = HttpApiClient(reactor, url)
        clock = client._reactor = Clock()
        started: list[Any] = []
        with patch.object(pmslink_client._BodyReader, "dataReceived", lambda _, data: started.append(data)):
            call = Deferred.fromCoroutine(client.call("GET", "/"))
            while not started:
                await deferLater(reactor, 0)
        clock.advance(10)
        with pytest.raises(UnreachableError):
            await call


class ClosesConnection(Protocol):
    """Closes each connection when it receives a request."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_a_failed_call_is_unreachable_with_the_reason() -> None:
    async with served(Factory.forProtocol(ClosesConnection)) as url:
        client = HttpApiClient(reactor, url)
        with pytest.raises(UnreachableError, match=r"^http://127\.0\.0\.1:[0-9]+: Connection was closed"):
            await client.call("GET", "/")
        await client.close()
    with pytest.raises(UnreachableError, match="refused"):
        await client.call("GET", "/")
    async with served(Site(Pmslink().app.resource())) as url:
        client = HttpApiClient(reactor, url)
        with pytest.raises(UnreachableError, match="the response is not JSON"):
            await client.call("GET", "/page")
        await client.close()


@pytest.mark.parametrize(("query", "seconds"), [("", 10), ("?after=3&wait=30", 40)])
@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_the_response_timeout_is_ten_seconds_beyond_the_long_poll(query: str, seconds: float) -> None:
    pmslink = Pmslink()
    async with served(Site(pmslink.app.resource())) as url:
        client = HttpApiClient(reactor, url)
        clock = client._reactor = Clock()
        call = Deferred.fromCoroutine(client.call("GET", f"/silent{query}"))
        while not pmslink.pending_count:
            await deferLater(reactor, 0)
        clock.advance(seconds - 0.1)
        assert not call.called
        clock.advance(0.2)
        with pytest.raises(UnreachableError):
            await call
        await client.close()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8080,demo", "http://127.0.0.1:8080"),
        ("https://pbx.example/,demo", "https://pbx.example"),
        ("http://[::1]:8080,demo", "http://[::1]:8080"),
    ],
)
def test_a_target_is_a_url_and_a_link(text: str, url: str) -> None:
    assert ApiTarget.parse(text) == ApiTarget(url, "demo")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http://127.0.0.1:8080", "should look like http://127.0.0.1:8080,hotel"),
        ("http://127.0.0.1:8080,", "a link is named by 1 to 64 letters"),
        ("http://127.0.0.1:8080,a b", "a link is named by 1 to 64 letters"),
        ("127.0.0.1:8080,demo", "should look like"),
        ("ftp://127.0.0.1,demo", "should look like"),
        ("http://,demo", "should look like"),
        ("http://[::1,demo", "Invalid IPv6 URL"),
        ("http://127.0.0.1:99999,demo", "Port out of range"),
        ("http://127.0.0.1:8080/api/v1,demo", "only the host and the port are expected"),
        ("http://me@127.0.0.1:8080,demo", "only the host and the port are expected"),
    ],
)
def test_an_invalid_target_is_rejected_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match="should look like") as raised:
        ApiTarget.parse(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("tcp:8080", "http://127.0.0.1:8080"),
        ("tcp:port=8080:interface=127.0.0.1", "http://127.0.0.1:8080"),
        ("tcp:8080:backlog=5:interface=10.0.0.5", "http://10.0.0.5:8080"),
        ("tcp:8080:interface=0.0.0.0", "http://127.0.0.1:8080"),
        (r"tcp:8080:interface=\:\:1", "http://[::1]:8080"),
        (r"tcp:8080:interface=\:\:", "http://[::1]:8080"),
    ],
)
def test_the_target_follows_from_the_endpoint_of_the_service(listen: str, url: str) -> None:
    assert target_from_endpoint(listen, "demo") == ApiTarget(url, "demo")


@pytest.mark.parametrize("listen", ["tcp:0", "ssl:8443:privateKey=key.pem", "unix:/run/pmslink", "tcp:web"])
def test_without_a_tcp_endpoint_the_phones_make_no_calls_and_log_it(listen: str) -> None:
    lines: list[str] = []
    observer = Logger(observer=lambda event: lines.append(formatEvent(event)))  # type: ignore[arg-type]
    with patch.object(pmslink_client, "_log", observer):
        service = make_endpoint_phones(MemoryReactorClock(), listen, "demo")
    assert not isinstance(service, Phones)
    assert lines == [f"demo: the phones make no calls: {listen} is not a TCP endpoint with a port"]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_phones_call_over_http_until_they_stop() -> None:
    pmslink = Pmslink()
    async with served(Site(pmslink.app.resource())) as url:
        parent = MultiService()
        phones = make_phones(reactor, ApiTarget(url, "grand"))
        phones.setServiceParent(parent)
        parent.startService()
        while not pmslink.requests:
            await deferLater(reactor, 0.001)
        await parent.stopService()
    assert pmslink.requests[0][:2] == ("GET", "/api/v1/links/grand/events?after=0&wait=30&limit=1000")
    assert phones._now().tzinfo is not None
