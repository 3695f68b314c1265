"""One connection: back-pressure, and the record gap."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from pmslink.config.link_definition import parse_link
from pmslink.fias.record import Record
from pmslink.link.connection import MAX_QUEUED_RECORDS, Connection
from pmslink.link.link import Link
from tests.storeless_link import link_without_store


class StalledTransport(StringTransport):
    """A transport whose peer does not read: it is full after a few records."""

    def write(self, data: bytes) -> None:
        super().write(data)  # type: ignore[no-untyped-call]
        if self.producer is not None and len(self.value()) > 1000:  # type: ignore[no-untyped-call]
            self.producer.pauseProducing()


def start_link_over(transport: StringTransport, **settings: object) -> tuple[Link, Connection]:
    """A link whose dial gives this transport at once, and its connection."""
    connections: list[Connection] = []

    def dial(factory: Any, config: object) -> Any:
        factory.startedConnecting(object())
        connections.append(factory.buildProtocol(None))
        connections[0].makeConnection(transport)  # type: ignore[no-untyped-call]

    link = link_without_store(
        parse_link("grand", {"host": "127.0.0.1", "port": 5010, **settings}),
        Clock(),
        lambda: datetime(2026, 1, 1, tzinfo=UTC),
        dial,
        lambda link, transition: None,
    )
    link.start()
    return link, connections[0]


def test_reading_pauses_while_the_pms_does_not_read_our_answers() -> None:
    transport = StalledTransport()  # type: ignore[no-untyped-call]
    link, connection = start_link_over(transport)
    connection.dataReceived(b"\x02LA|\x03\x02LS|\x03" * 1000)
    assert transport.producerState == "paused"
    assert link.trace.record_counts["in", "LS"] < 10
    transport.clear()  # type: ignore[no-untyped-call]  # the PMS has read
    connection.resumeProducing()
    assert link.trace.record_counts["in", "LS"] < 20
    link.stop()


def test_too_many_records_queued_for_the_record_gap_end_the_connection() -> None:
    link, connection = start_link_over(StringTransport(), record_gap=1)
    connection.dataReceived(b"\x02LS|\x03\x02LA|\x03")
    connection.send([Record("RE|RN101|")] * (MAX_QUEUED_RECORDS + 1))
    assert link.core.marker == "EXPECTION"
    assert "record gap" in link.reason
    link.stop()
