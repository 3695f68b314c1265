"""What the connection test says of other services and other habits, over TCP (cases D3, D4, D7, D14)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import Factory, Protocol

from pmslink.config.link_definition import parse_link
from pmslink.host_resolver import HostResolver
from pmslink.link.connection_probe import Probe, Step, Suggestion
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.tcp_dial import TcpDial
from pmslink.timestamps import utc_now
from tests.link.certificates import CertificateAuthority
from tests.memory_store import make_store
from tests.time_limit import time_limit

reactor: Any = global_reactor
TIMINGS: dict[str, object] = {
    "host": "127.0.0.1",
    "start_timeout": 30,
    "listen_time": 0.1,
    "sync_timeout": 30,
    "alive_timeout": 30,
}
"""Timeouts that only a test reaches which sets a shorter one."""
Reaction = Callable[["Server", bytes], None]


class Server(Protocol):
    """A server that sends a greeting, and reacts to each chunk of data."""

    def connectionMade(self) -> None:
        self.transport.write(self.factory.greeting)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.factory.react(self, data)

    def send(self, *texts: str) -> None:
        frames = b"".join(b"\x02" + text.encode() + b"\x03" for text in texts)
        self.transport.write(frames)  # type: ignore[union-attr]

    def close(self) -> None:
        self.transport.loseConnection()  # type: ignore[union-attr]


class ServerFactory(Factory):
    noisy = False
    protocol = Server

    def __init__(self) -> None:
        self.greeting = b""
        self.react: Reaction = lambda server, data: None


class Street:
    """A server on a port, and a probe."""

    def __init__(self) -> None:
        self.server = ServerFactory()
        self.port = reactor.listenTCP(0, self.server, interface="127.0.0.1")
        store = make_store(reactor, utc_now)
        self.number: int = self.port.getHost().port
        resolver = HostResolver(reactor)
        dial = TcpDial(reactor, resolver)
        self.probe = Probe(reactor, utc_now, resolver, dial, LinkRegistry(reactor, store, dial=dial))

    async def test(self, **settings: object) -> list[Step]:
        config = parse_link("test", {**TIMINGS, "port": self.number, **settings})
        return await self.probe.test(config)

    async def fail(self, **settings: object) -> Step:
        """Return the step that fails, the last one."""
        *passed, failed = await self.test(**settings)
        assert all(step.ok for step in passed)
        assert not failed.ok
        return failed


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def street() -> AsyncIterator[Street]:
    made = Street()
    yield made
    await maybeDeferred(made.port.stopListening)


@time_limit(10)
async def test_d3_lines_are_seen_before_the_start_timeout(street: Street) -> None:
    street.server.greeting = b"LS|DA261130|TI000000|\r\n"
    step = await street.fail()
    assert step.step == "link_start"
    assert "23 bytes came, no STX … ETX: LS|DA261130|TI000000|" in step.reason
    assert step.advice == 'Set framing = "crlf": the PMS sends lines.'
    assert step.suggest == Suggestion("framing", "crlf")
    assert step.seen is not None
    assert (step.seen.size, step.seen.hex) == (23, b"LS|DA261130|TI000000|\r\n".hex())
    assert step.seconds < 30  # after a second, as test_diagnosis.py shows on a test clock


@time_limit(10)
async def test_d3_stx_and_etx_on_a_link_with_lines(street: Street) -> None:
    street.server.greeting = b"\x02LS|DA261130|TI000000|\x03"
    step = await street.fail(framing="crlf")
    assert step.suggest == Suggestion("framing", "stx-etx")
    assert 'framing = "stx-etx"' in step.advice


@time_limit(10)
async def test_d3_a_web_server(street: Street) -> None:
    street.server.react = lambda server, data: server.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # type: ignore[union-attr]
    step = await street.fail()
    assert step.reason.endswith("28 bytes of HTTP came: HTTP/1.1 400 Bad Request")
    assert step.advice == "Check host and port: this is a web server."
    assert step.suggest is None


@time_limit(10)
async def test_d3_the_alert_of_a_tls_server_on_a_link_without_tls(street: Street) -> None:
    street.server.react = lambda server, data: server.transport.write(b"\x15\x03\x01\x00\x02\x02\x46")  # type: ignore[union-attr]
    step = await street.fail()
    assert step.step == "link_start"
    assert step.reason.endswith("7 bytes of TLS came: 15 03 01 00 02 02 46")
    assert step.suggest == Suggestion("tls", True)


@time_limit(10)
async def test_d3_a_tls_server_that_closes_without_a_word(street: Street, tmp_path: Path) -> None:
    options = CertificateAuthority.create(tmp_path / "ca.pem").server_options("127.0.0.1")
    tls_port = reactor.listenSSL(0, street.server, options, interface="127.0.0.1")
    try:
        step = await street.fail(port=tls_port.getHost().port)
    finally:
        await maybeDeferred(tls_port.stopListening)
    assert "lost before the first record" in step.reason
    assert "whether it needs tls = true" in step.advice


@time_limit(10)
async def test_d3_a_plain_server_on_a_link_with_tls(street: Street) -> None:
    street.server.greeting = b"\x02LS|DA261130|TI000000|\x03"
    step = await street.fail(tls=True)
    assert "does not speak TLS" in step.reason
    assert step.advice == "Set tls = false: this port does not use TLS."
    assert step.suggest == Suggestion("tls", False)


@time_limit(10)
async def test_d3_a_plain_server_that_waits_on_a_link_with_tls(street: Street) -> None:
    step = await street.fail(tls=True, start_timeout=1)
    assert step.step == "connect"
    assert "not the TLS handshake" in step.reason
    assert "set tls = false" in step.advice
    assert step.suggest == Suggestion("tls", False)


def start_and_answer(*answers: str) -> Reaction:
    def react(server: Server, data: bytes) -> None:
        if data.startswith(b"\x02LS|"):
            server.send("LS|", *answers)

    return react


@time_limit(10)
async def test_d4_each_failing_step_has_advice(street: Street) -> None:
    assert (await street.fail(start_timeout=1)).advice.startswith("Check that this is the FIAS port")
    street.server.react = start_and_answer()
    step = await street.fail(sync_timeout=0.3, alive_timeout=3)
    assert step.step == "confirmation"
    assert step.advice.startswith('Set sync_on = "declared", or "any"')  # it answered LS with LS
    assert step.suggest == Suggestion("sync_on", "declared")
    await street.port.stopListening()
    step = await street.fail()
    assert step.step == "connect"
    assert step.advice.startswith("Ask the hotel whether the interface program runs")


@time_limit(10)
async def test_d7_a_pms_that_closes_at_the_description(street: Street) -> None:
    def react(server: Server, data: bytes) -> None:
        if b"LD|" in data:
            server.close()
        else:
            server.send("LS|")

    street.server.react = react
    for sync_on in ("LA", "declared"):
        step = await street.fail(sync_on=sync_on)
        assert step.step == "description"
        assert "after the link description (LD, LR, LA)" in step.reason
        assert step.advice.startswith("Leave records out of the description")


@pytest.mark.parametrize("sync_on", ["LA", "any", "declared"])
@time_limit(10)
async def test_d14_an_echo_server(street: Street, sync_on: str) -> None:
    street.server.react = lambda server, data: server.transport.write(data)  # type: ignore[union-attr]
    step = await street.fail(sync_on=sync_on)
    assert step.step == "confirmation"
    assert step.reason.startswith("The other side repeats our own records")
    assert step.advice.startswith("Check host and port")


@time_limit(10)
async def test_d10_a_test_that_passes_says_that_the_clock_is_wrong(street: Street) -> None:
    def react(server: Server, data: bytes) -> None:
        if b"LE|" in data:
            server.close()
        else:
            server.send(*(["LA|DA200101|TI000000|"] if b"LD|" in data else ["LS|"]))

    street.server.react = react
    *_, step = await street.test()
    assert (step.step, step.ok) == ("confirmation", True)
    assert "behind the hotel's local time" in step.advice
