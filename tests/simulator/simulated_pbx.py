"""The PBX side of an in-memory connection, for tests of the simulator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from pmslink.simulator.hotel.hotel_model import Hotel
from pmslink.simulator.pms.connection_factory import PmsFactory
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.property import Pms

HOTEL_TIME = datetime(2026, 1, 1, 8, 0, 0, tzinfo=UTC)
STAMP_FIELDS = "DA260101|TI080000|"
DECLARED_FIELDS = {
    "GI": "RNG#GSGNGFSF",
    "GO": "RNG#GSSF",
    "GC": "RNG#GSGNGFRO",
    "RE": "RNRSVM",
    "WR": "RNDATI",
    "PS": "RNP#TA",
    "PA": "RNASP#CT",
    "NS": "DATI",
    "NE": "DATI",
}


class SegmentTransport(StringTransport):
    """Stores each write as a segment, and rejects writes after it was closed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.segments: list[bytes] = []

    def write(self, data: bytes) -> None:
        assert not self.is_closing, "written after it was closed"
        self.segments.append(data)

    @property
    def is_closing(self) -> bool:
        return self.disconnecting or self.disconnected


class SimulatedPbx:
    """One connection to a property."""

    def __init__(self, pms: Pms) -> None:
        self.pms = pms
        self.transport = SegmentTransport()
        connection = PmsFactory(pms).buildProtocol(None)
        self.is_refused = connection is None
        if connection is not None:
            self.connection = connection
            connection.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def send(self, *texts: str) -> None:
        """Send each record in a separate segment."""
        for text in texts:
            self.send_segment(text)

    def send_segment(self, *texts: str) -> None:
        """Send all records in one segment."""
        self.connection.dataReceived(b"".join(b"\x02" + text.encode("cp1252") + b"\x03" for text in texts))

    def take_bytes(self) -> bytes:
        """Return the bytes received since the previous call."""
        data = b"".join(self.transport.segments)
        self.transport.segments.clear()
        return data

    def take_records(self) -> list[str]:
        """Return the records received since the previous call."""
        return [frame.lstrip(b"\x02").decode("cp1252") for frame in self.take_bytes().split(b"\x03")[:-1]]

    def take_record_ids(self) -> list[str]:
        """Return the ids of the records received since the previous call."""
        return [text[:2] for text in self.take_records()]

    def send_description(self, declared: dict[str, str] = DECLARED_FIELDS, **more: str) -> None:
        """Send LD, LR…, LA in one segment."""
        extra = "".join(f"{code}{value}|" for code, value in more.items())
        lrs = [f"LR|RI{record_id}|FL{codes}|" for record_id, codes in declared.items()]
        self.send_segment(f"LD|{STAMP_FIELDS}V#1.0|IFPB|{extra}", *lrs, f"LA|{STAMP_FIELDS}")

    def dock(self, declared: dict[str, str] = DECLARED_FIELDS) -> SimulatedPbx:
        """Send the link description, and discard the records received so far."""
        self.send_description(declared)
        self.take_bytes()
        return self

    @property
    def is_closed(self) -> bool:
        return self.transport.is_closing

    def lose_connection(self) -> None:
        """Close the connection."""
        self.connection.connectionLost(Failure(ConnectionDone()))


def make_property(rooms: int = 6, **faults: Any) -> tuple[Clock, Pms]:
    """Make a property without guests, and its clock."""
    clock = Clock()
    pms = Pms(clock, lambda: HOTEL_TIME, rooms)
    pms.hotel = Hotel(pms.hotel.rooms)
    pms.set_faults(Faults.parse(faults))
    return clock, pms


def make_docked_property(rooms: int = 6, **faults: Any) -> tuple[Clock, Pms, SimulatedPbx]:
    """Make a property, its clock, and a PBX that is docked with DECLARED_FIELDS."""
    clock, pms = make_property(rooms, **faults)
    return clock, pms, SimulatedPbx(pms).dock()
