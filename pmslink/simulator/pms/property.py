"""One property: a hotel with its PMS, to which one PBX docks.

While the link is alive, each change in the hotel is sent at once. Otherwise its record is queued and sent, in
order, after the next LA. An idle property has no timers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from pmslink.errors import PmslinkError
from pmslink.fias.record import Record, build_record
from pmslink.simulator.hotel import guest_records, room_equipment
from pmslink.simulator.hotel.front_desk import Desk
from pmslink.simulator.pms import record_dialect
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.pbx_connection import PmsConnection
from pmslink.simulator.pms.pbx_declaration import Declaration
from pmslink.simulator.pms.posting_answers import AnswerScheduler, posting_answer
from pmslink.simulator.pms.received_postings import Postings
from pmslink.simulator.pms.record_log import Direction, Trace

MAX_STORED_RECORDS = 10_000
"""Records stored in the trace, and data records queued while no link is alive."""

_MAX_NUMBER_CHARS = 32


class NotLinkedError(PmslinkError):
    """Report that no PBX is connected, or that its link is not alive yet."""


class Pms(Desk):
    """A property. ``now`` returns the hotel's local time, ``clock`` runs its timers."""

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], datetime],
        room_count: int = 100,
        *,
        port: int = 0,
        max_records: int = MAX_STORED_RECORDS,
        seed: int = 0,
    ) -> None:
        super().__init__(now, room_count)
        self.clock = clock
        self.port = port
        """The TCP port, which identifies the property in the control API."""
        self.faults = Faults()
        self.trace = Trace(max_records)
        self.postings = Postings()
        self.last_declaration: Declaration | None = None
        """The last complete link description."""
        self.connection_count = 0
        self._seed = seed
        self._connection: PmsConnection | None = None
        self._open_connections: set[PmsConnection] = set()
        self._stopped: Deferred[None] | None = None
        self._queued_records: deque[Record] = deque(maxlen=max_records)
        self._answers = AnswerScheduler(clock)

    @cached_property
    def rng(self) -> Random:
        """The generator that shuffles fields; created on first use, because few properties need one."""
        return Random(self._seed)  # noqa: S311 (repeatable, not secret)

    # the link

    def on_listening(self, address: Any) -> None:
        """Store the port of the TCP address at which the property listens."""
        self.port = address.port

    @property
    def connected(self) -> bool:
        """Whether a PBX is connected."""
        return self._connection is not None

    @property
    def alive(self) -> bool:
        """Whether data records can be sent."""
        return self._connection is not None and self._connection.stage == "alive" and not self.faults.frozen

    @property
    def declared(self) -> dict[str, tuple[str, ...]]:
        """Field codes by record id that the connected PBX declared."""
        return self._connection.declaration.records if self._connection else {}

    def on_connected(self, connection: PmsConnection) -> None:
        """Use a new connection, and close the one that it displaces."""
        self.connection_count += 1
        self._open_connections.add(connection)
        if self._connection is not None:
            self._connection.close()
        self._connection = connection

    def on_closing(self, connection: PmsConnection) -> None:
        """Stop using a connection that is closing."""
        if self._connection is connection:
            self._connection = None

    def on_disconnected(self, connection: PmsConnection) -> None:
        """Remove a closed connection; the last one completes `stop`."""
        self.on_closing(connection)
        self._open_connections.discard(connection)
        if not self._open_connections and self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)

    def start_link(self) -> None:
        """Send LS. Raises NotLinkedError without a connection."""
        self._require_connection().start_link()

    def end_link(self) -> None:
        """Send LE and close. Raises NotLinkedError without a connection."""
        self._require_connection().end_link()

    def drop_link(self) -> None:
        """Close the connection without LE. Raises NotLinkedError without one."""
        self._require_connection().close()

    def stop(self) -> Deferred[None]:
        """Drop delayed answers and close all connections; fires when they are closed."""
        self._answers.stop()
        for connection in list(self._open_connections):
            connection.close()
        if not self._open_connections:
            return succeed(None)
        self._stopped = Deferred()
        return self._stopped

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults; records are sent if that ends the fault `frozen`."""
        self.faults = faults
        if self._connection is not None:
            self._connection.on_faults_changed()
        self.send_queued()

    # output

    def resync(self) -> None:
        """Send DS, a record for each guest and vacant room, DE. Raises NotLinkedError unless alive."""
        if not self.alive:
            raise NotLinkedError("a resync needs a link that is alive")
        faults = self.faults
        records = list(guest_records.resync_records(self.hotel, self._stamp_fields()))
        self._send_record(build_record("DS", self._stamp_fields()))
        for index, record in enumerate(records):
            if faults.live_in_resync and index == len(records) // 2:
                self.check_in(self.hotel.rooms[0], "Live")
            self._send_record(record)
        if not faults.de_missing:
            self._send_record(build_record("DE", self._stamp_fields()))

    def send_text(self, text: str) -> None:
        """Send a record's text unchanged, declared or not. Raises NotLinkedError without a connection."""
        self._require_connection().send_text(text)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes without a frame. Raises NotLinkedError without a connection."""
        self._require_connection().send_bytes(data)

    def send_queued(self) -> None:
        """Send the queued records if the link is alive."""
        while self._queued_records and self.alive:
            self._send_record(self._queued_records.popleft())

    def trace_record(self, direction: Direction, text: str) -> None:
        """Add a record to the trace."""
        self.trace.add(self.now(), direction, text)

    # input

    def on_record(self, record: Record) -> None:
        """Handle a data record that the PBX sent while alive."""
        room = record.get("RN") or ""
        if record.id == "DR" and not self.faults.dr_ignored:
            self.resync()
        elif record.id == "PS":
            self._on_posting(record)
        elif record.id in room_equipment.PBX_STATE_RECORDS and room in self.hotel.rooms:
            self.hotel.set_equipment(room, room_equipment.apply_record(self.equipment(room), record))

    def _on_posting(self, record: Record) -> None:
        number = (record.get("P#") or "")[:_MAX_NUMBER_CHARS]
        delivery = self.postings.add_delivery(number, record.text, self.now(), self.connection_count)
        code = self.faults.pa_answer or self._answer_code(record)

        def answer() -> None:
            delivery.set_answer(code, self.now())
            self._send_record(posting_answer(record, code, self.faults, self._stamp_fields()))

        self.faults = self._answers.schedule(answer, self.faults)

    def _answer_code(self, record: Record) -> str:
        if self.in_night_audit:
            return "NA"
        return "OK" if record.get("RN") in self.hotel.rooms else "NG"

    def _send_record(self, record: Record) -> None:
        if self._connection is not None and self.alive:
            self._connection.send_record(record)
        else:
            self._queued_records.append(record)

    @property
    def _sends_moves_as_pairs(self) -> bool:
        declared = self.last_declaration.records if self.last_declaration is not None else None
        return record_dialect.sends_move_as_pair(declared, self.faults)

    def _require_connection(self) -> PmsConnection:
        if self._connection is None:
            raise NotLinkedError("no PBX is connected")
        return self._connection
