"""Tests of moves in a hotel's automatic activity: who moves where, and all the ways to send it."""

from __future__ import annotations

from random import Random

import pytest
from twisted.internet.task import Clock

from pmslink.fias.record import Record
from pmslink.simulator.hotel.hotel_model import Hotel
from pmslink.simulator.life import guest_activities, room_moves
from pmslink.simulator.life.acts import Activity
from pmslink.simulator.pms.property import Pms
from tests.memory_network import advance_clock
from tests.simulator.simulated_pbx import HOTEL_TIME, SimulatedPbx

SEEDS = range(100)
MAX_ATTEMPTS = 20
"""Attempts at an activity: a guest may find no other guests to join."""
GUEST_RECORDS = ("GI", "GO", "GC")
FIELDS = {
    **dict.fromkeys(("GI", "GO"), "RNG#GSCS"),
    "GC": "RNG#GSCSRO",
    "RE": "RNCSRS",
    "WR": "RNDATI",
}

Rooms = dict[str, tuple[str, ...]]
"""The numbers of the guests in each occupied room."""


class Property:
    """A property with guests in some rooms, in which activities are run with other random numbers each."""

    def __init__(self, seed: int, docked: bool = True, **guests: int) -> None:
        self.rng = Random(seed)
        self.clock = Clock()
        self.pms = Pms(self.clock, lambda: HOTEL_TIME)
        self.pms.hotel = Hotel(("101", "102", "103", "104", "105", "106"))
        for room, count in guests.items():
            for index in range(count):
                self.pms.hotel.check_in(room.removeprefix("r"), f"Guest {index}")
        self.pbx = SimulatedPbx(self.pms).dock(FIELDS) if docked else None

    def rooms(self) -> Rooms:
        rooms = self.pms.hotel.guests_by_room()
        return {room: tuple(sorted(one.number for one in guests)) for room, guests in rooms.items() if guests}

    def run(self, activity: Activity) -> list[Record]:
        """Run an activity until all of its records are sent, and return those about guests."""
        assert any(activity(self.pms, self.rng) for _ in range(MAX_ATTEMPTS))
        advance_clock(self.clock, 2)
        if self.pbx is None:
            self.pbx = SimulatedPbx(self.pms)
            self.pbx.send_description(FIELDS)
        records = map(Record, self.pbx.take_records())
        return [record for record in records if record.id in GUEST_RECORDS]


def run_each(
    activity: Activity, docked: bool = True, **guests: int
) -> list[tuple[Rooms, Rooms, list[Record]]]:
    """Run an activity with many seeds; return the rooms before and after it, and its records."""
    runs = []
    for seed in SEEDS:
        hotel = Property(seed, docked, **guests)
        before = hotel.rooms()
        records = hotel.run(activity)
        runs.append((before, hotel.rooms(), records))
    return runs


def forms(records: list[Record]) -> dict[str, str]:
    """Return the record ids of each guest, in their order."""
    ids: dict[str, str] = {}
    for record in records:
        number = record.get("G#") or ""
        ids[number] = f"{ids.get(number, '')} {record.id}".strip()
    return ids


ALL_FORMS = {"GC", "GO GI", "GI GO", "GI"}


def test_a_guest_moves_to_a_vacant_room_in_each_form() -> None:
    found: set[object] = set()
    for _, after, records in run_each(room_moves.move, r101=1):
        assert "101" not in after
        assert len(after) == 1
        found.update(forms(records).values())
    assert found == ALL_FORMS


def test_a_couple_moves_together_as_a_gc_or_a_pair_each() -> None:
    found: set[object] = set()
    for before, after, records in run_each(room_moves.move_room, r101=2):
        ((room, couple),) = after.items()
        assert room != "101"
        assert couple == before["101"]
        found.add(tuple(sorted(forms(records).values())))
    assert {(form, form) for form in ALL_FORMS} < found


def test_a_group_moves_from_three_rooms_to_three_others() -> None:
    for before, after, records in run_each(room_moves.move_group, r101=2, r102=1, r103=1):
        assert set(after) == {"104", "105", "106"}
        assert sorted(after.values()) == sorted(before.values())
        assert len(forms(records)) == 4


def test_the_guests_of_two_rooms_or_of_three_in_a_ring_exchange_their_rooms() -> None:
    rings = set()
    found: set[object] = set()
    for before, after, records in run_each(room_moves.swap, r101=2, r102=1, r103=1):
        assert set(after) == set(before)
        assert sorted(after.values()) == sorted(before.values())
        rings.add(sum(after[room] != before[room] for room in before))
        found.update(forms(records).values())
    assert rings == {2, 3}
    assert found == ALL_FORMS


def test_the_records_of_a_swap_are_sent_in_any_order() -> None:
    orders = {
        tuple((record.id, record.get("RN")) for record in records)
        for _, _, records in run_each(room_moves.swap, r101=1, r102=1)
        if set(forms(records).values()) == {"GO GI"}
    }
    assert (("GO", "101"), ("GO", "102"), ("GI", "101"), ("GI", "102")) in {
        (*sorted(order[:2]), *sorted(order[2:])) for order in orders
    }
    assert any(order[1][0] == "GI" for order in orders)  # one guest comes before the other has left


def test_one_guest_each_of_two_rooms_exchange_their_rooms() -> None:
    for before, after, _ in run_each(room_moves.swap_guests, r101=2, r102=1):
        assert {room: len(guests) for room, guests in after.items()} == {"101": 2, "102": 1}
        assert after["102"] != before["102"]
        assert set(after["102"]) < set(before["101"])


@pytest.mark.parametrize("activity", [room_moves.move, room_moves.move_room, room_moves.swap])
def test_while_no_link_is_alive_a_move_is_a_gc_or_go_before_gi(activity: Activity) -> None:
    found = {
        form
        for _, _, records in run_each(activity, docked=False, r101=2, r102=2)
        for form in forms(records).values()
    }
    assert found == {"GC", "GO GI"}


def test_a_record_about_the_old_room_can_come_between_the_two_of_a_move() -> None:
    def sent(seed: int) -> list[str]:
        hotel = Property(seed, r101=1)
        assert hotel.pbx is not None
        room_moves.move(hotel.pms, hotel.rng)
        advance_clock(hotel.clock, 2)
        return [Record(text).id for text in hotel.pbx.take_records()]

    assert ["GO", "RE", "GI"] in map(sent, SEEDS)


def test_check_outs_are_taken_back_for_all_guests_of_a_room_or_for_some() -> None:
    returned = set()
    for before, after, records in run_each(guest_activities.take_back_check_out, r101=2):
        ids = forms(records)
        assert set(ids) == set(before["101"])
        assert {number for number, form in ids.items() if form == "GO GI"} == set(after["101"])
        returned.add(len(after["101"]))
        present = set(before["101"])
        for record in records:
            number = record.get("G#") or ""
            (present.add if record.id == "GI" else present.discard)(number)
            assert record.get("GS") == ("Y" if present - {number} else "N")
    assert returned == {1, 2}


def test_a_room_keeps_its_settings_if_a_check_out_is_taken_back() -> None:
    hotel = Property(1, r101=1)
    hotel.pms.change_equipment("101", class_of_service=2, message_light=True, do_not_disturb=True)
    equipment = hotel.pms.equipment("101")
    hotel.run(guest_activities.take_back_check_out)
    assert hotel.pms.equipment("101") == equipment
