"""The cost of parsing: a record against bare string operations, a link against a LineReceiver."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver

from pmslink.config.link_definition import parse_link
from pmslink.fias.framing import ETX, STX
from pmslink.fias.record import Record
from pmslink.link.cause import Cause
from pmslink.link.connection import Connection
from pmslink.link.link import Link
from pmslink.store.core.journal_interface import NullJournal

CHECK_IN = (
    b"GI|RN0101|G#500123|GSN|GNAdamson-Smith|GFAnnabel|GTMrs|GLEA|GV2|GGTOUR12|GA261120|GD261127|"
    b"CS2|DA261120|TI140000|"
)
CHUNK_BYTES = 16 * 1024


def split_chunks(record: bytes) -> list[bytes]:
    """Return about a megabyte of this record, in chunks like those of a socket."""
    stream = (STX + record + ETX) * (64 * CHUNK_BYTES // (len(record) + 2))
    return [stream[at : at + CHUNK_BYTES] for at in range(0, len(stream), CHUNK_BYTES)]


@pytest.mark.benchmark(group="a check-in of 14 fields, bytes to fields (at most 1.5 times)")
class TestRecord:
    def test_bare_split_and_slices(self, benchmark: BenchmarkFixture) -> None:
        benchmark(lambda: [(part[:2], part[2:]) for part in CHECK_IN.decode("cp1252").split("|")])

    def test_pmslink_record(self, benchmark: BenchmarkFixture) -> None:
        fields = benchmark(lambda: Record(CHECK_IN.decode("cp1252", "replace")).fields)
        assert len(fields) == 14


class DiscardingReceiver(LineReceiver):
    delimiter = ETX

    def lineReceived(self, line: bytes) -> None:
        pass


def baseline_receiver() -> LineReceiver:
    """Make a connection that splits records and discards them."""
    receiver = DiscardingReceiver()
    receiver.makeConnection(StringTransport())  # type: ignore[no-untyped-call]
    return receiver


def docked_connection() -> LineReceiver:
    """Make the connection of an established link without a store."""
    clock = Clock()
    connections: list[Connection] = []

    def dial(factory: Any, config: object) -> Any:
        factory.startedConnecting(object())
        connections.append(factory.buildProtocol(None))
        connections[0].makeConnection(StringTransport())  # type: ignore[no-untyped-call]
        return object()

    config = parse_link("bench", {"host": "127.0.0.1", "port": 5010})
    link = Link(config, clock, lambda: datetime.now(UTC), dial, lambda link, transition: None, NullJournal())
    link.start()
    link.machine.ls(Cause("started", {"record": "LS"}))
    link.machine.la(Cause("started", {"record": "LA"}))
    assert link.session.in_sync
    return connections[0]


def feed(make_receiver: Callable[[], LineReceiver], record: bytes, benchmark: BenchmarkFixture) -> None:
    stream = split_chunks(record)
    receiver = make_receiver()

    def run() -> None:
        for chunk in stream:
            receiver.dataReceived(chunk)

    benchmark(run)


@pytest.mark.benchmark(group="1 MiB of check-ins in 16 KiB chunks (at most 3 times)")
class TestCheckIns:
    def test_bare_line_receiver(self, benchmark: BenchmarkFixture) -> None:
        feed(baseline_receiver, CHECK_IN, benchmark)

    def test_pmslink_link(self, benchmark: BenchmarkFixture) -> None:
        feed(docked_connection, CHECK_IN, benchmark)


@pytest.mark.benchmark(group="1 MiB of LA in 16 KiB chunks: each goes through the machine")
class TestAlive:
    def test_bare_line_receiver(self, benchmark: BenchmarkFixture) -> None:
        feed(baseline_receiver, b"LA|DA261120|TI140000|", benchmark)

    def test_pmslink_link(self, benchmark: BenchmarkFixture) -> None:
        feed(docked_connection, b"LA|DA261120|TI140000|", benchmark)
