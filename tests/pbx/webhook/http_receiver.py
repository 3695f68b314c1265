"""A webhook receiver on a real port, and a transport on a test clock that posts to it."""

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

from pmslink.pbx.webhook.delivery_error import DeliveryError
from pmslink.pbx.webhook.http_delivery import HttpWebhookTransport, Receiver
from tests.web.served_api import run_reactor_turns

reactor: Any = the_reactor
START_TIME = datetime(2026, 11, 20, 7, tzinfo=UTC)
OK_RESPONSE = b"HTTP/1.1 204 No Content\r\n\r\n"
WEBHOOK_SECRET = "correct horse battery staple"


def build_response(code: int, extra_headers: str = "", body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {code} So\r\nContent-Length: {len(body)}\r\n{extra_headers}\r\n".encode() + body


@frozen
class ReceivedRequest:
    """One request that the receiver received."""

    line: str
    headers: Mapping[str, str]
    body: bytes


class ReceiverConnection(Protocol):
    """One connection to the receiver."""

    def __init__(self, receiver: HttpReceiver) -> None:
        self._receiver = receiver
        self._received = b""
        self.on_lost: Callable[[], None] = lambda: None

    def connectionMade(self) -> None:
        self._receiver.connection_count += 1
        self._receiver.open_connections.append(self)

    def dataReceived(self, data: bytes) -> None:
        self._received += data
        if self._received.startswith(b"\x16"):  # a TLS handshake
            self.write(build_response(400))
            self.close()
            return
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        if blank and len(rest) >= length:
            self._received = rest[length:]
            self._receiver.requests.append(ReceivedRequest(line, headers, rest[:length]))
            self._receiver.respond(self)
        elif blank:
            self._receiver.respond_to_head(self)

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def close(self) -> None:
        self.transport.loseConnection()  # type: ignore[union-attr]

    def pause(self) -> None:
        """Read nothing more."""
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def resume(self) -> None:
        """Read again."""
        self.transport.resumeProducing()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._receiver.open_connections.remove(self)
        self.on_lost()


class HttpReceiver(Factory):
    """An HTTP server that records requests and responds as the test scripts it."""

    noisy = False

    def __init__(self, tls: Any = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connection_count = 0
        self.open_connections: list[ReceiverConnection] = []
        self.respond: Callable[[ReceiverConnection], None] = lambda connection: connection.write(OK_RESPONSE)
        self.respond_to_head: Callable[[ReceiverConnection], None] = lambda connection: None
        """Called while a request is incomplete."""
        self._tls = tls
        self.listen(0)

    def listen(self, port: int) -> None:
        arguments = (port, self)
        if self._tls is None:
            self._port = reactor.listenTCP(*arguments, interface="127.0.0.1")
        else:
            self._port = reactor.listenSSL(*arguments, self._tls, interface="127.0.0.1")
        address: IPv4Address = self._port.getHost()
        self.port = address.port

    def buildProtocol(self, addr: IAddress | None) -> ReceiverConnection:
        return ReceiverConnection(self)

    def respond_always(self, data: bytes, close: bool = False) -> None:
        """Send `data` as every response from now on, and close the connection after it if `close`."""

        def respond(connection: ReceiverConnection) -> None:
            connection.write(data)
            if close:
                connection.close()

        self.respond = respond

    def url(self, path: str = "/events", host: str = "127.0.0.1") -> str:
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.port}{path}"

    async def stop_listening(self) -> None:
        """Close the port; open connections stay."""
        await maybeDeferred(self._port.stopListening)


@implementer(IHostnameResolver)
class _AddressOnlyResolver:
    """Resolves IP addresses, and no host name."""

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        *arguments: object,
        **options: object,
    ) -> Any:
        resolutionReceiver.resolutionBegan(None)
        if isIPAddress(hostName):
            resolutionReceiver.addressResolved(IPv4Address("TCP", hostName, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolutionReceiver


class FakeTimeReactor:
    """The real reactor with the time of a test clock, and without name resolution."""

    def __init__(self, clock: Clock) -> None:
        self.callLater = clock.callLater
        self.seconds = clock.seconds
        self.nameResolver: Any = _AddressOnlyResolver()
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class WebhookTransportHarness:
    """A transport, and the receiver that it posts to."""

    def __init__(self, tls: Any = None) -> None:
        self.clock = Clock()
        self.receiver = HttpReceiver(tls)
        self.reactor = FakeTimeReactor(self.clock)
        self.transport = HttpWebhookTransport(self.reactor, self.now)

    def now(self) -> datetime:
        return START_TIME + timedelta(seconds=self.clock.seconds())

    async def post(self, body: bytes = b'{"seq":1}', url: str | None = None, delay_s: float = 0) -> str:
        """Post `body` and advance the clock by `delay_s` once it was received. Return the error, or ""."""
        outcomes: list[str] = []
        count_before = len(self.receiver.requests)
        delivery = self.transport.post(Receiver(url or self.receiver.url(), WEBHOOK_SECRET), body)
        delivery.addCallbacks(
            lambda _: outcomes.append(""), lambda failure: outcomes.append(_error_text(failure))
        )
        if delay_s:
            await self.until(lambda: len(self.receiver.requests) > count_before)
            self.clock.advance(delay_s)
        await self.until(lambda: outcomes)
        return outcomes[0]

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await deferLater(reactor, 0.001)

    async def stop(self) -> None:
        self.transport.close()
        await self.receiver.stop_listening()
        for connection in tuple(self.receiver.open_connections):
            connection.close()
        await self.until(lambda: not self.receiver.open_connections)
        await run_reactor_turns()
        assert not self.clock.getDelayedCalls()


def _error_text(failure: Failure) -> str:
    failure.trap(DeliveryError)
    return failure.getErrorMessage()
