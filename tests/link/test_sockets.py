"""Tests that need real sockets: socket options, TLS, and host names that cannot be resolved."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor as the_reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from pmslink.config.link_definition import parse_link
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.resync import Progress
from pmslink.link.socket_options import TCP_KEEPALIVE_OPTIONS
from pmslink.timestamps import utc_now
from tests.link.certificates import CertificateAuthority
from tests.memory_store import make_store
from tests.time_limit import time_limit

reactor: Any = the_reactor


class Pms(Protocol):
    """Send LS at first, and LA after any data."""

    def connectionMade(self) -> None:
        self.factory.open.add(self)
        self.transport.write(b"\x02LS|\x03")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"\x02LA|\x03")  # type: ignore[union-attr]

    def connectionLost(self, reason: object = None) -> None:
        self.factory.open.discard(self)


class Silent(Pms):
    """Send nothing."""

    def connectionMade(self) -> None:
        self.factory.open.add(self)

    def dataReceived(self, data: bytes) -> None:
        pass


class Server(Factory):
    noisy = False

    def __init__(self, protocol: type[Pms]) -> None:
        self.protocol = protocol
        self.open: set[Pms] = set()


async def until(so: Callable[[], bool]) -> None:
    while not so():
        await deferLater(reactor, 0.005)


@asynccontextmanager
async def linked(protocol: type[Pms] = Pms, options: Any = None, **settings: object) -> AsyncIterator[Link]:
    """A link that was started towards such a server, over TLS if there are options for that."""
    server = Server(protocol)
    if options is None:
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
    else:
        port = reactor.listenSSL(0, server, options, interface="127.0.0.1")
    given = {"host": "127.0.0.1", "port": port.getHost().port, **settings}
    links = LinkRegistry(reactor, make_store(reactor, utc_now))
    link = links.add(parse_link("hotel", given))
    link.resync.progress = Progress(wanted=False)
    links.startService()
    try:
        yield link
    finally:
        await links.stopService()
        await port.stopListening()
        await until(lambda: not server.open)


def docked(link: Link) -> bool:
    return link.core.marker == "ESTABLISHED" and link.session.in_sync


@time_limit(10)
async def test_the_kernel_notices_a_cut_cable() -> None:
    async with linked() as link:
        await until(lambda: docked(link))
        connection: Any = link.dialer._connection
        tcp = connection.transport.socket
        assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        set_to = {
            name: tcp.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in TCP_KEEPALIVE_OPTIONS
        }
        assert set_to == {
            "TCP_KEEPIDLE": 10,
            "TCP_KEEPINTVL": 5,
            "TCP_KEEPCNT": 3,
            "TCP_USER_TIMEOUT": 25_000,
        }


@time_limit(10)
async def test_docks_over_tls_to_a_pms_with_a_certificate_of_the_ca_file(tmp_path: Path) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    async with linked(options=ca.server_options("127.0.0.1"), tls=True, ca_file=str(ca.file)) as link:
        await until(lambda: docked(link))
        connection: Any = link.dialer._connection
        tcp = connection.transport.socket
        assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000
        controls.disconnect(link)
        await until(lambda: link.core.marker == "CLOSED")


@time_limit(10)
async def test_a_file_may_hold_several_certificates(tmp_path: Path) -> None:
    other, ca = (
        CertificateAuthority.create(tmp_path / "other.pem"),
        CertificateAuthority.create(tmp_path / "ca.pem"),
    )
    both = tmp_path / "both.pem"
    both.write_bytes(other.file.read_bytes() + ca.file.read_bytes())
    async with linked(options=ca.server_options("127.0.0.1"), tls=True, ca_file=str(both)) as link:
        await until(lambda: docked(link))


@time_limit(10)
async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    async with linked(options=ca.server_options("192.0.2.7"), tls=True, ca_file=str(ca.file)) as link:
        await until(lambda: link.core.marker == "EXPECTION")
        assert link.core.cause.code == "lost"
        assert link.reason == "The connection was lost: the certificate of the PMS is for another host"


@time_limit(10)
async def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    async with linked(options=ca.server_options("127.0.0.1"), tls=True) as link:
        await until(lambda: link.core.marker == "EXPECTION")
        assert link.core.cause.code == "lost"
        assert link.reason == "The connection was lost: TLS: certificate verify failed"


@time_limit(10)
async def test_a_server_without_tls_is_given_up_after_the_start_timeout(tmp_path: Path) -> None:
    async with linked(Silent, tls=True, start_timeout=0.2) as link:
        await until(lambda: link.core.marker == "EXPECTION")
        assert link.core.cause.code == "start_timeout"
        controls.disconnect(link)


@pytest.mark.parametrize("gone", ["ca.pem", "empty.pem"])
@time_limit(10)
async def test_a_missing_ca_file_is_reported_and_can_come_back(gone: str, tmp_path: Path) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    pem = ca.file.read_bytes()
    file = tmp_path / gone
    file.write_bytes(pem)
    async with linked(
        options=ca.server_options("127.0.0.1"), tls=True, ca_file=str(file), retry_initial=0.1, enabled=False
    ) as link:
        file.unlink()
        controls.enable(link)
        await until(lambda: link.core.marker == "EXPECTION")
        assert link.core.cause.code == "refused"
        assert "No such file" in link.reason
        file.write_bytes(pem)
        await until(lambda: docked(link))


@pytest.mark.parametrize("host", ["hotel-ä.invalid", "no-such-host.invalid"])
@time_limit(20)
async def test_a_name_that_cannot_be_resolved_is_abnormal(host: str) -> None:
    async with linked(host=host) as link:
        await until(lambda: link.core.marker == "EXPECTION")
        assert link.reason == f"The host name of {link.config.address} cannot be resolved"


@time_limit(10)
async def test_a_port_without_a_listener_refuses_the_connection() -> None:
    async with linked(retry_initial=0.1, enabled=False) as link:
        port = reactor.listenTCP(0, Server(Pms), interface="127.0.0.1")
        number = port.getHost().port
        await port.stopListening()
        link.apply_config(parse_link("hotel", {"host": "127.0.0.1", "port": number}))
        controls.enable(link)
        await until(lambda: link.core.marker == "EXPECTION")
        assert link.reason == f"127.0.0.1:{number} refused the connection: Connection refused"
