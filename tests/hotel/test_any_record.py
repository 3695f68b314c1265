"""Any record of a PMS, plausible or not: the reducer does not fail, and the state stays consistent."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.phone_update_records import wake_up_result_update
from pmslink.hotel.record_reducer import HANDLERS
from pmslink.hotel.room_window import parse_window, serialize_window
from pmslink.hotel.rooms import parse_room, serialize_room
from tests.hotel.hotel_driver import START_TIME, HotelDriver

ROOMS, NUMBERS, SHARES = ["110", "111"], ["1", "1", "2", ""], ["", "N", "Y"]
GS_FIELDS = ["", "GSN|", "GSY|"]
DATES, TIMES = ["", "260101", "260102", "26"], ["", "1200", "120000", "115500", "235959", "1261"]
anything = st.text(st.characters(exclude_characters="|", codec="utf-8"), max_size=4)


def field(code: str, values: list[str]) -> st.SearchStrategy[str]:
    """One field, sometimes with an arbitrary value."""
    return st.integers(0, 9).flatmap(
        lambda one: st.builds(
            "{}{}|".format, st.just(code), anything if one == 0 else st.sampled_from(values)
        )
    )


usual = st.tuples(field("RN", ROOMS), field("G#", NUMBERS), field("GS", SHARES))
timed = st.tuples(field("RN", ROOMS), field("DA", DATES), field("TI", TIMES))
moved = st.tuples(field("RN", ROOMS), field("GS", SHARES), field("G#", NUMBERS), field("RO", ROOMS))
others = st.lists(
    field("SF", [""])
    | field("CS", ["1", "2"])
    | field("DN", SHARES)
    | field("ML", SHARES)
    | field("GN", ["Day"])
    | field("DA", DATES)
    | field("TI", TIMES)
    | field("RN", ROOMS)
    | field("GD", DATES)
    | field("RS", ["3"]),
    max_size=3,
)
record = st.builds(
    lambda id, first, more: f"{id}|{''.join(first)}{''.join(more)}",
    st.sampled_from(sorted(HANDLERS)),
    usual | timed | moved | st.just(()),
    others,
)
moment = st.sampled_from([0, 1, 60, 180, 1800, -3600])


@settings(max_examples=100, derandomize=True)
@given(st.lists(record | record | moment, min_size=20, max_size=50))
def test_no_record_fails_and_the_state_stays_consistent(steps: list[str | int]) -> None:
    hotel = HotelDriver(START_TIME)
    for step in steps:
        if isinstance(step, str):
            hotel.receive(step)
        else:
            hotel.now_ms += step * 1000
            hotel.wait(0)
        for emitted in hotel.emitted:
            if isinstance(emitted, WakeUpFinished):
                wake_up_result_update(emitted)
            else:
                json.dumps(emitted.payload)
        assert_consistent(hotel)


def assert_consistent(hotel: HotelDriver) -> None:
    state = hotel.state
    numbered = {guest.number: name for name, room in state.rooms.items() for guest in room.guests}
    assert {number: name for number, name in numbered.items() if number} == state.room_by_guest
    assert {name for name, room in state.rooms.items() if room.wake_ups} == state.rooms_with_wake_ups
    for name, window in state.windows.items():
        assert parse_window(json.loads(json.dumps(serialize_window(window)))) == window
        for number in state.leaving_guests(name):
            assert state.rooms[name].guest(number) is not None
            assert state.room_by_guest.get(number, name) == name
    for name, room in state.rooms.items():
        assert name == room.room
        assert max(Counter(guest.number for guest in room.guests).values(), default=1) == 1
        assert list(room.wake_ups) == sorted(room.wake_ups, key=lambda one: one.at)
        assert parse_room(name, json.loads(json.dumps(serialize_room(room))), room.changed) == room


def random_record(random: Random) -> str:
    """One record of a small hotel, plausible or not."""
    room, number = random.choice("123"), random.choice(["1", "2", "3", "4", "5", ""])
    share, class_of_service = random.choice(GS_FIELDS), random.choice(["", "", "CS2|", "CS3|"])
    resync = random.choice(["", "", "", "", "", "SF|"])
    records = [
        f"GI|RN10{room}|G#{number}|{share}{class_of_service}{resync}",
        f"GO|RN10{room}|G#{number}|{share}{resync}",
        f"GC|RN10{room}|G#{number}|{share}{class_of_service}RO10{random.choice('123')}|{random.choice(GS_FIELDS)}",
        f"GC|RN10{room}|G#{number}|{class_of_service}GNDay|",
        f"RE|RN10{room}|{random.choice(['CS1|', 'MLY|', 'MLN|', 'DNY|'])}",
        f"WR|RN10{room}|DA260102|TI{random.choice(['0700', '0730'])}|",
        random.choice(["DS|", "DE|"]),
    ]
    return random.choices(records, weights=[30, 20, 15, 5, 10, 8, 4])[0]


@pytest.mark.parametrize("seed", range(4))
def test_what_waits_for_a_window_ends_with_it(seed: int) -> None:
    """The driver fails if time does not bring the state beyond its due time."""
    random = Random(seed)
    for _ in range(200):
        hotel = HotelDriver(START_TIME)
        for _ in range(60):
            if random.random() < 0.9:
                hotel.receive(random_record(random))
            else:
                hotel.wait(random.choice([0.5, 1.0, 2.5]))
        assert_consistent(hotel)
        hotel.receive("DE|")
        hotel.wait(10)
        assert hotel.state.windows == {}
