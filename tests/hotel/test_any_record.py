"""Whatever a PMS says, plausible or not: nothing fails, and the house stays of one piece."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.phone_updates import wake_up_result_update
from pmslink.hotel.record_reducer import HANDLERS
from pmslink.hotel.rooms import parse_room, serialize_room
from tests.hotel.hotel_driver import START_TIME, HotelDriver

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
    st.sampled_from(sorted(HANDLERS)),
    usual | timed | moved | st.just(()),
    others,
)
moment = st.sampled_from([0, 1, 60, 180, 1800, -3600])


@settings(max_examples=100, derandomize=True)
@given(st.lists(record | record | moment, min_size=20, max_size=50))
def test_nothing_fails_and_the_house_is_of_one_piece(steps: list[str | int]) -> None:
    hotel = HotelDriver(START_TIME)
    for step in steps:
        if isinstance(step, str):
            hotel.receive(step)
        else:
            hotel.now_ms += step * 1000
            hotel.wait(0)
        for one in hotel.emitted:
            if isinstance(one, WakeUpFinished):
                wake_up_result_update(one)
            else:
                json.dumps(one.payload)
        assert_of_one_piece(hotel)


def assert_of_one_piece(hotel: HotelDriver) -> None:
    house = hotel.state
    numbered = {guest.number: name for name, room in house.rooms.items() for guest in room.guests}
    assert {number: name for number, name in numbered.items() if number} == house.room_by_guest
    assert {name for name, room in house.rooms.items() if room.wake_ups} == house.rooms_with_wake_ups
    for name, guests in house.pending_check_outs.items():
        assert guests
        assert {house.room_by_guest[number] for number in guests} == {name}
    assert house.resyncing or not (house.new_guests or house.preserved_wake_ups)
    for name, room in house.rooms.items():
        assert name == room.room
        assert max(Counter(guest.number for guest in room.guests).values(), default=1) == 1
        assert list(room.wake_ups) == sorted(room.wake_ups, key=lambda one: one.at)
        assert parse_room(name, json.loads(json.dumps(serialize_room(room))), room.changed) == room
