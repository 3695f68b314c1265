"""What was done by hand while the PMS could not be reached, and what the PMS says afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pmslink.errors import NotApplicableError
from pmslink.hotel.manual_decisions import UnknownManualChangeError
from pmslink.timestamps import from_ms
from tests.hotel.hotel_driver import HotelDriver

DAY_S = 24 * 3600


@pytest.fixture
def hotel() -> HotelDriver:
    """Adams in 101 and Bauer in 103; 102 and 104 are vacant."""
    hotel = HotelDriver()
    hotel.receive(
        "GI|RN101|G#1|GSN|GNAdams|CS2|",
        "GI|RN103|G#3|GSN|GNBauer|CS2|",
        "WR|RN101|DA260103|TI070000|",
    )
    hotel.wait(5)
    return hotel


def resync(hotel: HotelDriver, *records: str) -> list[str]:
    """Receive a complete resync, in a new session, without the events that begin and end it."""
    events = hotel.receive_in_new_session("DS|", *records, "DE|")
    assert (events[0], events[-1]) == ("resync.started", "resync.ended True")
    return [event.removesuffix(" (resync)") for event in events[1:-1]]


ADAMS, BAUER = "GI|RN101|G#1|GSN|GNAdams|CS2|SF|", "GI|RN103|G#3|GSN|GNBauer|CS2|SF|"


# By hand.


def test_each_act_is_told_to_the_pbx_as_local(hotel: HotelDriver) -> None:
    assert hotel.check_in_by_hand("102", "Cole", class_of_service=3, departure="2026-01-04") == [
        "guest.checked_in 102 # by local",
        "room.class_of_service 102 3 by local",
    ]
    guest = hotel.emitted[0].payload["guest"]  # type: ignore[union-attr]
    assert (guest["number"], guest["name"], guest["arrival"], guest["departure"]) == (
        *("", "Cole", "2026-01-01"),
        "2026-01-04",
    )
    assert hotel.move_by_hand("101", "104") == [
        "guest.moved 104 #1 from 101 vacant by local",
        "room.class_of_service 101 None by local",
        "room.class_of_service 104 2 by local",
    ]
    assert [one.at.hour for one in hotel.room("104").wake_ups] == [7]
    assert hotel.check_out_by_hand("103") == [
        "guest.checked_out 103 #3 vacant by local",
        "room.class_of_service 103 None by local",
    ]
    assert hotel.by_hand == ["check_in 102 waiting", "move 101 104 waiting", "check_out 103 waiting"]


def test_the_wake_ups_of_a_guest_who_is_checked_out_by_hand_are_cancelled(hotel: HotelDriver) -> None:
    assert hotel.check_out_by_hand("101") == [
        "wake_up.cancelled 101 07:00 by local",
        "guest.checked_out 101 #1 vacant by local",
        "room.class_of_service 101 None by local",
    ]


def test_what_does_not_fit_the_rooms_is_refused(hotel: HotelDriver) -> None:
    acts: list[tuple[str, Callable[[], object]]] = [
        ("occupied", lambda: hotel.check_in_by_hand("101", "Cole")),
        ("vacant", lambda: hotel.check_out_by_hand("102")),
        ("vacant", lambda: hotel.move_by_hand("102", "104")),
        ("occupied", lambda: hotel.move_by_hand("101", "103")),
        ("occupied", lambda: hotel.move_by_hand("101", "101")),
    ]
    for code, act in acts:
        with pytest.raises(NotApplicableError) as refused:
            act()
        assert refused.value.code == code
    assert hotel.by_hand == []


def test_a_second_check_in_changes_the_name(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole")
    assert hotel.check_in_by_hand("102", "Coleman", language="EA") == ["guest.changed 102 # by local"]
    assert hotel.check_in_by_hand("102", "Coleman", language="EA") == []
    assert hotel.by_hand == ["check_in 102 waiting"]


def test_what_is_undone_by_hand_leaves_nothing(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole")
    hotel.move_by_hand("102", "104")
    assert hotel.by_hand == ["check_in 104 waiting"]
    hotel.check_out_by_hand("104")
    hotel.move_by_hand("101", "102")
    hotel.move_by_hand("102", "101")
    assert hotel.by_hand == []


def test_a_guest_who_was_moved_can_be_checked_out_by_hand(hotel: HotelDriver) -> None:
    hotel.move_by_hand("101", "102")
    hotel.check_out_by_hand("102")
    assert hotel.by_hand == ["check_out 101 waiting"]
    assert resync(hotel, BAUER) == []
    assert hotel.by_hand == ["check_out 101 agreed"]


# The same guest.


@pytest.mark.parametrize(
    "name", ["GNCole|GFAnn|", "GNCOLE|", "GNCôle|GFÂnn|", "GNAnn Cole|", "GNCole, Ann|GTMs|"]
)
def test_the_same_guest_is_confirmed_and_keeps_wake_ups(hotel: HotelDriver, name: str) -> None:
    hotel.check_in_by_hand("102", "cole", first_name="Ann")
    hotel.receive("WR|RN102|DA260103|TI063000|")
    assert resync(hotel, ADAMS, BAUER, f"GI|RN102|G#2|GSN|{name}SF|") == ["guest.changed 102 #2"]
    assert hotel.guests("102") == ["2"]
    assert len(hotel.room("102").wake_ups) == 1
    assert hotel.by_hand == ["check_in 102 agreed"]
    assert [(one.kind, one.number) for one in hotel.stay_changes] == [("confirmed", "2"), ("vacant", "")]
    assert resync(hotel, ADAMS, BAUER, f"GI|RN102|G#2|GSN|{name}SF|") == []


def test_a_live_check_in_confirms_too(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole", class_of_service=1)
    assert hotel.receive("GI|RN102|G#2|GSN|GNCole|CS3|") == [
        "guest.changed 102 #2",
        "room.class_of_service 102 3",
    ]
    assert hotel.by_hand == ["check_in 102 agreed"]


def test_a_pms_that_identifies_guests_by_room_confirms_too() -> None:
    hotel = HotelDriver()
    hotel.check_in_by_hand("102", "Cole")
    assert hotel.receive("GI|RN102|GNCole|") == ["guest.changed 102 #"]
    assert hotel.guests("102") == [""]
    hotel.move_by_hand("102", "104")
    assert resync(hotel, "GI|RN102|GNCole|SF|") == []
    assert hotel.by_hand == ["check_in 102 agreed", "move 102 104 differs"]
    assert resync(hotel, "GI|RN104|GNCole|SF|") == []
    assert hotel.by_hand[1] == "move 102 104 agreed"


def test_a_move_and_a_check_out_are_confirmed(hotel: HotelDriver) -> None:
    hotel.move_by_hand("101", "102")
    hotel.check_out_by_hand("103")
    assert resync(hotel, "GI|RN102|G#1|GSN|GNAdams|CS2|SF|") == []
    assert hotel.by_hand == ["move 101 102 agreed", "check_out 103 agreed"]
    assert (hotel.guests("102"), len(hotel.room("102").wake_ups)) == (["1"], 1)


@pytest.mark.parametrize(
    "records",
    [
        ["GC|RN102|G#1|RO101|"],
        ["GO|RN101|G#1|GSN|", "GI|RN102|G#1|GSN|GNAdams|CS2|"],
        ["GI|RN102|G#1|GSN|GNAdams|CS2|", "GO|RN101|G#1|GSN|"],
    ],
)
def test_a_move_that_the_pms_makes_too_is_no_second_event(hotel: HotelDriver, records: list[str]) -> None:
    hotel.move_by_hand("101", "102")
    hotel.wait(5)
    assert hotel.receive(*records) + hotel.wait(5) == []
    assert (hotel.guests("102"), len(hotel.room("102").wake_ups)) == (["1"], 1)
    assert hotel.by_hand == ["move 101 102 agreed"]


# Another guest.


def test_another_guest_in_the_room_is_taken_over_at_once(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole", class_of_service=3)
    assert hotel.receive("GI|RN102|G#2|GSN|GNDay|CS1|") == [
        "guest.checked_out 102 # vacant",
        "guest.checked_in 102 #2",
        "room.class_of_service 102 1",
    ]
    assert hotel.by_hand == ["check_in 102 overruled"]
    hotel.wait(DAY_S)
    assert hotel.by_hand == []


def test_another_guest_where_one_was_moved_sends_that_one_back(hotel: HotelDriver) -> None:
    hotel.move_by_hand("101", "102")
    hotel.wait(5)
    assert resync(hotel, ADAMS, BAUER, "GI|RN102|G#2|GSN|GNDay|CS1|SF|") == [
        "guest.checked_in 102 #2",
        "room.class_of_service 102 1",
        "guest.moved 101 #1 from 102",
        "room.class_of_service 101 2",
    ]
    assert (len(hotel.room("101").wake_ups), len(hotel.room("102").wake_ups)) == (1, 0)
    assert hotel.by_hand == ["move 101 102 overruled"]


def test_a_swap_by_the_pms_during_the_outage(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole")
    events = resync(hotel, "GI|RN103|G#1|GSN|GNAdams|CS2|SF|", "GI|RN101|G#3|GSN|GNBauer|CS2|SF|")
    assert [event for event in events if event.startswith("guest.")] == [
        "guest.moved 103 #1 from 101 vacant",
        "guest.moved 101 #3 from 103",
    ]
    assert (hotel.guests("101"), hotel.guests("103")) == (["3"], ["1"])
    assert hotel.by_hand == ["check_in 102 differs"]


def test_a_swap_by_hand_is_taken_back_as_one(hotel: HotelDriver) -> None:
    """That the PMS still has both guests where they were names no other guest."""
    hotel.move_by_hand("101", "102")
    hotel.move_by_hand("103", "101")
    hotel.move_by_hand("102", "103")
    hotel.wait(5)
    assert resync(hotel, ADAMS, BAUER) == []
    assert hotel.by_hand == ["move 103 101 differs", "move 101 103 differs"]
    events = hotel.take(hotel.id_of("move", "101"))
    assert [event for event in events if event.startswith("guest.")] == [
        "guest.moved 103 #3 from 101 vacant",
        "guest.moved 101 #1 from 103",
    ]
    assert hotel.by_hand == ["move 103 101 overruled", "move 101 103 taken"]
    assert hotel.guests_by_room() == {"101": ["1"], "103": ["3"], "102": []}
    assert [one.at.hour for one in hotel.room("101").wake_ups] == [7]


def test_a_guest_in_a_third_room_is_there(hotel: HotelDriver) -> None:
    hotel.move_by_hand("101", "102")
    hotel.check_out_by_hand("103")
    assert resync(hotel, "GI|RN104|G#1|GSN|GNAdams|SF|", "GI|RN105|G#3|GSN|GNBauer|SF|") == [
        "guest.moved 104 #1 from 102 vacant",
        "room.class_of_service 102 None",
        "room.class_of_service 104 2",
        "guest.checked_in 105 #3",
    ]
    assert hotel.by_hand == ["move 101 102 overruled", "check_out 103 overruled"]
    assert hotel.guests_by_room() == {"101": [], "102": [], "103": [], "104": ["1"], "105": ["3"]}


# What differs.


def make_differ(hotel: HotelDriver) -> None:
    """Check Cole in, move Adams and check Bauer out; the PMS knows nothing of it."""
    hotel.check_in_by_hand("102", "Cole", class_of_service=3)
    hotel.move_by_hand("101", "104")
    hotel.check_out_by_hand("103")
    hotel.wait(5)
    assert resync(hotel, ADAMS, BAUER, "GO|RN102|SF|", "RE|RN102|CS0|", "RE|RN103|CS3|MLY|") == []
    assert hotel.by_hand == ["check_in 102 differs", "move 101 104 differs", "check_out 103 differs"]


def test_what_differs_stays_until_it_is_taken(hotel: HotelDriver) -> None:
    make_differ(hotel)
    assert hotel.room("102").class_of_service == 3
    assert hotel.take(hotel.id_of("check_in", "102")) == [
        "guest.checked_out 102 # vacant",
        "room.class_of_service 102 0",
    ]
    assert hotel.take(hotel.id_of("move", "101")) == [
        "guest.moved 101 #1 from 104 vacant",
        "room.class_of_service 104 None",
        "room.class_of_service 101 2",
    ]
    assert hotel.take(hotel.id_of("check_out", "103")) == [
        "guest.checked_in 103 #3",
        "room.class_of_service 103 3",
        "room.message_light 103 True",
    ]
    assert hotel.guests_by_room() == {"101": ["1"], "102": [], "103": ["3"], "104": []}
    assert [one.at.hour for one in hotel.room("101").wake_ups] == [7]
    assert {line.split()[-1] for line in hotel.by_hand} == {"taken"}


def test_a_day_later_the_rooms_are_as_the_pms_says(hotel: HotelDriver) -> None:
    make_differ(hotel)
    assert hotel.wait(DAY_S - 6) == []
    hotel.reload()
    assert len(hotel.wait(10)) == 8
    assert hotel.guests_by_room() == {"101": ["1"], "102": [], "103": ["3"], "104": []}


def test_what_is_kept_stays_until_the_pms_is_corrected(hotel: HotelDriver) -> None:
    make_differ(hotel)
    for change_id in [*hotel.state.manual.by_id]:
        hotel.keep(change_id)
    assert hotel.wait(3 * DAY_S) == [
        "wake_up.due 104 07:00 1",
        "wake_up.due 104 07:00 2",
        "wake_up.due 104 07:00 3",
        "wake_up.done 104 07:00 unreported",
        "WA 104 07:00 unreported",
    ]
    assert hotel.receive("GC|RN104|G#1|RO101|", "GO|RN103|G#3|GSN|", "GI|RN102|G#2|GSN|GNCole|CS3|") == [
        "guest.changed 102 #2"
    ]
    assert hotel.guests_by_room() == {"101": [], "102": ["2"], "103": [], "104": ["1"]}
    assert {line.split()[-1] for line in hotel.by_hand} == {"agreed"}


def test_wake_ups_come_back_with_a_guest_who_was_checked_out_by_hand(hotel: HotelDriver) -> None:
    hotel.check_out_by_hand("101")
    resync(hotel, ADAMS, BAUER, "WR|RN101|DA260103|TI080000|", "WR|RN101|DA260103|TI070000|")
    assert hotel.room("101").wake_ups == ()
    assert hotel.take(hotel.id_of("check_out", "101")) == [
        "guest.checked_in 101 #1",
        "wake_up.set 101 07:00",
        "wake_up.set 101 08:00",
        "room.class_of_service 101 2",
    ]


BELL = "GI|RN101|G#2|GSY|GNBell|SF|"


@pytest.mark.parametrize("first_act", ["check_out", "move"])
@pytest.mark.parametrize(
    ("leaves", "back"), [("", ("1", "2")), ("", ("2", "1")), ("1", ("2",)), ("2", ("1",))]
)
def test_what_sharers_had_comes_back_with_whoever_comes_back_first(
    hotel: HotelDriver, first_act: str, leaves: str, back: tuple[str, ...]
) -> None:
    hotel.receive("GI|RN101|G#2|GSY|GNBell|")
    hotel.wait(5)
    if first_act == "move":
        hotel.move_by_hand("101", "104")
    hotel.check_out_by_hand("104" if first_act == "move" else "101")
    resync(hotel, ADAMS, BELL, BAUER, "WR|RN101|DA260103|TI080000|")
    if leaves:
        hotel.receive(f"GO|RN101|G#{leaves}|GSY|")
    hotel.reload()
    change_ids = {one.number: one.id for one in hotel.state.manual.open}
    assert {*change_ids} == {*back}
    for number in back:
        hotel.take(change_ids[number])
        assert [one.at.hour for one in hotel.room("101").wake_ups] == [7, 8]
        assert hotel.room("101").class_of_service == 2
    assert {*hotel.guests("101")} == {*back}
    assert hotel.state.manual.suspended == {}


def test_what_sharers_had_ends_when_the_last_one_has_left(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN101|G#2|GSY|GNBell|")
    hotel.check_out_by_hand("101")
    resync(hotel, BAUER)
    assert (hotel.state.manual.suspended, hotel.state.manual.open) == ({}, [])


def test_what_the_pms_says_of_a_guest_who_was_moved_applies_where_the_guest_is(hotel: HotelDriver) -> None:
    hotel.move_by_hand("101", "104")
    assert hotel.receive("RE|RN101|MLY|RS3|", "WR|RN101|DA260103|TI080000|") == [
        "room.message_light 104 True",
        "room.status 101 3",
        "wake_up.set 104 08:00",
    ]
    assert (hotel.room("104").message_light, hotel.room("101").status) == (True, 3)
    assert [one.at.hour for one in hotel.room("104").wake_ups] == [7, 8]


def test_a_resync_without_its_end_decides_nothing(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole")
    hotel.move_by_hand("101", "104")
    hotel.check_out_by_hand("103")
    hotel.receive_in_new_session("DS|", ADAMS, BAUER, "GO|RN102|SF|")
    hotel.receive_in_new_session("DS|")
    assert {line.split()[-1] for line in hotel.by_hand} == {"waiting"}
    hotel.receive("DE|")  # without any guest
    assert {line.split()[-1] for line in hotel.by_hand} == {"waiting"}


def test_a_restart_within_a_resync_decides_nothing(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole")
    hotel.receive_in_new_session("DS|", ADAMS)
    hotel.reload()
    hotel.receive("DE|")
    assert hotel.by_hand == ["check_in 102 waiting"]


def test_two_outages(hotel: HotelDriver) -> None:
    make_differ(hotel)
    hotel.wait(3600)
    hotel.move_by_hand("102", "105")
    hotel.check_in_by_hand("102", "Day")
    assert hotel.by_hand[2:] == ["check_in 105 waiting", "check_in 102 waiting"]
    resync(hotel, ADAMS, "GI|RN105|G#2|GSN|GNCole|SF|")
    assert hotel.by_hand == [
        "move 101 104 differs",
        "check_out 103 agreed",
        "check_in 105 agreed",
        "check_in 102 differs",
    ]


@pytest.mark.parametrize("act", ["move", "check_out"])
@pytest.mark.parametrize("room", ["102", "104"])
def test_a_change_that_is_made_anew_is_another_one(hotel: HotelDriver, room: str, act: str) -> None:
    make_differ(hotel)
    former_ids = {*hotel.state.manual.by_id}
    (change,) = hotel.state.manual.with_guest_in(room)
    if act == "move":
        hotel.move_by_hand(room, "106")
    else:
        hotel.check_out_by_hand(room)
    resync(hotel, ADAMS, BAUER)
    for decide in (hotel.take, hotel.keep):
        with pytest.raises(UnknownManualChangeError):
            decide(change.id)
    new_ids = {*hotel.state.manual.by_id} - former_ids
    assert len(new_ids) == (0 if (room, act) == ("102", "check_out") else 1)
    for change_id in new_ids:
        assert change_id > max(former_ids)
        hotel.take(change_id)


def test_a_guest_who_checks_in_by_hand_where_another_was_checked_out_by_hand(hotel: HotelDriver) -> None:
    """The PMS still has the former guest: that is no other guest, and both changes stay."""
    hotel.check_out_by_hand("101")
    hotel.check_in_by_hand("101", "Day")
    assert resync(hotel, ADAMS, BAUER) == []
    assert hotel.by_hand == ["check_out 101 differs", "check_in 101 differs"]
    hotel.take(hotel.id_of("check_out", "101"))
    assert hotel.guests("101") == ["1"]
    assert hotel.by_hand == ["check_out 101 taken", "check_in 101 overruled"]


def test_a_check_out_by_hand_that_was_undone_by_hand(hotel: HotelDriver) -> None:
    hotel.check_out_by_hand("101")
    hotel.check_in_by_hand("101", "Adams")
    assert resync(hotel, ADAMS, BAUER) == ["guest.changed 101 #1", "room.class_of_service 101 2"]
    assert hotel.by_hand == ["check_out 101 agreed", "check_in 101 agreed"]


def test_only_what_differs_can_be_decided(hotel: HotelDriver) -> None:
    hotel.check_in_by_hand("102", "Cole")
    change_id = hotel.id_of("check_in", "102")
    for decide in (hotel.take, hotel.keep):
        with pytest.raises(NotApplicableError) as refused:
            decide(change_id)
        assert refused.value.code == "not_compared"
        with pytest.raises(UnknownManualChangeError):
            decide(4711)
    resync(hotel, ADAMS, BAUER)
    hotel.keep(change_id)
    hotel.take(change_id)
    with pytest.raises(NotApplicableError) as refused:
        hotel.keep(change_id)
    assert refused.value.code == "decided"


def test_the_day_does_not_end_while_the_clock_is_not_certain(hotel: HotelDriver) -> None:
    make_differ(hotel)
    hotel.clock_settled = False
    assert hotel.jump_to(from_ms(hotel.now_ms + 2 * DAY_S * 1000)) == []
    hotel.jump_to(from_ms(hotel.now_ms - 30 * DAY_S * 1000))
    hotel.clock_settled = True
    hotel.wait(0)
    assert {one.until for one in hotel.state.manual.open} == {hotel.now_ms + DAY_S * 1000}


def test_names_are_erased_with_those_of_the_room(hotel: HotelDriver) -> None:
    hotel.check_out_by_hand("101")
    hotel.state.erase_guest_data("101", "2027-01-01")
    (change,) = hotel.state.manual.open
    assert change.guest.name is None
