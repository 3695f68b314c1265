"""Tests of each fault by the bytes that the PMS sends."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from pmslink.simulator.pms import posting_answers, segmented_wire
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.property import Pms
from pmslink.simulator.pms.record_dialect import lrc
from tests.simulator.pms import test_link_habits
from tests.simulator.simulated_pbx import STAMP_FIELDS, SimulatedPbx, make_docked_property, make_property


def check_in_bytes(rooms: int = 6, **faults: Any) -> tuple[bytes, Clock, SimulatedPbx]:
    """Return the bytes of a check-in with these faults."""
    clock, pms, pbx = make_docked_property(rooms, **faults)
    pms.check_in("101", "Adams", first_name="Ann")
    return pbx.take_bytes(), clock, pbx


def switch(pms: Pms, **faults: Any) -> None:
    pms.set_faults(Faults.parse(faults, pms.faults))


# link start and link checks


def test_no_ls() -> None:
    _, pms = make_property(no_ls=True)
    pbx = SimulatedPbx(pms)
    assert pbx.take_records() == []
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LS"]


def test_ls_la_at_once() -> None:
    _, pms = make_property(ls_la_at_once=True, la_for_la=True)
    pbx = SimulatedPbx(pms)
    assert pbx.take_record_ids() == ["LS", "LA"]
    pbx.send_description({"GI": "RN"})
    assert pbx.take_record_ids() == ["LA"]  # for the LA at the end; LD and LR are ignored
    pms.check_in("101", "Adams")
    assert pbx.take_records() == [f"GI|RN101|G#5001|GSN|GNAdams|GA260101|{STAMP_FIELDS}"]
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LA"]


def test_never_la() -> None:
    _, pms = make_property(never_la=True)
    pbx = SimulatedPbx(pms)
    pbx.take_records()
    pbx.send_description()
    assert pbx.take_records() == []
    pbx.send("PS|RN101|P#1|", "LS|")
    assert pbx.take_record_ids() == ["PA", "LS"]


def test_la_for_la() -> None:
    _, _, pbx = make_docked_property(la_for_la=True)
    pbx.send("LA|", "LA|")
    assert pbx.take_record_ids() == ["LA", "LA"]


def test_ls_every() -> None:
    clock, _, pbx = make_docked_property(ls_every=30)
    clock.advance(29)
    assert pbx.take_record_ids() == []
    clock.advance(1)
    assert pbx.take_record_ids() == ["LS"]
    clock.advance(100)
    assert pbx.take_record_ids() == []  # no LS before the link description is complete
    pbx.dock()
    clock.advance(30)
    assert pbx.take_record_ids() == ["LS"]


def test_ls_every_begins_and_ends_on_a_link_that_is_alive() -> None:
    clock, pms, pbx = make_docked_property()
    switch(pms, ls_every=30)
    switch(pms, ls_every=None)
    assert clock.getDelayedCalls() == []
    switch(pms, ls_every=30)
    clock.advance(30)
    assert pbx.take_record_ids() == ["LS"]


def test_ls_every_waits_for_a_link_that_is_alive() -> None:
    clock, pms = make_property()
    SimulatedPbx(pms)
    switch(pms, ls_every=30)
    assert clock.getDelayedCalls() == []


def test_ls_unanswered() -> None:
    _, _, pbx = make_docked_property(ls_unanswered=True)
    pbx.send("LS|", "PS|RN101|P#1|")
    assert pbx.take_record_ids() == ["PA"]


def test_ld_mirror() -> None:
    _, pms = make_property(ld_mirror=True, no_ls=True)
    pbx = SimulatedPbx(pms)
    pbx.send("LS|")
    sent = pbx.take_record_ids()
    assert (sent[0], set(sent[1:-1]), sent[-1]) == ("LD", {"LR"}, "LA")
    pbx.send("LA|")
    assert pms.alive
    pms.check_in("101", "Adams")
    assert pbx.take_record_ids() == ["GI"]
    pbx.send_description({"GO": "RN"})
    assert pbx.take_record_ids() == ["LA"]
    assert pms.declared == {"GO": ("RN",)}


def test_remember_declaration() -> None:
    _, pms, first = make_docked_property(remember_declaration=True)
    first.lose_connection()
    second = SimulatedPbx(pms)
    second.take_records()
    pms.check_in("101", "Adams")
    second.send("LS|")
    assert second.take_records() == [f"LA|{STAMP_FIELDS}", "GI|RN101|G#5001|GSN|GNAdams|"]


def test_remember_declaration_without_an_earlier_declaration() -> None:
    _, pms = make_property(remember_declaration=True)
    pbx = SimulatedPbx(pms)
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LS", "LS"]


def test_frozen() -> None:
    _, pms, pbx = make_docked_property(frozen=True)
    pbx.send_description()
    pbx.send("LS|", "PS|RN101|P#1|", "LE|")
    second = SimulatedPbx(pms)
    pms.send_text("RE|RN101|")
    pms.send_bytes(b"x")
    assert pbx.take_bytes() + second.take_bytes() == b""
    assert pms.postings.delivery_counts() == {}


def test_frozen_switched_off_continues_the_link() -> None:
    _, pms, pbx = make_docked_property()
    switch(pms, frozen=True)
    pms.check_in("101", "Adams")
    assert pbx.take_records() == []
    switch(pms, frozen=None)
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["GI", "LA"]


# connections


def test_drop_after_accepts_the_last_record_but_does_not_answer_it() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms).dock({"PA": "P#"})  # three records
    switch(pms, drop_after=5)
    pbx.send("PS|RN101|P#1|")
    assert not pbx.is_closed
    pbx.send_segment("PS|RN101|P#2|", "PS|RN101|P#3|")
    assert pbx.is_closed
    assert pbx.take_records() == ["PA|P#1|"]
    assert pms.postings.delivery_counts() == {"1": 1, "2": 1}


def test_refuse_second() -> None:
    _, pms, first = make_docked_property(refuse_second=True)
    assert SimulatedPbx(pms).is_refused
    assert not first.is_closed
    first.lose_connection()
    assert not SimulatedPbx(pms).is_refused


# bytes on the wire


def test_split_bytes() -> None:
    clock, pms, pbx = make_docked_property()
    switch(pms, split_bytes=True)
    pbx.send("LS|", "LS|")
    clock.pump([0] * 100)
    assert {len(segment) for segment in pbx.transport.segments} == {1}
    assert pbx.take_record_ids() == ["LA", "LA"]


def test_split_bytes_keeps_the_order_when_it_is_switched_off() -> None:
    clock, pms, pbx = make_docked_property()
    switch(pms, split_bytes=True)
    pms.send_text("RE|RN101|MLY|")
    switch(pms, split_bytes=False)
    pms.send_text("RE|RN102|MLY|")
    clock.pump([0] * 100)
    assert pbx.take_records() == ["RE|RN101|MLY|", "RE|RN102|MLY|"]


def test_queued_bytes_are_sent_before_the_connection_closes() -> None:
    clock, pms, pbx = make_docked_property()
    switch(pms, split_bytes=True)
    pbx.send("LE|")
    assert pbx.take_record_ids() == ["LE"]
    pbx.lose_connection()
    assert clock.getDelayedCalls() == []


def test_queued_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmented_wire, "MAX_SEGMENTS", 20)
    clock, pms, pbx = make_docked_property()
    switch(pms, split_bytes=True)
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LA"]
    assert clock.getDelayedCalls() == []


def test_joined() -> None:
    clock, pms, pbx = make_docked_property()
    switch(pms, joined=True)
    pbx.send("LS|", "LS|", "PS|RN101|P#1|")
    assert pbx.transport.segments == []
    clock.advance(0.02)
    assert len(pbx.transport.segments) == 1
    assert pbx.take_record_ids() == ["LA", "LA", "PA"]


def test_one_per_read() -> None:
    _, pms, pbx = make_docked_property()
    switch(pms, one_per_read=True)
    pbx.send_segment("PS|RN101|P#1|", "PS|RN101|P#2|")
    pbx.send_segment("PS|RN101|P#3|")
    assert pms.postings.delivery_counts() == {"1": 1, "3": 1}


def test_crlf_framing_both_ways() -> None:
    _, pms = make_property(framing="crlf")
    pbx = SimulatedPbx(pms)
    assert pbx.take_bytes() == f"LS|{STAMP_FIELDS}\r\n".encode()
    pbx.connection.dataReceived(b"LD|\r\nLR|RIGI|FLRN|\r\nLA|\r\n")
    assert pbx.take_bytes() == f"LA|{STAMP_FIELDS}\r\n".encode()


@pytest.mark.parametrize(("trailer", "sent"), [("ack", b"\x06"), ("lrc", b"\x32"), ("crlf", b"\r\n")])
def test_trailer(trailer: str, sent: bytes) -> None:
    _, pms, pbx = make_docked_property(trailer=trailer)
    pms.send_text("12345")
    assert pbx.take_bytes() == b"\x0212345\x03" + sent


@pytest.mark.parametrize(
    ("text", "byte"),
    [
        (b"LA|DA260101|TI080000|", 0x66),
        (b"LS|DA260101|TI080000|", 0x74),
        (b"PS|RN101|PTC|TA1250|P#7|DA260101|TI080000|", 0x54),
    ],
)
def test_the_check_byte_covers_the_text_and_etx(text: bytes, byte: int) -> None:
    assert lrc(text) == bytes([byte])


@pytest.mark.parametrize("charset", ["cp850", "cp1252", "utf-8", "gbk"])
def test_charset(charset: str) -> None:
    _, pms, pbx = make_docked_property(charset=charset)
    pms.check_in("101", "Müller 张")
    name = "Müller 张".encode(charset, "replace")
    assert pbx.take_bytes() == b"\x02GI|RN101|G#5001|GSN|GN" + name + b"|\x03"
    pbx.connection.dataReceived(b"\x02PS|RN101|P#1|CT" + name + b"|\x03")
    assert pms.postings.by_number["1"].text == f"PS|RN101|P#1|CT{name.decode(charset)}|"


# record encoding


def test_no_last_bar() -> None:
    sent, _, _ = check_in_bytes(no_last_bar=True)
    assert sent == b"\x02GI|RN101|G#5001|GSN|GNAdams|GFAnn\x03"


def test_unknown_record() -> None:
    sent, _, pbx = check_in_bytes(unknown_record=True)
    assert sent == b"\x02ZZ|ZZ1|\x03\x02GI|RN101|G#5001|GSN|GNAdams|GFAnn|\x03"
    pbx.send("LS|")
    assert pbx.take_record_ids() == ["LA"]


def test_unknown_field() -> None:
    sent, _, _ = check_in_bytes(unknown_field=True)
    assert sent == b"\x02GI|RN101|G#5001|GSN|GNAdams|GFAnn|ZZ1|\x03"


def test_empty_fields() -> None:
    _, pms, pbx = make_docked_property(rooms=1, empty_fields=True)
    guest = pms.check_in("101", "Adams")
    pms.change(guest.number, {"name": "Adam"})
    pms.check_out(guest.number)
    pms.resync()
    assert pbx.take_records() == [
        "GI|RN101|G#5001|GSN|GNAdams|GF|",
        "GC|RN101|G#5001|GSN|GNAdam|",
        "GO|RN101|G#5001|GSN|",
        f"DS|{STAMP_FIELDS}",
        "GO|RN101|G#|GSN|SF|",
        f"DE|{STAMP_FIELDS}",
    ]


def test_shuffled() -> None:
    _, pms, pbx = make_docked_property(rooms=20, shuffled=True)
    for room in pms.hotel.rooms:
        pms.check_in(room, "Adams")
    sent = [text.removesuffix("|").split("|") for text in pbx.take_records()]
    assert len({tuple(code[:2] for code in fields) for fields in sent}) > 5
    assert {tuple(sorted(code[:2] for code in fields)) for fields in sent} == {("G#", "GI", "GN", "GS", "RN")}
    assert all(fields[0] == "GI" for fields in sent)


def test_shuffled_moves_have_each_gs_after_its_room() -> None:
    _, pms, pbx = make_docked_property(shuffled=True)
    guest = pms.check_in("101", "Adams")
    pms.check_in("101", "Bauer")
    for room in ("102", "101") * 20:
        pms.move(guest.number, room)
    moves = [text for text in pbx.take_records() if text.startswith("GC")]
    assert len(set(moves)) > 10
    assert all(("RN102|GSN|" in move) == ("RO101|GSY|" in move) for move in moves)
    assert all(("RN101|GSY|" in move) == ("RO102|GSN|" in move) for move in moves)


def test_shuffling_is_the_same_for_the_same_seed() -> None:
    def sent(seed: int) -> list[str]:
        pms = Pms(Clock(), make_property()[1].now, 20, seed=seed)
        pms.set_faults(Faults(shuffled=True))
        pbx = SimulatedPbx(pms).dock()
        pbx.send("DR|")
        return pbx.take_records()

    assert sent(1) == sent(1)
    assert sent(1) != sent(2)


def test_gs_twice() -> None:
    sent, _, _ = check_in_bytes(gs_twice=True)
    assert sent == b"\x02GI|RN101|G#5001|GSN|GNAdams|GFAnn|GSN|\x03"


def test_gs_twice_does_not_change_records_without_gs() -> None:
    _, _, pbx = make_docked_property(gs_twice=True)
    pbx.send("PS|RN101|P#1|")
    assert pbx.take_records() == ["PA|RN101|ASOK|P#1|"]


def test_hhmm() -> None:
    _, _, pbx = make_docked_property(hhmm=True)
    pbx.send("LS|")
    assert pbx.take_records() == ["LA|DA260101|TI0800|"]


def test_name_bytes() -> None:
    sent, _, _ = check_in_bytes(name_bytes="021b")
    assert sent == b"\x02GI|RN101|G#5001|GSN|GNAd\x02\x1bams|GFAnn|\x03"


def test_oversize() -> None:
    sent, _, _ = check_in_bytes(oversize=20_000)
    assert len(sent) == len(b"\x02\x03") + 20_000
    assert sent.startswith(b"\x02GI|RN101|G#5001|GSN|GNAdamsxxxx")
    assert sent.endswith(b"x|GFAnn|\x03")


# guest records


def test_duplicate_gi() -> None:
    _, pms, pbx = make_docked_property(duplicate_gi=True)
    pms.check_out(pms.check_in("101", "Adams").number)
    assert pbx.take_record_ids() == ["GI", "GI", "GO"]


def test_move_as_go_gi() -> None:
    _, pms, pbx = make_docked_property(move_as_go_gi=True)
    guest = pms.check_in("101", "Adams")
    pms.check_in("102", "Bauer")
    pbx.take_records()
    pms.move(guest.number, "102")
    pms.change(guest.number, {"name": "Adam"})
    assert pbx.take_records() == [
        "GO|RN101|G#5001|GSN|",
        "GI|RN102|G#5001|GSY|GNAdams|",
        "GC|RN102|G#5001|GSY|GNAdam|",
    ]


def test_move_as_gi_go() -> None:
    _, pms, pbx = make_docked_property(move_as_gi_go=True)
    guest = pms.check_in("101", "Adams")
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == ["GI|RN102|G#5001|GSN|GNAdams|", "GO|RN101|G#5001|GSN|"]


def test_dr_ignored() -> None:
    _, _, pbx = make_docked_property(dr_ignored=True)
    pbx.send("DR|", "LS|")
    assert pbx.take_record_ids() == ["LA"]


def test_de_missing() -> None:
    _, _, pbx = make_docked_property(rooms=2, de_missing=True)
    pbx.send("DR|")
    assert pbx.take_record_ids() == ["DS", "GO", "GO"]


def test_live_in_resync() -> None:
    _, pms, pbx = make_docked_property(rooms=4, live_in_resync=True)
    pbx.send("DR|")
    sent = pbx.take_records()
    assert [text[:2] for text in sent] == ["DS", "GO", "GO", "GI", "GO", "GO", "DE"]
    assert sent[3] == "GI|RN101|G#5001|GSN|GNLive|"
    assert pms.hotel.guest("5001").room == "101"


# answers to postings


def test_pa_delay() -> None:
    clock, _, pbx = make_docked_property(pa_delay=40)
    pbx.send("PS|RN101|P#1|")
    clock.advance(39)
    assert pbx.take_records() == []
    clock.advance(1)
    assert pbx.take_records() == ["PA|RN101|ASOK|P#1|"]


def test_a_delayed_answer_is_sent_on_the_next_connection() -> None:
    clock, pms, pbx = make_docked_property(pa_delay=40)
    pbx.send("PS|RN101|P#1|")
    pbx.lose_connection()
    clock.advance(40)
    pbx = SimulatedPbx(pms)
    pbx.send_description()
    assert pbx.take_record_ids() == ["LS", "LA", "PA"]


def test_delayed_answers_are_bounded_and_dropped_with_the_property(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting_answers, "MAX_DELAYED_ANSWERS", 2)
    clock, pms, pbx = make_docked_property(pa_delay=40)
    pbx.send("PS|P#1|", "PS|P#2|", "PS|P#3|")
    assert len(clock.getDelayedCalls()) == 2
    pms.stop()
    pbx.lose_connection()
    assert clock.getDelayedCalls() == []


def test_pa_never() -> None:
    _, pms, pbx = make_docked_property(pa_never=True)
    pbx.send("PS|RN101|P#1|", "PS|RN101|P#1|")
    assert pbx.take_records() == []
    assert pms.postings.delivery_counts() == {"1": 2}
    assert pms.postings.by_number["1"].answers == ()


def test_pa_skip_counts_down() -> None:
    _, pms, pbx = make_docked_property(pa_skip=2)
    pbx.send("PS|RN101|P#1|", "PS|RN101|P#1|", "PS|RN101|P#1|")
    assert pbx.take_record_ids() == ["PA"]
    assert pms.faults.pa_skip == 0


def test_pa_out_of_order() -> None:
    _, pms, pbx = make_docked_property(pa_out_of_order=True)
    pbx.send("PS|RN101|P#1|")
    assert pbx.take_records() == []
    pbx.send("PS|RN101|P#2|")
    assert pbx.take_records() == ["PA|RN101|ASOK|P#2|", "PA|RN101|ASOK|P#1|"]
    pbx.send("PS|RN101|P#3|")
    assert pbx.take_records() == []
    switch(pms, pa_out_of_order=None)
    pbx.send("PS|RN101|P#4|")
    assert pbx.take_records() == ["PA|RN101|ASOK|P#4|", "PA|RN101|ASOK|P#3|"]


def test_pa_without_number() -> None:
    _, _, pbx = make_docked_property(pa_without_number=True)
    pbx.send("PS|RN101|P#1|")
    assert pbx.take_records() == ["PA|RN101|ASOK|"]


@pytest.mark.parametrize("code", ["OK", "NG", "NA", "NP", "RY", "UR"])
def test_pa_answer(code: str) -> None:
    _, pms, pbx = make_docked_property(pa_answer=code)
    pbx.send("PS|RN101|P#1|")
    (sent,) = pbx.take_records()
    assert sent.startswith(f"PA|RN101|AS{code}|P#1|")
    assert ("CT" in sent) == (code != "OK")
    assert pms.postings.by_number["1"].answers == (code,)


def test_faults_of_one_property_do_not_affect_another() -> None:
    _, _, broken = make_docked_property(pa_never=True, hhmm=True)
    _, _, faultless = make_docked_property()
    for pbx in (broken, faultless):
        pbx.send("LS|", "PS|RN101|P#1|")
    assert broken.take_records() == ["LA|DA260101|TI0800|"]
    assert faultless.take_records() == [f"LA|{STAMP_FIELDS}", "PA|RN101|ASOK|P#1|"]


def test_every_fault_has_a_test() -> None:
    modules = {**globals(), **vars(test_link_habits)}
    tests = " ".join(name for name in modules if name.startswith("test_"))
    shared = {"framing": "crlf_framing"}
    assert [name for name in Faults().serialize() if shared.get(name, name) not in tests] == []
