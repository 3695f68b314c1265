"""Tests of moves that happen at one time: what follows the guests, and the records of each form."""

from __future__ import annotations

from random import Random

import pytest

from pmslink.simulator.hotel.hotel_model import Hotel
from pmslink.simulator.hotel.move_records import MOVE_FORMS, ORDERED_MOVE_FORMS, MoveForm, MoveWriter
from pmslink.simulator.hotel.room_equipment import Equipment

WAKE_UP_A, WAKE_UP_B = ("260103", "070000"), ("260103", "080000")
SETTINGS_A = Equipment(class_of_service=2, message_light=True, wake_ups=(WAKE_UP_A,))
SETTINGS_B = Equipment(class_of_service=3, wake_ups=(WAKE_UP_B,))


def make_hotel(**rooms: str) -> Hotel:
    """Make a hotel with one guest for each letter in a room, numbers from 1; 101 and 102 have settings."""
    hotel = Hotel(("101", "102", "103", "104"))
    hotel._next_number = 1
    for room, letters in rooms.items():
        for letter in letters:
            hotel.check_in(room.removeprefix("r"), letter)
    hotel.set_equipment("101", SETTINGS_A)
    hotel.set_equipment("102", SETTINGS_B)
    return hotel


def test_two_guests_who_swap_rooms_take_everything_along() -> None:
    hotel = make_hotel(r101="A", r102="B")
    hotel.move_together({"1": "102", "2": "101"})
    assert (hotel.equipment("101"), hotel.equipment("102")) == (SETTINGS_B, SETTINGS_A)


def test_three_guests_in_a_ring_take_everything_along() -> None:
    hotel = make_hotel(r101="A", r102="B", r103="C")
    hotel.move_together({"1": "102", "2": "103", "3": "101"})
    assert [hotel.equipment(room) for room in ("101", "102", "103")] == [Equipment(), SETTINGS_A, SETTINGS_B]


def test_a_couple_takes_everything_to_a_vacant_room() -> None:
    hotel = make_hotel(r101="AB")
    hotel.change_equipment("103", wake_ups=(WAKE_UP_B,), status="3", sign="do-not-disturb")
    hotel.move_together({"1": "103", "2": "103"})
    assert hotel.equipment("101") == Equipment()
    assert hotel.equipment("103") == Equipment(2, True, "3", wake_ups=(WAKE_UP_A,))


def test_one_of_a_couple_takes_nothing_along_but_the_class_of_service() -> None:
    hotel = make_hotel(r101="AB")
    hotel.move_together({"1": "103"})
    assert hotel.equipment("101") == SETTINGS_A
    assert hotel.equipment("103") == Equipment(class_of_service=2)


def test_a_guest_who_swaps_with_one_of_a_couple_brings_wake_ups() -> None:
    hotel = make_hotel(r101="A", r102="BC")
    hotel.move_together({"1": "102", "2": "101"})
    assert hotel.equipment("101") == Equipment(class_of_service=3)
    assert hotel.equipment("102") == Equipment(class_of_service=3, wake_ups=(WAKE_UP_B, WAKE_UP_A))


def write(
    hotel: Hotel, moves: dict[str, str], rng: Random | None = None, *forms: MoveForm
) -> list[tuple[str, ...]]:
    """Move guests, and return id, room and GS of the records; of GC also RO and its GS."""
    before = {number: hotel.guest(number) for number in moves}
    hotel.move_together(moves)
    records = MoveWriter(hotel, before, [], rng, forms or MOVE_FORMS).write()
    codes = ("RN", "RO", "GS")
    return [
        (record.id, *(value for code, value in record.fields if code in codes), record.get("G#") or "")
        for record in records
    ]


def test_without_a_generator_each_move_is_a_gc() -> None:
    assert write(make_hotel(r101="AB"), {"1": "103", "2": "103"}) == [
        ("GC", "103", "N", "101", "Y", "1"),
        ("GC", "103", "Y", "101", "N", "2"),
    ]


@pytest.mark.parametrize(
    ("form", "records"),
    [
        ("GC", [("GC", "103", "N", "101", "N", "1")]),
        ("GO GI", [("GO", "101", "N", "1"), ("GI", "103", "N", "1")]),
        ("GI GO", [("GI", "103", "N", "1"), ("GO", "101", "N", "1")]),
        ("GI", [("GI", "103", "N", "1")]),
    ],
)
def test_a_move_can_be_sent_in_each_form(form: MoveForm, records: list[tuple[str, ...]]) -> None:
    assert write(make_hotel(r101="A"), {"1": "103"}, Random(1), form) == records


def test_the_records_of_a_swap_are_mixed_and_gs_is_the_state_after_each_or_after_all() -> None:
    told = {
        tuple(write(make_hotel(r101="A", r102="B"), {"1": "102", "2": "101"}, Random(seed), "GO GI"))
        for seed in range(100)
    }
    orders = {tuple((record[0], record[-1]) for record in records) for records in told}
    assert len(orders) == 6
    first_comes_alone = (("GO", "101", "N", "1"), ("GI", "102", "Y", "1"), ("GO", "102", "Y", "2"))
    assert (*first_comes_alone, ("GI", "101", "N", "2")) in told
    final = (
        ("GO", "101", "Y", "1"),
        ("GI", "102", "N", "1"),
        ("GO", "102", "Y", "2"),
        ("GI", "101", "N", "2"),
    )
    assert final in told


def test_all_forms_are_used() -> None:
    used = {
        " ".join(record[0] for record in write(make_hotel(r101="A"), {"1": "103"}, Random(seed)))
        for seed in range(50)
    }
    assert used == set(MOVE_FORMS)
    assert set(ORDERED_MOVE_FORMS) < set(MOVE_FORMS)
