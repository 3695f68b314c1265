"""The hotel state: bounds, copies, detection of replays, and erasure of guest data."""

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
def test_records_for_rooms_beyond_the_maximum_are_ignored(record: str) -> None:
    hotel = full()
    types = [line.split()[0] for line in hotel.receive(f"{record}|RNAnnex|G#1|CS1|DA260101|TI123000|")]
    assert types == (["wake_up.not_understood"] if record in ("WR", "WC") else [])
    assert hotel.state.bound_problem == "the hotel has 20000 rooms already"
    assert len(hotel.state.rooms) == MAX_ROOMS
    assert hotel.receive("GI|RN110|G#1|GSN|") == ["guest.checked_in 110 #1"]


def test_a_move_to_a_room_beyond_the_maximum_is_ignored() -> None:
    hotel = full()
    hotel.receive("GI|RN110|G#1|GSN|")
    assert hotel.receive("GC|RNAnnex|GSN|G#1|RO110|GSN|", "GI|RNAnnex|G#1|GSN|") == []
    assert hotel.guests() == ["1"]


def test_a_copy_has_every_attribute_and_changes_independently() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|", "GI|RN111|G#2|GSN|", "WR|RN110|DA260102|TI070000|")
    hotel.receive("NS|DA260101|TI020000|", "GI|RN113|G#4|GSN|DA260101|TI120000|", "GO|RN111|G#2|GSN|", "DS|")
    hotel.receive("GI|RN110|G#1|SF|", "GI|RN114|G#4|SF|", "GC|RN115|G#4|", "WR|RN110|DA260102|TI080000|")
    hotel.receive("GO|RN110|G#1|GSN|")
    original = hotel.state

    def attribute_values(state: HotelState) -> dict[str, Any]:
        own = ("changed_rooms", "bound_problem", "_events", "_departures", "_stay_changes", "_rooms_before")
        return {name: value for name, value in asdict(state, recurse=False).items() if name not in own}

    before = repr(attribute_values(original))
    assert [name for name, value in attribute_values(original).items() if not value] == []
    hotel.state = original.copy()
    assert repr(attribute_values(hotel.state)) == before
    assert hotel.state.changed_rooms == set()
    hotel.wait(5)
    hotel.receive(
        "GI|RN112|G#3|GSN|DA260101|TI120000|", "NE|", "WR|RN112|DA260102|TI070000|", "GC|RN116|G#3|"
    )
    hotel.receive("DE|", "DS|", "GI|RN117|G#9|GSN|SF|")
    assert repr(attribute_values(original)) == before
    assert (original.pop_events(), original.pop_departures()) == ([], [])


def test_a_copy_of_a_state_without_a_resync_has_none() -> None:
    assert HotelState({}).copy().seen_guests is None


def test_a_restored_state_has_its_indexes_of_guests_and_wake_ups() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|", "GI|RN111|", "WR|RN110|DA260102|TI070000|")
    hotel.reload()
    assert hotel.state.room_by_guest == {"1": "110"}
    assert hotel.state.rooms_with_wake_ups == {"110"}


def test_only_rooms_that_differ_count_as_changed() -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN110|G#1|GSN|", "RE|RN111|CS1|")
    assert hotel.state.changed_rooms == {"110", "111"}
    hotel.state.changed_rooms.clear()
    hotel.wait(60)
    hotel.receive("GI|RN110|G#1|GSN|", "RE|RN111|CS2|")
    assert hotel.state.changed_rooms == {"111"}
    changed = (hotel.room("110").changed, hotel.room("111").changed)
    assert changed == (hotel.now_ms - 60_000, hotel.now_ms)


def test_the_next_due_time_is_the_earliest() -> None:
    hotel = HotelDriver()
    assert hotel.state.next_due_at is None
    hotel.receive("WR|RN110|DA260101|TI120005|", "WR|RN111|DA260101|TI120003|", "GI|RN112|G#1|GSN|")
    assert hotel.state.next_due_at == hotel.now_ms + 3000
    hotel.receive("GO|RN112|G#1|GSN|")
    assert hotel.state.next_due_at == hotel.now_ms + 2000


# Detection of replays.


@pytest.mark.parametrize("id", ["GI", "GO", "GC", "NS", "NE"])
def test_a_timestamped_record_that_comes_again_in_a_later_session_is_a_replay(id: str) -> None:
    state = HotelState({})
    record = Record(f"{id}|RN110|G#1|DA260101|TI120000|")
    assert not state.is_replay(record, 1)
    assert state.is_replay(record, 2)
    assert state.is_replay(record, 2)
    assert state.is_replay(record, 3)
    assert not state.is_replay(Record(f"{id}|RN110|G#1|DA260101|TI120001|"), 3)


def test_the_same_record_within_a_session_is_no_replay() -> None:
    """Q19: times without seconds make two records of one minute equal."""
    state = HotelState({})
    record = Record("GI|RN110|G#1|DA260101|TI1200|")
    assert not state.is_replay(record, 1)
    assert not state.is_replay(record, 1)


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
def test_other_records_are_never_replays(text: str) -> None:
    state = HotelState({})
    assert not state.is_replay(Record(text), 1)
    assert not state.is_replay(Record(text), 2)


def test_the_replay_window_holds_digests_of_the_last_thousand_records() -> None:
    state = HotelState({})
    records = [
        Record(f"GI|RN110|G#{number}|GNLarsen\ud800|DA26|TI12|")
        for number in range(REPLAY_WINDOW_RECORDS + 1)
    ]
    for record in records:
        assert not state.is_replay(record, 1)
    assert all(state.is_replay(record, 2) for record in records[1:])
    assert not state.is_replay(records[0], 2)
    assert "Larsen" not in repr(state)


# Erasure of guest data.


def test_erasing_guest_data_keeps_the_guests() -> None:
    state = HotelState(
        {"110": Room("110", (Guest("1", "Clark", "Ann", "Mrs", "EA", "2", "Wedding", "2026-01-01"),))}
    )
    assert state.erase_guest_data("110", "2026-02-01")
    assert state.rooms["110"].guests == (Guest("1", language="EA", vip="2", arrival="2026-01-01"),)
    assert state.changed_rooms == {"110"}


@pytest.mark.parametrize(("departure", "forgotten"), [("2026-02-01", True), ("2026-02-02", False)])
def test_guest_data_is_not_erased_while_one_guest_stays(departure: str, forgotten: bool) -> None:
    state = HotelState({"110": Room("110", (Guest("1", "Clark"), Guest("2", "Day", departure=departure)))})
    assert state.erase_guest_data("110", "2026-02-01") == forgotten
    assert (state.rooms["110"].guests[0].name is None) == forgotten
