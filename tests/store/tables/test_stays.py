"""Stays: who was in a room at a moment, and where a guest is now."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from pmslink.hotel.events import StayChange
from pmslink.store.core.row_checksum import verify_checksums
from pmslink.store.core.schema import STAYS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.link_rows import RemoveLink, StoredLink, remove_links, store_links
from pmslink.store.tables.stays import (
    Occupant,
    apply_stay_changes,
    occupants_at,
    present_guests,
    rooms_of_guests,
)
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness

ANNA, BERT = Occupant("1", "1"), Occupant("2", "2")


def apply_all(transaction: Transaction, changes: Sequence[tuple[int, StayChange]]) -> Sequence[None]:
    """Operation: apply stay changes, each at its time."""
    for at, change in changes:
        apply_stay_changes(transaction, LINK_NAME, at, [change])
    return [None] * len(changes)


def began(room: str, number: str = "1") -> StayChange:
    return StayChange("began", room, number)


def moved(from_room: str, room: str, number: str = "1") -> StayChange:
    return StayChange("moved", room, number, from_room)


def ended(room: str, number: str = "1") -> StayChange:
    return StayChange("ended", room, number)


def vacant(room: str | None) -> StayChange:
    return StayChange("vacant", room)


def change(harness: StoreHarness, *changes: StayChange, at: int) -> None:
    harness.submit_all(apply_all, *((START_MS + at, one) for one in changes))


def in_room(harness: StoreHarness, room: str, at: int) -> list[Occupant] | None:
    return harness.read(occupants_at, LINK_NAME, room, START_MS + at)


def where(harness: StoreHarness, *guests: str) -> dict[str, str]:
    return harness.read(rooms_of_guests, LINK_NAME, guests)


def test_of_a_room_that_was_never_mentioned_nothing_is_known(harness: StoreHarness) -> None:
    change(harness, began("102"), at=5)
    assert in_room(harness, "101", 10) is None


def test_a_guest_is_in_the_room_from_check_in_to_check_out(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5)
    change(harness, ended("101"), vacant("101"), at=25)
    assert [in_room(harness, "101", at) for at in (4, 5, 24, 25)] == [None, [ANNA], [ANNA], []]
    assert where(harness, "1") == {}
    harness.read(verify_checksums)


def test_a_guest_who_left_others_in_the_room_leaves_it_unknown(harness: StoreHarness) -> None:
    change(harness, vacant("101"), at=1)
    change(harness, began("101"), at=5)
    change(harness, ended("101"), at=25)
    assert [in_room(harness, "101", at) for at in (4, 5, 25)] == [[], [ANNA], None]


def test_a_move_ends_the_stay_and_begins_another_of_the_same_guest(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5)
    change(harness, moved("101", "102"), at=15)
    assert [in_room(harness, "101", at) for at in (14, 15)] == [[ANNA], None]
    assert [in_room(harness, "102", at) for at in (14, 15)] == [None, [ANNA]]
    assert where(harness, "1", "2") == {"1": "102"}
    harness.read(verify_checksums)


def test_two_guests_swap_rooms(harness: StoreHarness) -> None:
    change(harness, began("101", "1"), began("102", "2"), at=5)
    change(harness, moved("101", "102", "1"), moved("102", "101", "2"), at=15)
    assert where(harness, "1", "2") == {"1": "102", "2": "101"}
    assert (in_room(harness, "101", 15), in_room(harness, "102", 15)) == ([BERT], [ANNA])


def test_guests_are_ordered_by_their_check_in_and_not_by_their_move(harness: StoreHarness) -> None:
    change(harness, began("101", "1"), at=5)
    change(harness, began("102", "2"), at=6)
    change(harness, moved("101", "102", "1"), at=7)
    assert in_room(harness, "102", 8) == [ANNA, BERT]


def test_a_guest_without_a_number_keeps_the_key_over_moves(harness: StoreHarness) -> None:
    change(harness, began("101", ""), at=5)
    (occupant,) = in_room(harness, "101", 5) or [ANNA]
    assert occupant.reservation is None
    change(harness, moved("101", "102", ""), moved("102", "103", ""), at=15)
    assert in_room(harness, "103", 15) == [occupant]
    change(harness, began("101", ""), at=16)
    assert where(harness, occupant.guest) == {occupant.guest: "103"}
    assert in_room(harness, "101", 16) not in (None, [], [occupant])


def test_a_check_in_that_is_repeated_begins_no_other_stay(harness: StoreHarness) -> None:
    change(harness, began("101"), began("102", ""), at=5)
    change(harness, began("101"), began("102", ""), at=15)
    assert len(harness.read(lambda connection: connection.execute(select(STAYS)).all())) == 2


def test_a_check_in_to_another_room_ends_the_stay_in_the_first(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5)
    change(harness, began("102"), at=15)
    assert where(harness, "1") == {"1": "102"}
    assert harness.read(present_guests, LINK_NAME, "101") == set()


def test_a_complete_resync_says_that_all_rooms_without_guests_are_vacant(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5)
    change(harness, vacant(None), at=15)
    assert in_room(harness, "102", 14) is None
    assert (in_room(harness, "101", 15), in_room(harness, "102", 15)) == ([ANNA], [])
    change(harness, began("102", "2"), at=25)
    assert (in_room(harness, "102", 24), in_room(harness, "102", 25)) == ([], [BERT])


def test_a_room_that_has_a_guest_is_not_vacant(harness: StoreHarness) -> None:
    change(harness, began("101"), vacant("101"), at=5)
    change(harness, ended("101"), at=15)
    assert (in_room(harness, "101", 10), in_room(harness, "101", 15)) == ([ANNA], None)


def test_a_vacancy_that_is_known_is_not_stored_again(harness: StoreHarness) -> None:
    for at in range(9):
        change(harness, vacant("101"), at=at)
    assert len(harness.read(lambda connection: connection.execute(select(STAYS)).all())) == 1


def test_a_moment_in_whole_seconds_includes_who_checked_in_during_the_second(harness: StoreHarness) -> None:
    change(harness, vacant("101"), vacant("102"), at=-9000)
    change(harness, began("101"), at=400)
    assert in_room(harness, "101", 0) == [ANNA]
    assert in_room(harness, "101", 1) == []
    change(harness, ended("101"), vacant("101"), at=500)
    change(harness, began("101", "2"), at=5300)
    assert in_room(harness, "101", 5000) == [BERT]
    assert in_room(harness, "101", 4000) == []


def test_a_clock_that_goes_back_ends_a_stay_when_it_began(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5000)
    change(harness, ended("101"), at=-5000)
    assert where(harness, "1") == {}
    assert in_room(harness, "101", 5001) is None
    harness.read(verify_checksums)


def test_stays_of_another_link_do_not_count(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5)
    assert harness.read(occupants_at, "annexe", "101", START_MS + 5) is None
    assert harness.read(present_guests, "annexe", "101") == set()
    assert harness.read(rooms_of_guests, "annexe", ["1"]) == {}


def test_the_stays_of_a_removed_link_are_deleted(harness: StoreHarness) -> None:
    harness.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    change(harness, began("101"), at=5)
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert in_room(harness, "101", 5) is None


def test_stays_survive_a_restart(harness: StoreHarness) -> None:
    change(harness, began("101"), at=5)
    harness.crash()
    harness.start()
    assert in_room(harness, "101", 5) == [ANNA]
