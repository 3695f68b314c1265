"""A guest who was checked in by hand, and another whom the PMS has in the same room."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from tests.hotel.hotel_driver import HotelDriver

DAY_S = 24 * 3600
ADAMS = "GI|RN105|G#1|GSN|GNAdams|SF|"


@pytest.fixture
def hotel() -> HotelDriver:
    """Smith in 101 by hand, with a class of service and a wake-up at seven; Adams in 105."""
    hotel = HotelDriver()
    hotel.receive("GI|RN105|G#1|GSN|GNAdams|")
    hotel.check_in_by_hand("101", "Smith", class_of_service=3)
    hotel.receive("WR|RN101|DA260104|TI070000|")
    hotel.wait(5)
    return hotel


def assert_smith_is_as_before(hotel: HotelDriver, outcome: str) -> None:
    assert hotel.by_hand == [f"check_in 101 {outcome}"]
    assert "Smith" in {guest.name for guest in hotel.room("101").guests}
    assert [one.at.hour for one in hotel.room("101").wake_ups] == [7]


def assert_smith_has_left(hotel: HotelDriver, *others: str) -> None:
    assert hotel.by_hand == ["check_in 101 overruled"]
    assert hotel.guests("101") == [*others]
    assert hotel.room("101").wake_ups == ()
    assert [one.pms_guest.name for one in hotel.state.manual.by_id.values() if one.pms_guest] == ["Jones"]


SHARES = ("GSY|", "GSN|", "")


@pytest.mark.parametrize("order", [*permutations(range(3))])
@pytest.mark.parametrize("shares", [*product(SHARES, repeat=2)])
@pytest.mark.parametrize("numbers", [("7", "8"), ("8", "7")])
def test_a_resync_may_name_sharers_in_any_order(
    hotel: HotelDriver, order: tuple[int, ...], shares: tuple[str, str], numbers: tuple[str, str]
) -> None:
    jones, smith = numbers
    records = [
        f"GI|RN101|G#{jones}|GNJones|{shares[0]}SF|",
        f"GI|RN101|G#{smith}|GNSmith|{shares[1]}SF|",
        ADAMS,
    ]
    events = hotel.receive_in_new_session("DS|", *(records[index] for index in order), "DE|")
    assert [event for event in events if "checked" in event] == [f"guest.checked_in 101 #{jones} (resync)"]
    assert_smith_is_as_before(hotel, "agreed")
    assert {*hotel.guests("101")} == {"7", "8"}
    assert hotel.room("101").guest(smith).name == "Smith"  # type: ignore[union-attr]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_resync_that_names_only_another_guest_is_right(
    hotel: HotelDriver, share: str, is_first: bool
) -> None:
    jones = f"GI|RN101|G#7|GNJones|CS1|{share}SF|"
    records = [jones, ADAMS] if is_first else [ADAMS, jones]
    hotel.receive_in_new_session("DS|", *records, "WR|RN101|DA260104|TI080000|", "DE|")
    assert [one.at.hour for one in hotel.room("101").wake_ups] == [8]
    hotel.receive("WC|RN101|")
    assert_smith_has_left(hotel, "7")
    assert hotel.room("101").class_of_service == 1


def test_what_a_resync_without_its_end_has_named_waits_for_the_next(hotel: HotelDriver) -> None:
    jones = "GI|RN101|G#7|GNJones|GSY|SF|"
    hotel.receive_in_new_session("DS|", jones)
    hotel.reload()
    assert_smith_is_as_before(hotel, "waiting")
    hotel.receive_in_new_session("DS|", jones, "DE|")
    assert_smith_has_left(hotel, "7")


def test_another_guest_who_has_gone_before_the_next_resync_overrules_nothing(hotel: HotelDriver) -> None:
    hotel.receive_in_new_session("DS|", "GI|RN101|G#7|GNJones|GSY|SF|")
    hotel.receive_in_new_session("DS|", ADAMS, "DE|")
    assert_smith_is_as_before(hotel, "differs")
    assert len(hotel.guests("101")) == 1


@pytest.mark.parametrize("smith", ["GI|RN101|G#8|GNSmith|GSY|", "GC|RN101|RO109|G#8|GNSmith|GSY|"])
def test_sharers_who_come_together_are_in_any_order(hotel: HotelDriver, smith: str) -> None:
    hotel.receive("GI|RN101|G#7|GNJones|GSY|")
    hotel.wait(1)
    hotel.receive(smith)
    hotel.wait(5)
    assert_smith_is_as_before(hotel, "agreed")
    assert {*hotel.guests("101")} == {"7", "8"}


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_sharer_who_comes_without_the_guest_is_right_after_two_seconds(
    hotel: HotelDriver, is_kept: bool
) -> None:
    hotel.receive_in_new_session("DS|", ADAMS, "DE|")
    if is_kept:
        hotel.keep(hotel.id_of("check_in", "101"))
    hotel.receive("GI|RN101|G#7|GNJones|GSY|CS1|")
    hotel.reload()
    hotel.wait(1.9)
    assert_smith_is_as_before(hotel, "kept" if is_kept else "differs")
    hotel.wait(0.2)
    assert_smith_has_left(hotel, "7")
    assert hotel.room("101").class_of_service == 1


def test_a_late_timer_leaves_no_wake_up_to_the_sharer(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN101|G#7|GNJones|GSY|")
    hotel.now_ms += 10_000
    hotel.receive("RE|RN101|RS3|")
    assert_smith_has_left(hotel, "7")


@pytest.mark.parametrize("outcome", ["waiting", "differs", "kept"])
def test_a_sharer_who_leaves_at_once_overrules_nothing(hotel: HotelDriver, outcome: str) -> None:
    if outcome != "waiting":
        hotel.receive_in_new_session("DS|", ADAMS, "DE|")
    if outcome == "kept":
        hotel.keep(hotel.id_of("check_in", "101"))
    hotel.receive("GI|RN101|G#7|GNJones|GSY|")
    hotel.receive("GO|RN101|G#7|GSN|", "GI|RN106|G#7|GNJones|GSN|")
    hotel.wait(5)
    assert_smith_is_as_before(hotel, outcome)
    (change,) = hotel.state.manual.open
    assert change.pms_guest is None
    assert (change.until is None) == (outcome != "differs")
    assert {*hotel.guests_by_room()} >= {"101", "106"}


def test_a_guest_who_was_moved_by_hand_shares_with_whom_the_pms_names_first() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN101|G#1|GSN|GNAdams|CS2|", "WR|RN101|DA260104|TI070000|")
    hotel.wait(5)
    hotel.move_by_hand("101", "102")
    hotel.wait(5)
    records = ["GI|RN102|G#2|GSY|GNDay|SF|", "GI|RN102|G#1|GSY|GNAdams|SF|"]
    events = hotel.receive_in_new_session("DS|", *records, "DE|")
    assert [event for event in events if event.startswith("guest.")] == ["guest.checked_in 102 #2 (resync)"]
    assert hotel.by_hand == ["move 101 102 agreed"]
    assert [one.at.hour for one in hotel.room("102").wake_ups] == [7]


# A guest whom the PMS does not name.


NAMELESS = ["", "GN|", "GN. - |"]


@pytest.mark.parametrize("name", NAMELESS)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("is_live", [True, False])
def test_a_guest_without_a_name_overrules_nobody(
    hotel: HotelDriver, name: str, share: str, is_live: bool
) -> None:
    record = f"GI|RN101|G#7|{name}{share}"
    if is_live:
        hotel.receive(record)
        hotel.receive("WC|RN101|")
    else:
        hotel.receive_in_new_session("DS|", ADAMS, f"{record}SF|", "WC|RN101|", "DE|")
    hotel.wait(5)
    assert_smith_is_as_before(hotel, "differs")
    assert hotel.guests("101")[1:] == ["7"]
    hotel.receive_in_new_session("DS|", ADAMS, f"{record}SF|", "DE|")
    assert_smith_is_as_before(hotel, "differs")


@pytest.mark.parametrize("code", ["GC", "GI"])
@pytest.mark.parametrize("share", SHARES)
def test_a_guest_who_gets_a_name_later_is_compared_then(hotel: HotelDriver, code: str, share: str) -> None:
    hotel.receive("GI|RN101|G#7|GSN|")
    hotel.wait(5)
    assert hotel.receive(f"{code}|RN101|G#7|GNSmith|{share}") == [
        "guest.checked_out 101 #7",
        "guest.changed 101 #7",
    ]
    hotel.wait(5)
    assert_smith_is_as_before(hotel, "agreed")
    assert hotel.guests("101") == ["7"]
    again = hotel.receive_in_new_session("DS|", ADAMS, "GI|RN101|G#7|GNSmith|SF|", "DE|")
    assert again == ["resync.started", "resync.ended True"]


@pytest.mark.parametrize("share", SHARES)
def test_a_guest_who_gets_another_name_later_overrules(hotel: HotelDriver, share: str) -> None:
    hotel.receive("GI|RN101|G#7|GSN|")
    hotel.wait(5)
    hotel.receive(f"GC|RN101|G#7|GNJones|{share}")
    hotel.wait(5)
    assert hotel.by_hand == ["check_in 101 overruled"]
    assert hotel.guests("101") == ["7"]


def test_a_person_decides_about_a_guest_without_a_name(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN101|G#7|GSN|CS1|")
    hotel.wait(5)
    hotel.take(hotel.id_of("check_in", "101"))
    assert (hotel.by_hand, hotel.guests("101")) == (["check_in 101 taken"], ["7"])


@pytest.mark.parametrize(
    "record",
    ["GO|RN101|G#7|GSN|", "GO|RN101|G#7|", "GO|RN101|G#7|GSN|SF|", "GC|RN102|RO101|GSN|G#7|", "GO|RN101|"],
)
def test_a_guest_without_a_name_leaves_alone(hotel: HotelDriver, record: str) -> None:
    hotel.receive("GI|RN101|G#7|GSN|")
    hotel.wait(5)
    hotel.receive(record)
    hotel.wait(5)
    assert_smith_is_as_before(hotel, "differs")
    assert len(hotel.guests("101")) == 1


def test_a_pms_that_identifies_guests_by_room_names_its_guest_later() -> None:
    hotel = HotelDriver()
    hotel.check_in_by_hand("101", "Smith")
    hotel.receive("GI|RN101|")
    assert hotel.by_hand == ["check_in 101 differs"]
    hotel.receive("GC|RN101|GNSmith|")
    assert (hotel.by_hand, hotel.guests("101")) == (["check_in 101 agreed"], [""])
