"""Tests of long responses: sent in parts, as fast as the client reads."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

from klein import Klein
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import Clock
from twisted.logger import LogEvent
from twisted.web.server import Request

from pmslink.web.http.bounded_site import BoundedSite
from pmslink.web.http.long_responses import PART_BYTES, make_list_response
from tests.time_limit import time_limit
from tests.web.served_api import RawConnection, parse_response, reactor, run_reactor_turns

VALUE = "x" * 1000
VALUES_PER_PART = -(-PART_BYTES // (len(VALUE) + 2))


class ServedList:
    """A site that serves a list of this many values, and counts those that were taken."""

    def __init__(self, length: int, clock: Any = None, fails: bool = False) -> None:
        self.fails = fails
        self.clock = clock or Clock()
        self.length = length
        self.taken = 0
        app = Klein()
        app.route("/", methods=["GET"])(self._list)
        app.route("/ping", methods=["GET"])(lambda request: b"pong")
        self.site = BoundedSite(app, self.clock)
        self.listening_port = reactor.listenTCP(0, self.site, interface="127.0.0.1")
        self.port = self.listening_port.getHost().port

    async def _list(self, request: Request) -> bytes:
        return await make_list_response(request, "values", self._values(), self.clock)

    def _values(self) -> Iterator[str]:
        for _ in range(self.length):
            self.taken += 1
            yield VALUE
        assert not self.fails or 1 / 0

    async def connect(self, path: str = "/", method: str = "GET", headers: str = "") -> RawConnection:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        connection: RawConnection = await connectProtocol(endpoint, RawConnection())
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: localhost:{self.port}\r\nconnection: close\r\n{headers}\r\n"
        )
        connection.write(head.encode())
        return connection

    async def until(self, condition: Callable[[], object], turns: bool = True) -> None:
        """Run turns of the service, and of the reactor, until the condition is true."""
        while not condition():
            if isinstance(self.clock, Clock) and turns:
                self.clock.advance(0)
            await run_reactor_turns(1)

    async def stop(self) -> None:
        await self.listening_port.stopListening()
        await self.until(lambda: len(self.site.connections) == 0)


async def read(served: ServedList, connection: RawConnection) -> Any:
    await served.until(lambda: connection.closed.called)
    return parse_response("GET", bytes(connection.received))


@time_limit(20)
async def test_a_short_list_is_one_body() -> None:
    for length in (0, 1, 2):
        served = ServedList(length)
        answer = await read(served, await served.connect())
        assert answer.json() == {"values": [VALUE] * length}
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["x-content-type-options"] == "nosniff"
        await served.stop()


@time_limit(20)
async def test_e7_a_long_list_takes_a_part_in_each_turn_of_the_reactor() -> None:
    served = ServedList(20 * VALUES_PER_PART, reactor)
    connection = await served.connect()
    steps: list[int] = []
    while not connection.closed.called:
        before = served.taken
        await run_reactor_turns(1)
        steps.append(served.taken - before)
    assert max(steps) <= 2 * VALUES_PER_PART
    answer = parse_response("GET", bytes(connection.received))
    assert answer.json() == {"values": [VALUE] * served.length}
    assert answer.headers["x-content-type-options"] == "nosniff"
    await served.stop()


@time_limit(20)
async def test_head_has_no_body() -> None:
    served = ServedList(3 * VALUES_PER_PART)
    connection = await served.connect(method="HEAD")
    await served.until(lambda: connection.closed.called)
    head, _, body = connection.received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""
    await served.stop()


@time_limit(60)
async def test_e7_a_client_that_does_not_read_stops_the_list() -> None:
    served = ServedList(100_000)
    connection = await served.connect()
    connection.transport.pauseProducing()  # type: ignore[union-attr]

    rounds_without_progress = 0
    while rounds_without_progress < 20:
        before = served.taken
        served.clock.advance(0)
        await run_reactor_turns()
        rounds_without_progress = 0 if served.taken > before else rounds_without_progress + 1
    assert 0 < served.taken < served.length
    connection.transport.resumeProducing()  # type: ignore[union-attr]
    answer = await read(served, connection)
    assert len(answer.json()["values"]) == served.length
    await served.stop()


@time_limit(20)
async def test_a_client_that_leaves_ends_the_list() -> None:
    served = ServedList(100_000)
    connection = await served.connect()
    await served.until(lambda: served.taken > 3 * VALUES_PER_PART)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await served.until(lambda: len(served.site.connections) == 0, turns=False)
    taken = served.taken
    for _ in range(5):
        served.clock.advance(0)
    assert served.taken == taken < served.length
    await served.stop()


@time_limit(20)
async def test_a_long_list_is_compressed_for_clients_that_accept_it() -> None:
    served = ServedList(20 * VALUES_PER_PART)
    answer = await read(served, await served.connect(headers="accept-encoding: gzip\r\n"))
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body)) == {"values": [VALUE] * served.length}
    await served.stop()


@time_limit(20)
async def test_a_list_that_fails_is_not_taken_for_complete(leak_check: list[LogEvent]) -> None:
    served = ServedList(20 * VALUES_PER_PART, fails=True)
    connection = await served.connect()
    await served.until(lambda: connection.closed.called)
    assert connection.received.startswith(b"HTTP/1.1 200")
    assert not connection.received.endswith(b"0\r\n\r\n")
    await served.stop()
    assert [event["log_failure"].type for event in leak_check] == [ZeroDivisionError]
    leak_check.clear()


@time_limit(20)
async def test_an_error_before_the_first_bytes_is_sent_as_it_is(leak_check: list[LogEvent]) -> None:
    served = ServedList(3, fails=True)
    answer = await read(served, await served.connect(headers="accept-encoding: gzip\r\n"))
    assert (answer.status, answer.json()["error"]["code"]) == (500, "internal")
    assert "content-encoding" not in answer.headers
    await served.stop()
    leak_check.clear()
