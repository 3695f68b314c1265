"""The interface on a real port, over links whose PMS and whose time the test holds in hand."""

from __future__ import annotations

import http.client
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen
from jsonschema import Draft202012Validator
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from pmslink.config import LinkConfig, read_link
from pmslink.link.link import Link
from pmslink.link.links import Links
from pmslink.link.probe import Step
from pmslink.web.openapi import openapi
from pmslink.web.site import make_site
from tests.network import Network, run

reactor: Any = the_reactor
START = datetime(2026, 11, 20, 7, tzinfo=UTC)


class Pms(Protocol):
    """The PMS's end of a link; it says what the test says."""

    def say(self, *records: str) -> None:
        for record in records:
            self.transport.write(b"\x02" + record.encode() + b"\x03")  # type: ignore[union-attr]


class PmsFactory(Factory):
    noisy = False
    latest: Pms

    def buildProtocol(self, addr: IAddress | None) -> Pms:
        self.latest = Pms()
        return self.latest


@frozen
class Answer:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json()["error"]["code"]


class Served:
    """A service: links, a network in memory, and the site on a real port."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pms = PmsFactory()
        self.network = Network(self.clock, self.pms)
        self.not_ready: str | None = None
        self.tested: list[LinkConfig] = []
        self.test_result: list[Step] | Exception = []
        self.links = Links(self.clock, self.now, self.network.dial)
        self.site = make_site(self.links, self.clock, lambda: self.not_ready, self._test, self.now)
        self.links.startService()
        self._listen("127.0.0.1")

    def _listen(self, interface: str) -> None:
        self.listening = reactor.listenTCP(0, self.site, interface=interface)
        self.interface = interface
        self.port = self.listening.getHost().port

    async def move_to(self, interface: str) -> None:
        await self.listening.stopListening()
        self._listen(interface)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    async def _test(self, config: LinkConfig) -> list[Step]:
        self.tested.append(config)
        if isinstance(self.test_result, Exception):
            raise self.test_result
        return self.test_result

    def add(self, name: str = "grand", **settings: object) -> Link:
        """A link that has dialled, unless `enabled` is false."""
        raw = {"host": "192.0.2.1", "port": 5010, "listen_time": 9, **settings}
        link = self.links.add(read_link(name, raw))
        self.run()
        return link

    def dock(self, link: Link | None = None) -> None:
        """The PMS starts the link that dialled last, and confirms the description."""
        self.say("LS|DA261120|TI070000|", "LA|DA261120|TI070000|")

    def say(self, *records: str) -> None:
        self.pms.latest.say(*records)
        self.run()

    def run(self, seconds: float = 0) -> None:
        run(self.clock, seconds)

    async def stop(self) -> None:
        stopped = self.links.stopService()
        self.run(1)
        await stopped
        await self.listening.stopListening()
        await turns()

    async def connect(self, request: bytes) -> Connection:
        endpoint = TCP4ClientEndpoint(reactor, self.interface, self.port)
        connection: Connection = await connectProtocol(endpoint, Connection())
        connection.write(request)
        return connection

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: Any) -> Answer:
        if body is None:
            return await self.call("POST", path, **more)
        type = {"content-type": "application/json"}
        return await self.call("POST", path, body=json.dumps(body).encode(), **{"headers": type, **more})

    async def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        raw: bytes | None = None,
    ) -> Answer:
        """Make a call on a connection of its own; an answer in JSON must be as `openapi.yaml` says."""
        lines = {"host": f"{self.interface}:{self.port}", "connection": "close", **(headers or {})}
        if body:
            lines["content-length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection = await self.connect(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
        connection.write(body if raw is None else raw)
        await connection.closed
        answer = parsed(method, bytes(connection.received))
        if answer.body and answer.headers["content-type"] == "application/json":
            require_described(method, path, answer)
        return answer


class Connection(Protocol):
    """A client that keeps all it receives."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed: Deferred[None] = Deferred()

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed.callback(None)


class _Received:
    """What `http.client` takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def parsed(method: str, received: bytes) -> Answer:
    response = http.client.HTTPResponse(_Received(received), method=method)  # type: ignore[arg-type]
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def require_described(method: str, path: str, answer: Answer) -> None:
    """Fail unless the OpenAPI file describes this answer."""
    schema: Any = {"$ref": "#/components/schemas/Error"}
    for template, operations in openapi()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if method.lower() in operations and re.fullmatch(pattern, path.partition("?")[0]):
            responses = operations[method.lower()]["responses"]
            response = responses.get(str(answer.status), responses["default"])
            if "$ref" in response:
                response = openapi()["components"]["responses"][response["$ref"].rpartition("/")[2]]
            schema = response["content"]["application/json"]["schema"]
    validate(schema, answer.json())


def validate(schema: Mapping[str, object], value: object) -> None:
    Draft202012Validator({**schema, "components": openapi()["components"]}).validate(value)


async def until(true: Any) -> None:
    """Let the reactor turn until this is true."""
    while not true():
        await deferLater(reactor, 0.001)


async def turns(number: int = 5) -> None:
    """Let the reactor turn a few times: what is ready to be read or closed is."""
    for _ in range(number):
        await deferLater(reactor, 0)
