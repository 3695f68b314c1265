"""The harness of a dialogue: a scripted PMS and its link, in memory or over TCP, on a test clock."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.config.link_definition import parse_link
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.framing import framed
from pmslink.fias.record import Record
from pmslink.hotel_clock import HotelClock
from pmslink.link.dialer import StartLinkDial
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.link.tcp_accepting import AcceptingNetwork
from pmslink.store.core import store_metadata
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.operator_actions import OperatorAction, resend
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.store.tables.outbox_rows import OutboxRow, row_of_link
from pmslink.timestamps import to_ms
from tests.memory_network import Network, NetworkMode, advance_clock, next_timer_due
from tests.memory_store import MemoryDatabase, make_store
from tests.socket_clock import SocketClock

reactor: Any = the_reactor

START_TIME = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
"""The time at which a dialogue begins, unless a step sets the clock."""
CONNECTION_EVENT = "a connection"


class ScriptedConnection(Protocol):
    """The PMS's end of a connection."""

    def __init__(self, pms: DialogueHarness) -> None:
        self._pms = pms
        self._incomplete_frame = b""
        self.is_closed = False  # by either end

    def connectionMade(self) -> None:
        self._pms.connection = self
        self._pms.connections.add(self)
        self._pms.received.append(CONNECTION_EVENT)

    def dataReceived(self, data: bytes) -> None:
        is_crlf = self._pms.framing == "crlf"
        *frames, self._incomplete_frame = (self._incomplete_frame + data).split(
            b"\r\n" if is_crlf else b"\x03"
        )
        self._pms.received.extend(frame.lstrip(b"\x02").decode(self._pms.charset) for frame in frames)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.is_closed:
            self._pms.ended_connection_count += 1
            self.is_closed = True
        self._pms.connections.discard(self)


class DialogueHarness(ABC, Factory):
    """The service of a dialogue, and the records that its PMS has received."""

    noisy = False
    clock: Clock
    dial: StartLinkDial | None = None
    """How links dial; None: through the clock's sockets."""
    accepting: AcceptingNetwork | None = None
    store: Store

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {"host": "127.0.0.1", "port": 5010, "timezone": "UTC"}
        self.received: deque[str] = deque()
        """Received connections and records that no step has matched yet."""
        self.ended_connection_count = 0
        """Number of connections that the link closed and no step has matched yet."""
        self.transitions: list[Transition] = []
        self.resync_wanted = False
        self.row_ids: list[int] = []
        """The ids of the rows that the PBX enqueued, in order."""
        self.events: deque[HotelEventLogged] = deque()
        """Events of the hotel that no step has matched yet."""
        self.due_wake_up_ids: dict[str, int] = {}
        """The id of the wake-up that was due last, by room."""
        self.start_time = START_TIME
        self.clock_offset = timedelta(0)
        """By how much a step has set the wall clock forward while the service runs."""
        self.uses_hotel_clock = False
        self.hotel_clock: HotelClock | None = None
        self.database = MemoryDatabase()
        self.connection: ScriptedConnection | None = None
        self.connections: set[ScriptedConnection] = set()
        self.make_service()
        self.link: Link | None = None

    def buildProtocol(self, addr: IAddress | None) -> ScriptedConnection:
        return ScriptedConnection(self)

    def make_service(self) -> None:
        """Make the service that the next start runs."""
        if self.uses_hotel_clock:
            self.hotel_clock = HotelClock(self.clock, self.wall)
        self.store = make_store(self.clock, self.now, self.database, is_clock_settled=self.is_clock_settled)
        self.links = LinkRegistry(
            self.clock, self.store, self.now, self.dial, self.is_clock_settled, self.accepting
        )
        self.links.subscribe(self._on_change)
        self.store.journal.on_commit.append(self._on_commit)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, HotelEventLogged):
                self.events.append(entry)
                if entry.type == "wake_up.due" and entry.room is not None:
                    self.due_wake_up_ids[entry.room] = json.loads(entry.text)["wake_up"]["id"]

    def _on_change(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.transitions.append(transition)

    # Link

    @property
    def framing(self) -> Any:
        return self.settings.get("framing", "stx-etx")

    @property
    def charset(self) -> str:
        charset: str = self.settings.get("charset", "cp1252")
        return charset

    def now(self) -> datetime:
        """Return the time as the service reads it."""
        return self.hotel_clock.now() if self.hotel_clock is not None else self.wall()

    def is_clock_settled(self) -> bool:
        """Return whether the service regards the time as certain; always, without a hotel clock."""
        return self.hotel_clock is None or self.hotel_clock.is_settled()

    def start(self) -> None:
        self.link = self.links.add(parse_link("hotel", self.settings))
        self.link.resync.progress = Progress(wanted=self.resync_wanted)
        self._start_service()

    def _start_service(self) -> None:
        self.store.journal.submit_nowait(store_metadata.mark_running, None)
        if self.hotel_clock is not None:
            self.hotel_clock.startService()
        self.links.startService()

    async def stop_links(self) -> None:
        """Stop the service."""
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        if self.hotel_clock is not None:
            self.hotel_clock.stopService()
        await self.settle()
        assert stopped

    async def restart(self, crash: bool) -> None:
        """Stop the service, or crash it as SIGKILL does, and start another one on the same store."""
        if crash:
            self.store.journal.stop()
        await self.stop_links()
        if not crash:
            self.store.journal.submit_nowait(store_metadata.mark_stopped, None)
            await self.wait(0)
        self.make_service()
        self.link = self.links.add(parse_link("hotel", self.settings))
        self._start_service()

    def change_setting(self, name: str, value: object) -> None:
        """Change a setting of the link, before the start or while the link runs."""
        self.settings[name] = value
        if self.link is not None:
            self.links.redefine(self.link, "{}", parse_link("hotel", self.settings))

    # PBX

    def enqueue_record(self, text: str) -> None:
        """Enqueue this record for the PMS."""
        assert self.link is not None
        record = Record(text)
        subject = next((code for code, _ in record.fields if code != "RN"), None)
        digits = self.link.settings().posting_digits
        new_row = NewRow(
            "hotel",
            record.id,
            "test",
            record.get("RN") or "",
            "{}",
            text,
            to_ms(self.now()),
            digits=digits if record.id == "PS" else None,
            subject=subject if record.id == "RE" else None,
            until=to_ms(_parse_due(record)) if record.id in ("WR", "WC") else None,
        )
        self.enqueue(new_row)

    def enqueue(self, new_row: NewRow) -> None:
        """Enqueue a row for the PMS."""
        assert self.link is not None
        stored = self.link.outbox.enqueue(new_row)
        stored.addCallback(lambda enqueued: self.row_ids.append(enqueued.row.id))
        stored.addErrback(lambda failure: failure.trap(StoreUnavailableError))

    def apply_operator_action(self, number: int, operation: Any) -> Deferred[Any]:
        """Apply a user's action to the row with this number, counted from 1."""
        assert self.link is not None
        action = OperatorAction("hotel", self.row_ids[number - 1], self.link.settings().posting_digits)
        stored: Deferred[Any] = self.store.journal.submit(operation, action)
        return stored.addCallback(self.link.outbox.on_resent) if operation is resend else stored

    def stored_row(self, number: int) -> OutboxRow | None:
        """Return the stored row with this number, counted from 1; None if there is none."""
        rows: list[OutboxRow | None] = []
        if number <= len(self.row_ids):
            self.store.read(row_of_link, "hotel", self.row_ids[number - 1]).addCallback(rows.append)
        return rows[0] if rows else None

    # PMS

    def send(self, text: str) -> None:
        self.send_bytes(framed(text.encode(self.charset), self.framing))

    def send_bytes(self, data: bytes) -> None:
        assert self.connection is not None, "no connection to send on"
        assert self.connection.transport is not None
        self.connection.transport.write(data)

    def close(self, graceful: bool) -> None:
        """Close the connection from the PMS's side: with FIN, or with RST."""
        assert self.connection is not None, "no connection to close"
        transport: Any = self.connection.transport
        self.connection.is_closed = True
        if graceful:
            transport.loseConnection()
        else:
            transport.abortConnection()

    # Time

    def wall(self) -> datetime:
        """Return the time of the wall clock."""
        return self.start_time + self.clock_offset + timedelta(seconds=self.clock.seconds())

    async def wait(self, seconds: float) -> None:
        """Let this time pass."""
        end = self.clock.seconds() + seconds
        await self._run_timers(end, lambda: False)
        advance_clock(self.clock, end - self.clock.seconds())
        await self.settle()

    async def until(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        """Return whether the condition is true, or becomes true within this time; None is no delay."""
        await self._run_timers(self.clock.seconds() + (seconds or 0.0), condition)
        return condition()

    async def _run_timers(self, end: float, condition: Callable[[], bool]) -> None:
        """Run each timer at its own time, until this time or until the condition is true."""
        await self.settle()
        while not condition() and (due := next_timer_due(self.clock)) is not None and due <= end:
            advance_clock(self.clock, max(0.0, due - self.clock.seconds()))
            await self.settle()

    # Methods of the two harnesses

    @abstractmethod
    async def settle(self) -> None:
        """Run the timers that are due, and deliver all data."""

    @abstractmethod
    async def set_network_mode(self, mode: NetworkMode) -> None:
        """Change the behaviour of the network."""

    async def stop(self) -> None:
        """Stop the service, and check that it leaves no connection and no timer."""
        await self.stop_links()
        self.store.journal.stop()
        await self.close_network()
        for connection in tuple(self.connections):  # open at the PMS, because the network stalls
            self.connection = connection
            self.close(graceful=False)
        await self.settle()
        assert not self.connections
        assert not self.clock.getDelayedCalls()

    @abstractmethod
    async def close_network(self) -> None:
        """End the network, in which the service has left nothing."""


class InMemoryHarness(DialogueHarness):
    """Runs a dialogue in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.accepting = self.network = Network(self.clock, self)
        self.dial = self.network.dial
        super().__init__()

    async def settle(self) -> None:
        advance_clock(self.clock, 0)

    async def set_network_mode(self, mode: NetworkMode) -> None:
        self.network.mode = mode

    async def close_network(self) -> None:
        assert self.network.open_count == 0


class TcpHarness(DialogueHarness):
    """Runs a dialogue on a loopback port."""

    clock: SocketClock

    def __init__(self) -> None:
        self.clock = SocketClock()
        self._port = reactor.listenTCP(0, self, interface="127.0.0.1")
        super().__init__()
        self.settings["port"] = self._port.getHost().port

    async def settle(self) -> None:
        await self.clock.settle()

    async def set_network_mode(self, mode: NetworkMode) -> None:
        if mode == "refuse":
            await self._port.stopListening()
        elif not self._port.connected:
            number = self.settings["port"]
            self._port = reactor.listenTCP(number, self, interface="127.0.0.1")

    async def close_network(self) -> None:
        await maybeDeferred(self._port.stopListening)  # it may be closed already


def _parse_due(record: Record) -> datetime:
    day, time = parse_date("DA", record.get("DA") or ""), parse_time("TI", record.get("TI") or "")
    return datetime.combine(day, time, UTC)
