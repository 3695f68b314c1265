"""Room moves: as one GC, and as a check-out and a check-in that come together."""

from __future__ import annotations

import pytest

from tests.hotel.hotel_driver import HotelDriver

DIAZ = "GI|RN110|G#6100|GSN|GNDiaz|GLSP|CS2|"
MOVED = "GC|RN215|GSN|G#6100|GNDiaz|GLSP|RO110|GSN|"


@pytest.fixture
def hotel() -> HotelDriver:
    """Diaz is in 110, is to be woken, has a message, and does not want to be disturbed."""
    hotel = HotelDriver()
    hotel.receive(DIAZ, "RE|RN110|MLY|DNY|RS4|", "WR|RN110|DA260102|TI070000|")
    return hotel


def test_what_belongs_to_the_guest_moves_with_him_out_of_a_room_that_is_vacant_then(
    hotel: HotelDriver,
) -> None:
    assert hotel.receive(MOVED) == [
        "guest.moved 215 #6100 from 110 vacant",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "room.message_light 110 False",
        "room.class_of_service 215 2",
        "room.message_light 215 True",
    ]
    old, new = hotel.room("110"), hotel.room("215")
    assert (old.guests, old.class_of_service, old.message_light, old.wake_ups) == ((), None, False, ())
    assert (new.class_of_service, new.message_light, new.do_not_disturb) == (2, True, False)
    assert [f"{one.at:%H:%M}" for one in new.wake_ups] == ["07:00"]
    assert (old.status, new.status) == (4, None)  # how clean a room is stays with the room
    assert hotel.state.rooms_with_wake_ups == {"215"}


def test_nothing_moves_with_a_guest_whose_room_is_still_another_s(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert hotel.receive("GC|RN215|GSN|G#6100|GNDiaz|RO110|GSY|") == ["guest.moved 215 #6100 from 110"]
    old, new = hotel.room("110"), hotel.room("215")
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["6100"]}
    assert (old.class_of_service, old.message_light, len(old.wake_ups)) == (2, True, 1)
    assert (new.class_of_service, new.message_light, new.wake_ups) == (None, False, ())


def test_an_old_room_that_is_empty_by_the_pms_is_left_by_whom_we_still_had_there(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert hotel.receive(MOVED)[:2] == [
        "guest.checked_out 110 #6101",
        "guest.moved 215 #6100 from 110 vacant",
    ]


def test_a_new_room_that_is_the_guest_s_alone_is_left_by_whom_we_still_had_there(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|CS3|")
    assert hotel.receive(MOVED)[:2] == [
        "guest.checked_out 215 #50 vacant",
        "room.class_of_service 215 None",
    ]
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}


def test_a_guest_who_moves_in_with_another_brings_his_wake_ups_but_changes_no_light(
    hotel: HotelDriver,
) -> None:
    hotel.receive("GI|RN215|G#50|GSN|CS3|", "RE|RN215|DNY|", "WR|RN215|DA260102|TI063000|")
    hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|")
    room = hotel.room("215")
    assert (room.class_of_service, room.message_light, room.do_not_disturb) == (3, False, True)
    assert [f"{one.at:%H:%M}" for one in room.wake_ups] == ["06:30", "07:00"]
    assert [guest.sharer for guest in room.guests] == [False, True]


def test_a_room_is_woken_once_at_one_time_whoever_ordered_it(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|", "WR|RN215|DA260102|TI070000|")
    assert hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|")[:2] == [
        "guest.moved 215 #6100 from 110 vacant",
        "wake_up.cancelled 110 07:00",
    ]
    assert [wake_up.id for wake_up in hotel.room("215").wake_ups] == [2]


def test_each_gs_belongs_to_the_room_before_it(hotel: HotelDriver) -> None:
    """§2.8."""
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#50|GSN|")
    hotel.receive("GC|RO110|GSY|G#6100|RN215|GSN|")
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["6100"]}


def test_a_move_whose_gs_are_not_told_displaces_nobody(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#50|GSN|")
    hotel.receive("GC|RN215|G#6100|RO110|")
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["50", "6100"]}


def test_what_a_move_lists_is_different_and_the_rest_stays(hotel: HotelDriver) -> None:
    hotel.receive("GC|RN215|GSN|G#6100|GFEva|CS3|RO110|GSN|")
    (guest,) = hotel.room("215").guests
    assert (guest.name, guest.first_name, guest.language) == ("Diaz", "Eva", "SP")
    assert hotel.room("215").class_of_service == 3


def test_a_move_that_is_told_twice_is_one(hotel: HotelDriver) -> None:
    hotel.receive(MOVED)
    assert hotel.receive(MOVED) == []


def test_a_change_in_another_room_is_a_move_though_it_names_no_old_one(hotel: HotelDriver) -> None:
    assert hotel.receive("GC|RN215|GSN|G#6100|")[0] == "guest.moved 215 #6100 from 110 vacant"


def test_a_move_of_a_guest_whose_check_in_was_missed_makes_him_known(hotel: HotelDriver) -> None:
    assert hotel.receive("GC|RN215|GSN|G#77|GNNew|RO216|GSN|") == ["guest.changed 215 #77"]
    assert hotel.guests("215") == ["77"]


def test_the_door_of_the_new_room_has_no_sign(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN215|DNY|")
    assert "room.do_not_disturb 215 False" in hotel.receive(MOVED)


def test_without_numbers_the_guest_of_the_old_room_moves() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|GNDiaz|CS2|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GC|RN215|RO110|")[0] == "guest.moved 215 # from 110 vacant"
    assert hotel.guests_by_room() == {"110": [], "215": [""]}
    assert hotel.receive("GC|RN215|RO110|") == []
    assert hotel.receive("GC|RN216|GNElsa|RO110|") == ["guest.changed 216 #"]  # nobody is in 110
    assert hotel.receive("GC|RN217|GNFred|RO999|") == ["guest.changed 217 #"]


# As a pair.


@pytest.mark.parametrize("pause", [0, 1.999])
def test_a_check_out_and_a_check_in_that_come_together_are_a_move(hotel: HotelDriver, pause: float) -> None:
    """Q15."""
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert hotel.wait(pause) == []
    assert hotel.receive("GI|RN215|G#6100|GSN|GNDiaz|GLSP|CS2|") == [
        "guest.moved 215 #6100 from 110 vacant",
        "room.class_of_service 110 None",
        "room.do_not_disturb 110 False",
        "room.message_light 110 False",
        "room.class_of_service 215 2",
        "room.message_light 215 True",
    ]
    assert len(hotel.room("215").wake_ups) == 1
    assert hotel.wait(5) == []


def test_the_check_in_may_come_first(hotel: HotelDriver) -> None:
    assert hotel.receive("GI|RN215|G#6100|GSN|GNDiaz|GLSP|")[0] == "guest.moved 215 #6100 from 110 vacant"
    assert hotel.receive("GO|RN110|G#6100|GSN|") == []
    assert hotel.wait(5) == []
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}
    assert hotel.room("215").class_of_service == 2


def test_what_comes_too_late_is_another_stay(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert "guest.checked_out 110 #6100 vacant" in hotel.wait(2)
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.checked_in 215 #6100"]
    assert hotel.room("215").wake_ups == ()


def test_a_pair_may_leave_others_in_the_old_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GO|RN110|G#6100|GSY|")
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.moved 215 #6100 from 110"]
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["6100"]}


def test_a_pair_that_leaves_the_old_room_empty_is_believed(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GO|RN110|G#6100|GSN|")
    assert hotel.receive("GI|RN215|G#6100|GSN|")[:2] == [
        "guest.checked_out 110 #6101",
        "guest.moved 215 #6100 from 110 vacant",
    ]


@pytest.mark.parametrize("pause", [0, 1.999])
def test_a_pair_whose_check_in_comes_first_may_leave_the_old_room_empty_too(
    hotel: HotelDriver, pause: float
) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.moved 215 #6100 from 110"]
    hotel.wait(pause)
    assert hotel.receive("GO|RN110|G#6100|GSN|")[:2] == [
        "wake_up.cancelled 110 07:00",
        "guest.checked_out 110 #6101 vacant",
    ]
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}
    hotel.receive("GI|RN110|G#7|GSN|")
    assert hotel.receive("GO|RN110|G#6100|GSN|") == []  # the move is over


@pytest.mark.parametrize("share", ["GSY|", ""])
def test_a_pair_whose_check_in_comes_first_may_leave_others_too(hotel: HotelDriver, share: str) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#6100|GSN|")
    assert hotel.receive(f"GO|RN110|G#6100|{share}") == []
    assert hotel.guests("110") == ["6101"]


def test_a_check_out_that_comes_long_after_the_move_is_an_old_one(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#6100|GSN|")
    hotel.wait(2)
    assert hotel.receive("GO|RN110|G#6100|GSN|") == []
    assert hotel.guests("110") == ["6101"]


def test_a_check_out_of_another_room_is_no_half_of_the_move(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN111|G#8|GSN|", "GI|RN215|G#6100|GSN|")
    assert hotel.receive("GO|RN111|G#6100|GSN|") == []
    assert hotel.guests("111") == ["8"]


def test_moves_are_remembered_for_a_moment_only(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#6100|GSN|")
    hotel.wait(2)
    hotel.receive("GI|RN111|G#8|GSN|", "GI|RN112|G#8|GSN|")
    assert list(hotel.state.recent_moves) == ["8"]


@pytest.mark.parametrize("pause", [0, 1])
def test_two_who_share_a_room_may_move_by_pairs_and_wake_ups_go_with_the_last(
    hotel: HotelDriver, pause: float
) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert (
        hotel.receive("GO|RN110|G#6100|GSY|") + hotel.wait(pause) + hotel.receive("GO|RN110|G#6101|GSN|")
        == []
    )
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.moved 215 #6100 from 110"]
    assert hotel.receive("GI|RN215|G#6101|GSY|")[0] == "guest.moved 215 #6101 from 110 vacant"
    assert hotel.departures == [("110", "215")]
    assert hotel.guests_by_room() == {"110": [], "215": ["6100", "6101"]}
    assert (len(hotel.room("215").wake_ups), hotel.room("110").wake_ups) == (1, ())
    assert hotel.wait(5) == []


def test_something_told_of_the_old_room_in_between_makes_two_stays_of_it(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert "guest.checked_out 110 #6100 vacant" in hotel.receive("GI|RN110|G#6200|GSN|")
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.checked_in 215 #6100"]


def test_two_guests_may_change_rooms(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|")
    hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|", "GC|RN110|GSN|G#50|RO215|GSY|")
    assert hotel.guests_by_room() == {"110": ["50"], "215": ["6100"]}


def test_who_is_leaving_the_new_room_is_gone_when_another_moves_in(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|", "GO|RN215|G#50|GSN|")
    assert hotel.receive(MOVED)[:2] == [
        "guest.checked_out 215 #50 vacant",
        "guest.moved 215 #6100 from 110 vacant",
    ]
    assert hotel.guests("215") == ["6100"]
    assert hotel.wait(5) == []


def test_who_is_leaving_moves_if_the_pms_says_so(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert hotel.receive(MOVED)[0] == "guest.moved 215 #6100 from 110 vacant"
    assert hotel.wait(5) == []


def test_moving_to_and_fro_is_remembered_once(hotel: HotelDriver) -> None:
    hotel.wait(24 * 3600)
    for _ in range(5):
        hotel.receive("GC|RN215|GSN|G#6100|RO110|GSN|", "GC|RN110|GSN|G#6100|RO215|GSN|")
    assert hotel.room("110").over == ("2026-01-02T07:00:00",)
    assert hotel.room("215").over == ("2026-01-02T07:00:00",)
