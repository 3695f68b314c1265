"""Tests of the limits of connections, and of the deadlines of their phases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from klein import Klein
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.endpoints import SSL4ClientEndpoint, TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.web.http import connection_limit
from pmslink.web.http.bounded_channel import (
    BODY_TIMEOUT_S,
    HEAD_TIMEOUT_S,
    KEEP_ALIVE_TIMEOUT_S,
    WRITE_TIMEOUT_S,
)
from pmslink.web.http.bounded_site import BoundedSite
from pmslink.web.http.connection_limit import MAX_CONNECTIONS, MAX_CONNECTIONS_PER_CLIENT, ConnectionLimit
from tests.link.certificates import CertificateAuthority
from tests.time_limit import time_limit
from tests.web.served_api import RawConnection, ServedApi, parse_response, reactor, run_reactor_turns
from tests.web.stream_client import open_stream

GET = b"GET /healthz HTTP/1.1\r\nhost: localhost:%d\r\n\r\n"


def address(number: int) -> IAddress:
    return IPv4Address("TCP", f"192.0.2.{number}", 4711)


class FakeConnection:
    """Notes whether it was dropped."""

    def __init__(self) -> None:
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


class Clients:
    """Clients that connect as long as the limit admits them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.limit = ConnectionLimit(self.clock)

    def connect(self, peer: IAddress) -> FakeConnection | None:
        if not self.limit.admit(peer):
            return None
        connection = FakeConnection()
        self.limit.add(connection, peer)
        return connection

    def connect_many(self, count: int, peer: Callable[[int], IAddress]) -> list[FakeConnection]:
        connections = [self.connect(peer(number)) for number in range(count)]
        assert None not in connections
        return [connection for connection in connections if connection is not None]


@pytest.fixture
def clients() -> Clients:
    return Clients()


def test_e3_a_new_connection_takes_the_place_of_the_one_that_waits_longest(clients: Clients) -> None:
    opened = clients.connect_many(MAX_CONNECTIONS, lambda number: address(number % 250))
    clients.limit.on_request(opened[0])
    clients.limit.on_request(opened[1])
    clients.limit.on_response(opened[1])
    assert clients.connect(address(251)) is not None
    assert [number for number, connection in enumerate(opened) if connection.dropped] == [2]
    assert len(clients.limit) == MAX_CONNECTIONS


def test_e3_one_client_takes_the_place_of_its_own_connections_only(clients: Clients) -> None:
    other = clients.connect(address(1))
    opened = clients.connect_many(MAX_CONNECTIONS_PER_CLIENT + 100, lambda _: address(2))
    assert sum(connection.dropped for connection in opened) == 100
    assert other is not None
    assert not other.dropped
    assert len(clients.limit) == MAX_CONNECTIONS_PER_CLIENT + 1


@pytest.mark.parametrize(
    "peer", [IPv4Address("TCP", "127.0.0.9", 1), IPv6Address("TCP", "::1", 1), UNIXAddress(b"")]
)
def test_a_proxy_on_this_machine_has_only_the_limit_of_all(clients: Clients, peer: IAddress) -> None:
    opened = clients.connect_many(MAX_CONNECTIONS, lambda _: peer)
    assert not any(connection.dropped for connection in opened)
    assert clients.connect(peer) is not None
    assert opened[0].dropped


def test_a_client_is_refused_while_all_of_its_requests_are_handled(clients: Clients) -> None:
    opened = clients.connect_many(MAX_CONNECTIONS_PER_CLIENT, lambda _: address(1))
    for connection in opened:
        clients.limit.on_request(connection)
    assert clients.connect(address(1)) is None
    assert clients.connect(address(2)) is not None
    clients.limit.remove(opened[0])
    assert clients.connect(address(1)) is not None


def test_a_connection_that_has_ended_is_not_counted(clients: Clients) -> None:
    (connection,) = clients.connect_many(1, address)
    clients.limit.on_request(connection)
    clients.limit.remove(connection)
    clients.limit.on_response(connection)
    clients.limit.remove(connection)
    assert len(clients.limit) == 0
    assert not clients.limit._counts
    assert not clients.limit._waiting


def test_full_limits_are_logged_once_a_minute(clients: Clients) -> None:
    events: list[LogEvent] = []
    publisher: Any = globalLogPublisher
    publisher.addObserver(events.append)
    opened = clients.connect_many(MAX_CONNECTIONS_PER_CLIENT + 3, lambda _: address(1))
    for connection in opened[-3:]:
        clients.limit.remove(connection)
        clients.connect_many(2, lambda _: address(1))
    assert len(events) == 1
    clients.clock.advance(connection_limit.LOG_INTERVAL_S)
    clients.connect(address(1))
    publisher.removeObserver(events.append)
    line, _ = [formatEvent(event) for event in events]
    assert line.startswith("500 HTTP connections are open, 500 of them from 192.0.2.1: a new connection")


@time_limit(20)
async def test_e3_drips_lock_nobody_out(served_api: ServedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limit, "MAX_CONNECTIONS", 20)
    drips = [await served_api.connect(b"G") for _ in range(25)]
    await served_api.until(lambda: sum(drip.closed.called for drip in drips) == 5)
    assert (await served_api.get("/healthz")).status == 200
    for drip in drips:
        drip.transport.loseConnection()  # type: ignore[union-attr]
    await served_api.until(lambda: len(served_api.site.connections) == 0)


@pytest.mark.parametrize("is_tls", [False, True])
@time_limit(20)
async def test_e3_a_refused_connection_is_closed(
    is_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MAX_CONNECTIONS", 0)
    site = BoundedSite(Klein(), Clock())
    endpoint: Any
    if is_tls:
        options = CertificateAuthority.create(tmp_path / "ca.pem").server_options("127.0.0.1")
        port = reactor.listenSSL(0, site, options, interface="127.0.0.1")
        endpoint = SSL4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port, CertificateOptions())
    else:
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    connection: RawConnection = await connectProtocol(endpoint, RawConnection())
    while not connection.closed.called:
        await run_reactor_turns(1)
    assert len(site.connections) == 0
    await port.stopListening()


async def drip(api: ServedApi, request: bytes, seconds: int) -> RawConnection:
    """Send the beginning of a request, and then a byte each second until the connection is closed."""
    connection = await api.connect(request)
    await api.until(lambda: [channel._phase for channel in open_channels(api)] == ["receiving"])
    for _ in range(seconds):
        if not connection.closed.called:
            connection.write(b"a")
        await run_reactor_turns()
        api.advance(1)
    await run_reactor_turns()
    return connection


def open_channels(api: ServedApi) -> list[Any]:
    return list(api.site.connections._networks)


@time_limit(20)
async def test_e3_a_head_that_drips_has_an_absolute_deadline(served_api: ServedApi) -> None:
    connection = await drip(served_api, b"GET /healthz HTTP/1.1\r\nx: ", HEAD_TIMEOUT_S + 1)
    await served_api.until(lambda: connection.closed.called)
    answer = parse_response("GET", bytes(connection.received))
    assert answer.error == (408, "timeout")


@time_limit(20)
async def test_e3_a_body_that_drips_has_an_absolute_deadline(served_api: ServedApi) -> None:
    head = b"POST /api/v1/links HTTP/1.1\r\nhost: localhost:%d\r\ncontent-length: 100\r\n\r\n"
    connection = await drip(served_api, head % served_api.port, BODY_TIMEOUT_S + 1)
    await served_api.until(lambda: connection.closed.called)
    assert parse_response("POST", bytes(connection.received)).error == (408, "timeout")


@time_limit(20)
async def test_a_silent_connection_is_closed(served_api: ServedApi) -> None:
    connection = await served_api.connect(b"")
    await served_api.until(lambda: len(served_api.site.connections) == 1)
    served_api.advance(HEAD_TIMEOUT_S)
    await served_api.until(lambda: connection.closed.called)
    assert connection.received == b""


@time_limit(20)
async def test_a_connection_is_kept_for_the_next_request(served_api: ServedApi) -> None:
    request = GET % served_api.port
    connection = await served_api.connect(request)
    await served_api.until(lambda: b'"ok"' in connection.received or b"\n" in connection.received[-1:])
    served_api.advance(KEEP_ALIVE_TIMEOUT_S - 1)
    first = len(connection.received)
    connection.write(request)
    await served_api.until(lambda: len(connection.received) == 2 * first)
    served_api.advance(KEEP_ALIVE_TIMEOUT_S)
    await served_api.until(lambda: connection.closed.called)


@time_limit(20)
async def test_pipelined_requests_are_answered(served_api: ServedApi) -> None:
    connection = await served_api.connect(3 * (GET % served_api.port))
    await served_api.until(lambda: connection.received.count(b"HTTP/1.1 200") == 3)
    connection.transport.loseConnection()  # type: ignore[union-attr]
    await connection.closed


@time_limit(60)
async def test_e3_a_client_that_does_not_read_is_closed(served_api: ServedApi) -> None:
    connection = await served_api.connect(b"")
    connection.transport.pauseProducing()  # type: ignore[union-attr]
    page = b"GET /openapi.json HTTP/1.1\r\nhost: localhost:%d\r\n\r\n" % served_api.port
    connection.write(200 * page)
    await served_api.until(lambda: any(one._waitingForTransport for one in open_channels(served_api)))
    served_api.advance(WRITE_TIMEOUT_S)
    await served_api.until(lambda: len(served_api.site.connections) == 0)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await connection.closed


@time_limit(60)
async def test_requests_sent_ahead_wait_for_a_client_that_does_not_read(served_api: ServedApi) -> None:
    connection = await served_api.connect(b"")
    connection.transport.pauseProducing()  # type: ignore[union-attr]
    page = b"GET /openapi.json HTTP/1.1\r\nhost: localhost:%d\r\n\r\n" % served_api.port
    count = 200
    connection.write(count * page)
    await served_api.until(lambda: any(one._waitingForTransport for one in open_channels(served_api)))
    await run_reactor_turns()
    (channel,) = open_channels(served_api)
    unsent = len(channel.transport.dataBuffer) + channel.transport._tempDataLen
    assert unsent < 2**20
    connection.transport.resumeProducing()  # type: ignore[union-attr]
    await served_api.until(lambda: connection.received.count(b"HTTP/1.1 200") == count)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await connection.closed


@time_limit(60)
async def test_a_stream_that_is_not_read_receives_nothing(served_api: ServedApi) -> None:
    client = await open_stream(served_api)
    (channel,) = open_channels(served_api)
    channel.pauseProducing()  # as the transport does once its buffer is full
    client.connection.write(2**22 * b"x")
    await served_api.until(lambda: bool(channel._dataBuffer))
    await run_reactor_turns()
    assert sum(map(len, channel._dataBuffer)) < 2**20
    client.connection.transport.abortConnection()  # type: ignore[union-attr]
    served_api.advance(WRITE_TIMEOUT_S)
    await served_api.until(lambda: len(served_api.site.connections) == 0)


@time_limit(20)
async def test_a_content_length_of_thousands_of_digits_is_malformed(served_api: ServedApi) -> None:
    head = b"POST /api/v1/links HTTP/1.1\r\nhost: localhost:%d\r\ncontent-length: %s\r\n\r\n"
    connection = await served_api.connect(head % (served_api.port, 5000 * b"9"))
    await connection.closed
    assert connection.received.startswith(b"HTTP/1.1 400 ")


@time_limit(20)
async def test_a_stream_has_no_deadline(served_api: ServedApi) -> None:
    client = await open_stream(served_api)
    for _ in range(10):
        served_api.advance(60)
        await run_reactor_turns()
    assert len(served_api.site.api.broadcaster) == 1
    client.connection.transport.abortConnection()  # type: ignore[union-attr]
    await served_api.until(lambda: len(served_api.site.connections) == 0)
