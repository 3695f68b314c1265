"""Whatever a PMS says, plausible or not: nothing fails, and the house stays of one piece."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.hotel.events import Awoken
from pmslink.hotel.phone_updates import told_result
from pmslink.hotel.record_reducer import MEANINGS
from pmslink.hotel.rooms import read_room, room_json
from tests.hotel.hotel_driver import NOON, Hotel

ROOMS, NUMBERS, SHARES = ["110", "111"], ["1", "1", "2", ""], ["", "N", "Y"]
DATES, TIMES = ["", "260101", "260102", "26"], ["", "1200", "120000", "115500", "235959", "1261"]
anything = st.text(st.characters(exclude_characters="|", codec="utf-8"), max_size=4)


def field(code: str, values: list[str]) -> st.SearchStrategy[str]:
    """One field; now and then with what nobody expects in it."""
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
    st.sampled_from(sorted(MEANINGS)),
    usual | timed | moved | st.just(()),
    others,
)
moment = st.sampled_from([0, 1, 60, 180, 1800, -3600])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(record | record | moment, min_size=20, max_size=50))
def test_nothing_fails_and_the_house_is_of_one_piece(steps: list[str | int]) -> None:
    hotel = Hotel(NOON)
    for step in steps:
        if isinstance(step, str):
            hotel.hear(step)
        else:
            hotel.ms += step * 1000
            hotel.wait(0)
        for one in hotel.news:
            if isinstance(one, Awoken):
                told_result(one)
            else:
                json.dumps(one.told)
        assert_of_one_piece(hotel)


def assert_of_one_piece(hotel: Hotel) -> None:
    house = hotel.house
    numbered = {guest.number: name for name, room in house.rooms.items() for guest in room.guests}
    assert {number: name for number, name in numbered.items() if number} == house.whereabouts
    assert {name for name, room in house.rooms.items() if room.wake_ups} == house.waking
    for name, guests in house.leaving.items():
        assert guests
        assert {house.whereabouts[number] for number in guests} == {name}
    assert house.resyncing or not (house.newcomers or house.spared)
    for name, room in house.rooms.items():
        assert name == room.room
        assert max(Counter(guest.number for guest in room.guests).values(), default=1) == 1
        assert list(room.wake_ups) == sorted(room.wake_ups, key=lambda one: one.at)
        assert read_room(name, json.loads(json.dumps(room_json(room))), room.changed) == room
