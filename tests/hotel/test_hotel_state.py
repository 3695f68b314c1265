"""The house: its bounds, its memory, and that a copy is another one."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict

from pmslink.fias.record import Record
from pmslink.hotel.hotel_state import MAX_ROOMS, REPLAY_WINDOW_RECORDS, HotelState
from pmslink.hotel.rooms import Guest, Room
from tests.hotel.hotel_driver import HotelDriver


def full() -> HotelDriver:
    hotel = HotelDriver()
    hotel.state.rooms.update({str(number): Room(str(number)) for number in range(MAX_ROOMS)})
    return hotel


@pytest.mark.parametrize("record", ["GI", "GO", "GC", "RE", "WR", "WC"])
def test_a_pms_that_names_more_rooms_than_a_hotel_has_is_not_believed(record: str) -> None:
    hotel = full()
    assert hotel.receive(f"{record}|RNAnnex|G#1|CS1|DA260101|TI123000|") == []
    assert len(hotel.state.rooms) == MAX_ROOMS
    assert hotel.receive("GI|RN110|G#1|GSN|") == ["guest.checked_in 110 #1"]


def test_a_guest_cannot_move_to_one_room_too_many() -> None:
    hotel = full()
    hotel.receive("GI|RN110|G#1|GSN|")
    assert hotel.receive("GC|RNAnnex|GSN|G#1|RO110|GSN|", "GI|RNAnnex|G#1|GSN|") == []
    assert hotel.guests() == ["1"]


def test_a_copy_is_another_house() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|", "GI|RN111|G#2|GSN|", "WR|RN110|DA260102|TI070000|")
    hotel.receive("NS|DA260101|TI020000|", "GI|RN113|G#4|GSN|DA260101|TI120000|", "GO|RN111|G#2|GSN|", "DS|")
    hotel.receive("GI|RN110|G#1|SF|", "GI|RN114|G#4|SF|", "GC|RN115|G#4|", "WR|RN110|DA260102|TI080000|")
    hotel.receive("GO|RN110|G#1|GSN|")
    original = hotel.state

    def known(house: HotelState) -> dict[str, Any]:
        own = ("changed_rooms", "_events", "_departures")
        return {name: value for name, value in asdict(house, recurse=False).items() if name not in own}

    before = repr(known(original))
    assert [name for name, value in known(original).items() if not value] == []
    hotel.state = original.copy()
    assert repr(known(hotel.state)) == before
    assert hotel.state.changed_rooms == set()
    hotel.wait(5)
    hotel.receive(
        "GI|RN112|G#3|GSN|DA260101|TI120000|", "NE|", "WR|RN112|DA260102|TI070000|", "GC|RN116|G#3|"
    )
    hotel.receive("DE|", "DS|", "GI|RN117|G#9|GSN|SF|")
    assert repr(known(original)) == before
    assert (original.pop_events(), original.pop_departures()) == ([], [])


def test_a_copy_of_a_house_without_a_resync_has_none() -> None:
    assert HotelState({}).copy().seen_guests is None


def test_a_house_that_is_put_together_knows_who_is_where_and_who_is_to_be_woken() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|", "GI|RN111|", "WR|RN110|DA260102|TI070000|")
    hotel.reload()
    assert hotel.state.room_by_guest == {"1": "110"}
    assert hotel.state.rooms_with_wake_ups == {"110"}


def test_only_rooms_that_are_different_are_touched() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|", "RE|RN111|CS1|")
    assert hotel.state.changed_rooms == {"110", "111"}
    hotel.state.changed_rooms.clear()
    hotel.wait(60)
    hotel.receive("GI|RN110|G#1|GSN|", "RE|RN111|CS2|")
    assert hotel.state.changed_rooms == {"111"}
    changed = (hotel.room("110").changed, hotel.room("111").changed)
    assert changed == (hotel.now_ms - 60_000, hotel.now_ms)


def test_the_next_that_is_due_is_the_soonest() -> None:
    hotel = HotelDriver()
    assert hotel.state.next_due_at is None
    hotel.receive("WR|RN110|DA260101|TI120005|", "WR|RN111|DA260101|TI120003|", "GI|RN112|G#1|GSN|")
    assert hotel.state.next_due_at == hotel.now_ms + 3000
    hotel.receive("GO|RN112|G#1|GSN|")
    assert hotel.state.next_due_at == hotel.now_ms + 2000


# What was heard before.


@pytest.mark.parametrize("id", ["GI", "GO", "GC", "NS", "NE"])
def test_a_record_with_a_date_and_a_time_that_comes_in_a_later_session_is_a_repetition(id: str) -> None:
    house = HotelState({})
    record = Record(f"{id}|RN110|G#1|DA260101|TI120000|")
    assert not house.is_replay(record, 1)
    assert house.is_replay(record, 2)
    assert house.is_replay(record, 2)
    assert house.is_replay(record, 3)
    assert not house.is_replay(Record(f"{id}|RN110|G#1|DA260101|TI120001|"), 3)


def test_within_a_session_the_same_record_may_be_meant_anew() -> None:
    """Q19: HHMM tells two things of one minute by the same words."""
    house = HotelState({})
    record = Record("GI|RN110|G#1|DA260101|TI1200|")
    assert not house.is_replay(record, 1)
    assert not house.is_replay(record, 1)


@pytest.mark.parametrize(
    "text",
    [
        "GI|RN110|G#1|",
        "GI|RN110|G#1|DA|TI|",
        "GI|RN110|G#1|DA260101|TI|",
        "GI|RN110|G#1|DA260101|TI120000|SF|",
        "RE|RN110|CS1|DA260101|TI120000|",
        "WR|RN110|DA260101|TI120000|",
        "DS|DA260101|TI120000|",
    ],
)
def test_any_other_record_may_come_again(text: str) -> None:
    house = HotelState({})
    assert not house.is_replay(Record(text), 1)
    assert not house.is_replay(Record(text), 2)


def test_the_last_thousand_are_remembered_and_only_by_a_digest() -> None:
    house = HotelState({})
    records = [
        Record(f"GI|RN110|G#{number}|GNLarsen\ud800|DA26|TI12|")
        for number in range(REPLAY_WINDOW_RECORDS + 1)
    ]
    for record in records:
        assert not house.is_replay(record, 1)
    assert all(house.is_replay(record, 2) for record in records[1:])
    assert not house.is_replay(records[0], 2)
    assert "Larsen" not in repr(house)


# Forgetting.


def test_guests_are_forgotten_but_not_that_somebody_is_there() -> None:
    house = HotelState(
        {"110": Room("110", (Guest("1", "Clark", "Ann", "Mrs", "EA", "2", "Wedding", "2026-01-01"),))}
    )
    assert house.erase_guest_data("110", "2026-02-01")
    assert house.rooms["110"].guests == (Guest("1", language="EA", vip="2", arrival="2026-01-01"),)
    assert house.changed_rooms == {"110"}


@pytest.mark.parametrize(("departure", "forgotten"), [("2026-02-01", True), ("2026-02-02", False)])
def test_guests_are_not_forgotten_while_one_is_known_to_stay(departure: str, forgotten: bool) -> None:
    house = HotelState({"110": Room("110", (Guest("1", "Clark"), Guest("2", "Day", departure=departure)))})
    assert house.erase_guest_data("110", "2026-02-01") == forgotten
    assert (house.rooms["110"].guests[0].name is None) == forgotten
