"""A PMS that does what a dialogue says, and its link: in memory with a test clock, or over TCP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from pmslink.config import read_link
from pmslink.fias.framing import framed
from pmslink.link.link import Link
from pmslink.link.links import Links
from pmslink.link.trace import Transition
from tests.network import Mode, Network, next_timer, run

reactor: Any = the_reactor

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
"""When every dialogue begins."""
CONNECTION = "a connection"
PATIENCE = 10.0
"""Seconds that anything may take over TCP; nothing in a test that passes takes so long."""
_LOOK_AGAIN = 0.005


class ScriptedConnection(Protocol):
    """A connection as the scripted PMS sees it."""

    def __init__(self, pms: Stage) -> None:
        self._pms = pms
        self._rest = b""
        self.over = False  # closed, by whichever end

    def connectionMade(self) -> None:
        self._pms.connection = self
        self._pms.connections.add(self)
        self._pms.heard.append(CONNECTION)

    def dataReceived(self, data: bytes) -> None:
        lines = self._pms.framing == "crlf"
        *frames, self._rest = (self._rest + data).split(b"\r\n" if lines else b"\x03")
        self._pms.heard.extend(frame.lstrip(b"\x02").decode("cp1252") for frame in frames)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.over:
            self._pms.ends += 1
            self.over = True
        self._pms.connections.discard(self)


class Stage(ABC, Factory):
    """Where a dialogue is played: the link, and what the PMS has heard of it."""

    noisy = False

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {"host": "127.0.0.1", "port": 5010, "timezone": "UTC"}
        self.heard: deque[str] = deque()
        """Connections and records that no step has asked for yet."""
        self.ends = 0
        """Connections that the link ended, and no step has asked for yet."""
        self.history: list[Transition] = []
        self.connection: ScriptedConnection | None = None
        self.connections: set[ScriptedConnection] = set()
        self.links = self.make_links()
        self.links.watch(self._changed)
        self.link: Link | None = None

    def buildProtocol(self, addr: IAddress | None) -> ScriptedConnection:
        return ScriptedConnection(self)

    def _changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.history.append(transition)

    # The link.

    @property
    def framing(self) -> Any:
        return self.settings.get("framing", "stx-etx")

    def start(self) -> None:
        self.link = self.links.add(read_link("hotel", self.settings))
        self.links.startService()

    def set(self, name: str, value: object) -> None:
        """Before the start, or while the link runs."""
        self.settings[name] = value
        if self.link is not None:
            self.link.change(read_link("hotel", self.settings))

    # The PMS.

    def send(self, text: str) -> None:
        self.send_bytes(framed(text.encode("cp1252"), self.framing))

    def send_bytes(self, data: bytes) -> None:
        assert self.connection is not None, "no connection to send on"
        assert self.connection.transport is not None
        self.connection.transport.write(data)

    def close(self, gently: bool) -> None:
        """The PMS ends the connection: with FIN, or with RST."""
        assert self.connection is not None, "no connection to close"
        transport: Any = self.connection.transport
        self.connection.over = True
        if gently:
            transport.loseConnection()
        else:
            transport.abortConnection()

    # What differs.

    @abstractmethod
    def make_links(self) -> Links:
        """The service that holds the link."""

    @abstractmethod
    async def be(self, mode: Mode) -> None:
        """The network changes."""

    @abstractmethod
    async def wait(self, seconds: float) -> None:
        """Time passes."""

    @abstractmethod
    async def until(self, so: Callable[[], bool], seconds: float | None) -> bool:
        """Whether it is so, or becomes so in so many seconds (None: at once, as far as that can be)."""

    @abstractmethod
    async def end(self) -> None:
        """Stop the service; nothing may be left of it."""


class InMemory(Stage):
    """With a test clock: each timer at its moment, and a minute passes in no time."""

    def make_links(self) -> Links:
        self.clock = Clock()
        self.network = Network(self.clock, self)
        return Links(self.clock, self._wall, self.network.dial)

    def _wall(self) -> datetime:
        return NOON + timedelta(seconds=self.clock.seconds())

    async def be(self, mode: Mode) -> None:
        self.network.mode = mode

    async def wait(self, seconds: float) -> None:
        run(self.clock, seconds)

    async def until(self, so: Callable[[], bool], seconds: float | None) -> bool:
        end = self.clock.seconds() + (seconds or 0.0)
        run(self.clock, 0)
        while not so() and (due := next_timer(self.clock)) is not None and due <= end:
            run(self.clock, due - self.clock.seconds())
        return so()

    async def end(self) -> None:
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        run(self.clock, 0)
        assert stopped
        assert self.network.open == 0
        for connection in tuple(self.connections):  # those that a stalled network still shows to the PMS
            self.connection = connection
            self.close(gently=False)
        run(self.clock, 0)
        assert not self.clock.getDelayedCalls()


class OverTcp(Stage):
    """On a loopback port, in real time."""

    def make_links(self) -> Links:
        self._started = reactor.seconds()
        self._port = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.settings["port"] = self._port.getHost().port
        return Links(reactor, self._wall)

    def _wall(self) -> datetime:
        return NOON + timedelta(seconds=reactor.seconds() - self._started)

    async def be(self, mode: Mode) -> None:
        if mode == "refuse":
            await self._port.stopListening()
        elif not self._port.connected:
            number = self.settings["port"]
            self._port = reactor.listenTCP(number, self, interface="127.0.0.1")

    async def wait(self, seconds: float) -> None:
        await deferLater(reactor, seconds)

    async def until(self, so: Callable[[], bool], seconds: float | None) -> bool:
        limit = reactor.seconds() + PATIENCE + (seconds or 0.0)
        while not so() and reactor.seconds() < limit:
            await deferLater(reactor, _LOOK_AGAIN)
        return so()

    async def end(self) -> None:
        await self.links.stopService()
        await self._port.stopListening()
        assert await self.until(lambda: not self.connections, None)
