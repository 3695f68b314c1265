"""Tests of a PBX connection: link start, link description, link checks and link end."""

from __future__ import annotations

import pytest

from pmslink.simulator.pms.property import NotLinkedError
from tests.simulator.simulated_pbx import STAMP_FIELDS, SimulatedPbx, make_docked_property, make_property


def test_each_connection_starts_with_ls() -> None:
    _, pms = make_property()
    assert SimulatedPbx(pms).take_records() == [f"LS|{STAMP_FIELDS}"]


def test_ls_is_answered_with_ls_before_the_link_description() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LS"]
    pbx.send("LD|", "LS|")
    assert pbx.take_record_ids() == ["LS"]


def test_a_complete_link_description_is_answered_with_la() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send_description({"GI": "RNGN"})
    assert pbx.take_records() == [f"LA|{STAMP_FIELDS}"]
    assert pms.alive
    assert pms.declared == {"GI": ("RN", "GN")}


@pytest.mark.parametrize("early", ["PS|RN101|P#1|", "LA|", "DR|", "LR|RIGI|FLRN|", "??"])
def test_data_before_the_link_description_is_ignored_and_ls_repeated_once(early: str) -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send(early, early)
    assert pbx.take_record_ids() == ["LS"]
    assert not pms.alive
    assert pms.postings.delivery_counts() == {}


def test_ls_is_repeated_again_after_the_pms_restarted_the_link() -> None:
    _, pms, pbx = make_docked_property()
    pms.start_link()
    pbx.send("LA|", "LA|")
    assert pbx.take_record_ids() == ["LS", "LS"]


def test_data_during_the_link_description_is_ignored() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send("LD|", "PS|RN101|P#1|", "DR|")
    assert pbx.take_records() == []
    assert pms.postings.delivery_counts() == {}


@pytest.mark.parametrize(
    ("requested", "answer"),
    [
        ("1", "LC|RPCA,VI|PHpmssim|"),
        ("4", "LC|A11.0|PHpmssim|"),
        ("128", "LC|A00|PHpmssim|"),
        ("48", "LC|A28.14|A38.14|PHpmssim|"),
    ],
)
def test_requested_configuration_is_sent_before_la(requested: str, answer: str) -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send_description(RT=requested)
    assert pbx.take_records() == [answer, f"LA|{STAMP_FIELDS}"]


@pytest.mark.parametrize("requested", ["0", "x", "", "99999999"])
def test_no_configuration_is_sent_without_a_valid_request(requested: str) -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send_description(RT=requested)
    assert pbx.take_record_ids() == ["LA"]


def test_while_alive_ls_is_answered_with_la_and_la_is_not_answered() -> None:
    _, _, pbx = make_docked_property()
    pbx.send("LS|", "LA|")
    assert pbx.take_records() == [f"LA|{STAMP_FIELDS}"]


def test_a_new_link_description_replaces_the_old_one() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send("LD|")
    assert not pms.alive
    pbx.send("LR|RIGO|FLRN|", "LR|", "LA|")
    assert pbx.take_record_ids() == ["LA"]
    assert pms.declared == {"GO": ("RN",)}


def test_the_number_of_declared_records_is_bounded() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms)
    pbx.send_description({f"{number:02}": "RN" for number in range(100)} | {"GI": "RN"})
    assert len(pms.declared) == 100


def test_le_is_answered_with_le_and_closes_the_connection() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send_segment("LE|", "LS|")
    assert pbx.take_records() == [f"LE|{STAMP_FIELDS}"]
    assert pbx.is_closed
    assert not pms.connected


def test_le_of_the_pms_closes_the_connection_when_answered() -> None:
    _, pms, pbx = make_docked_property()
    pms.end_link()
    assert pbx.take_records() == [f"LE|{STAMP_FIELDS}"]
    pbx.send("LS|")
    assert not pbx.is_closed
    pbx.send("LE|")
    assert pbx.is_closed
    assert pbx.take_records() == []


def test_le_of_the_pms_closes_the_connection_after_two_seconds_without_answer() -> None:
    clock, pms, pbx = make_docked_property()
    pms.end_link()
    clock.advance(1.9)
    assert not pbx.is_closed
    clock.advance(0.1)
    assert pbx.is_closed


def test_a_connection_that_does_not_close_is_aborted() -> None:
    clock, pms, pbx = make_docked_property()
    pms.drop_link()
    assert pbx.transport.disconnecting
    clock.advance(2)
    assert pbx.transport.disconnected


def test_a_closed_connection_has_no_timer() -> None:
    clock, pms, pbx = make_docked_property()
    pms.drop_link()
    pbx.lose_connection()
    assert clock.getDelayedCalls() == []


def test_an_idle_link_has_no_timer() -> None:
    clock, _, _ = make_docked_property()
    assert clock.getDelayedCalls() == []


def test_drop_closes_without_le() -> None:
    _, pms, pbx = make_docked_property()
    pms.drop_link()
    assert pbx.is_closed
    assert pbx.take_records() == []


def test_ls_of_the_pms_requires_a_new_link_description_before_any_data() -> None:
    _, pms, pbx = make_docked_property()
    pms.start_link()
    pms.check_in("101", "Adams")
    assert pbx.take_record_ids() == ["LS"]
    pbx.send_description()
    assert pbx.take_record_ids() == ["LA", "GI"]


def test_a_new_connection_displaces_the_previous_one() -> None:
    _, pms, old = make_docked_property()
    new = SimulatedPbx(pms).dock()
    assert old.is_closed
    old.send("PS|RN101|P#1|")
    old.lose_connection()
    assert pms.alive
    assert not new.is_closed
    assert pms.postings.delivery_counts() == {}
    assert pms.connection_count == 2


def test_a_link_description_applies_to_its_connection_only() -> None:
    _, pms, first = make_docked_property()
    first.lose_connection()
    second = SimulatedPbx(pms)
    second.send("LS|")
    assert second.take_record_ids() == ["LS", "LS"]
    assert not pms.alive


def test_closing_twice_has_no_further_effect() -> None:
    clock, pms, pbx = make_docked_property()
    pms.drop_link()
    pms.stop()
    assert len(clock.getDelayedCalls()) == 1
    assert pbx.is_closed


def test_a_stream_without_frames_is_closed() -> None:
    _, _, pbx = make_docked_property()
    for _ in range(17):
        pbx.connection.dataReceived(b"x" * 65536)
    assert pbx.is_closed


def test_the_link_cannot_be_used_without_a_connection() -> None:
    _, pms = make_property()
    for operation in (pms.start_link, pms.end_link, pms.drop_link, pms.resync):
        with pytest.raises(NotLinkedError):
            operation()


def test_stop_closes_all_connections_and_fires_when_they_are_closed() -> None:
    _, pms, displaced = make_docked_property()
    pbx = SimulatedPbx(pms)
    stopped: list[None] = []
    pms.stop().addCallback(stopped.append)
    assert displaced.is_closed
    assert pbx.is_closed
    pbx.lose_connection()
    assert stopped == []
    displaced.lose_connection()
    assert stopped == [None]


def test_stop_without_connections_fires_at_once() -> None:
    _, pms = make_property()
    stopped: list[None] = []
    pms.stop().addCallback(stopped.append)
    assert stopped == [None]


def test_text_and_bytes_are_sent_verbatim_and_traced() -> None:
    _, pms, pbx = make_docked_property()
    pms.trace.clear()
    pms.send_text("RE|RN101|MLY")
    pms.send_bytes(b"\x02\x02GI")
    pbx.send("LA|")
    assert pbx.take_bytes() == b"\x02RE|RN101|MLY\x03\x02\x02GI"
    assert pms.trace.texts("in") == ["LA|"]
    entries = [(entry.direction, entry.type, entry.text) for entry in pms.trace.after()]
    assert entries == [("out", "RE", "RE|RN101|MLY"), ("out", "\x02\x02", "\x02\x02GI"), ("in", "LA", "LA|")]
