"""Resyncs: the PMS repeats all stays; guests whom it does not mention check out (§3.5)."""

from __future__ import annotations

import pytest

from pmslink.hotel import resyncs
from tests.hotel.hotel_driver import HotelDriver

START = "DS|DA260101|TI081501|"
END = "DE|DA260101|TI081509|"


@pytest.fixture
def hotel() -> HotelDriver:
    """A hotel with Adams in 101, Bauer in 103, and a guest with a wake-up in 105."""
    hotel = HotelDriver()
    hotel.receive(
        "GI|RN101|G#5001|GSN|GNAdams|GLEA|CS2|",
        "GI|RN103|G#5002|GSN|GNBauer|GLGE|CS2|",
        "GI|RN105|G#5005|GSN|GNCole|CS2|",
        "RE|RN101|DNY|MLY|CS3|",
        "WR|RN105|DA260102|TI070000|",
    )
    return hotel


def test_unmentioned_guests_check_out_and_guests_who_check_in_meanwhile_stay(hotel: HotelDriver) -> None:
    """The worked session of the reference."""
    assert hotel.receive(START) == ["resync.started"]
    assert hotel.state.resyncing
    assert hotel.receive("GI|RN101|G#5001|GSN|GNAdams|GLEA|CS3|SF|") == []
    assert hotel.receive("GO|RN102|GSN|SF|") == []
    assert hotel.receive("GI|RN103|G#5002|GSN|GNBauer|GLGE|CS2|SF|") == []
    assert hotel.receive("GI|RN103|G#5009|GSY|GNBauer|GLGE|CS2|") == ["guest.checked_in 103 #5009"]
    assert hotel.receive(END) == [
        "wake_up.cancelled 105 07:00 (resync)",
        "guest.checked_out 105 #5005 vacant (resync)",
        "room.class_of_service 105 None (resync)",
        "resync.ended True",
    ]
    assert hotel.guests_by_room() == {"101": ["5001"], "102": [], "103": ["5002", "5009"], "105": []}
    assert (hotel.state.resyncing, hotel.state.seen_guests) == (False, None)


def test_a_resync_compares_and_does_not_reset(hotel: HotelDriver) -> None:
    hotel.receive(START)
    assert hotel.receive("GI|RN101|G#5001|GSN|GNAdams|GLEA|SF|") == []
    assert hotel.receive("GI|RN101|G#5001|GSN|GNAdams|GLEA|CS1|SF|") == [
        "room.class_of_service 101 1 (resync)"
    ]
    assert (hotel.room("101").do_not_disturb, hotel.room("101").message_light) == (True, True)


def test_a_guest_first_mentioned_by_a_resync_does_not_reset_the_room(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN104|DNY|", START)
    assert hotel.receive("GI|RN104|G#5004|GSN|CS2|SF|") == [
        "guest.checked_in 104 #5004 (resync)",
        "room.class_of_service 104 2 (resync)",
    ]
    assert hotel.room("104").do_not_disturb


def test_changed_guest_data_emits_an_event(hotel: HotelDriver) -> None:
    hotel.receive(START)
    assert hotel.receive("GI|RN101|G#5001|GSN|GNAdams-Day|GLEA|SF|") == ["guest.changed 101 #5001 (resync)"]


def test_a_guest_mentioned_in_another_room_has_moved(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN106|DNY|", START)
    assert hotel.receive("GI|RN106|G#5005|GSN|GNCole|SF|") == [
        "guest.moved 106 #5005 from 105 vacant (resync)",
        "room.class_of_service 105 None (resync)",
        "room.class_of_service 106 2 (resync)",
    ]
    assert len(hotel.room("106").wake_ups) == 1
    assert hotel.room("106").do_not_disturb


def test_a_guest_who_moved_out_of_a_shared_room_does_not_reset_it(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN105|G#5006|GSY|", "RE|RN106|CS1|MLY|", START)
    assert hotel.receive("GI|RN106|G#5005|GSN|GNCole|SF|") == ["guest.moved 106 #5005 from 105 (resync)"]
    assert (hotel.room("106").class_of_service, hotel.room("106").message_light) == (1, True)


def test_a_resync_check_in_with_gs_n_checks_no_guest_out_before_its_end(hotel: HotelDriver) -> None:
    """GSN is in the first record of a room with several guests."""
    hotel.receive("GI|RN103|G#5009|GSY|", START)
    assert hotel.receive("GI|RN103|G#5010|GSN|SF|") == ["guest.checked_in 103 #5010 (resync)"]
    assert not hotel.room("103").guests[2].sharer
    assert hotel.receive("GI|RN103|G#5009|GSY|SF|") == []
    assert "guest.checked_out 103 #5002 (resync)" in hotel.receive(END)
    assert hotel.guests("103") == ["5009", "5010"]


@pytest.mark.parametrize("fields", ["", "GSN|", "G#5005|GSN|", "G#5005|"])
def test_guests_of_a_vacant_room_check_out_at_the_end(hotel: HotelDriver, fields: str) -> None:
    """Before the end, the resync may mention its guest in another room."""
    hotel.receive(START)
    assert hotel.receive(f"GO|RN105|{fields}SF|") == []
    assert hotel.receive("GI|RN101|G#5001|GSN|SF|", "GI|RN103|G#5002|GSN|SF|", END)[-4:] == [
        "wake_up.cancelled 105 07:00 (resync)",
        "guest.checked_out 105 #5005 vacant (resync)",
        "room.class_of_service 105 None (resync)",
        "resync.ended True",
    ]


def test_a_guest_of_a_vacant_room_can_be_mentioned_in_another(hotel: HotelDriver) -> None:
    hotel.receive(START, "GO|RN105|GSN|SF|")
    assert (
        hotel.receive("GI|RN106|G#5005|GSN|GNCole|SF|")[0] == "guest.moved 106 #5005 from 105 vacant (resync)"
    )
    assert len(hotel.room("106").wake_ups) == 1


@pytest.mark.parametrize("number", ["", "G#5005|"])
def test_outside_of_a_resync_the_guests_of_a_vacant_room_check_out(hotel: HotelDriver, number: str) -> None:
    """Q22: some PMSs repeat all guests without DS and DE."""
    assert hotel.receive(f"GO|RN105|{number}GSN|SF|") == []
    assert hotel.wait(2)[1] == "guest.checked_out 105 #5005 vacant (resync)"


def test_outside_of_a_resync_one_of_several_guests_can_be_checked_out(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN103|G#5009|GSY|")
    assert hotel.receive("GO|RN103|G#5002|GSY|SF|") == []
    assert hotel.wait(2) == ["guest.checked_out 103 #5002 (resync)"]
    assert hotel.guests("103") == ["5009"]


def test_a_resync_of_vacant_rooms_only_checks_out_all_guests(hotel: HotelDriver) -> None:
    hotel.receive(START, "GO|RN102|SF|")
    hotel.receive(END)
    assert hotel.guests_by_room() == {"101": [], "102": [], "103": [], "105": []}


def test_a_resync_without_any_room_checks_no_guest_out(hotel: HotelDriver) -> None:
    before = hotel.guests_by_room()
    assert hotel.receive(START, END) == ["resync.started", "resync.ended True"]
    assert hotel.guests_by_room() == before


@pytest.mark.parametrize("live_record", ["GI|RN105|G#5005|GSN|GNCole|", "GC|RN105|G#5005|GV1|"])
def test_a_guest_in_a_live_record_during_a_resync_stays(hotel: HotelDriver, live_record: str) -> None:
    hotel.receive(START, "GI|RN101|G#5001|GSN|GNAdams|GLEA|SF|", live_record, END)
    assert hotel.guests_by_room() == {"101": ["5001"], "103": [], "105": ["5005"]}


def test_a_guest_who_moves_during_a_resync_stays(hotel: HotelDriver) -> None:
    hotel.receive(START, "GC|RN109|GSN|G#5005|RO105|GSN|", END)
    assert hotel.guests_by_room() == {"101": [], "103": [], "105": [], "109": ["5005"]}


def test_a_guest_who_checks_out_during_a_resync_is_gone(hotel: HotelDriver) -> None:
    hotel.receive(START, "GI|RN101|G#5001|GSN|SF|", "GI|RN103|G#5002|GSN|SF|", "GO|RN103|G#5002|GSN|")
    hotel.receive(END)
    assert "guest.checked_out 103 #5002 vacant" in hotel.wait(2)
    assert hotel.guests_by_room() == {"101": ["5001"], "103": [], "105": []}


def test_a_resync_start_leaves_check_outs_pending(hotel: HotelDriver) -> None:
    """It can come between the two records of a move."""
    hotel.receive("GO|RN101|G#5001|GSN|")
    assert hotel.receive(START) == ["resync.started"]
    assert hotel.receive("GI|RN109|G#5001|GSN|SF|")[0] == "guest.moved 109 #5001 from 101 vacant (resync)"
    assert hotel.wait(5) == []


def test_the_last_record_of_a_room_in_a_resync_applies(hotel: HotelDriver) -> None:
    hotel.receive(START, "GO|RN105|SF|", "GI|RN105|G#9|GSN|SF|", END)
    assert hotel.guests("105") == ["9"]


# Settings of a room follow the guest to whom they belong, in whatever order the PMS mentions guests.


@pytest.fixture
def hotel_with_wake_up() -> HotelDriver:
    """A hotel with guest 5001 in 101, a wake-up at seven, do-not-disturb and the message light on."""
    hotel = HotelDriver()
    hotel.receive("GI|RN101|G#5001|GSN|CS2|", "RE|RN101|DNY|MLY|", "WR|RN101|DA260102|TI070000|")
    return hotel


def wake_ups(hotel: HotelDriver) -> dict[str, list[str]]:
    rooms = hotel.state.rooms.values()
    return {room.room: [f"{one.at:%H:%M}" for one in room.wake_ups] for room in rooms if room.wake_ups}


@pytest.mark.parametrize("new_guest", ["GI|RN101|G#7001|GSN|SF|", "GI|RN101|GSN|SF|"])
def test_settings_move_with_the_guest_although_a_new_guest_is_in_the_old_room(
    hotel_with_wake_up: HotelDriver, new_guest: str
) -> None:
    hotel_with_wake_up.receive(START, new_guest)
    assert hotel_with_wake_up.receive("GI|RN205|G#5001|GSN|SF|") == [
        "guest.moved 205 #5001 from 101 (resync)",
        "room.do_not_disturb 101 False (resync)",
        "room.message_light 101 False (resync)",
        "room.class_of_service 205 2 (resync)",
        "room.message_light 205 True (resync)",
    ]
    assert hotel_with_wake_up.departures == [("101", "205")]
    assert wake_ups(hotel_with_wake_up) == {"205": ["07:00"]}
    hotel_with_wake_up.receive(END)
    assert len(hotel_with_wake_up.guests("101")) == len(hotel_with_wake_up.guests("205")) == 1


def test_settings_are_reset_although_a_new_guest_is_in_the_room(hotel_with_wake_up: HotelDriver) -> None:
    hotel_with_wake_up.receive(START, "GI|RN101|G#7001|GSN|SF|")
    assert hotel_with_wake_up.receive(END) == [
        "wake_up.cancelled 101 07:00 (resync)",
        "guest.checked_out 101 #5001 (resync)",
        "room.do_not_disturb 101 False (resync)",
        "room.message_light 101 False (resync)",
        "resync.ended True",
    ]
    assert hotel_with_wake_up.departures == [("101", None)]
    assert hotel_with_wake_up.guests("101") == ["7001"]
    assert hotel_with_wake_up.room("101").class_of_service == 2


def test_settings_stay_while_a_former_guest_stays(hotel_with_wake_up: HotelDriver) -> None:
    hotel_with_wake_up.receive("GI|RN101|G#5002|GSY|", START, "GI|RN101|G#7001|GSN|SF|")
    assert hotel_with_wake_up.receive("GI|RN205|G#5001|GSN|SF|") == [
        "guest.moved 205 #5001 from 101 (resync)"
    ]
    assert hotel_with_wake_up.receive("GI|RN101|G#5002|GSY|SF|", END) == ["resync.ended True"]
    assert hotel_with_wake_up.departures == []
    assert wake_ups(hotel_with_wake_up) == {"101": ["07:00"]}


def test_a_new_guest_keeps_the_wake_ups_that_moved_along(hotel_with_wake_up: HotelDriver) -> None:
    hotel_with_wake_up.receive("GI|RN205|G#7001|GSN|", "WR|RN205|DA260102|TI080000|")
    hotel_with_wake_up.receive(START, "GI|RN101|G#7001|GSN|SF|")
    assert wake_ups(hotel_with_wake_up) == {"101": ["07:00", "08:00"]}
    assert hotel_with_wake_up.receive(END)[:2] == [
        "wake_up.cancelled 101 07:00 (resync)",
        "guest.checked_out 101 #5001 (resync)",
    ]
    assert wake_ups(hotel_with_wake_up) == {"101": ["08:00"]}


def test_two_guests_can_have_exchanged_rooms(hotel_with_wake_up: HotelDriver) -> None:
    hotel_with_wake_up.receive("GI|RN205|G#7001|GSN|", "WR|RN205|DA260102|TI080000|")
    hotel_with_wake_up.receive(START, "GI|RN101|G#7001|GSN|SF|", "GI|RN205|G#5001|GSN|SF|", END)
    assert wake_ups(hotel_with_wake_up) == {"101": ["08:00"], "205": ["07:00"]}


def test_one_of_two_wake_ups_at_the_same_time_remains_for_the_new_guest(
    hotel_with_wake_up: HotelDriver,
) -> None:
    hotel_with_wake_up.receive("GI|RN205|G#7001|GSN|", "WR|RN205|DA260102|TI070000|")
    hotel_with_wake_up.receive(START, "GI|RN101|G#7001|GSN|SF|", END)
    assert wake_ups(hotel_with_wake_up) == {"101": ["07:00"]}


@pytest.mark.parametrize("at", ["DA260102|TI080000|", "DA260102|TI0700|"])
def test_a_wake_up_requested_during_a_resync_belongs_to_the_new_guest(
    hotel_with_wake_up: HotelDriver, at: str
) -> None:
    hotel_with_wake_up.receive(START, "GI|RN101|G#7001|GSN|SF|", f"WR|RN101|{at}", END)
    assert len(hotel_with_wake_up.room("101").wake_ups) == 1
    assert hotel_with_wake_up.room("101").wake_ups[0].at.strftime("TI%H%M") in at


def test_new_guests_are_no_longer_new_after_the_resync(hotel_with_wake_up: HotelDriver) -> None:
    hotel_with_wake_up.receive(START, "GI|RN101|G#7001|GSN|SF|", "GI|RN101|G#5001|GSY|SF|", END)
    hotel_with_wake_up.wait(2)
    assert hotel_with_wake_up.state.windows == {}
    assert hotel_with_wake_up.receive("GI|RN205|G#5001|GSN|SF|") == [
        "guest.moved 205 #5001 from 101 (resync)"
    ]
    assert wake_ups(hotel_with_wake_up) == {"101": ["07:00"]}


def test_unknown_sharers_prevent_a_reset(hotel_with_wake_up: HotelDriver) -> None:
    hotel_with_wake_up.receive("GO|RN101|G#5001|GSY|")
    assert hotel_with_wake_up.receive("GI|RN205|G#5001|GSN|SF|") == [
        "guest.moved 205 #5001 from 101 (resync)"
    ]
    assert wake_ups(hotel_with_wake_up) == {"101": ["07:00"]}


def test_records_of_a_resync_are_never_replays(hotel: HotelDriver) -> None:
    record = "GI|RN101|G#5001|GSN|GNAdams|DA260101|TI081502|SF|"
    hotel.receive(START, record, END)
    hotel.receive("GO|RN101|G#5001|GSN|")
    hotel.wait(2)
    assert hotel.receive(START, record)[1] == "guest.checked_in 101 #5001 (resync)"


def test_rooms_without_numbers_are_compared_by_room() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN101|", "GI|RN102|", "GI|RN103|")
    hotel.receive(START, "GI|RN101|SF|", "GO|RN102|SF|", "GI|RN104|SF|", END)
    assert hotel.guests_by_room() == {"101": [""], "102": [], "103": [], "104": [""]}


@pytest.mark.parametrize("there", [True, False])
def test_the_last_record_of_a_room_without_numbers_applies(there: bool) -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN101|", START)
    records = ["GO|RN101|SF|", "GI|RN101|SF|"]
    hotel.receive(*(records if there else records[::-1]), END)
    assert hotel.guests("101") == [""] * there


# Resyncs that do not end regularly.


def test_a_second_start_discards_the_guests_mentioned_before(hotel: HotelDriver) -> None:
    hotel.receive(START, "GI|RN103|G#5002|GSN|SF|")
    assert hotel.receive(START) == ["resync.ended False", "resync.started"]
    hotel.receive("GI|RN101|G#5001|GSN|SF|", END)
    assert hotel.guests_by_room() == {"101": ["5001"], "103": [], "105": []}


def test_an_aborted_resync_checks_no_guest_out(hotel: HotelDriver) -> None:
    before = hotel.guests_by_room()
    hotel.receive(START, "GI|RN101|G#5001|GSN|GNAdams|GLEA|SF|")
    resyncs.abort_resync(hotel.state)
    assert hotel.receive() == ["resync.ended False"]
    assert hotel.receive(END) == []
    assert hotel.guests_by_room() == before


def test_aborting_without_a_resync_emits_nothing(hotel: HotelDriver) -> None:
    resyncs.abort_resync(hotel.state)
    assert hotel.receive() == []


def test_an_end_without_a_start_is_ignored(hotel: HotelDriver) -> None:
    assert hotel.receive("GI|RN101|G#5001|GSN|GNAdams|GLEA|SF|", END) == []
    assert len(hotel.guests("105")) == 1


def test_a_resync_interrupted_by_a_restart_checks_no_guest_out(hotel: HotelDriver) -> None:
    before = hotel.guests_by_room()
    hotel.receive(START, "GI|RN101|G#5001|GSN|GNAdams|GLEA|SF|")
    hotel.reload()
    assert hotel.receive("GO|RN102|SF|", "GI|RN103|G#5002|GSN|GNBauer|GLGE|CS2|SF|", END) == [
        "resync.ended False"
    ]
    assert hotel.guests_by_room() == {**before, "102": []}


def test_all_that_follows_from_a_resync_says_so() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|GNAnna|CS2|", "RE|RN110|MLY|", "WR|RN110|DA260102|TI060000|")
    hotel.receive("GI|RN215|G#2|GSN|GNBert|CS3|", "WR|RN215|DA260102|TI070000|")
    hotel.wait(3)
    lines = hotel.receive(START, "GI|RN110|G#2|GSN|SF|GNBert|CS3|", "GI|RN215|G#1|GSN|SF|GNAnna|CS2|", END)
    assert "room.class_of_service 215 2 (resync)" in lines
    assert [line for line in lines if line.startswith(("guest", "room")) and "(resync)" not in line] == []
