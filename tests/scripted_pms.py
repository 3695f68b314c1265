"""A PMS that does what a dialogue says, and its link: in memory with a test clock, or over TCP."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from pmslink.config.loader import read_link
from pmslink.fias.field_values import read_date, read_time
from pmslink.fias.framing import framed
from pmslink.fias.record import Record
from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.store.core import store_metadata
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.operations.operator_actions import Decide
from pmslink.store.operations.outbox_enqueue import Offer
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Entry, Happened
from pmslink.store.tables.outbox_rows import Row, row_of
from pmslink.timestamps import to_ms
from tests.memory_network import Mode, Network, next_timer, run
from tests.memory_store import MemoryDatabase, make_store

reactor: Any = the_reactor

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
"""When every dialogue begins that does not say otherwise."""
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
        self._pms.heard.extend(frame.lstrip(b"\x02").decode(self._pms.charset) for frame in frames)

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
        self.resync_wanted = False
        self.rows: list[int] = []
        """The ids of what the PBX handed over, in order."""
        self.events: deque[Happened] = deque()
        """What has happened in the hotel, and no step has asked for yet."""
        self.rung: dict[str, int] = {}
        """The wake-up that rang last, by room."""
        self.begin = NOON
        self.database = MemoryDatabase()
        self.connection: ScriptedConnection | None = None
        self.connections: set[ScriptedConnection] = set()
        self._be_made()
        self.link: Link | None = None

    def buildProtocol(self, addr: IAddress | None) -> ScriptedConnection:
        return ScriptedConnection(self)

    def _be_made(self) -> None:
        self.links = self.make_links()
        self.links.watch(self._changed)
        self.store.journal.told.append(self._told)

    def _told(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Happened):
                self.events.append(entry)
                if entry.type == "wake_up.due" and entry.room is not None:
                    self.rung[entry.room] = json.loads(entry.text)["wake_up"]["id"]

    def _changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.history.append(transition)

    # The link.

    @property
    def framing(self) -> Any:
        return self.settings.get("framing", "stx-etx")

    @property
    def charset(self) -> str:
        charset: str = self.settings.get("charset", "cp1252")
        return charset

    def start(self) -> None:
        self.link = self.links.add(read_link("hotel", self.settings))
        self.link.resync.progress = Progress(wanted=self.resync_wanted)
        self._run()

    def _run(self) -> None:
        self.store.journal.append(store_metadata.begin, None)
        self.links.startService()

    async def restart(self, crash: bool) -> None:
        """The service ends, in good order or as by SIGKILL, and another begins on what it has kept."""
        if crash:
            self.store.journal.stop()
        await self.end_links()
        if not crash:
            self.store.journal.append(store_metadata.end, None)
            await self.wait(0)
        self._be_made()
        self.link = self.links.add(read_link("hotel", self.settings))
        self._run()

    def set(self, name: str, value: object) -> None:
        """Before the start, or while the link runs."""
        self.settings[name] = value
        if self.link is not None:
            self.links.redefine(self.link, "{}", read_link("hotel", self.settings))

    # The PBX.

    def hand_over(self, text: str) -> None:
        """The PBX has this record for the PMS."""
        assert self.link is not None
        record = Record(text)
        subject = next((code for code, _ in record.fields if code != "RN"), None)
        digits = self.link.settings().posting_digits
        offer = Offer(
            "hotel",
            record.id,
            "test",
            record.get("RN") or "",
            "{}",
            text,
            to_ms(self.wall()),
            digits=digits if record.id == "PS" else None,
            subject=subject if record.id == "RE" else None,
            until=to_ms(_due(record)) if record.id in ("WR", "WC") else None,
        )
        self.offer(offer)

    def offer(self, offer: Offer) -> None:
        """The PBX has something for the PMS."""
        assert self.link is not None
        offered = self.link.outbox.offer(offer)
        offered.addCallback(lambda accepted: self.rows.append(accepted.row.id))
        offered.addErrback(lambda refused: refused.trap(StoreFailing))

    def decide(self, number: int, decision: Any) -> Deferred[Any]:
        """A person's word on what was handed over as the first, second …"""
        assert self.link is not None
        asked = Decide("hotel", self.rows[number - 1], self.link.settings().posting_digits)
        flow = self.link.outbox.flow
        decided: Deferred[Any] = self.store.journal.write(decision, asked)
        return decided.addCallback(lambda _: flow())

    def row(self, number: int) -> Row | None:
        """What was handed over as the first, second …, as it is kept now."""
        found: list[Row | None] = []
        if number <= len(self.rows):
            self.store.read(row_of, "hotel", self.rows[number - 1]).addCallback(found.append)
        return found[0] if found else None

    # The PMS.

    def send(self, text: str) -> None:
        self.send_bytes(framed(text.encode(self.charset), self.framing))

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

    store: Store

    @abstractmethod
    def make_links(self) -> Links:
        """The service that holds the link, on what is kept in `database`."""

    @abstractmethod
    def wall(self) -> datetime:
        """The wall clock."""

    @abstractmethod
    async def end_links(self) -> None:
        """Stop the service."""

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

    def __init__(self) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, self)
        super().__init__()

    def make_links(self) -> Links:
        self.store = make_store(self.clock, self.wall, self.database)
        return Links(self.clock, self.store, self.wall, self.network.dial)

    def wall(self) -> datetime:
        return self.begin + timedelta(seconds=self.clock.seconds())

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

    async def end_links(self) -> None:
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        run(self.clock, 0)
        assert stopped

    async def end(self) -> None:
        await self.end_links()
        self.store.journal.stop()
        assert self.network.open == 0
        for connection in tuple(self.connections):  # those that a stalled network still shows to the PMS
            self.connection = connection
            self.close(gently=False)
        run(self.clock, 0)
        assert not self.clock.getDelayedCalls()


class OverTcp(Stage):
    """On a loopback port, in real time."""

    def __init__(self) -> None:
        self._started = reactor.seconds()
        self._port = reactor.listenTCP(0, self, interface="127.0.0.1")
        super().__init__()
        self.settings["port"] = self._port.getHost().port

    def make_links(self) -> Links:
        self.store = make_store(reactor, self.wall, self.database)
        return Links(reactor, self.store, self.wall)

    def wall(self) -> datetime:
        return self.begin + timedelta(seconds=reactor.seconds() - self._started)

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

    async def end_links(self) -> None:
        await self.links.stopService()

    async def end(self) -> None:
        await self.end_links()
        self.store.journal.stop()
        await self._port.stopListening()
        assert await self.until(lambda: not self.connections, None)


def _due(record: Record) -> datetime:
    day, time = read_date("DA", record.get("DA") or ""), read_time("TI", record.get("TI") or "")
    return datetime.combine(day, time, UTC)
