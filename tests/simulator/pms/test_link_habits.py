"""Tests of the faults of the link start and the link checks that need time, and of what the PMS waits for."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel, capturedLogs
from twisted.python.failure import Failure

from pmslink.simulator.hotel.hotel_model import Hotel
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.property import Pms
from tests.simulator.simulated_pbx import (
    DECLARED_FIELDS,
    HOTEL_TIME,
    STAMP_FIELDS,
    SegmentTransport,
    SimulatedPbx,
    make_docked_property,
    make_property,
)


def make_mirror(**faults: Any) -> tuple[Clock, Pms, SimulatedPbx]:
    clock, pms = make_property(no_ls=True, ld_mirror=True, **faults)
    return clock, pms, SimulatedPbx(pms)


# LA by itself


def test_la_unasked_is_sent_after_the_last_lr_and_then_each_guest_without_a_resync() -> None:
    clock, pms = make_property(la_unasked=3)
    pbx = SimulatedPbx(pms)
    pms.hotel.check_in("101", "Adams")
    pms.hotel.check_in("101", "Bauer")
    pms.hotel.check_in("102", "Clark")
    pbx.take_records()
    pbx.send(f"LD|{STAMP_FIELDS}V#1|IFPB|")
    clock.advance(2)
    pbx.send("LR|RIGI|FLRNG#GSGN|", "LA|")
    clock.advance(2)
    assert pbx.take_records() == []
    assert pms.waits_for == "the time at which it sends LA unasked"
    clock.advance(1)
    assert pbx.take_records() == [
        f"LA|{STAMP_FIELDS}",
        "GI|RN101|G#5001|GSY|GNAdams|",
        "GI|RN101|G#5002|GSY|GNBauer|",
        "GI|RN102|G#5003|GSN|GNClark|",
    ]
    assert pms.alive


def test_la_unasked_needs_no_lr_and_its_timer_ends_with_the_connection() -> None:
    clock, pms = make_property(la_unasked=3)
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send("LD|")
    clock.advance(3)
    assert pbx.take_record_ids() == ["LA"]
    second = SimulatedPbx(pms)
    second.send("LD|")
    second.lose_connection()
    pbx.lose_connection()
    assert clock.getDelayedCalls() == []


def test_what_happened_before_la_unasked_is_sent_before_the_guests() -> None:
    clock, pms = make_property(la_unasked=3)
    pbx = SimulatedPbx(pms)
    pms.check_in("101", "Adams")
    pms.check_out("5001")
    pms.check_in("102", "Bauer")
    pbx.send_description()
    pbx.take_records()
    clock.advance(3)
    assert pbx.take_record_ids() == ["LA", "GI", "GO", "GI", "GI"]


# a PMS that describes the link like a PBX


def test_mirror_pause_is_made_before_each_lr_and_the_la_and_sends_no_data_in_between() -> None:
    clock, pms, pbx = make_mirror(mirror_pause=0.5)
    pbx.dock()
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LD"]
    pms.check_in("101", "Adams")
    pbx.send("LS|")  # the answer is under way
    assert pms.waits_for == "the end of its own link description"
    count = 0
    while pbx.take_record_ids() != ["LA", "GI"]:
        clock.advance(0.25)
        assert pbx.take_record_ids() == []
        clock.advance(0.25)
        count += 1
    assert count > 5
    assert pms.alive


def test_a_connection_that_ends_within_a_mirrored_description_has_no_timer() -> None:
    clock, _, pbx = make_mirror(mirror_pause=0.5)
    pbx.send("LS|")
    pbx.lose_connection()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("text", ["PS|RN101|P#1|", "LS|", "LD|", "LE|", "RE|RN101|RS1|"])
@pytest.mark.parametrize("seconds", [0, 60])
def test_d2_mirror_strict_closes_at_anything_but_la_until_the_las_are_exchanged(
    text: str, seconds: float
) -> None:
    clock, pms, pbx = make_mirror(mirror_pause=0.5, mirror_strict=True)
    pbx.send("LS|")
    clock.pump([0.5] * int(seconds * 2))
    pbx.send("LA|") if not seconds else None  # in the middle it is no answer
    pbx.send(text)
    assert pbx.is_closed
    assert pms.postings.delivery_counts() == {}


def test_d2_mirror_strict_takes_everything_after_the_las() -> None:
    clock, pms, pbx = make_mirror(mirror_pause=0.5, mirror_strict=True)
    pbx.send("LS|")
    clock.pump([0.5] * 60)
    assert pms.waits_for == "LA, the answer to its own link description"
    pbx.send("LA|", "PS|RN101|P#1|")
    assert pms.alive
    pbx.send_description()
    pbx.send("LS|")
    clock.pump([0.5] * 60)
    pbx.take_records()
    pbx.send("LA|", "PS|RN101|P#2|")
    assert pbx.take_record_ids() == ["PA"]
    assert not pbx.is_closed


# a PMS that closes the connection


def test_d7_close_at_lr_closes_at_the_lr_of_a_record_that_it_does_not_know() -> None:
    _, pms = make_property(close_at_lr="RE")
    pbx = SimulatedPbx(pms)
    with capturedLogs() as logs:
        pbx.send("LD|", "LR|RIGI|FLRN|")
        assert not pbx.is_closed
        pbx.send("LR|RIRE|FLRN|")
    assert pbx.is_closed
    assert "it does not accept LR of RE" in {event.get("reason") for event in logs}
    other = SimulatedPbx(pms)
    other.send_description({"GI": "RN"})
    assert pms.alive


# a PMS whose clock is wrong


def test_d10_clock_offset_is_in_all_records() -> None:
    _, pms = make_property(clock_offset=-7200)
    pbx = SimulatedPbx(pms)
    assert pbx.take_records() == ["LS|DA260101|TI060000|"]
    pbx.send_description({"GO": "RNDATI"})
    pms.hotel.check_in("101", "Adams")
    pms.check_out("5001")
    assert pbx.take_records() == ["LA|DA260101|TI060000|", "GO|RN101|DA260101|TI060000|"]


# a record before LS


def test_d11_oversize_early_is_sent_before_ls() -> None:
    _, pms = make_property(oversize_early=20_000)
    early, start = SimulatedPbx(pms).take_records()
    assert (len(early), start) == (20_000, f"LS|{STAMP_FIELDS}")


# a PMS that dials


def make_dialing_property() -> tuple[MemoryReactorClock, Pms]:
    reactor = MemoryReactorClock()
    pms = Pms(reactor, lambda: HOTEL_TIME, 6, connect=reactor.connectTCP)
    pms.hotel = Hotel(pms.hotel.rooms)
    pms.set_faults(Faults.parse({"dial": "127.0.0.1:5020"}))
    return reactor, pms


def accept(reactor: MemoryReactorClock) -> SimulatedPbx:
    """Accept the last dial."""
    pbx = SimulatedPbx.__new__(SimulatedPbx)
    pbx.transport = SegmentTransport()
    connection: Any = reactor.tcpClients[-1][2].buildProtocol(None)
    pbx.connection = connection
    connection.makeConnection(pbx.transport)
    return pbx


def test_d6_dial_connects_to_the_pbx_and_speaks_as_if_it_had_been_dialled() -> None:
    reactor, pms = make_dialing_property()
    [(host, port, *_)] = reactor.tcpClients
    assert (host, port) == ("127.0.0.1", 5020)
    pbx = accept(reactor)
    assert pbx.take_records() == [f"LS|{STAMP_FIELDS}"]
    pbx.dock(DECLARED_FIELDS)
    pms.check_in("101", "Adams")
    assert pbx.take_record_ids() == ["GI"]


@pytest.mark.parametrize("event", ["clientConnectionLost", "clientConnectionFailed"])
def test_d6_the_pms_dials_again_five_seconds_after_the_end(event: str) -> None:
    reactor, pms = make_dialing_property()
    factory = reactor.tcpClients[-1][2]
    with capturedLogs() as logs:
        for _ in range(2):
            getattr(factory, event)(None, Failure(ConnectionDone()))
            reactor.advance(4.9)
            reactor.advance(0.1)
    assert len(reactor.tcpClients) == 3
    warnings = [one for one in logs if one["log_level"] is LogLevel.warn]
    assert len(warnings) == (event == "clientConnectionFailed")
    pms.set_faults(Faults())
    assert reactor.connectors[-1]._disconnected
    getattr(factory, event)(None, Failure(ConnectionDone()))
    assert reactor.getDelayedCalls() == []


def test_d6_a_dial_is_given_up_while_another_connection_is_open() -> None:
    reactor, pms = make_dialing_property()
    pbx = SimulatedPbx(pms).dock()
    assert reactor.tcpClients[-1][2].buildProtocol(None) is None
    assert not pbx.is_closed


def test_d6_stop_ends_the_wait_for_the_next_dial() -> None:
    reactor, pms = make_dialing_property()
    factory, connector = reactor.tcpClients[-1][2], reactor.connectors[-1]
    factory.clientConnectionLost(connector, Failure(ConnectionDone()))
    pms.stop()
    assert reactor.getDelayedCalls() == []


# answers to postings


def test_pa_twice() -> None:
    _, pms, pbx = make_docked_property(pa_twice=True)
    pbx.send("PS|RN101|P#1|")
    assert pbx.take_records() == ["PA|RN101|ASOK|P#1|"] * 2
    assert pms.postings.by_number["1"].answers == ("OK",)


def test_b4_pa_stray() -> None:
    _, _, pbx = make_docked_property(pa_stray="NA")
    pbx.send("PS|RN101|P#1|")
    assert pbx.take_records() == ["PA|ASNA|P#99999999|", "PA|RN101|ASOK|P#1|"]


# what the PMS waits for


def test_the_status_says_what_the_pms_waits_for_at_each_stage() -> None:
    _, pms = make_property()
    waited: list[str | None] = [pms.waits_for]
    pbx = SimulatedPbx(pms)
    for text in ("", "LD|", "LR|RIGI|FLRN|", "LA|"):
        pbx.send(*([text] if text else []))
        waited.append(pms.waits_for)
    pms.end_link()
    waited.append(pms.waits_for)
    pms.set_faults(Faults(frozen=True))
    waited.append(pms.waits_for)
    assert waited == [
        "a connection of the PBX",
        "LD",
        "LR or LA",
        "LR or LA",
        None,
        "LE",
        "the end of the fault frozen",
    ]


def test_the_log_says_what_the_pms_waits_for_and_the_first_record_that_it_ignores() -> None:
    with capturedLogs() as logs:
        _, pms = make_property()
        pbx = SimulatedPbx(pms)
        pbx.send("PS|RN101|P#1|", "PS|RN101|P#2|")
        pbx.send("LD|", "DR|", "LR|RIGI|FLRN|", "LA|", "LS|", "PS|RN101|P#1|")
        SimulatedPbx(pms)
    lines = [event["log_format"].format(**event) for event in logs]
    assert lines == [
        "Port 0: the PMS waits for LD",
        "Port 0: PS of the PBX is ignored, because the PMS waits for LD",
        "Port 0: the PMS waits for LR or LA",
        "Port 0: DR of the PBX is ignored, because the PMS waits for LR or LA",
        "Port 0: the link is alive",
        "Port 0: the PMS waits for LD",
    ]
