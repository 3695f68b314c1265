"""Check-in, check-out and data change: who sleeps where, and what becomes of the room."""

from __future__ import annotations

import pytest

from pmslink.hotel.guest_fields import MAX_RESERVATION_NUMBER_CHARS
from pmslink.hotel.stays import MAX_GUESTS
from tests.hotel.hotel_driver import HotelDriver

ANN = "GI|RN110|G#6001|GSN|GNClark|GFAnn|GLEA|CS1|DA260101|TI140000|"
BEN = "GI|RN110|G#6002|GSY|GNClark|GFBen|GLEA|CS1|DA260101|TI140010|"


@pytest.fixture
def hotel() -> HotelDriver:
    return HotelDriver()


# Check-in.


def test_the_first_guest_sets_up_the_room(hotel: HotelDriver) -> None:
    assert hotel.receive(ANN) == ["guest.checked_in 110 #6001", "room.class_of_service 110 1"]
    (guest,) = hotel.room().guests
    assert (guest.name, guest.first_name, guest.language, guest.sharer) == ("Clark", "Ann", "EA", False)
    assert hotel.room().class_of_service == 1


def test_what_a_first_guest_is_not_told_of_is_as_by_default(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN110|CS3|DNY|MLY|RS4|")
    assert hotel.receive("GI|RN110|G#6001|GSN|") == [
        "guest.checked_in 110 #6001",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "room.message_light 110 False",
    ]
    assert hotel.room().status == 4  # that is the maid's


def test_a_sharer_does_not_reset_the_room(hotel: HotelDriver) -> None:
    """Q20: an early PBX did, and barred the line of whoever was in the room."""
    hotel.receive(ANN, "RE|RN110|CS3|DNY|MLY|")
    assert hotel.receive("GI|RN110|G#6002|GSY|GNClark|") == ["guest.checked_in 110 #6002"]
    room = hotel.room()
    assert (room.class_of_service, room.do_not_disturb, room.message_light) == (3, True, True)
    assert [guest.sharer for guest in room.guests] == [False, True]


def test_a_class_of_service_that_is_told_with_a_sharer_counts(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive(BEN.replace("CS1", "CS2")) == [
        "guest.checked_in 110 #6002",
        "room.class_of_service 110 2",
    ]


def test_a_second_guest_is_a_sharer_where_the_pms_does_not_tell(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|", "RE|RN110|DNY|")
    assert hotel.receive("GI|RN110|G#2|") == ["guest.checked_in 110 #2"]
    assert [guest.sharer for guest in hotel.room().guests] == [False, True]


def test_a_sharer_whose_first_guest_was_missed_resets_nothing_either(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN110|DNY|")
    assert hotel.receive("GI|RN110|G#6002|GSY|") == ["guest.checked_in 110 #6002"]
    assert hotel.room().guests[0].sharer


def test_a_first_guest_displaces_those_whose_check_out_was_missed(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "RE|RN110|DNY|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GI|RN110|G#6003|GSN|CS1|") == [
        "guest.checked_out 110 #6001",
        "wake_up.cancelled 110 07:00",
        "guest.checked_out 110 #6002 vacant",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "guest.checked_in 110 #6003",
        "room.class_of_service 110 1",
    ]
    assert hotel.guests_by_room() == {"110": ["6003"]}


def test_a_first_guest_who_is_known_displaces_nobody(hotel: HotelDriver) -> None:
    """Q21: his check-in is told once more, after his sharer's."""
    hotel.receive("GI|RN110|G#6001|GSN|GNClark|", "GI|RN110|G#6002|GSY|")
    assert hotel.receive("GI|RN110|G#6001|GSN|GNClark|") == []
    assert hotel.guests() == ["6001", "6002"]


def test_a_check_in_that_is_told_again_says_what_is_different(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6001|GSN|GNClark|GV1|CS1|", "RE|RN110|DNY|")
    assert hotel.receive("GI|RN110|G#6001|GSN|GNClark-Day|CS2|") == [
        "guest.changed 110 #6001",
        "room.class_of_service 110 2",
    ]
    (guest,) = hotel.room().guests
    assert (guest.name, guest.vip) == ("Clark-Day", None)
    assert hotel.room().do_not_disturb


def test_a_sharer_who_is_told_of_again_stays_one(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|", "GI|RN110|G#2|GSY|", "GI|RN110|G#2|GNDay|")
    assert hotel.room().guests[1].sharer


def test_what_was_heard_in_an_earlier_session_is_only_repeated(hotel: HotelDriver) -> None:
    """Q21."""
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|DA260101|TI150000|")
    hotel.wait(2)
    assert hotel.receive_in_new_session(ANN) == []
    assert hotel.guests() == []


def test_within_a_session_the_same_check_in_may_be_meant_anew(hotel: HotelDriver) -> None:
    """Q19: here a guest was checked out by mistake, and is back within the minute."""
    back = "GI|RN110|G#6001|GSN|DA260101|TI1400|"
    hotel.receive(back, "GO|RN110|G#6001|GSN|DA260101|TI1400|")
    hotel.wait(2)
    assert hotel.receive(back) == ["guest.checked_in 110 #6001"]


# Check-out.


def test_of_two_guests_one_goes_and_the_room_stays_as_it_is(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "RE|RN110|DNY|CS3|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GO|RN110|G#6001|GSY|DA260103|TI100000|") == []
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]
    room = hotel.room()
    assert hotel.guests() == ["6002"]
    assert (room.class_of_service, room.do_not_disturb, len(room.wake_ups)) == (3, True, 1)


def test_the_last_guest_leaves_a_room_without_anything(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "RE|RN110|DNY|CS3|MLY|RS4|", "WR|RN110|DA260102|TI070000|")
    hotel.receive("GO|RN110|G#6001|GSN|")
    assert hotel.wait(1.999) == []
    assert hotel.wait(0.001) == [
        "wake_up.cancelled 110 07:00",
        "guest.checked_out 110 #6001 vacant",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "room.message_light 110 False",
    ]
    assert hotel.room().status == 4
    assert hotel.state.next_due_at is None


def test_a_room_where_others_stay_of_whom_nothing_is_known_is_not_reset(hotel: HotelDriver) -> None:
    """§5.1: GSY, others remain."""
    hotel.receive(ANN, "RE|RN110|CS3|MLY|", "WR|RN110|DA260102|TI070000|", "GO|RN110|G#6001|GSY|")
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]
    assert hotel.departures == []
    assert (hotel.room().message_light, len(hotel.room().wake_ups)) == (True, 1)


@pytest.mark.parametrize("record", ["GI|RN110|G#{}|GSY|", "GC|RN110|G#{}|"])
def test_a_room_has_so_many_guests_at_most(hotel: HotelDriver, record: str) -> None:
    for number in range(MAX_GUESTS):
        hotel.receive(f"GI|RN110|G#{number}|GSY|")
    assert hotel.receive(record.format(MAX_GUESTS)) == []
    assert hotel.receive("GC|RN110|G#1|GNAdams|") != []


def test_a_number_is_cut(hotel: HotelDriver) -> None:
    hotel.receive(f"GI|RN110|G#{'7' * 5000}|GSN|")
    assert hotel.guests() == ["7" * MAX_RESERVATION_NUMBER_CHARS]


def test_a_room_that_is_vacant_by_gs_has_no_guests(hotel: HotelDriver) -> None:
    """§5.1: GSN, room now empty."""
    hotel.receive(ANN, BEN, "GO|RN110|G#6002|GSN|")
    assert hotel.wait(2)[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]


def test_a_check_out_of_nobody_known_says_nothing(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive("GO|RN110|G#999|GSN|", "GO|RN111|G#6001|GSN|") == []
    assert hotel.wait(10) == []
    assert hotel.guests() == ["6001"]


def test_a_check_out_of_nobody_known_empties_a_room_that_has_nobody_known(hotel: HotelDriver) -> None:
    """§5.1: GSN, room now empty; only his check-in was missed."""
    hotel.receive("RE|RN110|DNY|MLY|CS3|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GO|RN110|G#999|GSY|", "GO|RN110|G#999|") == []
    assert hotel.receive("GO|RN110|G#999|GSN|") == [
        "wake_up.cancelled 110 07:00",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "room.message_light 110 False",
    ]
    assert hotel.departures == [("110", None)]
    assert hotel.state.rooms_with_wake_ups == set()


def test_a_check_out_that_is_told_twice_is_one(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    hotel.wait(1)
    assert hotel.receive("GO|RN110|G#6001|GSN|") == []
    assert hotel.wait(1)[0] == "guest.checked_out 110 #6001 vacant"
    assert hotel.receive("GO|RN110|G#6001|GSN|") == []
    assert hotel.wait(5) == []


@pytest.mark.parametrize("share", ["", "GSN|"])
def test_a_check_out_without_a_number_means_all_at_once(hotel: HotelDriver, share: str) -> None:
    hotel.receive(ANN, BEN)
    assert hotel.receive(f"GO|RN110|{share}")[:2] == [
        "guest.checked_out 110 #6001",
        "guest.checked_out 110 #6002 vacant",
    ]
    assert hotel.state.next_due_at is None


def test_a_check_out_without_a_number_while_others_stay_names_nobody(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN)
    assert hotel.receive("GO|RN110|GSY|") == []
    assert hotel.guests() == ["6001", "6002"]


def test_a_check_out_without_a_number_makes_the_room_known(hotel: HotelDriver) -> None:
    assert hotel.receive("GO|RN0330|") == []
    assert hotel.guests_by_room() == {"0330": []}


def test_a_clock_that_is_set_back_keeps_nobody_in_the_house(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    hotel.now_ms -= 3_600_000
    assert hotel.wait(0)[0] == "guest.checked_out 110 #6001 vacant"


def test_a_guest_who_is_leaving_has_left_when_the_service_begins_anew(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    hotel.reload()
    assert hotel.wait(2)[0] == "guest.checked_out 110 #6001 vacant"


# What is told of a room settles who is leaving it.


def test_the_next_guest_finds_the_last_one_gone_and_gone_once(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "RE|RN110|DNY|", "GO|RN110|G#6001|GSN|")
    assert hotel.receive("GI|RN110|G#6005|GSN|CS2|") == [
        "guest.checked_out 110 #6001 vacant",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "guest.checked_in 110 #6005",
        "room.class_of_service 110 2",
    ]
    assert hotel.guests() == ["6005"]
    assert hotel.wait(5) == []


def test_a_sharer_who_comes_does_not_bring_back_who_is_leaving(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSY|")
    assert hotel.receive("GI|RN110|G#6005|GSY|") == [
        "guest.checked_out 110 #6001",
        "guest.checked_in 110 #6005",
    ]
    assert hotel.guests() == ["6002", "6005"]


def test_a_guest_who_comes_back_at_once_is_a_new_one(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    assert hotel.receive("GI|RN110|G#6001|GSN|GNClark|") == [
        "guest.checked_out 110 #6001 vacant",
        "room.class_of_service 110 None",
        "guest.checked_in 110 #6001",
    ]


def test_two_who_go_together_both_leave(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN)
    came = hotel.receive("GO|RN110|G#6001|GSY|", "GO|RN110|G#6002|GSN|") + hotel.wait(2)
    assert came[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]
    assert hotel.guests() == []


def test_of_two_who_go_one_after_the_other_each_is_gone_at_his_time(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSY|")
    hotel.wait(1)
    assert hotel.receive("GO|RN110|G#6002|GSN|") == []
    assert hotel.wait(1) == ["guest.checked_out 110 #6001"]
    assert hotel.wait(0.999) == []
    assert hotel.wait(0.001)[0] == "guest.checked_out 110 #6002 vacant"
    assert hotel.state.pending_check_outs == {}


@pytest.mark.parametrize("pause", [0, 1])
def test_who_is_told_to_have_left_an_empty_room_takes_those_along_who_are_leaving(
    hotel: HotelDriver, pause: float
) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSN|")
    hotel.wait(pause)
    hotel.receive("GO|RN110|G#6002|GSY|")
    assert hotel.wait(2 - pause)[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]
    assert hotel.state.pending_check_outs == {}
    assert hotel.wait(5) == []


@pytest.mark.parametrize(
    ("record", "news"),
    [
        ("RE|RN110|CS0|", "room.class_of_service 110 0"),
        ("WR|RN110|DA260102|TI070000|", "wake_up.set 110 07:00"),
    ],
)
def test_what_is_told_of_the_room_after_a_check_out_is_not_lost(
    hotel: HotelDriver, record: str, news: str
) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    assert hotel.receive(record) == [
        "guest.checked_out 110 #6001 vacant",
        "room.class_of_service 110 None",
        news,
    ]
    assert hotel.wait(5) == []


def test_a_change_of_another_guest_settles_who_is_leaving(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSY|")
    assert hotel.receive("GC|RN110|G#6002|GNDay|") == [
        "guest.checked_out 110 #6001",
        "guest.changed 110 #6002",
    ]
    assert hotel.guests() == ["6002"]


def test_a_check_out_without_a_number_settles_who_is_leaving(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSY|")
    assert hotel.receive("GO|RN110|GSY|") == ["guest.checked_out 110 #6001"]


def test_what_is_told_of_another_room_settles_nothing(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    assert hotel.receive("RE|RN111|CS0|", "GI|RN112|G#7|GSN|") == [
        "room.class_of_service 111 0",
        "guest.checked_in 112 #7",
    ]


# Data change.


def test_only_what_a_change_lists_is_different(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6001|GSN|GNClark|GFAnn|GTMrs|GLEA|GV2|GGWedding|GA260101|GD260105|CS1|")
    hotel.receive("RE|RN110|DNY|")
    assert hotel.receive("GC|RN110|G#6001|GNClark-Day|") == ["guest.changed 110 #6001"]
    (guest,) = hotel.room().guests
    assert (guest.name, guest.first_name, guest.title) == ("Clark-Day", "Ann", "Mrs")
    assert (guest.language, guest.vip, guest.group) == ("EA", "2", "Wedding")
    assert (guest.arrival, guest.departure) == ("2026-01-01", "2026-01-05")
    assert (hotel.room().class_of_service, hotel.room().do_not_disturb) == (1, True)


def test_a_telephone_number_of_a_room_makes_nobody_a_guest(hotel: HotelDriver) -> None:
    """§5.1: G#0 is a number without a stay."""
    assert hotel.receive("GC|RN110|G#0|GNLobby|CS2|") == []
    assert hotel.state.rooms == {}


def test_a_change_may_tell_a_class_of_service_alone(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive("GC|RN110|G#6001|CS3|") == ["room.class_of_service 110 3"]


def test_a_change_that_says_what_is_known_is_none(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive("GC|RN110|G#6001|GNClark|CS1|") == []


def test_an_empty_field_of_a_change_takes_away_what_was_told(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GC|RN110|G#6001|GF|GA|")
    (guest,) = hotel.room().guests
    assert (guest.name, guest.first_name, guest.arrival) == ("Clark", None, None)


def test_a_change_of_a_guest_whose_check_in_was_missed_makes_him_known(hotel: HotelDriver) -> None:
    assert hotel.receive("GC|RN110|G#6001|GNClark|CS1|") == [
        "guest.changed 110 #6001",
        "room.class_of_service 110 1",
    ]
    assert hotel.receive("GC|RN110|G#6002|GNDay|") == ["guest.changed 110 #6002"]
    assert [guest.sharer for guest in hotel.room().guests] == [False, True]


# A link that is kept by room.


def test_without_numbers_a_guest_is_whoever_is_in_the_room(hotel: HotelDriver) -> None:
    assert hotel.receive("GI|RN110|GNClark|") == ["guest.checked_in 110 #"]
    assert hotel.receive("GI|RN110|GNClark|") == []
    assert hotel.receive("GI|RN111|GNClark|") == ["guest.checked_in 111 #"]
    assert hotel.receive("GC|RN110|GNDay|") == ["guest.changed 110 #"]
    assert hotel.receive("GO|RN110|") == ["guest.checked_out 110 # vacant"]
    assert hotel.guests_by_room() == {"110": [], "111": [""]}


def test_without_numbers_a_sharer_who_goes_leaves_the_room_as_it_is(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|GSN|GNClark|", "GI|RN110|GSY|GNClark|")
    assert hotel.receive("GO|RN110|GSY|") == []
    assert hotel.receive("GO|RN110|GSN|") == ["guest.checked_out 110 # vacant"]
