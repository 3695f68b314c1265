"""Changes of stays for the charges: who came, moved and left, and when a room became vacant."""

from __future__ import annotations

import pytest

from pmslink.hotel.events import StayChange
from tests.hotel.hotel_driver import HotelDriver


def make_hotel(*guests: str) -> HotelDriver:
    """Make a hotel with these guests in 101, and forget their check-ins."""
    hotel = HotelDriver()
    for at, number in enumerate(guests):
        hotel.receive(f"GI|RN101|G#{number}|GS{'Y' if at else 'N'}|")
    hotel.wait(3)
    hotel.stay_changes.clear()
    return hotel


def changes_after(hotel: HotelDriver, *texts: str) -> list[StayChange]:
    """Receive records, wait for the end of the move window, and return all stay changes."""
    hotel.receive(*texts)
    changes = list(hotel.stay_changes)
    hotel.wait(3)
    return changes + hotel.stay_changes


def test_b1_a_room_is_vacant_after_the_check_out_of_its_last_guest() -> None:
    changes = changes_after(make_hotel("1", "2"), "GO|RN101|G#1|GSY|", "GO|RN101|G#2|GSN|")
    assert changes == [
        StayChange("ended", "101", "1"),
        StayChange("ended", "101", "2"),
        StayChange("vacant", "101"),
    ]


@pytest.mark.parametrize("text", ["GC|RN102|GSN|G#1|RO101|GSN|", "GI|RN102|G#1|GSN|"])
def test_b1_a_room_is_vacant_after_the_move_of_its_last_guest(text: str) -> None:
    assert changes_after(make_hotel("1"), text) == [
        StayChange("moved", "102", "1", "101"),
        StayChange("vacant", "101"),
    ]


def test_b1_a_room_is_not_vacant_if_the_next_guest_has_come() -> None:
    changes = changes_after(make_hotel("1"), "GO|RN101|G#1|GSN|", "GI|RN101|G#2|GSN|")
    assert changes == [StayChange("began", "101", "2"), StayChange("ended", "101", "1")]


def test_b1_a_room_is_not_vacant_if_the_pms_says_that_others_stay() -> None:
    assert changes_after(make_hotel("1"), "GC|RN102|GSN|G#1|RO101|GSY|") == [
        StayChange("moved", "102", "1", "101")
    ]
