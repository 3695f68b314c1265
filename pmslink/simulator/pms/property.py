"""One property: a hotel with its PMS, to which one PBX docks.

While the link is alive, each change in the hotel is sent at once. Otherwise its record is queued and sent, in
order, after the next LA. An idle property has no timers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pmslink.errors import PmslinkError
from pmslink.fias.field_values import date_time_fields
from pmslink.fias.record import Field, Record, build_record
from pmslink.simulator.hotel import guest_records, room_equipment
from pmslink.simulator.hotel.front_desk import Desk
from pmslink.simulator.pms.act_scheduler import ActScheduler
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.pbx_address import PbxAddress
from pmslink.simulator.pms.pbx_connection import PmsConnection
from pmslink.simulator.pms.pbx_declaration import Declaration
from pmslink.simulator.pms.pbx_dialer import ConnectTcp, PbxDialer
from pmslink.simulator.pms.posting_answers import AnswerScheduler, posting_answers
from pmslink.simulator.pms.received_postings import Postings
from pmslink.simulator.pms.record_log import Direction, Trace

MAX_STORED_RECORDS = 10_000
"""Records stored in the trace, and data records queued while no link is alive."""

_MAX_NUMBER_CHARS = 32
_NO_CONNECTION = "a connection of the PBX"


class NotLinkedError(PmslinkError):
    """Report that no PBX is connected, or that its link is not alive yet."""


class Pms(Desk):
    """A property. ``now`` returns the hotel's local time, ``clock`` runs its timers.

    ``connect`` starts TCP connections; without it, the property cannot dial its PBX.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], datetime],
        room_count: int = 100,
        *,
        port: int = 0,
        max_records: int = MAX_STORED_RECORDS,
        seed: int = 0,
        connect: ConnectTcp | None = None,
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
        self.acts = ActScheduler(clock)
        self._seed = seed
        self._connection: PmsConnection | None = None
        self._open_connections: set[PmsConnection] = set()
        self._connect = connect
        self._dialer: PbxDialer | None = None
        self._logged_wait: str | None = _NO_CONNECTION
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
        return self._connection is not None and self._connection.is_alive and not self.faults.frozen

    @property
    def waits_for(self) -> str | None:
        """What the PMS waits for until data records can be sent; None if it waits for nothing."""
        if self.faults.frozen:
            return "the end of the fault frozen"
        return _NO_CONNECTION if self._connection is None else self._connection.waits_for

    @property
    def declared(self) -> dict[str, tuple[str, ...]]:
        """Field codes by record id that the connected PBX declared."""
        return self._connection.declaration.records if self._connection else {}

    def on_connected(self, connection: PmsConnection) -> None:
        """Use a new connection, and close the one that it displaces."""
        self.connection_count += 1
        self._open_connections.add(connection)
        displaced, self._connection = self._connection, connection
        if displaced is not None:
            displaced.close()
        self.on_stage_changed()

    def on_stage_changed(self) -> None:
        """Log what the PMS waits for, if that has changed."""
        waits_for = self.waits_for
        if waits_for != self._logged_wait:
            self._logged_wait = waits_for
            text = "the link is alive" if waits_for is None else f"the PMS waits for {waits_for}"
            self._log.info("Port {port}: {text}", port=self.port, text=text)

    def on_closing(self, connection: PmsConnection) -> None:
        """Stop using a connection that is closing."""
        if self._connection is connection:
            self._connection = None
            self.on_stage_changed()

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
        """Drop delayed answers and records, and close all connections; fires when they are closed."""
        self._answers.stop()
        self.acts.stop()
        self._set_dial_address("")
        for connection in list(self._open_connections):
            connection.close()
        if not self._open_connections:
            return succeed(None)
        self._stopped = Deferred()
        return self._stopped

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults; records are sent if that ends the fault `frozen`."""
        if faults.dial != self.faults.dial:
            self._set_dial_address(faults.dial)
        self.faults = faults
        self.on_stage_changed()
        if self._connection is not None:
            self._connection.on_faults_changed()
        self.send_queued()

    def _set_dial_address(self, address: str) -> None:
        if self._dialer is not None:
            self._dialer.stop()
            self._dialer = None
        if address and self._connect is not None:
            self._dialer = PbxDialer(
                PbxAddress.parse(address), self._connect, self.clock, self._build_dialled
            )
            self._dialer.dial()

    def _build_dialled(self) -> PmsConnection | None:
        return None if self.connected else PmsConnection(self)

    # output

    def resync(self) -> None:
        """Send DS, a record for each guest and vacant room, DE. Raises NotLinkedError unless alive."""
        if not self.alive:
            raise NotLinkedError("a resync needs a link that is alive")
        self._send_resync()

    def _send_resync(self) -> None:
        faults = self.faults
        records = list(guest_records.resync_records(self.hotel, self._stamp_fields()))
        self.send_record(build_record("DS", self._stamp_fields()))
        for index, record in enumerate(records):
            if faults.live_in_resync and index == len(records) // 2:
                self.check_in(self.hotel.rooms[0], "Live")
            self.send_record(record)
        if not faults.de_missing:
            self.send_record(build_record("DE", self._stamp_fields()))

    def send_text(self, text: str) -> None:
        """Send a record's text unchanged, declared or not. Raises NotLinkedError without a connection."""
        self._require_connection().send_text(text)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes without a frame. Raises NotLinkedError without a connection."""
        self._require_connection().send_bytes(data)

    def send_queued(self) -> None:
        """Send the queued records if the link is alive."""
        while self._queued_records and self.alive:
            self.send_record(self._queued_records.popleft())

    def send_guests(self) -> None:
        """Send a GI for each guest, without a resync."""
        for record in guest_records.in_house_records(self.hotel, self._stamp_fields()):
            self.send_record(record)

    def stamp_time(self) -> datetime:
        """Return the time of the PMS's clock, which the fault `clock_offset` makes wrong."""
        return self.now() + timedelta(seconds=self.faults.clock_offset)

    def trace_record(self, direction: Direction, text: str) -> None:
        """Add a record to the trace."""
        self.trace.add(self.now(), direction, text)

    # input

    def on_record(self, record: Record) -> None:
        """Handle a data record that the PBX sent while alive."""
        room = record.get("RN") or ""
        if record.id == "DR" and not self.faults.dr_ignored:
            self._send_resync()
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
            for answer_record in posting_answers(record, code, self.faults, self._stamp_fields()):
                self.send_record(answer_record)

        self.faults = self._answers.schedule(answer, self.faults)

    def _answer_code(self, record: Record) -> str:
        if self.in_night_audit:
            return "NA"
        return "OK" if record.get("RN") in self.hotel.rooms else "NG"

    def send_record(self, record: Record) -> None:
        """Send a record now, or when the link is alive."""
        if self._connection is not None and self.alive:
            self._connection.send_record(record)
        else:
            self._queued_records.append(record)

    def _stamp_fields(self) -> list[Field]:
        return date_time_fields(self.stamp_time())

    def _require_connection(self) -> PmsConnection:
        if self._connection is None:
            raise NotLinkedError("no PBX is connected")
        return self._connection
