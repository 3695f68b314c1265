"""Check-in, check-out and data change: guests, and the settings of their rooms."""

from __future__ import annotations

import pytest

from pmslink.hotel.guest_fields import MAX_RESERVATION_NUMBER_CHARS
from pmslink.hotel.stays import MAX_ROOM_GUESTS
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


def test_a_first_guest_resets_what_the_record_does_not_list(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN110|CS3|DNY|MLY|RS4|")
    assert hotel.receive("GI|RN110|G#6001|GSN|") == [
        "guest.checked_in 110 #6001",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "room.message_light 110 False",
    ]
    assert hotel.room().status == 4  # housekeeping sets the room status


def test_a_sharer_does_not_reset_the_room(hotel: HotelDriver) -> None:
    """Q20: an early PBX reset it, and so barred the line of the first guest."""
    hotel.receive(ANN, "RE|RN110|CS3|DNY|MLY|")
    assert hotel.receive("GI|RN110|G#6002|GSY|GNClark|") == ["guest.checked_in 110 #6002"]
    room = hotel.room()
    assert (room.class_of_service, room.do_not_disturb, room.message_light) == (3, True, True)
    assert [guest.sharer for guest in room.guests] == [False, True]


def test_the_class_of_service_of_a_sharer_applies(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive(BEN.replace("CS1", "CS2")) == [
        "guest.checked_in 110 #6002",
        "room.class_of_service 110 2",
    ]


def test_a_second_guest_without_gs_is_a_sharer(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|", "RE|RN110|DNY|")
    assert hotel.receive("GI|RN110|G#2|") == ["guest.checked_in 110 #2"]
    assert [guest.sharer for guest in hotel.room().guests] == [False, True]


def test_a_sharer_in_a_room_without_guests_is_its_first_guest(hotel: HotelDriver) -> None:
    """Case A5."""
    hotel.receive("RE|RN110|DNY|")
    assert hotel.receive("GI|RN110|G#6002|GSY|CS2|") == [
        "guest.checked_in 110 #6002",
        "room.class_of_service 110 2",
        "room.do_not_disturb 110 False",
    ]
    assert not hotel.room().guests[0].sharer


def test_a_check_in_with_gs_n_checks_out_the_other_guests(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "RE|RN110|DNY|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GI|RN110|G#6003|GSN|CS1|") == [
        "guest.checked_in 110 #6003",
        "room.do_not_disturb 110 False",
    ]
    assert hotel.guests_by_room() == {"110": ["6001", "6002", "6003"]}
    assert hotel.state.leaving_guests("110") == {"6001", "6002"}
    assert hotel.wait(2) == [
        "guest.checked_out 110 #6001",
        "wake_up.cancelled 110 07:00",
        "guest.checked_out 110 #6002",
    ]
    assert hotel.guests_by_room() == {"110": ["6003"]}


def test_a_repeated_check_in_with_gs_n_checks_no_guest_out(hotel: HotelDriver) -> None:
    """Q21: the PMS repeats the check-in of the first guest after that of the sharer."""
    hotel.receive("GI|RN110|G#6001|GSN|GNClark|", "GI|RN110|G#6002|GSY|")
    assert hotel.receive("GI|RN110|G#6001|GSN|GNClark|") == []
    assert hotel.guests() == ["6001", "6002"]


def test_a_repeated_check_in_emits_the_changes(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6001|GSN|GNClark|GV1|CS1|", "RE|RN110|DNY|")
    assert hotel.receive("GI|RN110|G#6001|GSN|GNClark-Day|CS2|") == [
        "guest.changed 110 #6001",
        "room.class_of_service 110 2",
    ]
    (guest,) = hotel.room().guests
    assert (guest.name, guest.vip) == ("Clark-Day", None)
    assert hotel.room().do_not_disturb


def test_a_repeated_sharer_stays_a_sharer(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|", "GI|RN110|G#2|GSY|", "GI|RN110|G#2|GNDay|")
    assert hotel.room().guests[1].sharer


def test_records_of_an_earlier_session_are_replays(hotel: HotelDriver) -> None:
    """Q21."""
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|DA260101|TI150000|")
    hotel.wait(2)
    assert hotel.receive_in_new_session(ANN) == []
    assert hotel.guests() == []


def test_the_same_check_in_within_a_session_is_no_replay(hotel: HotelDriver) -> None:
    """Q19: here a guest was checked out by mistake, and is back within the minute."""
    back = "GI|RN110|G#6001|GSN|DA260101|TI1400|"
    hotel.receive(back, "GO|RN110|G#6001|GSN|DA260101|TI1400|")
    hotel.wait(2)
    assert hotel.receive(back) == ["guest.checked_in 110 #6001"]


# Check-out.


def test_the_check_out_of_one_of_two_guests_does_not_reset_the_room(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "RE|RN110|DNY|CS3|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GO|RN110|G#6001|GSY|DA260103|TI100000|") == []
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]
    room = hotel.room()
    assert hotel.guests() == ["6002"]
    assert (room.class_of_service, room.do_not_disturb, len(room.wake_ups)) == (3, True, 1)


def test_the_check_out_of_the_last_guest_resets_the_room(hotel: HotelDriver) -> None:
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


def test_gs_y_with_unknown_sharers_does_not_reset_the_room(hotel: HotelDriver) -> None:
    """§5.1: GSY, others remain."""
    hotel.receive(ANN, "RE|RN110|CS3|MLY|", "WR|RN110|DA260102|TI070000|", "GO|RN110|G#6001|GSY|")
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]
    assert hotel.departures == []
    assert (hotel.room().message_light, len(hotel.room().wake_ups)) == (True, 1)


def test_a_class_of_service_applies_to_unknown_guests_who_stay(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "RE|RN110|MLY|", "GO|RN110|G#6001|GSY|")
    assert hotel.receive("RE|RN110|CS3|") == ["room.class_of_service 110 3"]
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]
    assert (hotel.room().class_of_service, hotel.room().message_light) == (3, True)


@pytest.mark.parametrize("record", ["GI|RN110|G#{}|GSY|", "GC|RN110|G#{}|"])
def test_check_ins_beyond_the_maximum_are_ignored(hotel: HotelDriver, record: str) -> None:
    for number in range(MAX_ROOM_GUESTS):
        hotel.receive(f"GI|RN110|G#{number}|GSY|")
    assert hotel.receive(record.format(MAX_ROOM_GUESTS)) == []
    assert hotel.state.bound_problem == "the room has 100 guests already"
    assert hotel.receive("GC|RN110|G#1|GNAdams|") != []


def test_an_overlong_reservation_number_is_truncated(hotel: HotelDriver) -> None:
    hotel.receive(f"GI|RN110|G#{'7' * 5000}|GSN|")
    assert hotel.guests() == ["7" * MAX_RESERVATION_NUMBER_CHARS]


def test_a_check_out_with_gs_n_checks_out_all_guests(hotel: HotelDriver) -> None:
    """§5.1: GSN, room now empty."""
    hotel.receive(ANN, BEN, "GO|RN110|G#6002|GSN|")
    assert hotel.wait(2)[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]


def test_a_check_out_of_an_unknown_guest_emits_nothing(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive("GO|RN110|G#999|GSN|", "GO|RN111|G#6001|GSN|") == []
    assert hotel.wait(10) == []
    assert hotel.guests() == ["6001"]


def test_a_check_out_of_an_unknown_guest_resets_a_room_without_known_guests(hotel: HotelDriver) -> None:
    """§5.1: GSN, the room is vacant now; only the check-in was missed."""
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


def test_a_repeated_check_out_is_ignored(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    hotel.wait(1)
    assert hotel.receive("GO|RN110|G#6001|GSN|") == []
    assert hotel.wait(1)[0] == "guest.checked_out 110 #6001 vacant"
    assert hotel.receive("GO|RN110|G#6001|GSN|") == []
    assert hotel.wait(5) == []


@pytest.mark.parametrize("share", ["", "GSN|"])
def test_a_check_out_without_a_number_checks_out_all_guests(hotel: HotelDriver, share: str) -> None:
    hotel.receive(ANN, BEN)
    assert hotel.receive(f"GO|RN110|{share}") == []
    assert hotel.wait(2)[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]
    assert hotel.state.next_due_at is None


def test_a_guest_without_a_number_checks_out_at_once(hotel: HotelDriver) -> None:
    """The next guest without a number may check in to the room at any moment."""
    hotel.receive("GI|RN110|CS2|")
    assert hotel.receive("GO|RN110|GSN|") == [
        "guest.checked_out 110 # vacant",
        "room.class_of_service 110 None",
    ]
    assert hotel.receive("GI|RN110|") == ["guest.checked_in 110 #"]
    assert hotel.wait(5) == []


def test_a_check_out_without_a_number_and_with_gs_y_checks_no_guest_out(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN)
    assert hotel.receive("GO|RN110|GSY|") == []
    assert hotel.guests() == ["6001", "6002"]


def test_a_check_out_without_a_number_adds_the_room(hotel: HotelDriver) -> None:
    assert hotel.receive("GO|RN0330|") == []
    assert hotel.guests_by_room() == {"0330": []}


def test_a_clock_set_back_completes_pending_check_outs(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    hotel.now_ms -= 3_600_000
    assert hotel.wait(0)[0] == "guest.checked_out 110 #6001 vacant"


def test_a_pending_check_out_survives_a_restart(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    hotel.reload()
    assert hotel.wait(2)[0] == "guest.checked_out 110 #6001 vacant"


# Records of a room while a guest leaves it.


def test_a_check_in_does_not_wait_for_a_check_out(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "RE|RN110|DNY|", "GO|RN110|G#6001|GSN|")
    assert hotel.receive("GI|RN110|G#6005|GSN|CS2|") == [
        "guest.checked_in 110 #6005",
        "room.class_of_service 110 2",
        "room.do_not_disturb 110 False",
    ]
    assert hotel.wait(5) == ["guest.checked_out 110 #6001"]
    assert hotel.guests() == ["6005"]
    assert hotel.room().class_of_service == 2


def test_a_sharer_can_come_while_another_leaves(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN)
    hotel.wait(2)
    hotel.receive("GO|RN110|G#6001|GSY|")
    assert hotel.receive("GI|RN110|G#6005|GSY|") == ["guest.checked_in 110 #6005"]
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]
    assert hotel.guests() == ["6002", "6005"]


def test_a_check_out_can_be_taken_back_at_once(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "RE|RN110|CS3|", "GO|RN110|G#6001|GSN|")
    assert hotel.receive(ANN) == ["room.class_of_service 110 1"]
    assert hotel.wait(5) == []
    assert hotel.guests() == ["6001"]


def test_two_guests_can_check_out_together(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN)
    came = hotel.receive("GO|RN110|G#6001|GSY|", "GO|RN110|G#6002|GSN|") + hotel.wait(2)
    assert came[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]
    assert hotel.guests() == []


def test_two_pending_check_outs_complete_each_at_its_time(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSY|")
    hotel.wait(1)
    assert hotel.receive("GO|RN110|G#6002|GSN|") == []
    assert hotel.wait(1) == ["guest.checked_out 110 #6001"]
    assert hotel.wait(0.999) == []
    assert hotel.wait(0.001)[0] == "guest.checked_out 110 #6002 vacant"
    assert hotel.state.windows == {}


@pytest.mark.parametrize("pause", [0, 1])
def test_a_check_out_that_vacates_the_room_completes_pending_check_outs(
    hotel: HotelDriver, pause: float
) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSN|")
    hotel.wait(pause)
    hotel.receive("GO|RN110|G#6002|GSY|")
    assert hotel.wait(2 - pause)[:2] == ["guest.checked_out 110 #6001", "guest.checked_out 110 #6002 vacant"]
    assert hotel.state.windows == {}
    assert hotel.wait(5) == []


def test_a_class_of_service_set_while_the_last_guest_leaves_is_the_room_s(hotel: HotelDriver) -> None:
    """Case A4."""
    hotel.receive(ANN, "RE|RN110|MLY|", "GO|RN110|G#6001|GSN|")
    assert hotel.receive("RE|RN110|CS0|") == [
        "room.class_of_service 110 0",
        "room.message_light 110 False",
    ]
    assert hotel.wait(5) == ["guest.checked_out 110 #6001 vacant"]
    assert hotel.room().class_of_service == 0


def test_a_wake_up_requested_while_the_last_guest_leaves_is_the_room_s(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "WR|RN110|DA260102|TI060000|", "GO|RN110|G#6001|GSN|")
    assert hotel.receive("WR|RN110|DA260102|TI070000|") == ["wake_up.set 110 07:00"]
    assert hotel.receive("WC|RN110|DA|TI|") == ["wake_up.cancelled 110 07:00"]
    hotel.receive("WR|RN110|DA260102|TI080000|")
    assert hotel.wait(5)[:2] == ["wake_up.cancelled 110 06:00", "guest.checked_out 110 #6001 vacant"]
    assert [f"{one.at:%H:%M}" for one in hotel.room().wake_ups] == ["08:00"]


def test_other_records_leave_a_check_out_pending(hotel: HotelDriver) -> None:
    hotel.receive(ANN, BEN, "GO|RN110|G#6001|GSY|")
    assert hotel.receive("GC|RN110|G#6002|GNDay|", "GO|RN110|GSY|") == ["guest.changed 110 #6002"]
    assert hotel.guests() == ["6001", "6002"]
    assert hotel.wait(2) == ["guest.checked_out 110 #6001"]


def test_a_change_of_the_guest_who_leaves_does_not_keep_the_guest(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    assert hotel.receive("GC|RN110|G#6001|GNDay|") == ["guest.changed 110 #6001"]
    assert "guest.checked_out 110 #6001 vacant" in hotel.wait(2)


def test_records_of_another_room_leave_a_check_out_pending(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GO|RN110|G#6001|GSN|")
    assert hotel.receive("RE|RN111|CS0|", "GI|RN112|G#7|GSN|") == [
        "room.class_of_service 111 0",
        "guest.checked_in 112 #7",
    ]


# Data change.


def test_a_change_affects_only_the_fields_that_it_lists(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6001|GSN|GNClark|GFAnn|GTMrs|GLEA|GV2|GGWedding|GA260101|GD260105|CS1|")
    hotel.receive("RE|RN110|DNY|")
    assert hotel.receive("GC|RN110|G#6001|GNClark-Day|") == ["guest.changed 110 #6001"]
    (guest,) = hotel.room().guests
    assert (guest.name, guest.first_name, guest.title) == ("Clark-Day", "Ann", "Mrs")
    assert (guest.language, guest.vip, guest.group) == ("EA", "2", "Wedding")
    assert (guest.arrival, guest.departure) == ("2026-01-01", "2026-01-05")
    assert (hotel.room().class_of_service, hotel.room().do_not_disturb) == (1, True)


def test_a_change_with_reservation_number_0_adds_no_guest(hotel: HotelDriver) -> None:
    """§5.1: G#0 is a number without a stay."""
    assert hotel.receive("GC|RN110|G#0|GNLobby|CS2|") == []
    assert hotel.state.rooms == {}


def test_a_change_can_list_only_a_class_of_service(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive("GC|RN110|G#6001|CS3|") == ["room.class_of_service 110 3"]


def test_a_change_without_differences_emits_nothing(hotel: HotelDriver) -> None:
    hotel.receive(ANN)
    assert hotel.receive("GC|RN110|G#6001|GNClark|CS1|") == []


def test_an_empty_field_of_a_change_clears_the_value(hotel: HotelDriver) -> None:
    hotel.receive(ANN, "GC|RN110|G#6001|GF|GA|")
    (guest,) = hotel.room().guests
    assert (guest.name, guest.first_name, guest.arrival) == ("Clark", None, None)


def test_a_change_of_an_unknown_guest_adds_the_guest(hotel: HotelDriver) -> None:
    assert hotel.receive("GC|RN110|G#6001|GNClark|CS1|") == [
        "guest.checked_in 110 #6001 (resync)",
        "room.class_of_service 110 1 (resync)",
    ]
    assert hotel.receive("GC|RN110|G#6002|GNDay|") == ["guest.checked_in 110 #6002 (resync)"]
    assert [guest.sharer for guest in hotel.room().guests] == [False, True]


# A PMS that identifies guests by room.


def test_without_numbers_the_room_identifies_the_guest(hotel: HotelDriver) -> None:
    assert hotel.receive("GI|RN110|GNClark|") == ["guest.checked_in 110 #"]
    assert hotel.receive("GI|RN110|GNClark|") == []
    assert hotel.receive("GI|RN111|GNClark|") == ["guest.checked_in 111 #"]
    assert hotel.receive("GC|RN110|GNDay|") == ["guest.changed 110 #"]
    assert hotel.receive("GO|RN110|") == ["guest.checked_out 110 # vacant"]
    assert hotel.guests_by_room() == {"110": [], "111": [""]}


def test_without_numbers_the_check_out_of_a_sharer_does_not_reset_the_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|GSN|GNClark|", "GI|RN110|GSY|GNClark|")
    assert hotel.receive("GO|RN110|GSY|") == []
    assert hotel.receive("GO|RN110|GSN|") == ["guest.checked_out 110 # vacant"]


def test_a_room_that_is_full_of_leaving_guests_takes_the_next_one(hotel: HotelDriver) -> None:
    """No check-in waits: the guest who has been leaving for longest is checked out before the time."""
    for number in range(MAX_ROOM_GUESTS):
        hotel.receive(f"GI|RN110|G#{number}|GSN|")
    assert len(hotel.guests()) == MAX_ROOM_GUESTS
    assert hotel.receive("GI|RN110|G#next|GSN|")[:2] == [
        "guest.checked_out 110 #0",
        "guest.checked_in 110 #next",
    ]
    assert len(hotel.guests()) == MAX_ROOM_GUESTS
    hotel.wait(2)
    assert hotel.guests() == ["next"]


def test_e7_check_ins_beyond_the_maximum_of_the_hotel_are_ignored(
    hotel: HotelDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmslink.hotel.stays.MAX_GUESTS", 3)
    hotel.receive(*(f"GI|RN11{number}|G#{number}|GSN|" for number in range(1, 4)))
    for record in ("GI|RN120|G#7|GSN|", "GC|RN120|G#8|GSN|"):
        assert hotel.receive(record) == []
        assert hotel.state.bound_problem == "the hotel has 3 guests already"
    # guests who are in the hotel change, move and leave
    assert hotel.receive("GC|RN111|G#1|GNAdams|") != []
    assert hotel.state.bound_problem is None
    assert hotel.receive("GC|RN120|G#1|RO111|") != []
    hotel.receive("GO|RN120|G#1|")
    hotel.wait(3)
    assert hotel.receive("GI|RN120|G#7|GSN|")[-1].startswith("guest.checked_in 120 #7")
    assert hotel.state.guest_count == 3
