"""Room moves: as one GC, and as a check-out and a check-in within the move window."""

from __future__ import annotations

import pytest

from tests.hotel.hotel_driver import HotelDriver

DIAZ = "GI|RN110|G#6100|GSN|GNDiaz|GLSP|CS2|"
MOVED = "GC|RN215|GSN|G#6100|GNDiaz|GLSP|RO110|GSN|"


@pytest.fixture
def hotel() -> HotelDriver:
    """A hotel with Diaz in 110, a wake-up, the message light on, and do-not-disturb."""
    hotel = HotelDriver()
    hotel.receive(DIAZ, "RE|RN110|MLY|DNY|RS4|", "WR|RN110|DA260102|TI070000|")
    return hotel


def test_the_guest_s_settings_move_out_of_a_room_that_becomes_vacant(
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
    assert (old.status, new.status) == (4, None)  # the room status does not move with the guest
    assert hotel.state.rooms_with_wake_ups == {"215"}


def test_settings_stay_in_a_room_with_other_guests(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert hotel.receive("GC|RN215|GSN|G#6100|GNDiaz|RO110|GSY|") == ["guest.moved 215 #6100 from 110"]
    old, new = hotel.room("110"), hotel.room("215")
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["6100"]}
    assert (old.class_of_service, old.message_light, len(old.wake_ups)) == (2, True, 1)
    assert (new.class_of_service, new.message_light, new.wake_ups) == (None, False, ())


def test_gs_n_of_the_old_room_checks_out_its_other_guests(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert hotel.receive(MOVED)[0] == "guest.moved 215 #6100 from 110"
    assert hotel.wait(2) == ["guest.checked_out 110 #6101 vacant"]
    assert len(hotel.room("215").wake_ups) == 1


def test_gs_n_of_the_new_room_checks_out_its_other_guests(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|CS3|")
    assert hotel.receive(MOVED)[0] == "guest.moved 215 #6100 from 110 vacant"
    assert hotel.room("215").class_of_service == 2
    assert hotel.wait(2) == ["guest.checked_out 215 #50"]
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}


def test_wake_ups_but_no_lights_move_with_a_guest_who_becomes_a_sharer(
    hotel: HotelDriver,
) -> None:
    hotel.receive("GI|RN215|G#50|GSN|CS3|", "RE|RN215|DNY|", "WR|RN215|DA260102|TI063000|")
    hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|")
    room = hotel.room("215")
    assert (room.class_of_service, room.message_light, room.do_not_disturb) == (3, False, True)
    assert [f"{one.at:%H:%M}" for one in room.wake_ups] == ["06:30", "07:00"]
    assert [guest.sharer for guest in room.guests] == [False, True]


def test_a_moved_wake_up_at_the_same_time_as_another_is_cancelled(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|", "WR|RN215|DA260102|TI070000|")
    hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|")
    assert hotel.wait(2) == ["wake_up.cancelled 215 07:00"]  # until then, a guest may still move on
    assert [wake_up.id for wake_up in hotel.room("215").wake_ups] == [1]


def test_each_gs_belongs_to_the_room_before_it(hotel: HotelDriver) -> None:
    """§2.8."""
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#50|GSN|")
    hotel.receive("GC|RO110|GSY|G#6100|RN215|GSN|")
    hotel.wait(2)
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["6100"]}


def test_a_move_without_gs_checks_no_guest_out(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#50|GSN|")
    hotel.receive("GC|RN215|G#6100|RO110|")
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["50", "6100"]}


def test_a_move_changes_only_the_fields_that_it_lists(hotel: HotelDriver) -> None:
    hotel.receive("GC|RN215|GSN|G#6100|GFEva|CS3|RO110|GSN|")
    (guest,) = hotel.room("215").guests
    assert (guest.name, guest.first_name, guest.language) == ("Diaz", "Eva", "SP")
    assert hotel.room("215").class_of_service == 3


def test_a_repeated_move_is_ignored(hotel: HotelDriver) -> None:
    hotel.receive(MOVED)
    assert hotel.receive(MOVED) == []


def test_a_change_in_another_room_without_ro_is_a_move(hotel: HotelDriver) -> None:
    assert hotel.receive("GC|RN215|GSN|G#6100|")[0] == "guest.moved 215 #6100 from 110 vacant"


def test_a_move_of_an_unknown_guest_adds_the_guest(hotel: HotelDriver) -> None:
    assert hotel.receive("GC|RN215|GSN|G#77|GNNew|RO216|GSN|") == ["guest.checked_in 215 #77 (resync)"]
    assert hotel.guests("215") == ["77"]


def test_do_not_disturb_does_not_move(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN215|DNY|")
    assert "room.do_not_disturb 215 False" in hotel.receive(MOVED)


def test_without_numbers_the_guest_of_the_old_room_moves() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|GNDiaz|CS2|", "WR|RN110|DA260102|TI070000|")
    assert hotel.receive("GC|RN215|RO110|")[0] == "guest.moved 215 # from 110 vacant"
    assert hotel.guests_by_room() == {"110": [], "215": [""]}
    assert hotel.receive("GC|RN215|RO110|") == []
    assert hotel.receive("GC|RN216|GNElsa|RO110|") == ["guest.checked_in 216 # (resync)"]  # 110 has no guest
    assert hotel.receive("GC|RN217|GNFred|RO999|") == ["guest.checked_in 217 # (resync)"]


# As a check-out and a check-in.


@pytest.mark.parametrize("pause", [0, 1.999])
def test_a_check_out_and_a_check_in_within_the_move_window_are_a_move(
    hotel: HotelDriver, pause: float
) -> None:
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


def test_the_check_in_can_come_before_the_check_out(hotel: HotelDriver) -> None:
    assert hotel.receive("GI|RN215|G#6100|GSN|GNDiaz|GLSP|")[0] == "guest.moved 215 #6100 from 110 vacant"
    assert hotel.receive("GO|RN110|G#6100|GSN|") == []
    assert hotel.wait(5) == []
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}
    assert hotel.room("215").class_of_service == 2


def test_a_check_in_after_the_move_window_is_another_stay(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert "guest.checked_out 110 #6100 vacant" in hotel.wait(2)
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.checked_in 215 #6100"]
    assert hotel.room("215").wake_ups == ()


def test_a_move_by_two_records_can_leave_others_in_the_old_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GO|RN110|G#6100|GSY|")
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.moved 215 #6100 from 110"]
    assert hotel.guests_by_room() == {"110": ["6101"], "215": ["6100"]}


def test_a_move_by_two_records_with_gs_n_vacates_the_old_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GO|RN110|G#6100|GSN|")
    assert hotel.receive("GI|RN215|G#6100|GSN|")[0] == "guest.moved 215 #6100 from 110"
    assert len(hotel.room("215").wake_ups) == 1
    assert hotel.wait(2) == ["guest.checked_out 110 #6101 vacant"]


@pytest.mark.parametrize("pause", [0, 1.999])
def test_a_move_whose_check_in_comes_first_can_vacate_the_old_room(hotel: HotelDriver, pause: float) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert hotel.receive("GI|RN215|G#6100|GSN|") == ["guest.moved 215 #6100 from 110"]
    hotel.wait(pause)
    assert hotel.receive("GO|RN110|G#6100|GSN|")[-1] == "room.message_light 215 True"
    assert len(hotel.room("215").wake_ups) == 1  # the guest who moved was the last one in 110
    assert hotel.wait(2) == ["guest.checked_out 110 #6101 vacant"]
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}
    hotel.receive("GI|RN110|G#7|GSN|")
    assert hotel.receive("GO|RN110|G#6100|GSN|") == []  # the move is complete


@pytest.mark.parametrize("share", ["GSY|", ""])
def test_a_move_whose_check_in_comes_first_can_leave_others(hotel: HotelDriver, share: str) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#6100|GSN|")
    assert hotel.receive(f"GO|RN110|G#6100|{share}") == []
    assert hotel.guests("110") == ["6101"]


def test_a_check_out_after_the_move_window_is_ignored(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN215|G#6100|GSN|")
    hotel.wait(2)
    assert hotel.receive("GO|RN110|G#6100|GSN|") == []
    assert hotel.guests("110") == ["6101"]


def test_a_check_out_of_another_room_is_not_part_of_the_move(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|", "GI|RN111|G#8|GSN|", "GI|RN215|G#6100|GSN|")
    assert hotel.receive("GO|RN111|G#6100|GSN|") == []
    assert hotel.guests("111") == ["8"]


@pytest.mark.parametrize("pause", [0, 1])
def test_two_sharers_can_move_by_two_records_each_and_wake_ups_move_with_the_first(
    hotel: HotelDriver, pause: float
) -> None:
    hotel.receive("GI|RN110|G#6101|GSY|")
    assert (
        hotel.receive("GO|RN110|G#6100|GSY|") + hotel.wait(pause) + hotel.receive("GO|RN110|G#6101|GSN|")
        == []
    )
    assert hotel.receive("GI|RN215|G#6100|GSN|")[0] == "guest.moved 215 #6100 from 110"
    assert hotel.departures == [("110", "215")]
    assert hotel.receive("GI|RN215|G#6101|GSY|") == ["guest.moved 215 #6101 from 110 vacant"]
    assert hotel.guests_by_room() == {"110": [], "215": ["6100", "6101"]}
    assert (len(hotel.room("215").wake_ups), hotel.room("110").wake_ups) == (1, ())
    assert hotel.wait(5) == []


def test_the_next_guest_of_the_old_room_can_come_in_between(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert hotel.receive("GI|RN110|G#6200|GSN|")[0] == "guest.checked_in 110 #6200"
    assert hotel.receive("GI|RN215|G#6100|GSN|") == [
        "guest.moved 215 #6100 from 110",
        "room.class_of_service 215 2",
        "room.message_light 215 True",
    ]
    assert (len(hotel.room("215").wake_ups), hotel.room("110").wake_ups) == (1, ())
    assert hotel.wait(5) == []


def test_two_guests_can_exchange_rooms(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|")
    hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|", "GC|RN110|GSN|G#50|RO215|GSY|")
    assert hotel.guests_by_room() == {"110": ["50"], "215": ["6100"]}


def test_a_guest_can_move_into_a_room_whose_guest_leaves(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN215|G#50|GSN|", "GO|RN215|G#50|GSN|")
    assert hotel.receive(MOVED)[0] == "guest.moved 215 #6100 from 110 vacant"
    assert hotel.wait(5) == ["guest.checked_out 215 #50"]
    assert hotel.guests("215") == ["6100"]


def test_a_guest_with_a_pending_check_out_can_move(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|G#6100|GSN|")
    assert hotel.receive(MOVED)[0] == "guest.moved 215 #6100 from 110 vacant"
    assert hotel.wait(5) == []


def test_a_guest_who_moves_to_and_fro_has_each_finished_wake_up_once(hotel: HotelDriver) -> None:
    hotel.wait(24 * 3600)
    for _ in range(5):
        hotel.receive("GC|RN215|GSN|G#6100|RO110|GSN|", "GC|RN110|GSN|G#6100|RO215|GSN|")
    assert hotel.room("110").over == ("2026-01-02T07:00:00",)
    assert hotel.room("215").over == ("2026-01-02T07:00:00",)


def test_a_guest_can_come_back_before_the_settings_have_followed(hotel: HotelDriver) -> None:
    """The settings wait, because the guest of the new room may be leaving it."""
    hotel.receive("GI|RN215|G#50|GSN|CS3|")
    hotel.wait(3)
    hotel.receive("GC|RN215|GSY|G#6100|RO110|GSN|")
    assert hotel.receive("GC|RN110|GSN|G#6100|RO215|GSY|")[0] == "guest.moved 110 #6100 from 215"
    assert hotel.wait(5) == []
    assert hotel.guests_by_room() == {"110": ["6100"], "215": ["50"]}
    assert (hotel.room("110").class_of_service, hotel.room("110").message_light) == (2, True)
    assert [len(hotel.room(name).wake_ups) for name in ("110", "215")] == [1, 0]
    assert hotel.room("215").class_of_service == 3


def made_at(time: str, text: str) -> str:
    return f"{text}DA260101|TI{time}|"


def test_the_times_of_queued_records_tell_which_of_them_belong_together() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|GNAnna|CS2|", "RE|RN110|MLY|")
    joined = made_at("090000", "GI|RN110|G#2|GSY|GNBert|")
    assert hotel.receive(joined, made_at("091101", "GO|RN110|G#1|GSY|")) == ["guest.checked_in 110 #2"]
    hotel.wait(2)
    room = hotel.room("110")
    assert hotel.guests("110") == ["2"]
    assert (room.class_of_service, room.message_light) == (2, True)  # they were there together


def test_a_queued_guest_who_has_come_and_gone_leaves_nothing_behind() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|GNAnna|CS2|")
    assert hotel.receive(
        made_at("090000", "GO|RN110|G#1|GSN|"),
        made_at("090000", "GI|RN110|G#2|GSN|GNBert|CS1|"),
        "WR|RN110|DA260102|TI070000|",
        made_at("101501", "GO|RN110|G#2|GSN|"),
    ) == [
        "guest.checked_in 110 #2",
        "room.class_of_service 110 1",
        "wake_up.set 110 07:00",
        "guest.checked_out 110 #1",
    ]
    assert hotel.wait(2)[-2:] == ["guest.checked_out 110 #2 vacant", "room.class_of_service 110 None"]
    assert (hotel.room("110").class_of_service, hotel.room("110").wake_ups) == (None, ())


@pytest.mark.parametrize(
    ("gone", "here"),
    [
        ("090000", "090003"),
        ("0900", "0901"),
        ("090000", "090100"),
        ("130000", "140001"),
    ],
)
def test_short_gaps_times_without_seconds_and_times_in_the_future_separate_nothing(
    gone: str, here: str
) -> None:
    hotel = HotelDriver()
    hotel.receive(DIAZ, "WR|RN110|DA260102|TI070000|")
    hotel.receive(made_at(gone, "GO|RN110|G#6100|GSN|"), made_at(here, "GI|RN215|G#6100|GSN|GNDiaz|"))
    hotel.wait(2)
    assert hotel.guests_by_room() == {"110": [], "215": ["6100"]}
    assert len(hotel.room("215").wake_ups) == 1


@pytest.fixture
def two_rooms() -> HotelDriver:
    """Anna in 101 with class 1, the light and a wake-up; Bert in 104 with class 2."""
    hotel = HotelDriver()
    hotel.receive("GI|RN101|G#1|GSN|GNAnna|CS1|", "WR|RN101|DA260102|TI060000|", "RE|RN101|MLY|")
    hotel.receive("GI|RN104|G#2|GSN|GNBert|CS2|")
    hotel.wait(3)
    return hotel


def settings_by_room(hotel: HotelDriver) -> dict[str, tuple[int | None, bool, int]]:
    """Return class of service, message light and count of wake-ups of the rooms that have any."""
    found = {
        name: (room.class_of_service, room.message_light, len(room.wake_ups))
        for name, room in hotel.state.rooms.items()
    }
    return {name: values for name, values in found.items() if values != (None, False, 0)}


ANNA_TO_102, ANNA_BACK = "GC|RN102|GSN|G#1|RO101|GSN|", "GC|RN101|GSN|G#1|RO102|GSN|"
BERT_TO_101, BERT_BACK = "GC|RN101|GSN|G#2|RO104|GSN|", "GC|RN104|GSN|G#2|RO101|GSN|"
ANNA_TO_104, ANNA_BACK_FROM_104 = "GC|RN104|GSN|G#1|RO101|GSN|", "GC|RN101|GSN|G#1|RO104|GSN|"
LEAVES_101 = "GO|RN101|G#1|GSN|"
ANNA, BERT = (1, True, 1), (2, False, 0)


@pytest.mark.parametrize("pause", [0, 0.35])
@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([ANNA_TO_102, BERT_TO_101, BERT_BACK, ANNA_BACK], {"101": ANNA, "104": BERT}),
        ([ANNA_TO_102, BERT_TO_101, BERT_BACK, ANNA_BACK, LEAVES_101], {"104": BERT}),
        ([ANNA_TO_104, BERT_TO_101, ANNA_BACK_FROM_104, BERT_BACK], {"101": ANNA, "104": BERT}),
        ([ANNA_TO_104, BERT_TO_101, ANNA_BACK_FROM_104, BERT_BACK, LEAVES_101], {"104": BERT}),
        ([ANNA_TO_102, ANNA_BACK, ANNA_TO_102], {"102": ANNA, "104": BERT}),
        (
            ["GI|RN104|G#1|GSN|", "GI|RN101|G#2|GSN|", "GI|RN101|G#1|GSN|", "GI|RN104|G#2|GSN|"],
            {"101": ANNA, "104": BERT},
        ),
    ],
)
def test_guests_can_move_and_come_back_within_one_window(
    two_rooms: HotelDriver,
    records: list[str],
    expected: dict[str, tuple[int | None, bool, int]],
    pause: float,
) -> None:
    for record in records:
        two_rooms.receive(record)
        two_rooms.wait(pause)
    two_rooms.wait(5)
    assert settings_by_room(two_rooms) == expected


@pytest.mark.parametrize("pause", [0, 0.3])
def test_what_follows_a_guest_who_is_leaving_already_ends_with_that_guest(pause: float) -> None:
    hotel = HotelDriver()
    hotel.receive(
        "GI|RN103|G#1|GSN|", "WR|RN103|DA260102|TI060000|", "GI|RN102|G#2|GSN|", "GI|RN102|G#3|GSY|"
    )
    hotel.wait(3)
    for record in (
        "GC|RN102|GSY|G#1|RO103|GSN|",
        "GO|RN102|G#1|GSY|",
        "GC|RN103|GSN|G#3|RO102|GSY|",
        "GO|RN103|G#3|GSN|",
        "GO|RN102|G#2|GSN|",
    ):
        hotel.receive(record)
        hotel.wait(pause)
    hotel.wait(5)
    assert hotel.guests_by_room() == {"102": [], "103": []}
    assert settings_by_room(hotel) == {}


def test_a_move_told_just_before_the_departure_is_ended_takes_all_along(two_rooms: HotelDriver) -> None:
    """Departures are ended once a second; until then, what belongs to the guest still follows."""
    two_rooms.receive(LEAVES_101)
    two_rooms.now_ms += 2400
    assert two_rooms.receive("GI|RN102|G#1|GSN|GNAnna|")[0] == "guest.moved 102 #1 from 101 vacant"
    two_rooms.wait(5)
    assert settings_by_room(two_rooms) == {"102": ANNA, "104": BERT}
