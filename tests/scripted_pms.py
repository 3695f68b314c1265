"""A PMS that follows a dialogue, and its link: in memory on a test clock, or over TCP."""

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

from pmslink.config.link_definition import parse_link
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.framing import framed
from pmslink.fias.record import Record
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.store.core import store_metadata
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.operator_actions import OperatorAction
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.store.tables.outbox_rows import OutboxRow, row_of_link
from pmslink.timestamps import to_ms
from tests.memory_network import Network, NetworkMode, advance_clock, next_timer_due
from tests.memory_store import MemoryDatabase, make_store

reactor: Any = the_reactor

START_TIME = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
"""When every dialogue begins that does not say otherwise."""
CONNECTION_EVENT = "a connection"
TCP_WAIT_S = 10.0
"""Seconds that anything may take over TCP; nothing in a test that passes takes so long."""
_POLL_INTERVAL_S = 0.005


class ScriptedConnection(Protocol):
    """A connection as the scripted PMS sees it."""

    def __init__(self, pms: DialogueHarness) -> None:
        self._pms = pms
        self._incomplete_frame = b""
        self.is_closed = False  # closed, by whichever end

    def connectionMade(self) -> None:
        self._pms.connection = self
        self._pms.connections.add(self)
        self._pms.received.append(CONNECTION_EVENT)

    def dataReceived(self, data: bytes) -> None:
        lines = self._pms.framing == "crlf"
        *frames, self._incomplete_frame = (self._incomplete_frame + data).split(b"\r\n" if lines else b"\x03")
        self._pms.received.extend(frame.lstrip(b"\x02").decode(self._pms.charset) for frame in frames)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.is_closed:
            self._pms.ended_connection_count += 1
            self.is_closed = True
        self._pms.connections.discard(self)


class DialogueHarness(ABC, Factory):
    """The link of a dialogue, and what the PMS has received from it."""

    noisy = False

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {"host": "127.0.0.1", "port": 5010, "timezone": "UTC"}
        self.received: deque[str] = deque()
        """Connections and records that no step has expected yet."""
        self.ended_connection_count = 0
        """Connections that the link ended, and no step has expected yet."""
        self.transitions: list[Transition] = []
        self.resync_wanted = False
        self.row_ids: list[int] = []
        """The ids of the rows that the PBX enqueued, in order."""
        self.events: deque[HotelEventLogged] = deque()
        """Events of the hotel that no step has expected yet."""
        self.rung_wake_ups: dict[str, int] = {}
        """The wake-up that rang last, by room."""
        self.start_time = START_TIME
        self.database = MemoryDatabase()
        self.connection: ScriptedConnection | None = None
        self.connections: set[ScriptedConnection] = set()
        self._make_service()
        self.link: Link | None = None

    def buildProtocol(self, addr: IAddress | None) -> ScriptedConnection:
        return ScriptedConnection(self)

    def _make_service(self) -> None:
        self.links = self.make_links()
        self.links.subscribe(self._on_change)
        self.store.journal.on_commit.append(self._on_commit)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, HotelEventLogged):
                self.events.append(entry)
                if entry.type == "wake_up.due" and entry.room is not None:
                    self.rung_wake_ups[entry.room] = json.loads(entry.text)["wake_up"]["id"]

    def _on_change(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.transitions.append(transition)

    # The link.

    @property
    def framing(self) -> Any:
        return self.settings.get("framing", "stx-etx")

    @property
    def charset(self) -> str:
        charset: str = self.settings.get("charset", "cp1252")
        return charset

    def start(self) -> None:
        self.link = self.links.add(parse_link("hotel", self.settings))
        self.link.resync.progress = Progress(wanted=self.resync_wanted)
        self._start_service()

    def _start_service(self) -> None:
        self.store.journal.submit_nowait(store_metadata.mark_running, None)
        self.links.startService()

    async def restart(self, crash: bool) -> None:
        """Stop the service, or crash it as SIGKILL does, and start another one on the same store."""
        if crash:
            self.store.journal.stop()
        await self.stop_links()
        if not crash:
            self.store.journal.submit_nowait(store_metadata.mark_stopped, None)
            await self.wait(0)
        self._make_service()
        self.link = self.links.add(parse_link("hotel", self.settings))
        self._start_service()

    def change_setting(self, name: str, value: object) -> None:
        """Before the start, or while the link runs."""
        self.settings[name] = value
        if self.link is not None:
            self.links.redefine(self.link, "{}", parse_link("hotel", self.settings))

    # The PBX.

    def enqueue_record(self, text: str) -> None:
        """Enqueue this record for the PMS."""
        assert self.link is not None
        record = Record(text)
        subject = next((code for code, _ in record.fields if code != "RN"), None)
        digits = self.link.settings().posting_digits
        offer = NewRow(
            "hotel",
            record.id,
            "test",
            record.get("RN") or "",
            "{}",
            text,
            to_ms(self.wall()),
            digits=digits if record.id == "PS" else None,
            subject=subject if record.id == "RE" else None,
            until=to_ms(_parse_due(record)) if record.id in ("WR", "WC") else None,
        )
        self.enqueue(offer)

    def enqueue(self, new_row: NewRow) -> None:
        """Enqueue a row for the PMS."""
        assert self.link is not None
        offered = self.link.outbox.enqueue(new_row)
        offered.addCallback(lambda accepted: self.row_ids.append(accepted.row.id))
        offered.addErrback(lambda refused: refused.trap(StoreUnavailableError))

    def operator_action(self, number: int, decision: Any) -> Deferred[Any]:
        """Store a user's decision on the first, second … row."""
        assert self.link is not None
        request = OperatorAction("hotel", self.row_ids[number - 1], self.link.settings().posting_digits)
        send_next = self.link.outbox.send_next
        stored: Deferred[Any] = self.store.journal.submit(decision, request)
        return stored.addCallback(lambda _: send_next())

    def stored_row(self, number: int) -> OutboxRow | None:
        """Return the first, second … row as the store has it."""
        found: list[OutboxRow | None] = []
        if number <= len(self.row_ids):
            self.store.read(row_of_link, "hotel", self.row_ids[number - 1]).addCallback(found.append)
        return found[0] if found else None

    # The PMS.

    def send(self, text: str) -> None:
        self.send_bytes(framed(text.encode(self.charset), self.framing))

    def send_bytes(self, data: bytes) -> None:
        assert self.connection is not None, "no connection to send on"
        assert self.connection.transport is not None
        self.connection.transport.write(data)

    def close(self, graceful: bool) -> None:
        """The PMS ends the connection: with FIN, or with RST."""
        assert self.connection is not None, "no connection to close"
        transport: Any = self.connection.transport
        self.connection.is_closed = True
        if graceful:
            transport.loseConnection()
        else:
            transport.abortConnection()

    # What the two harnesses implement.

    store: Store

    @abstractmethod
    def make_links(self) -> LinkRegistry:
        """Make the registry of the link, on the store in `database`."""

    @abstractmethod
    def wall(self) -> datetime:
        """The wall clock."""

    @abstractmethod
    async def stop_links(self) -> None:
        """Stop the service."""

    @abstractmethod
    async def set_network_mode(self, mode: NetworkMode) -> None:
        """The network changes."""

    @abstractmethod
    async def wait(self, seconds: float) -> None:
        """Time passes."""

    @abstractmethod
    async def until(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        """Whether it is so, or becomes so in so many seconds (None: at once, as far as that can be)."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop the service, and check that nothing of it is still open."""


class InMemoryHarness(DialogueHarness):
    """With a test clock: each timer at its moment, and a minute passes in no time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, self)
        super().__init__()

    def make_links(self) -> LinkRegistry:
        self.store = make_store(self.clock, self.wall, self.database)
        return LinkRegistry(self.clock, self.store, self.wall, self.network.dial)

    def wall(self) -> datetime:
        return self.start_time + timedelta(seconds=self.clock.seconds())

    async def set_network_mode(self, mode: NetworkMode) -> None:
        self.network.mode = mode

    async def wait(self, seconds: float) -> None:
        advance_clock(self.clock, seconds)

    async def until(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        end = self.clock.seconds() + (seconds or 0.0)
        advance_clock(self.clock, 0)
        while not condition() and (due := next_timer_due(self.clock)) is not None and due <= end:
            advance_clock(self.clock, due - self.clock.seconds())
        return condition()

    async def stop_links(self) -> None:
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        advance_clock(self.clock, 0)
        assert stopped

    async def stop(self) -> None:
        await self.stop_links()
        self.store.journal.stop()
        assert self.network.open_count == 0
        for connection in tuple(self.connections):  # those that a stalled network still shows to the PMS
            self.connection = connection
            self.close(graceful=False)
        advance_clock(self.clock, 0)
        assert not self.clock.getDelayedCalls()


class TcpHarness(DialogueHarness):
    """On a loopback port, in real time."""

    def __init__(self) -> None:
        self._started_at = reactor.seconds()
        self._port = reactor.listenTCP(0, self, interface="127.0.0.1")
        super().__init__()
        self.settings["port"] = self._port.getHost().port

    def make_links(self) -> LinkRegistry:
        self.store = make_store(reactor, self.wall, self.database)
        return LinkRegistry(reactor, self.store, self.wall)

    def wall(self) -> datetime:
        return self.start_time + timedelta(seconds=reactor.seconds() - self._started_at)

    async def set_network_mode(self, mode: NetworkMode) -> None:
        if mode == "refuse":
            await self._port.stopListening()
        elif not self._port.connected:
            number = self.settings["port"]
            self._port = reactor.listenTCP(number, self, interface="127.0.0.1")

    async def wait(self, seconds: float) -> None:
        await deferLater(reactor, seconds)

    async def until(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        limit = reactor.seconds() + TCP_WAIT_S + (seconds or 0.0)
        while not condition() and reactor.seconds() < limit:
            await deferLater(reactor, _POLL_INTERVAL_S)
        return condition()

    async def stop_links(self) -> None:
        await self.links.stopService()

    async def stop(self) -> None:
        await self.stop_links()
        self.store.journal.stop()
        await self._port.stopListening()
        assert await self.until(lambda: not self.connections, None)


def _parse_due(record: Record) -> datetime:
    day, time = parse_date("DA", record.get("DA") or ""), parse_time("TI", record.get("TI") or "")
    return datetime.combine(day, time, UTC)
