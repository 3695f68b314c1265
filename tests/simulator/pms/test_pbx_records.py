"""Tests of records from the PBX: room status, signs, voicemail, wake-ups, postings."""

from __future__ import annotations

import pytest

from pmslink.simulator.hotel.room_equipment import Equipment
from pmslink.simulator.pms import received_postings
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.received_postings import Delivery, Postings
from tests.simulator.simulated_pbx import (
    HOTEL_TIME,
    STAMP_FIELDS,
    SimulatedPbx,
    make_docked_property,
    make_property,
)


@pytest.mark.parametrize(
    ("records", "state"),
    [
        (["RE|RN101|RS3|"], Equipment(status="3")),
        (["RE|RN101|RS3|", "RE|RN101|RS8|"], Equipment(status="3", sign="do-not-disturb")),
        (["RE|RN101|RS9|"], Equipment(sign="make-up-room")),
        (["RE|RN101|RS9|", "RE|RN101|RS10|"], Equipment()),
        (["RE|RN101|VM0103|", "RE|RN101|RS1|"], Equipment(status="1", voicemail="0103")),
        (["WR|RN101|DA260103|TI070000|"] * 2, Equipment(wake_ups=(("260103", "070000"),))),
        (
            ["WR|RN101|DA260103|TI070000|", "WR|RN101|DA260103|TI080000|", "WC|RN101|DA260103|TI070000|"],
            Equipment(wake_ups=(("260103", "080000"),)),
        ),
        (["WR|RN101|DA260103|TI070000|", "WC|RN101|DA|TI|"], Equipment()),
        (
            ["WR|RN101|DA260103|TI070000|", "WA|RN101|DA260103|TI070000|ASNR|"],
            Equipment(wake_up_results=(("260103", "070000", "NR"),)),
        ),
        (["WR|RN101|DA260103|TI0700|", "WC|RN101|DA260103|TI070000|"], Equipment()),
    ],
)
def test_the_room_stores_the_values_from_the_pbx(records: list[str], state: Equipment) -> None:
    _, pms, pbx = make_docked_property()
    pbx.send(*records)
    assert pms.equipment("101") == state
    assert pms.equipment("102") == Equipment()
    assert pbx.take_records() == []


def test_wake_ups_of_a_room_are_bounded() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send(*(f"WR|RN101|DA260103|TI{at:06}|" for at in range(150)))
    assert len(pms.equipment("101").wake_ups) == 100


def test_results_of_wake_ups_are_bounded() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send(*(f"WA|RN101|DA260103|TI07{at:02}00|AS{'OK' if at % 2 else 'BY'}|" for at in range(25)))
    results = pms.equipment("101").wake_up_results
    assert len(results) == 20
    assert results[-2:] == (("260103", "072300", "OK"), ("260103", "072400", "BY"))


@pytest.mark.parametrize("text", ["RE|RN999|RS3|", "RE|", "XX|RN101|", "?", ""])
def test_unknown_rooms_and_records_are_ignored(text: str) -> None:
    _, pms, pbx = make_docked_property()
    pbx.send(text)
    assert pbx.take_records() == []
    assert pms.alive


def test_a_posting_gets_one_answer() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send("PS|RN101|PTC|TA1050|P#17|")
    assert pbx.take_records() == ["PA|RN101|ASOK|P#17|"]
    assert pms.postings.by_number["17"].answers == ("OK",)


def test_a_posting_to_an_unknown_room_is_rejected_with_a_reason() -> None:
    _, _, pbx = make_docked_property()
    pbx.send("PS|RN999|P#17|")
    assert pbx.take_records() == ["PA|RN999|ASNG|P#17|CTINVALID ROOM|"]


def test_the_answer_copies_only_received_and_declared_fields() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms).dock({"PS": "RNP#", "PA": "WSRNASDATI"})
    pbx.send("PS|RN101|P#1|WSdesk|ID7|", "PS|RN101|P#2|")
    assert pbx.take_records() == [f"PA|WSdesk|RN101|ASOK|{STAMP_FIELDS}", f"PA|RN101|ASOK|{STAMP_FIELDS}"]


def test_a_posting_with_control_characters_is_answered() -> None:
    _, _, pbx = make_docked_property()
    pbx.send("PS|RN1\x07|P#\x011|")
    assert pbx.take_records() == ["PA|RN1\x07|ASNG|P#\x011|CTINVALID ROOM|"]


def test_postings_during_night_audit_are_answered_na() -> None:
    _, pms, pbx = make_docked_property()
    pms.set_night_audit(active=True)
    pbx.send("PS|RN101|P#1|")
    pms.set_night_audit(active=False)
    pbx.send("PS|RN101|P#1|")
    assert [text for text in pbx.take_records() if text.startswith("PA")] == [
        "PA|RN101|ASNA|P#1|CTNIGHT AUDIT|",
        "PA|RN101|ASOK|P#1|",
    ]
    assert pms.postings.by_number["1"].answers == ("NA", "OK")


def test_deliveries_are_counted_by_number() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send("PS|RN101|P#1|", "PS|RN101|P#2|", "PS|RN102|P#1|", "PS|RN101|")
    assert pms.postings.delivery_counts() == {"1": 2, "2": 1, "": 1}
    assert pms.postings.by_number["1"].text == "PS|RN102|P#1|"


def test_each_delivery_has_its_connection_and_its_answer() -> None:
    clock, pms, first = make_docked_property(pa_delay=2)
    first.send("PS|RN101|P#1|")
    first.lose_connection()
    pms.set_faults(Faults(pa_never=True))
    second = SimulatedPbx(pms).dock()
    second.send("PS|RN101|P#1|")
    clock.advance(2)
    (posting,) = pms.postings.by_number.values()
    assert list(posting.recent_deliveries) == [
        Delivery(HOTEL_TIME, 1, "OK", HOTEL_TIME),
        Delivery(HOTEL_TIME, 2),
    ]


def test_the_oldest_deliveries_of_a_number_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_postings, "MAX_DELIVERIES_PER_POSTING", 2)
    postings = Postings()
    for connection in (1, 2, 3):
        postings.add_delivery("1", "PS|", HOTEL_TIME, connection)
    assert [delivery.connection for delivery in postings.by_number["1"].recent_deliveries] == [2, 3]
    assert postings.delivery_counts() == {"1": 3}


def test_the_oldest_posting_numbers_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_postings, "MAX_POSTINGS", 2)
    postings = Postings()
    for number in ("1", "2", "3"):
        postings.add_delivery(number, "PS|", HOTEL_TIME, 1)
    assert postings.delivery_counts() == {"2": 1, "3": 1}


def test_long_records_and_numbers_are_stored_truncated() -> None:
    _, pms, pbx = make_docked_property()
    pbx.send(f"PS|RN101|P#{'1' * 9000}|")
    (posting,) = pms.postings.by_number.values()
    assert len(posting.number) == 32
    assert len(posting.text) == 2100
    assert max(len(entry.text) for entry in pms.trace.after()) == 2100
