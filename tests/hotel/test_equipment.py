"""Room equipment (RE) and the night audit (NS, NE)."""

from __future__ import annotations

import pytest

from tests.hotel.hotel_driver import HotelDriver


@pytest.fixture
def hotel() -> HotelDriver:
    return HotelDriver()


def test_every_field_of_a_record_is_applied(hotel: HotelDriver) -> None:
    assert hotel.receive("RE|RN110|CS2|DNY|MLY|RS3|") == [
        "room.class_of_service 110 2",
        "room.do_not_disturb 110 True",
        "room.message_light 110 True",
        "room.status 110 3",
    ]
    room = hotel.room()
    assert (room.class_of_service, room.do_not_disturb, room.message_light, room.status) == (2, True, True, 3)


def test_attributes_that_the_record_does_not_list_stay(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN110|CS2|DNY|MLY|")
    assert hotel.receive("RE|RN110|DNN|") == ["room.do_not_disturb 110 False"]
    assert (hotel.room().class_of_service, hotel.room().message_light) == (2, True)


def test_an_unchanged_value_emits_nothing(hotel: HotelDriver) -> None:
    hotel.receive("RE|RN110|CS2|DNY|MLY|")
    assert hotel.receive("RE|RN110|CS2|DNY|MLY|", "RE|RN110|CS2|") == []


def test_the_last_of_repeated_fields_applies(hotel: HotelDriver) -> None:
    assert hotel.receive("RE|RN110|CS1|CS2|") == ["room.class_of_service 110 2"]


@pytest.mark.parametrize("value", ["", "x", "10", "-1", "²", "٣"])
def test_an_invalid_class_of_service_is_ignored(hotel: HotelDriver, value: str) -> None:
    assert hotel.receive(f"RE|RN110|CS{value}|") == []
    assert hotel.room().class_of_service is None


def test_a_site_specific_class_of_service_is_accepted(hotel: HotelDriver) -> None:
    assert hotel.receive("RE|RN110|CS7|") == ["room.class_of_service 110 7"]


@pytest.mark.parametrize("value", ["", "y", "J", "1", "YES"])
def test_a_flag_that_is_neither_y_nor_n_is_ignored(hotel: HotelDriver, value: str) -> None:
    assert hotel.receive("RE|RN110|DNY|MLY|", f"RE|RN110|DN{value}|ML{value}|") == [
        "room.do_not_disturb 110 True",
        "room.message_light 110 True",
    ]


@pytest.mark.parametrize(
    ("value", "status"), [("5", 5), ("17", 17), ("", None), ("x", None), ("123", None), ("³", None)]
)
def test_a_valid_status_is_stored_and_emitted(hotel: HotelDriver, value: str, status: int | None) -> None:
    """Q26: each site decides on the meaning of the numbers."""
    expected = [] if status is None else [f"room.status 110 {status}"]
    assert hotel.receive(f"RE|RN110|RS{value}|") == expected
    assert hotel.room().status == status


@pytest.mark.parametrize("sign", ["8", "9", "10", "08"])
def test_a_door_sign_does_not_replace_the_housekeeping_status(hotel: HotelDriver, sign: str) -> None:
    hotel.receive("RE|RN110|RS3|")
    assert hotel.receive(f"RE|RN110|RS{sign}|") == []
    assert hotel.room().status == 3


def test_unsupported_fields_are_ignored(hotel: HotelDriver) -> None:
    assert hotel.receive("RE|RN110|MRML|TVTN|G#5|XX|") == []


def test_the_night_audit_begins_and_ends_once(hotel: HotelDriver) -> None:
    assert hotel.receive("NS|DA260102|TI020000|") == ["night_audit.started"]
    assert hotel.state.night_audit_stamp == "260102020000"
    assert hotel.receive("NS|DA260102|TI020000|") == []
    assert hotel.receive("NE|DA260102|TI030000|") == ["night_audit.ended"]
    assert hotel.state.night_audit_stamp is None
    assert hotel.receive("NE|DA260102|TI030001|") == []


@pytest.mark.parametrize("stamp", ["DA260103|TI020000|", "DA260102|TI020001|", "DA260102|", "TI020000|", ""])
def test_a_second_audit_ends_one_whose_end_was_missed(hotel: HotelDriver, stamp: str) -> None:
    hotel.receive("NS|DA260102|TI020000|")
    assert hotel.receive(f"NS|{stamp}") == ["night_audit.ended", "night_audit.started"]
    assert hotel.receive(f"NS|{stamp}") == []
    assert hotel.receive("NE|") == ["night_audit.ended"]


def test_an_audit_can_lack_a_date(hotel: HotelDriver) -> None:
    assert hotel.receive("NS|", "NS|DA|TI|") == ["night_audit.started"]
    assert hotel.state.copy().night_audit_stamp == ""
    assert hotel.receive("NE|") == ["night_audit.ended"]


def test_a_repeated_start_of_an_audit_emits_nothing(hotel: HotelDriver) -> None:
    hotel.receive("NS|DA260102|TI020000|", "NE|DA260102|TI030000|")
    assert hotel.receive_in_new_session("NS|DA260102|TI020000|") == []
    assert hotel.receive("NS|DA260103|TI020000|") == ["night_audit.started"]


def test_records_without_a_handler_change_nothing(hotel: HotelDriver) -> None:
    assert hotel.receive("PA|RN110|ASOK|P#1|", "XL|RN110|MI1|MThello|", "GM|RN110|", "") == []
    assert hotel.state.rooms == {}
