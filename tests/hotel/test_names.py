"""Names of rooms and guests: which are valid, and how they are stored."""

from __future__ import annotations

import pytest

from tests.hotel.hotel_driver import HotelDriver


@pytest.fixture
def hotel() -> HotelDriver:
    return HotelDriver()


@pytest.mark.parametrize("record", ["GI", "GO", "GC", "RE", "WR", "WC"])
@pytest.mark.parametrize(
    "room",
    ["", "RN|", f"RN{'1' * 41}|", "RN1\x0210|", "RN1\x9f10|"],
    ids=["none", "empty", "overlong", "with control bytes", "with others"],
)
def test_a_record_without_a_valid_room_changes_nothing(hotel: HotelDriver, record: str, room: str) -> None:
    """A promise of a wake-up call is not dropped in silence."""
    types = [line.split()[0] for line in hotel.receive(f"{record}|{room}G#1|CS1|DA260101|TI123000|")]
    assert types == (["wake_up.not_understood"] if record in ("WR", "WC") else [])
    assert hotel.state.rooms == {}


@pytest.mark.parametrize("spelling", [" 110", "110 ", "\t110\r\n", "110\x9f"])
def test_a_room_is_found_whatever_blanks_are_around_its_name(hotel: HotelDriver, spelling: str) -> None:
    """Case A10."""
    assert hotel.receive(f"GI|RN{spelling}|G#1|GSN|CS2|") == [
        "guest.checked_in 110 #1",
        "room.class_of_service 110 2",
    ]
    assert hotel.room().spelling == (spelling if spelling.isprintable() else None)
    assert hotel.receive("RE|RN110|CS1|") == ["room.class_of_service 110 1"]
    assert hotel.room().spelling is None


@pytest.mark.parametrize("room", ["Paymaster", "9001-Suite", "1" * 40, "0330", "Zi. 7", "三〇一"])
def test_any_other_room_name_is_accepted(hotel: HotelDriver, room: str) -> None:
    """Q30: rooms need not be numbers; Q27: zeros in front of them count."""
    assert hotel.receive(f"GI|RN{room}|G#1|GSN|") == [f"guest.checked_in {room} #1"]


def test_leading_zeros_distinguish_rooms(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN0330|G#1|GSN|", "GI|RN330|G#2|GSN|")
    assert hotel.guests_by_room() == {"0330": ["1"], "330": ["2"]}


@pytest.mark.parametrize("name", ["Clark, Ann Mrs", "Müller #2", "王小明", "Ćirić", "O'Neil/Day"])
def test_names_are_stored_unchanged(hotel: HotelDriver, name: str) -> None:
    """Q27: each site decides on the content of GN."""
    hotel.receive(f"GI|RN110|G#1|GSN|GN{name}|")
    assert hotel.room().guests[0].name == name


def test_overlong_names_are_truncated(hotel: HotelDriver) -> None:
    hotel.receive(f"GI|RN110|G#1|GSN|GN{'x' * 300}|")
    assert hotel.room().guests[0].name == "x" * 200


def test_an_invalid_date_is_ignored(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|GA260230|GDsoon|")
    (guest,) = hotel.room().guests
    assert (guest.arrival, guest.departure) == (None, None)
