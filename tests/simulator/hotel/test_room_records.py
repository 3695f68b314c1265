"""Tests of the equipment of rooms and its records: class of service, lights, wake-ups, moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from pmslink.simulator.hotel.hotel_model import Hotel, UnknownRoomError
from pmslink.simulator.hotel.room_equipment import Equipment
from pmslink.simulator.hotel.sample_data import room_numbers, sample_equipment, sample_guests
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.property import Pms
from tests.simulator.simulated_pbx import HOTEL_TIME, SimulatedPbx, make_property

DECLARED = {
    "GI": "RNG#GSCS",
    "GO": "RNG#GS",
    "GC": "RNG#GSCSRO",
    "RE": "RNCSMLDN",
    "WR": "RNDATI",
    "WC": "RNDATI",
}
SEVEN = datetime(2026, 1, 3, 7, 0)  # noqa: DTZ001 (the hotel's local time)
EIGHT = datetime(2026, 1, 3, 8, 0)  # noqa: DTZ001
AT_SEVEN, AT_EIGHT = ("260103", "070000"), ("260103", "080000")


def make_docked_pms(declared: dict[str, str] = DECLARED, **faults: Any) -> tuple[Pms, SimulatedPbx]:
    """Make a property without guests, and dock a PBX with this link description."""
    _, pms = make_property(**faults)
    return pms, SimulatedPbx(pms).dock(declared)


def set_everything(pms: Pms, room: str) -> None:
    """Set all values that the front desk can set for a room."""
    pms.change_equipment(room, class_of_service=3, message_light=True, do_not_disturb=True)
    pms.order_wake_up(room, SEVEN)
    pms.order_wake_up(room, EIGHT)


def test_the_front_desk_sets_only_the_given_values() -> None:
    pms, pbx = make_docked_pms()
    pms.change_equipment("101", class_of_service=3, message_light=True, do_not_disturb=False)
    pms.change_equipment("101", do_not_disturb=True)
    pms.change_equipment("101", class_of_service=0)
    pms.change_equipment("101")
    assert pbx.take_records() == ["RE|RN101|CS3|MLY|DNN|", "RE|RN101|DNY|", "RE|RN101|CS0|"]
    assert pms.equipment("101") == Equipment(class_of_service=0, message_light=True, sign="do-not-disturb")


def test_unchanged_values_are_sent_again() -> None:
    pms, pbx = make_docked_pms()
    pms.change_equipment("101", message_light=False)
    pms.order_wake_up("101", SEVEN)
    pms.order_wake_up("101", SEVEN)
    assert pbx.take_record_ids() == ["RE", "WR", "WR"]
    assert pms.equipment("101").wake_ups == (AT_SEVEN,)


def test_do_not_disturb_is_one_sign_for_front_desk_and_phone() -> None:
    pms, pbx = make_docked_pms()
    pbx.send("RE|RN101|RS8|")
    assert pms.equipment("101").do_not_disturb
    pms.change_equipment("101", do_not_disturb=False)
    assert not pms.equipment("101").do_not_disturb
    pbx.send("RE|RN101|RS9|")
    pms.change_equipment("101", do_not_disturb=False)
    assert pms.equipment("101").sign == "make-up-room"


def test_wake_ups_are_ordered_and_cancelled_one_by_one_or_all() -> None:
    pms, pbx = make_docked_pms()
    pms.order_wake_up("101", SEVEN)
    pms.order_wake_up("101", EIGHT)
    pms.cancel_wake_up("101", SEVEN)
    assert pms.equipment("101").wake_ups == (AT_EIGHT,)
    pms.cancel_wake_up("101", None)
    assert pms.equipment("101").wake_ups == ()
    assert pbx.take_records() == [
        "WR|RN101|DA260103|TI070000|",
        "WR|RN101|DA260103|TI080000|",
        "WC|RN101|DA260103|TI070000|",
        "WC|RN101|DA|TI|",
    ]


def test_wake_ups_of_front_desk_and_phone_are_in_one_list() -> None:
    pms, pbx = make_docked_pms()
    pms.order_wake_up("101", SEVEN)
    pbx.send("WR|RN101|DA260103|TI080000|", "WA|RN101|DA260103|TI070000|ASOK|")
    assert pms.equipment("101").wake_ups == (AT_EIGHT,)
    assert pms.equipment("101").wake_up_results == ((*AT_SEVEN, "OK"),)
    pms.cancel_wake_up("101", EIGHT)
    assert pms.equipment("101").wake_ups == ()


def test_an_unknown_room_is_rejected_and_no_record_is_sent() -> None:
    pms, pbx = make_docked_pms()
    operations: list[Callable[[], Equipment]] = [
        lambda: pms.change_equipment("999", message_light=True),
        lambda: pms.change_equipment("999"),
        lambda: pms.order_wake_up("999", SEVEN),
        lambda: pms.cancel_wake_up("999"),
    ]
    for operation in operations:
        with pytest.raises(UnknownRoomError, match="'999'"):
            operation()
    assert pbx.take_records() == []


def test_the_last_check_out_resets_the_room_but_not_the_values_from_the_pbx() -> None:
    pms, pbx = make_docked_pms()
    ann, ben = pms.check_in("101", "Clark"), pms.check_in("101", "Clark")
    set_everything(pms, "101")
    pbx.send("RE|RN101|RS4|", "RE|RN101|VM0103|", "WA|RN101|DA260103|TI080000|ASBY|")
    pms.check_out(ann.number)
    assert pms.equipment("101").class_of_service == 3
    assert pms.equipment("101").wake_ups == (AT_SEVEN,)
    pms.check_out(ben.number)
    results = ((*AT_EIGHT, "BY"),)
    assert pms.equipment("101") == Equipment(status="4", voicemail="0103", wake_up_results=results)


def test_the_first_check_in_resets_class_of_service_and_lights_and_ends_wake_ups() -> None:
    pms, pbx = make_docked_pms()
    set_everything(pms, "101")
    set_everything(pms, "102")
    pbx.take_records()
    pms.check_in("101", "Clark")
    pms.check_in("102", "Clark", class_of_service=1)
    assert pbx.take_records() == ["GI|RN101|G#5001|GSN|", "GI|RN102|G#5002|GSN|CS1|"]
    assert pms.equipment("101") == Equipment()
    assert pms.equipment("102") == Equipment(class_of_service=1)


def test_a_sharer_resets_nothing() -> None:
    pms, pbx = make_docked_pms()
    pms.check_in("101", "Clark")
    set_everything(pms, "101")
    before = pms.equipment("101")
    pbx.take_records()
    pms.check_in("101", "Clark")
    assert pms.equipment("101") == before
    pms.check_in("101", "Clark", class_of_service=1)
    assert pms.equipment("101").class_of_service == 1
    assert pbx.take_records() == ["GI|RN101|G#5002|GSY|CS3|", "GI|RN101|G#5003|GSY|CS1|"]


def test_the_class_of_service_of_a_guest_belongs_to_the_room() -> None:
    pms, pbx = make_docked_pms()
    guest = pms.check_in("101", "Clark", class_of_service=1)
    pbx.take_records()
    pms.change(guest.number, {"class_of_service": 2})
    pms.change(guest.number, {"class_of_service": 2})
    pms.change(guest.number, {"class_of_service": None})
    assert pbx.take_records() == ["GC|RN101|G#5001|GSN|CS2|", "GC|RN101|G#5001|GSN|CS|"]
    assert pms.equipment("101").class_of_service is None


def test_the_last_guest_s_move_transfers_everything_but_do_not_disturb() -> None:
    pms, pbx = make_docked_pms()
    guest = pms.check_in("101", "Diaz")
    set_everything(pms, "101")
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == ["GC|RN102|GSN|G#5001|CS3|RO101|GSN|"]
    assert pms.equipment("101") == Equipment()
    wake_ups = (AT_SEVEN, AT_EIGHT)
    assert pms.equipment("102") == Equipment(class_of_service=3, message_light=True, wake_ups=wake_ups)


def test_a_move_while_others_stay_transfers_only_the_class_of_service() -> None:
    pms, pbx = make_docked_pms()
    pms.check_in("101", "Diaz")
    guest = pms.check_in("101", "Diaz")
    set_everything(pms, "101")
    before = pms.equipment("101")
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == ["GC|RN102|GSN|G#5002|CS3|RO101|GSY|"]
    assert pms.equipment("101") == before
    assert pms.equipment("102") == Equipment(class_of_service=3)


def test_a_move_into_an_occupied_room_removes_nothing_from_it() -> None:
    pms, pbx = make_docked_pms()
    guest, _ = pms.check_in("101", "Diaz"), pms.check_in("102", "Engel", class_of_service=2)
    pms.order_wake_up("101", SEVEN)
    pms.order_wake_up("102", EIGHT)
    pms.change_equipment("102", message_light=True)
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == ["GC|RN102|GSY|G#5001|CS2|RO101|GSN|"]
    wake_ups = (AT_EIGHT, AT_SEVEN)
    assert pms.equipment("102") == Equipment(class_of_service=2, message_light=True, wake_ups=wake_ups)


def test_a_guest_who_joins_others_brings_no_light_and_no_class_of_service() -> None:
    pms, pbx = make_docked_pms()
    guest, _ = pms.check_in("101", "Diaz", class_of_service=3), pms.check_in("102", "Engel")
    pms.change_equipment("101", message_light=True)
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == ["GC|RN102|GSY|G#5001|RO101|GSN|"]
    assert pms.equipment("102") == Equipment()


@pytest.mark.parametrize(
    ("fault", "pair"),
    [
        ("move_as_go_gi", ["GO|RN101|G#5001|GSN|", "GI|RN102|G#5001|GSN|CS3|"]),
        ("move_as_gi_go", ["GI|RN102|G#5001|GSN|CS3|", "GO|RN101|G#5001|GSN|"]),
    ],
)
def test_a_move_can_be_sent_as_a_pair(fault: str, pair: list[str]) -> None:
    pms, pbx = make_docked_pms()
    pms.set_faults(Faults.parse({fault: True}))
    guest = pms.check_in("101", "Diaz")
    set_everything(pms, "101")
    pbx.take_records()
    pms.move(guest.number, "102")
    assert pbx.take_records() == pair
    assert pms.equipment("102").wake_ups == (AT_SEVEN, AT_EIGHT)


def test_the_room_status_of_the_front_desk_is_sent() -> None:
    pms, pbx = make_docked_pms({"RE": "RNRS"})
    pms.change_equipment("101", status="1")
    assert pbx.take_records() == ["RE|RN101|RS1|"]
    assert pms.equipment("101").status == "1"


def test_a_wake_up_is_spelled_without_a_date_or_as_24_hours() -> None:
    pms, pbx = make_docked_pms()
    midnight = datetime(2026, 1, 3)  # noqa: DTZ001
    pms.order_wake_up("101", SEVEN, "no date")
    pms.order_wake_up("101", midnight, "24 hours")
    assert pbx.take_records() == ["WR|RN101|DA|TI070000|", "WR|RN101|DA260102|TI240000|"]
    assert pms.equipment("101").wake_ups == (AT_SEVEN, ("260103", "000000"))
    pbx.send("WA|RN101|DA260102|TI240000|ASOK|", "WA|RN101|DA|TI070000|ASOK|")
    assert pms.equipment("101").wake_ups == ()
    assert pms.equipment("101").wake_up_results == (("260103", "000000", "OK"), (*AT_SEVEN, "OK"))


@pytest.mark.parametrize("date", ["", "soon", "260103"])
def test_the_result_of_an_unknown_wake_up_is_stored_as_received(date: str) -> None:
    pms, pbx = make_docked_pms()
    pbx.send(f"WA|RN101|DA{date}|TI0700|ASOK|", f"WA|RN101|DA{date}|TI240000|ASOK|")
    dates = {"260103": "260104"}
    midnight = ("soon", "240000") if date == "soon" else (dates.get(date, ""), "000000")
    assert pms.equipment("101").wake_up_results == ((date, "070000", "OK"), (*midnight, "OK"))


def test_a_resync_has_the_class_of_service_of_each_room() -> None:
    pms, pbx = make_docked_pms({"GI": "RNCSSF", "GO": "RN"})
    pms.check_in("101", "Adams")
    pms.change_equipment("101", class_of_service=0)
    pbx.take_records()
    pms.set_faults(Faults())
    pms.resync()
    assert "GI|RN101|CS0|SF|" in pbx.take_records()


def test_each_occupied_room_of_the_sample_data_has_a_class_of_service() -> None:
    today = HOTEL_TIME.date()
    guests, rooms = sample_guests(50, today), sample_equipment(50, today)
    assert set(rooms) == {guest.room for guest in guests}
    assert {room.class_of_service for room in rooms.values()} == {1, 2, 3}
    first, second = (Hotel(room_numbers(50), guests, rooms) for _ in range(2))
    first.change_equipment(guests[0].room, message_light=True)
    assert not second.equipment(guests[0].room).message_light
