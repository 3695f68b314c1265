"""Rooms, guests and wake-ups as values, and their JSON forms."""

from __future__ import annotations

import json
from datetime import datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.hotel.guest_fields import parse_guest_fields
from pmslink.hotel.rooms import (
    Guest,
    Room,
    WakeUp,
    WakeUpResult,
    is_room_name,
    parse_room,
    room_key,
    serialize_guest,
    serialize_room,
    serialize_wake_up,
)

texts = st.none() | st.text(min_size=1, max_size=20)
days = st.none() | st.dates().map(str)
instants = st.integers(0, 2**53)
guests = st.builds(
    Guest,
    number=st.text("0123456789", max_size=10),
    **dict.fromkeys(("name", "first_name", "title", "language", "vip", "group"), texts),
    arrival=days,
    departure=days,
    sharer=st.booleans(),
)
wake_ups = st.builds(
    WakeUp,
    id=instants,
    at=st.builds(lambda at, fold: at.replace(fold=fold), st.datetimes(), st.integers(0, 1)),
    date=st.text("0123456789", min_size=6, max_size=6),
    time=st.text("0123456789", min_size=4, max_size=6),
    due=instants,
    attempts=st.integers(0, 10),
    again=st.none() | instants,
    result=st.none() | st.sampled_from(get_args(WakeUpResult)),
)
rooms = st.builds(
    Room,
    room=st.text(min_size=1, max_size=40),
    guests=st.lists(guests, max_size=3).map(tuple),
    class_of_service=st.none() | st.integers(0, 9),
    do_not_disturb=st.booleans(),
    message_light=st.booleans(),
    status=st.none() | st.integers(0, 99),
    wake_ups=st.lists(wake_ups, max_size=3).map(tuple),
    over=st.lists(st.datetimes().map(datetime.isoformat), max_size=3).map(tuple),
    changed=instants,
)


@settings(derandomize=True)
@given(rooms)
def test_a_room_survives_serializing_and_parsing(room: Room) -> None:
    kept = json.loads(json.dumps(serialize_room(room)))
    read = parse_room(room.room, kept, room.changed)
    assert read == room
    assert read.changed == room.changed
    assert [one.at.fold for one in read.wake_ups] == [one.at.fold for one in room.wake_ups]


def test_the_time_of_the_last_change_does_not_affect_equality() -> None:
    assert Room("110", changed=1) == Room("110", changed=2)


def test_a_guest_is_serialized_with_all_attributes() -> None:
    guest = Guest("6001", "Clark", "Ann", "Mrs", "EA", "2", "Wedding", "2026-01-01", "2026-01-05", True)
    assert serialize_guest(guest) == {
        "number": "6001",
        "name": "Clark",
        "first_name": "Ann",
        "title": "Mrs",
        "language": "EA",
        "vip": "2",
        "group": "Wedding",
        "arrival": "2026-01-01",
        "departure": "2026-01-05",
        "sharer": True,
        "no_post": None,
        "fields": {},
    }


def test_a_wake_up_is_serialized_with_id_and_time() -> None:
    wake_up = WakeUp(7, datetime(2026, 1, 3, 7), "260103", "0700", due=1)  # noqa: DTZ001
    assert serialize_wake_up(wake_up) == {"id": 7, "at": "2026-01-03T07:00:00"}


def test_a_wake_up_is_due_at_its_time_and_then_at_the_end_of_each_attempt() -> None:
    wake_up = WakeUp(7, datetime(2026, 1, 3, 7), "260103", "0700", due=1)  # noqa: DTZ001
    assert wake_up.next_due_at == 1
    assert WakeUp(7, wake_up.at, "260103", "0700", due=1, attempts=1, again=9).next_due_at == 9


def test_a_guest_replaces_the_one_with_the_same_number_or_is_added() -> None:
    ann, ben = Guest("1", "Ann"), Guest("2", "Ben")
    room = Room("110").with_guest(ann).with_guest(ben)
    assert room.guests == (ann, ben)
    assert room.with_guest(Guest("1", "Anna")).guests == (Guest("1", "Anna"), ben)
    assert room.without_guests(ann).guests == (ben,)
    assert (room.guest("2"), room.guest("3")) == (ben, None)


def test_only_fields_of_the_record_are_parsed() -> None:
    assert parse_guest_fields({"RN": "110", "GN": "Clark", "GL": ""}) == {
        "name": "Clark",
        "language": None,
        "fields": {},
    }
    assert parse_guest_fields({"GA": "260101", "GD": "260229"}) == {
        "arrival": "2026-01-01",
        "departure": None,
        "fields": {},
    }


def test_blanks_and_control_characters_are_removed_around_texts_and_never_inside() -> None:
    parsed = parse_guest_fields({"GN": " \x00Clark\r\n", "GF": "Ann\r\nMay", "A0": "\tx\x1b "})
    assert (parsed["name"], parsed["first_name"], parsed["fields"]) == ("Clark", "Ann  May", {"A0": "x"})


@pytest.mark.parametrize(("text", "no_post"), [("Y", True), ("N", False), ("", None), ("1", None)])
def test_no_post_is_yes_no_or_unknown(text: str, no_post: bool | None) -> None:
    assert parse_guest_fields({"NP": text})["no_post"] is no_post


def test_only_declared_fields_without_an_attribute_are_kept() -> None:
    values = {"GN": "Clark", "A0": "x", "EN": "4312345", "CS": "2", "TV": "TU"}
    assert parse_guest_fields(values)["fields"] == {"A0": "x", "EN": "4312345", "TV": "TU"}
    assert parse_guest_fields(values, {"A0", "CS"})["fields"] == {"A0": "x"}


def test_a_room_name_has_at_most_forty_characters_and_no_control_characters() -> None:
    assert is_room_name("0330\xa0é三")
    assert not is_room_name("33\x000")
    assert room_key(" \x00330\r\n") == "330"
    assert room_key(" 33 0 ") == "33 0"
    assert is_room_name("1" * 40)
    assert not is_room_name("1" * 41)
    assert not is_room_name("")
    assert not is_room_name(None)
