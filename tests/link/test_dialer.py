"""The dialer: stopping, closing, and connections that were hung up."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address

from pmslink.link import controls
from tests.link.link_harness import LinkHarness


@pytest.mark.parametrize("mode", ["accept", "black hole", "refuse", "stall"])
def test_stopping_waits_until_no_dial_or_connection_is_open(mode: Any) -> None:
    harness = LinkHarness()
    harness.network.mode = mode
    harness.link.start()
    harness.run(0.5)
    stopped: list[None] = []
    harness.link.stop().addCallback(stopped.append)
    harness.run()
    assert stopped == [None]
    assert harness.network.open_count == 0
    assert not harness.clock.getDelayedCalls()


def test_stopping_ends_a_connection_without_le() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    stopped: list[None] = []
    harness.link.stop().addCallback(stopped.append)
    assert stopped == []
    harness.run()
    assert stopped == [None]
    assert harness.link.trace.record_counts["out", "LE"] == 0


def test_a_connection_that_cannot_close_is_aborted_after_a_second_and_then_replaced() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    first = harness.newest
    controls.disconnect(harness.link)
    harness.network.mode = "stall"
    harness.run(2)  # the end timeout; the close that follows cannot be carried out
    assert harness.marker() == "CLOSED"
    controls.enable(harness.link)
    assert harness.marker() == "WAIT_LS"
    harness.run(0.9)
    assert harness.network.dial_count == 1
    harness.run(0.2)
    assert harness.network.dial_count == 2
    assert harness.newest is not first


def test_data_on_a_detached_connection_is_ignored() -> None:
    harness = LinkHarness(tls=False)
    harness.link.start()
    harness.dock()
    connection = harness.link.dialer._connection
    assert connection is not None
    controls.disable(harness.link)
    before = dict(harness.link.trace.record_counts)
    connection.dataReceived(b"\x02GI|RN101|\x03?\x03")
    connection.dataReceived(b"?" * 2_000_000)
    connection.handshakeCompleted()
    assert harness.link.trace.record_counts == before
    assert not harness.link.trace.skipped_bytes
    harness.run()
    assert harness.marker() == "DISABLED"


def test_a_dial_that_succeeds_after_it_was_hung_up_makes_no_connection() -> None:
    harness = LinkHarness()
    assert harness.link.dialer.buildProtocol(IPv4Address("TCP", "192.0.2.1", 5010)) is None
