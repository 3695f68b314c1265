"""The API on a real port, for links to a scripted PMS on a test clock."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
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

from pmslink.config.link_definition import LinkConfig, parse_link
from pmslink.config.loader import Config
from pmslink.link.config_reload import ConfigReload
from pmslink.link.connection_probe import OnProgress, Step, StepStart
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.resync import Progress
from pmslink.store.store_service import SHUTDOWN_TIMEOUT_S
from pmslink.web.api.openapi import load_openapi
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.site import make_site
from tests.memory_network import Network, advance_clock
from tests.memory_store import MemoryDatabase, make_store

reactor: Any = the_reactor
NO_STATE_DIR = Path("/nowhere")
START_TIME = datetime(2026, 11, 20, 7, tzinfo=UTC)


class ScriptedPmsConnection(Protocol):
    """The PMS's end of a link; it sends the records that the test passes."""

    def send(self, *records: str) -> None:
        for record in records:
            self.transport.write(b"\x02" + record.encode() + b"\x03")  # type: ignore[union-attr]


class ScriptedPmsFactory(Factory):
    noisy = False
    latest_connection: ScriptedPmsConnection

    def buildProtocol(self, addr: IAddress | None) -> ScriptedPmsConnection:
        self.latest_connection = ScriptedPmsConnection()
        return self.latest_connection


@frozen
class Response:
    """A received response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        is_compressed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if is_compressed else self.body)

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json()["error"]["code"]


class ServedApi:
    """A service with store and network in memory, links, and the site on a real port.

    With a `previous` service, it continues on the same store and clock. It has the stored links, and
    those of `links`. If `starts_broken`, no commit succeeds until `repair_store`.
    """

    def __init__(
        self,
        previous: ServedApi | None = None,
        links: Sequence[LinkConfig] = (),
        state_dir: Path = NO_STATE_DIR,
        local_only: bool = True,
        starts_broken: bool = False,
    ) -> None:
        self.clock: Clock = previous.clock if previous else Clock()
        self.database: MemoryDatabase = previous.database if previous else MemoryDatabase()
        self.pms = ScriptedPmsFactory()
        self.network = Network(self.clock, self.pms)
        self.tested_configs: list[LinkConfig] = []
        self.test_result: list[Step] | Exception = []
        self.test_progress: list[StepStart | Step | Deferred[None]] = []
        """What a test tells while it runs, before its result; it waits for each Deferred."""
        self.store = make_store(self.clock, self.now, self.database)
        if starts_broken:
            self.break_store()
        self.links = LinkRegistry(self.clock, self.store, self.now, self.network.dial)
        for config in links:
            self.links.add(config)
        self.links.add_stored()
        tokens = TokenRegistry(state_dir, self.clock)
        self.config: Config | Exception = Config(links=tuple(links))
        """What a reload reads, or its error."""
        config_reload = ConfigReload(self._read_config, Config(), self.links, self.store)
        parts = (self.links, self.store, self.clock, self._test, config_reload, tokens, local_only, self.now)
        self.site = make_site(*parts)
        self._listen("127.0.0.1")
        self.store.startService()
        self.links.startService()
        self.advance()

    def _listen(self, interface: str) -> None:
        self.listening_port = reactor.listenTCP(0, self.site, interface=interface)
        self.interface = interface
        self.port = self.listening_port.getHost().port

    async def move_to(self, interface: str) -> None:
        await self.listening_port.stopListening()
        self._listen(interface)

    def now(self) -> datetime:
        return START_TIME + timedelta(seconds=self.clock.seconds())

    async def _test(self, config: LinkConfig, on_progress: OnProgress) -> list[Step]:
        self.tested_configs.append(config)
        for progress in self.test_progress:
            if not isinstance(progress, Deferred):
                on_progress(progress)
            else:
                await progress
        if isinstance(self.test_result, Exception):
            raise self.test_result
        return self.test_result

    def _read_config(self) -> Config:
        if isinstance(self.config, Exception):
            raise self.config
        return self.config

    def add_link(self, name: str = "grand", **settings: object) -> Link:
        """Add a link with a port of its own, which dials at once unless `enabled` is false."""
        link = self.links.add(make_link_config(name, **{"port": 5010 + len(self.links), **settings}))
        link.resync.progress = Progress(wanted=False)
        self.advance()
        return link

    def break_store(self) -> None:
        """Make every commit fail, as with a full disk."""
        self.database.commit_error = sqlite3.OperationalError("database or disk is full")
        self.store.journal._writer._connection = None

    def repair_store(self) -> None:
        self.database.commit_error = None
        self.advance(1)

    def dock(self, link: Link | None = None) -> None:
        """Send the records with which the PMS starts the link that dialled last."""
        self.send_from_pms("LS|DA261120|TI070000|", "LA|DA261120|TI070000|")

    def send_from_pms(self, *records: str) -> None:
        self.pms.latest_connection.send(*records)
        self.advance()

    def advance(self, seconds: float = 0) -> None:
        advance_clock(self.clock, seconds)

    async def stop(self) -> None:
        if not self.links.running:
            return
        stopped = self.links.stopService()
        self.advance(1)
        await stopped
        stopping = self.store.stopService()
        self.advance(SHUTDOWN_TIMEOUT_S)
        await stopping
        await self.listening_port.stopListening()
        await run_reactor_turns()

    async def until(self, condition: Callable[[], object]) -> None:
        """Run the reactor, and the calls due on the test's clock, until the condition is true."""
        while not condition():
            self.advance()
            await deferLater(reactor, 0.001)

    async def connect(self, request: bytes) -> RawConnection:
        endpoint = TCP4ClientEndpoint(reactor, self.interface, self.port)
        connection: RawConnection = await connectProtocol(endpoint, RawConnection())
        connection.write(request)
        return connection

    async def get(self, path: str, **more: Any) -> Response:
        return await self.call("GET", path, **more)

    async def post(
        self,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Response:
        if body is None:
            return await self.call(method, path, headers)
        type = {"content-type": "application/json", **(headers or {})}
        return await self.call(method, path, type, json.dumps(body).encode())

    async def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        raw: bytes | None = None,
    ) -> Response:
        """Send a request on its own connection; check a JSON response against `openapi.yaml`."""
        lines = {"host": f"{self.interface}:{self.port}", "connection": "close", **(headers or {})}
        if body:
            lines["content-length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection = await self.connect(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
        connection.write(body if raw is None else raw)
        await self.until(lambda: connection.closed.called)
        answer = parse_response(method, bytes(connection.received))
        of_the_page = (
            path.startswith("/page/") and answer.status == 200
        )  # files of the page are not in the document
        if answer.body and answer.headers["content-type"] == "application/json" and not of_the_page:
            require_documented(method, path, answer)
        return answer


class RawConnection(Protocol):
    """A client that records all bytes it receives."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed: Deferred[None] = Deferred()

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed.callback(None)


class _ResponseSocket:
    """The part of a socket that `http.client` uses."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def parse_response(method: str, received: bytes) -> Response:
    response = http.client.HTTPResponse(_ResponseSocket(received), method=method)  # type: ignore[arg-type]
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Response(response.status, headers, response.read())


def require_documented(method: str, path: str, answer: Response) -> None:
    """Fail unless the response matches its schema in the OpenAPI document."""
    schema: Any = {"$ref": "#/components/schemas/Error"}
    for template, operations in load_openapi()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if method.lower() in operations and re.fullmatch(pattern, path.partition("?")[0]):
            responses = operations[method.lower()]["responses"]
            response = responses.get(str(answer.status), responses["default"])
            if "$ref" in response:
                response = load_openapi()["components"]["responses"][response["$ref"].rpartition("/")[2]]
            schema = response["content"]["application/json"]["schema"]
    validate_schema(schema, answer.json())


def validate_schema(schema: Mapping[str, object], value: object) -> None:
    Draft202012Validator({**schema, "components": load_openapi()["components"]}).validate(value)


def make_link_config(name: str = "grand", **settings: object) -> LinkConfig:
    return parse_link(name, {"host": "192.0.2.1", "port": 5010, "listen_time": 9, **settings})


async def run_reactor_turns(count: int = 5) -> None:
    """Run a few turns of the reactor, so that sockets are read and closed."""
    for _ in range(count):
        await deferLater(reactor, 0)
