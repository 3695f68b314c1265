"""One property: a hotel with its PMS, which one PBX docks to.

What happens in the hotel is told at once while the link is alive; else it waits and is told, in
order, after the next LA. Nothing here runs by itself: an idle property costs no timer.
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
from pmslink.fias.record import Record, write
from pmslink.simulator.hotel import guest_records, room_equipment
from pmslink.simulator.hotel.front_desk import Desk
from pmslink.simulator.pms import record_dialect
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.pbx_connection import PmsConnection
from pmslink.simulator.pms.pbx_declaration import Declaration
from pmslink.simulator.pms.posting_answers import Answers, posting_answer
from pmslink.simulator.pms.received_postings import Postings
from pmslink.simulator.pms.record_log import Direction, Trace

KEEP = 10_000
"""Records kept in the trace, and data records kept while no link is alive."""

_NUMBER_KEPT = 32


class NotLinkedError(PmslinkError):
    """No PBX is connected, or its link is not alive yet."""


class Pms(Desk):
    """A property. ``now`` gives the hotel's local time, ``clock`` runs its timers."""

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], datetime],
        rooms: int = 100,
        *,
        port: int = 0,
        keep: int = KEEP,
        seed: int = 0,
    ) -> None:
        super().__init__(now, rooms)
        self.clock = clock
        self.port = port
        """Its TCP port; what the control interface knows it by."""
        self.faults = Faults()
        self.trace = Trace(keep)
        self.postings = Postings()
        self.remembered: Declaration | None = None
        """The last link description that was taken as a whole."""
        self.accepted_connections = 0
        self._seed = seed
        self._connection: PmsConnection | None = None
        self._open: set[PmsConnection] = set()
        self._stopped: Deferred[None] | None = None
        self._untold: deque[Record] = deque(maxlen=keep)
        self._answers = Answers(clock)

    @cached_property
    def chance(self) -> Random:
        """What shuffles fields."""
        return Random(self._seed)  # noqa: S311 (repeatable, not secret)

    # the link

    def listens_on(self, address: Any) -> None:
        """Its port is open, at this address of TCP."""
        self.port = address.port

    @property
    def connected(self) -> bool:
        """Whether a PBX holds the port."""
        return self._connection is not None

    @property
    def alive(self) -> bool:
        """Whether data can flow."""
        return self._connection is not None and self._connection.stage == "alive" and not self.faults.frozen

    @property
    def declared(self) -> dict[str, tuple[str, ...]]:
        """Record ids and field codes that the connected PBX declared."""
        return self._connection.declaration.records if self._connection else {}

    def accepted(self, connection: PmsConnection) -> None:
        """A PBX connected; the one before it is thrown out."""
        self.accepted_connections += 1
        self._open.add(connection)
        if self._connection is not None:
            self._connection.close()
        self._connection = connection

    def left(self, connection: PmsConnection) -> None:
        """A connection is being closed and carries no more records."""
        if self._connection is connection:
            self._connection = None

    def lost(self, connection: PmsConnection) -> None:
        """A connection is gone."""
        self.left(connection)
        self._open.discard(connection)
        if not self._open and self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)

    def start_link(self) -> None:
        """Send LS. Raises NotLinkedError without a connection."""
        self._connected().start()

    def end_link(self) -> None:
        """Send LE and close. Raises NotLinkedError without a connection."""
        self._connected().end()

    def drop_link(self) -> None:
        """Close the connection without LE. Raises NotLinkedError without one."""
        self._connected().close()

    def stop(self) -> Deferred[None]:
        """End everything that still runs: late answers and connections. Fires when they are gone."""
        self._answers.stop()
        for connection in list(self._open):
            connection.close()
        if not self._open:
            return succeed(None)
        self._stopped = Deferred()
        return self._stopped

    def set_faults(self, faults: Faults) -> None:
        """Put these faults in the place of those before."""
        self.faults = faults
        if self._connection is not None:
            self._connection.faults_changed()
        self.release()

    # what is sent

    def resync(self) -> None:
        """Send DS, who is in the house, DE. Raises NotLinkedError unless the link is alive."""
        if not self.alive:
            raise NotLinkedError("the link is not alive, so no resync can run")
        faults = self.faults
        records = list(guest_records.inventory(self.hotel, self._stamp()))
        self._tell(write("DS", self._stamp()))
        for at, record in enumerate(records):
            if faults.live_in_resync and at == len(records) // 2:
                self.check_in(self.hotel.rooms[0], "Live")
            self._tell(record)
        if not faults.de_missing:
            self._tell(write("DE", self._stamp()))

    def send_text(self, text: str) -> None:
        """Send a record's text as it is, declared or not. Raises NotLinkedError without a connection."""
        self._connected().send(text)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes without a frame. Raises NotLinkedError without a connection."""
        self._connected().send_bytes(data)

    def release(self) -> None:
        """Tell what waited, if the link is alive."""
        while self._untold and self.alive:
            self._tell(self._untold.popleft())

    def note(self, direction: Direction, text: str) -> None:
        """Keep a record in the trace."""
        self.trace.add(self.now(), direction, text)

    # what comes from the PBX

    def received(self, record: Record) -> None:
        """Take a business record of a link that is alive."""
        room = record.get("RN") or ""
        if record.id == "DR" and not self.faults.dr_ignored:
            self.resync()
        elif record.id == "PS":
            self._posted(record)
        elif record.id in room_equipment.TOLD_BY_PBX and room in self.hotel.rooms:
            self.hotel.put(room, room_equipment.after(self.equipment(room), record))

    def _posted(self, record: Record) -> None:
        number = (record.get("P#") or "")[:_NUMBER_KEPT]
        delivery = self.postings.delivered(number, record.text, self.now(), self.accepted_connections)
        code = self.faults.pa_answer or self._judged(record)

        def answer() -> None:
            delivery.answered(code, self.now())
            self._tell(posting_answer(record, code, self.faults, self._stamp()))

        self.faults = self._answers.give(answer, self.faults)

    def _judged(self, record: Record) -> str:
        if self.auditing:
            return "NA"
        return "OK" if record.get("RN") in self.hotel.rooms else "NG"

    # within

    def _tell(self, record: Record) -> None:
        if self._connection is not None and self.alive:
            self._connection.tell(record)
        else:
            self._untold.append(record)

    @property
    def _tells_moves_as_pairs(self) -> bool:
        described = self.remembered.records if self.remembered is not None else None
        return record_dialect.move_is_a_pair(described, self.faults)

    def _connected(self) -> PmsConnection:
        if self._connection is None:
            raise NotLinkedError("no PBX is connected")
        return self._connection
