"""A receiver on a real port that answers what the test says, and a courier whose time the test holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen
from twisted.internet import reactor as the_reactor
from twisted.internet.abstract import isIPAddress
from twisted.internet.address import IPv4Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IAddress, IHostnameResolver
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer, providedBy

from pmslink.pbx.webhook.http_delivery import HttpCourier, NotDelivered, Receiver
from tests.web.served_api import turns

reactor: Any = the_reactor
START = datetime(2026, 11, 20, 7, tzinfo=UTC)
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
SECRET = "correct horse battery staple"


def answer(code: int, more: str = "", body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {code} So\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@frozen
class Posted:
    """A request as it came."""

    line: str
    headers: Mapping[str, str]
    body: bytes


class Incoming(Protocol):
    """One connection to the receiver."""

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._came = b""

    def connectionMade(self) -> None:
        self._receiving.connections += 1
        self._receiving.open.append(self)

    def dataReceived(self, data: bytes) -> None:
        self._came += data
        if self._came.startswith(b"\x16"):  # TLS, which is not meant for this connection
            self.write(answer(400))
            self.close()
            return
        head, blank, rest = self._came.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
        length = int(headers.get("content-length", 0))
        if blank and len(rest) >= length:
            self._came = rest[length:]
            self._receiving.posted.append(Posted(line, headers, rest[:length]))
            self._receiving.answers(self)

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def close(self) -> None:
        self.transport.loseConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._receiving.open.remove(self)


class Receiving(Factory):
    """The receiver."""

    noisy = False

    def __init__(self, tls: Any = None) -> None:
        self.posted: list[Posted] = []
        self.connections = 0
        self.open: list[Incoming] = []
        self.answers: Callable[[Incoming], None] = lambda connection: connection.write(OK)
        self._tls = tls
        self.listen(0)

    def listen(self, port: int) -> None:
        where = (port, self)
        if self._tls is None:
            self._port = reactor.listenTCP(*where, interface="127.0.0.1")
        else:
            self._port = reactor.listenSSL(*where, self._tls, interface="127.0.0.1")
        address: IPv4Address = self._port.getHost()
        self.port = address.port

    def buildProtocol(self, addr: IAddress | None) -> Incoming:
        return Incoming(self)

    def always(self, data: bytes, close: bool = False) -> None:
        """Answer this from now on, and perhaps close then."""

        def answers(connection: Incoming) -> None:
            connection.write(data)
            if close:
                connection.close()

        self.answers = answers

    def url(self, path: str = "/events", host: str = "127.0.0.1") -> str:
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.port}{path}"

    async def deaf(self) -> None:
        """Listen no more."""
        await maybeDeferred(self._port.stopListening)


@implementer(IHostnameResolver)
class _Addresses:
    """Knows addresses, and no name."""

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        *arguments: object,
        **more: object,
    ) -> Any:
        resolutionReceiver.resolutionBegan(None)
        if isIPAddress(hostName):
            resolutionReceiver.addressResolved(IPv4Address("TCP", hostName, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolutionReceiver


class Timed:
    """The real reactor, but for its time, and for names, of which it knows none."""

    def __init__(self, clock: Clock) -> None:
        self.callLater = clock.callLater
        self.seconds = clock.seconds
        self.nameResolver = _Addresses()
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class Errand:
    """A courier, and the receiver that it goes to."""

    def __init__(self, tls: Any = None) -> None:
        self.clock = Clock()
        self.receiving = Receiving(tls)
        self.courier = HttpCourier(Timed(self.clock), self.now)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    async def post(self, body: bytes = b'{"seq":1}', url: str | None = None, waits: float = 0) -> str:
        """Post this, and let so much time pass once it has come; gives why it was not taken, or nothing."""
        said: list[str] = []
        came = len(self.receiving.posted)
        posted = self.courier.post(Receiver(url or self.receiving.url(), SECRET), body)
        posted.addCallbacks(lambda _: said.append(""), lambda failure: said.append(_why(failure)))
        if waits:
            await self.until(lambda: len(self.receiving.posted) > came)
            self.clock.advance(waits)
        await self.until(lambda: said)
        return said[0]

    async def until(self, true: Callable[[], object]) -> None:
        while not true():
            await deferLater(reactor, 0.001)

    async def end(self) -> None:
        self.courier.close()
        await self.receiving.deaf()
        for connection in tuple(self.receiving.open):
            connection.close()
        await self.until(lambda: not self.receiving.open)
        await turns()
        assert not self.clock.getDelayedCalls()


def _why(failure: Failure) -> str:
    failure.trap(NotDelivered)
    return failure.getErrorMessage()
