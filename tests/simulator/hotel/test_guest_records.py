"""Tests of records about guests: check-in, sharers, changes, moves, check-out, resync, night audit."""

from __future__ import annotations

import pytest

from pmslink.errors import FieldError
from pmslink.simulator.hotel.hotel_model import UnknownGuestError, UnknownRoomError
from tests.simulator.simulated_pbx import STAMP_FIELDS, SimulatedPbx, make_docked_property, make_property


def test_the_first_guest_of_a_room_has_gsn_and_a_sharer_has_gsy() -> None:
    _, pms, pbx = make_docked_property()
    ann = pms.check_in("101", "Clark", first_name="Ann")
    ben = pms.check_in("101", "Clark", first_name="Ben")
    assert pbx.take_records() == [
        f"GI|RN101|G#{ann.number}|GSN|GNClark|GFAnn|",
        f"GI|RN101|G#{ben.number}|GSY|GNClark|GFBen|",
    ]


def test_check_out_has_gsy_while_others_stay() -> None:
    _, pms, pbx = make_docked_property()
    ann, ben = pms.check_in("101", "Clark"), pms.check_in("101", "Clark")
    pbx.take_records()
    pms.check_out(ann.number)
    pms.check_out(ben.number)
    assert pbx.take_records() == [f"GO|RN101|G#{ann.number}|GSY|", f"GO|RN101|G#{ben.number}|GSN|"]


def test_a_guest_change_has_only_the_changed_fields() -> None:
    _, pms, pbx = make_docked_property()
    guest = pms.check_in("101", "Clark", first_name="Ann")
    pbx.take_records()
    pms.change(guest.number, {"name": "Clark-Day", "first_name": ""})
    assert pbx.take_records() == [f"GC|RN101|G#{guest.number}|GSN|GNClark-Day|GF|"]


def test_an_unchanged_guest_causes_no_record() -> None:
    _, pms, pbx = make_docked_property()
    guest = pms.check_in("101", "Clark")
    pbx.take_records()
    pms.change(guest.number, {"name": "Clark"})
    assert pbx.take_records() == []


def test_a_move_has_both_rooms_each_with_its_own_gs() -> None:
    _, pms, pbx = make_docked_property()
    diaz, stays = pms.check_in("101", "Diaz"), pms.check_in("101", "Engel")
    pbx.take_records()
    pms.move(diaz.number, "102")
    pms.move(stays.number, "102")
    assert pbx.take_records() == [
        f"GC|RN102|GSN|G#{diaz.number}|GNDiaz|RO101|GSY|",
        f"GC|RN102|GSY|G#{stays.number}|GNEngel|RO101|GSN|",
    ]


def test_a_move_into_the_same_room_causes_no_record() -> None:
    _, pms, pbx = make_docked_property()
    guest = pms.check_in("101", "Diaz")
    pbx.take_records()
    pms.move(guest.number, "101")
    assert pbx.take_records() == []


def test_a_move_is_sent_as_go_and_gi_if_the_old_room_was_not_declared() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms).dock({"GI": "RNG#GS", "GO": "RNG#GS"})
    guest = pms.check_in("101", "Diaz")
    pms.check_in("101", "Engel")
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == [f"GO|RN101|G#{guest.number}|GSY|", f"GI|RN102|G#{guest.number}|GSN|"]


def test_only_declared_fields_are_sent_in_declared_order() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms).dock({"GI": "TIGNRNCSXX"})
    pms.check_in("101", "Adams", first_name="Ann", class_of_service=2)
    assert pbx.take_records() == ["GI|TI080000|GNAdams|RN101|CS2|"]


def test_records_that_were_not_declared_are_not_sent() -> None:
    _, pms = make_property()
    pbx = SimulatedPbx(pms).dock({"GO": "RN"})
    pms.check_out(pms.check_in("101", "Adams").number)
    assert pbx.take_records() == ["GO|RN101|"]


def test_records_are_queued_while_the_link_is_not_alive_and_sent_after_la() -> None:
    _, pms = make_property()
    guest = pms.check_in("101", "Adams")
    pbx = SimulatedPbx(pms)
    pms.check_out(guest.number)
    assert pbx.take_record_ids() == ["LS"]
    pbx.send_description()
    assert pbx.take_record_ids() == ["LA", "GI", "GO"]
    pbx.send_description()
    assert pbx.take_record_ids() == ["LA"]


def test_the_queue_of_records_is_bounded() -> None:
    _, pms = make_property()
    for _ in range(10_001):
        pms.set_night_audit(active=True)
    pbx = SimulatedPbx(pms)
    pbx.send_description()
    assert pbx.take_record_ids().count("NS") == 10_000


def test_a_resync_has_every_guest_and_every_vacant_room_between_ds_and_de() -> None:
    _, pms, pbx = make_docked_property(rooms=3)
    adams = pms.check_in("101", "Adams")
    bauer = pms.check_in("103", "Bauer")
    sharer = pms.check_in("103", "Bauer", first_name="Eva")
    pbx.take_records()
    pbx.send("DR|")
    assert pbx.take_records() == [
        f"DS|{STAMP_FIELDS}",
        f"GI|RN101|G#{adams.number}|GSN|GNAdams|SF|",
        "GO|RN102|GSN|SF|",
        f"GI|RN103|G#{bauer.number}|GSN|GNBauer|SF|",
        f"GI|RN103|G#{sharer.number}|GSY|GNBauer|GFEva|SF|",
        f"DE|{STAMP_FIELDS}",
    ]


def test_the_pms_can_start_a_resync_without_a_request() -> None:
    _, pms, pbx = make_docked_property(rooms=1)
    pms.resync()
    assert pbx.take_record_ids() == ["DS", "GO", "DE"]


def test_night_audit_sends_ns_and_ne() -> None:
    _, pms, pbx = make_docked_property()
    pms.set_night_audit(active=True)
    pms.set_night_audit(active=False)
    assert pbx.take_records() == [f"NS|{STAMP_FIELDS}", f"NE|{STAMP_FIELDS}"]


def test_unknown_rooms_and_guests_are_rejected() -> None:
    _, pms, pbx = make_docked_property()
    guest = pms.check_in("101", "Adams")
    pbx.take_records()
    with pytest.raises(UnknownRoomError, match="'999'"):
        pms.check_in("999", "Adams")
    with pytest.raises(UnknownRoomError):
        pms.move(guest.number, "999")
    with pytest.raises(UnknownGuestError, match="'1'"):
        pms.check_out("1")
    assert pbx.take_records() == []
    assert list(pms.hotel.guests.values()) == [guest]


def test_a_name_that_a_record_cannot_carry_is_rejected_and_changes_nothing() -> None:
    _, pms, pbx = make_docked_property()
    guest = pms.check_in("101", "Adams")
    pbx.take_records()
    with pytest.raises(FieldError, match="GN"):
        pms.change(guest.number, {"name": "A|B"})
    with pytest.raises(FieldError, match="GN"):
        pms.check_in("102", "A|B")
    assert pbx.take_records() == []
    assert list(pms.hotel.guests.values()) == [guest]
