"""What a PBX tells and posts: room status, signs, voicemail, wake-ups, charges."""

from __future__ import annotations

import pytest

from pmslink.simulator.hotel.room_equipment import Equipment
from pmslink.simulator.pms import received_postings
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.received_postings import Delivery, Postings
from tests.simulator.simulated_pbx import NOW, STAMP, Pbx, docked, property_with


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
def test_the_room_remembers_what_it_was_told(records: list[str], state: Equipment) -> None:
    _, pms, pbx = docked()
    pbx.send(*records)
    assert pms.equipment("101") == state
    assert pms.equipment("102") == Equipment()
    assert pbx.heard() == []


def test_wake_ups_of_a_room_are_bounded() -> None:
    _, pms, pbx = docked()
    pbx.send(*(f"WR|RN101|DA260103|TI{at:06}|" for at in range(150)))
    assert len(pms.equipment("101").wake_ups) == 100


def test_results_of_wake_ups_are_remembered_each_until_there_are_too_many() -> None:
    _, pms, pbx = docked()
    pbx.send(*(f"WA|RN101|DA260103|TI07{at:02}00|AS{'OK' if at % 2 else 'BY'}|" for at in range(25)))
    results = pms.equipment("101").wake_up_results
    assert len(results) == 20
    assert results[-2:] == (("260103", "072300", "OK"), ("260103", "072400", "BY"))


@pytest.mark.parametrize("text", ["RE|RN999|RS3|", "RE|", "XX|RN101|", "?", ""])
def test_what_it_does_not_know_is_ignored(text: str) -> None:
    _, pms, pbx = docked()
    pbx.send(text)
    assert pbx.heard() == []
    assert pms.alive


def test_a_posting_gets_one_answer() -> None:
    _, pms, pbx = docked()
    pbx.send("PS|RN101|PTC|TA1050|P#17|")
    assert pbx.heard() == ["PA|RN101|ASOK|P#17|"]
    assert pms.postings.by_number["17"].answers == ("OK",)


def test_a_posting_to_an_unknown_room_is_refused_with_a_reason() -> None:
    _, _, pbx = docked()
    pbx.send("PS|RN999|P#17|")
    assert pbx.heard() == ["PA|RN999|ASNG|P#17|CTINVALID ROOM|"]


def test_the_answer_repeats_only_what_was_carried_and_declared() -> None:
    _, pms = property_with()
    pbx = Pbx(pms).dock({"PS": "RNP#", "PA": "WSRNASDATI"})
    pbx.send("PS|RN101|P#1|WSdesk|ID7|", "PS|RN101|P#2|")
    assert pbx.heard() == [f"PA|WSdesk|RN101|ASOK|{STAMP}", f"PA|RN101|ASOK|{STAMP}"]


def test_a_posting_with_control_characters_is_answered_too() -> None:
    _, _, pbx = docked()
    pbx.send("PS|RN1\x07|P#\x011|")
    assert pbx.heard() == ["PA|RN1\x07|ASNG|P#\x011|CTINVALID ROOM|"]


def test_postings_during_night_audit_are_answered_na() -> None:
    _, pms, pbx = docked()
    pms.audit(begins=True)
    pbx.send("PS|RN101|P#1|")
    pms.audit(begins=False)
    pbx.send("PS|RN101|P#1|")
    assert [text for text in pbx.heard() if text.startswith("PA")] == [
        "PA|RN101|ASNA|P#1|CTNIGHT AUDIT|",
        "PA|RN101|ASOK|P#1|",
    ]
    assert pms.postings.by_number["1"].answers == ("NA", "OK")


def test_deliveries_are_counted_by_number() -> None:
    _, pms, pbx = docked()
    pbx.send("PS|RN101|P#1|", "PS|RN101|P#2|", "PS|RN102|P#1|", "PS|RN101|")
    assert pms.postings.deliveries() == {"1": 2, "2": 1, "": 1}
    assert pms.postings.by_number["1"].text == "PS|RN102|P#1|"


def test_each_delivery_tells_its_connection_and_its_answer() -> None:
    clock, pms, first = docked(pa_delay=2)
    first.send("PS|RN101|P#1|")
    first.gone()
    pms.set_faults(Faults(pa_never=True))
    second = Pbx(pms).dock()
    second.send("PS|RN101|P#1|")
    clock.advance(2)
    (posting,) = pms.postings.by_number.values()
    assert list(posting.came) == [Delivery(NOW, 1, "OK", NOW), Delivery(NOW, 2)]


def test_old_deliveries_of_a_number_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_postings, "DELIVERIES_KEPT", 2)
    ledger = Postings()
    for connection in (1, 2, 3):
        ledger.delivered("1", "PS|", NOW, connection)
    assert [one.connection for one in ledger.by_number["1"].came] == [2, 3]
    assert ledger.deliveries() == {"1": 3}


def test_old_posting_numbers_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_postings, "KEPT", 2)
    ledger = Postings()
    for number in ("1", "2", "3"):
        ledger.delivered(number, "PS|", NOW, 1)
    assert ledger.deliveries() == {"2": 1, "3": 1}


def test_long_records_and_numbers_are_cut_in_what_is_kept() -> None:
    _, pms, pbx = docked()
    pbx.send(f"PS|RN101|P#{'1' * 9000}|")
    (posting,) = pms.postings.by_number.values()
    assert len(posting.number) == 32
    assert len(posting.text) == 2100
    assert max(len(entry.text) for entry in pms.trace.after()) == 2100
