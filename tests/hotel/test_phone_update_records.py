"""Updates from phones: validation, the record for the PMS, and the change of the hotel state."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.fias.catalog import find_problems
from pmslink.hotel import phone_update_records
from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import MAX_ROOMS
from pmslink.hotel.phone_update_records import OutboundUpdate, PhoneUpdate
from pmslink.hotel.rooms import Room, WakeUp
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError
from tests.hotel.hotel_driver import START_TIME, HotelDriver

POLICY = HotelPolicy(timezone=ZoneInfo("Europe/Vienna"))  # where it is 13:00


def status(body: Mapping[str, object], **codes: int) -> OutboundUpdate:
    return phone_update_records.status_update("110", body, codes)


def wake_up(at: object) -> OutboundUpdate:
    return phone_update_records.wake_up_update("110", {"at": at}, START_TIME, POLICY)


def error(build: Callable[..., Any], *arguments: Any) -> tuple[str, str]:
    with pytest.raises(BodyError) as caught:
        build(*arguments)
    return caught.value.field, str(caught.value)


# Status.


def test_a_status_becomes_an_re_with_rs() -> None:
    update = status({"status": 3})
    assert update == OutboundUpdate(
        type="status",
        room="110",
        body={"status": 3},
        record=update.record,
        subject="status",
        phone_update=PhoneUpdate("status", "110", 3),
    )
    assert update.record.text == "RE|RN110|RS3|"
    assert phone_update_records.serialize_update_body(update) == '{"status": 3}'


@pytest.mark.parametrize("value", [0, 7, "3", True, 1.0])
def test_a_status_is_a_number_from_1_to_6(value: object) -> None:
    assert error(status, {"status": value}) == ("status", "status must be a whole number from 1 to 6")


@pytest.mark.parametrize("body", [{}, {"status": None}])
def test_a_status_is_required(body: dict[str, object]) -> None:
    assert error(status, body) == ("status", "status is missing: must be a whole number from 1 to 6")


def test_the_hotel_s_dial_codes_map_to_a_status() -> None:
    """Q26."""
    assert status({"status": "*61"}, **{"*61": 1, "62": 17}).record.text == "RE|RN110|RS1|"
    update = status({"status": 62}, **{"*61": 1, "62": 17})
    assert (update.record.text, update.body, update.phone_update) == (
        "RE|RN110|RS17|",
        {"status": 17},
        PhoneUpdate("status", "110", 17),
    )


@pytest.mark.parametrize("value", [1, "1", True, 62.0, ["62"]])
def test_with_dial_codes_other_values_are_rejected(value: object) -> None:
    with pytest.raises(BodyError, match=r"^status must be one of the hotel's codes \*61, 62$"):
        status({"status": value}, **{"*61": 1, "62": 17})


# Signs.


@pytest.mark.parametrize(
    ("build", "type", "on", "text", "subject"),
    [
        (phone_update_records.dnd_update, "dnd", True, "RE|RN110|RS8|", "sign"),
        (phone_update_records.dnd_update, "dnd", False, "RE|RN110|RS10|", "sign"),
        (phone_update_records.make_up_room_update, "make_up_room", True, "RE|RN110|RS9|", "make_up_room"),
        (phone_update_records.make_up_room_update, "make_up_room", False, "RE|RN110|RS10|", "make_up_room"),
    ],
)
def test_a_sign_is_sent_as_room_status(
    build: Callable[..., OutboundUpdate], type: Any, on: bool, text: str, subject: str
) -> None:
    sign = build("110", {"on": on})
    assert (sign.type, sign.record.text, sign.body) == (type, text, {"on": on})
    assert (sign.subject, sign.phone_update) == (subject, PhoneUpdate(type, "110", on))


@pytest.mark.parametrize("build", [phone_update_records.dnd_update, phone_update_records.make_up_room_update])
def test_a_sign_is_on_or_off(build: Callable[..., OutboundUpdate]) -> None:
    assert error(build, "110", {"on": 1}) == ("on", "on must be true or false")
    assert error(build, "110", {"one": True}) == ("one", 'there is no "one" in a sign; did you mean on?')


# Voicemail.


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"unread": 1, "read": 3}, "RE|RN110|VM0103|"),
        ({"unread": 0}, "RE|RN110|VM0000|"),
        ({"unread": 99, "read": 99}, "RE|RN110|VM9999|"),
    ],
)
def test_voicemail_becomes_an_re_with_two_counts(body: dict[str, object], text: str) -> None:
    update = phone_update_records.voicemail_update("110", body)
    assert (update.record.text, update.subject, update.phone_update) == (text, "voicemail", None)


@pytest.mark.parametrize("body", [{"unread": 100}, {"unread": -1}, {"unread": 1, "read": 100}, {"read": 1}])
def test_voicemail_counts_have_at_most_two_digits(body: dict[str, object]) -> None:
    with pytest.raises(BodyError, match=r"must be a whole number from 0 to 99$"):
        phone_update_records.voicemail_update("110", body)


# Wake-ups.


def test_a_wake_up_request_becomes_a_wr() -> None:
    update = wake_up("2026-01-04T06:30")
    assert update.record.text == "WR|RN110|DA260104|TI063000|"
    assert update.body == {"at": "2026-01-04T06:30:00"}
    assert update.until == to_ms(datetime(2026, 1, 4, 5, 30, tzinfo=UTC))
    assert (update.subject, update.phone_update) == (
        None,
        PhoneUpdate("wake_up", "110", datetime(2026, 1, 4, 6, 30)),  # noqa: DTZ001
    )


@pytest.mark.parametrize("at", ["2026-01-01T12:59", "2026-01-01T12:59:00.500", "2027-01-02T13:00"])
def test_a_wake_up_can_be_for_now_or_within_a_year(at: str) -> None:
    assert wake_up(at).type == "wake_up"


@pytest.mark.parametrize("at", ["2026-01-01T12:58:59", "2027-01-02T13:00:01", "2000-01-01T00:00"])
def test_a_wake_up_at_any_other_time_is_rejected(at: str) -> None:
    assert error(wake_up, at) == ("at", "at must be in the future, and within a year")


@pytest.mark.parametrize(
    "at",
    [
        *("2026-01-04", "06:30", "2026-01-04 06:30", "2026-02-30T06:30", "soon", 7, ""),
        *("2026-01-04T06:30Z", "2026-01-04T06:30+01:00", "1999-12-31T23:59", "2100-01-01T00:00"),
    ],
)
def test_a_wake_up_time_is_the_hotel_s_local_time(at: object) -> None:
    assert error(wake_up, at) == (
        "at",
        'at must be a date and time of the hotel without an offset, such as "2026-11-20T07:00"',
    )


def test_a_guest_can_cancel_one_wake_up_or_all() -> None:
    one = phone_update_records.wake_up_cancel_update("110", "2026-01-04T06:30", POLICY)
    assert one.record.text == "WC|RN110|DA260104|TI063000|"
    assert one.until == to_ms(datetime(2026, 1, 4, 5, 30, tzinfo=UTC))
    assert one.phone_update == PhoneUpdate("wake_up_cancel", "110", datetime(2026, 1, 4, 6, 30))  # noqa: DTZ001
    all_of_them = phone_update_records.wake_up_cancel_update("110", None, POLICY)
    assert all_of_them.record.text == "WC|RN110|DA|TI|"
    assert (all_of_them.body, all_of_them.until) == ({}, None)
    assert all_of_them.phone_update == PhoneUpdate("wake_up_cancel", "110", None)
    assert error(phone_update_records.wake_up_cancel_update, "110", "tomorrow", POLICY)[0] == "at"


def test_the_result_repeats_the_date_and_time_of_the_request() -> None:
    """§5.1: DA and TI as in the WR, seconds included or not."""
    at = datetime(2026, 1, 3, 7)  # noqa: DTZ001
    update = phone_update_records.wake_up_result_update(
        WakeUpFinished("110", WakeUp(7, at, "260103", "0700", due=0, attempts=1), "answered")
    )
    assert update.record.text == "WA|RN110|DA260103|TI0700|ASOK|"
    assert (update.type, update.room) == ("wake_up_result", "110")
    assert (update.subject, update.until, update.phone_update) == (None, None, None)
    assert update.body == {"at": "2026-01-03T07:00:00", "result": "answered"}


def test_a_pbx_reports_the_result_of_an_attempt() -> None:
    assert phone_update_records.parse_wake_up_result({"id": 7, "result": "busy"}) == (7, None, "busy")
    assert phone_update_records.parse_wake_up_result({"id": 7, "attempt": 2, "result": "no_answer"}) == (
        7,
        2,
        "no_answer",
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"result": "busy"}, "id"),
        ({"id": 0, "result": "busy"}, "id"),
        ({"id": 7}, "result"),
        ({"id": 7, "result": "missed"}, "result"),
        ({"id": 7, "result": "busy", "attempt": 11}, "attempt"),
        ({"id": 7, "result": "busy", "at": "now"}, "at"),
    ],
)
def test_invalid_reports_of_a_result_are_rejected(body: dict[str, object], field: str) -> None:
    assert error(phone_update_records.parse_wake_up_result, body)[0] == field


# All updates.


@pytest.mark.parametrize("room", ["", "1" * 41, "1|1", "1\n"])
def test_room_names_that_fias_cannot_carry_are_rejected(room: str) -> None:
    each: list[tuple[Callable[..., OutboundUpdate], tuple[object, ...]]] = [
        (phone_update_records.status_update, ({"status": 1}, {})),
        (phone_update_records.dnd_update, ({"on": True},)),
        (phone_update_records.make_up_room_update, ({"on": True},)),
        (phone_update_records.voicemail_update, ({"unread": 1},)),
        (phone_update_records.wake_up_update, ({"at": "2026-01-04T06:30"}, START_TIME, POLICY)),
        (phone_update_records.wake_up_cancel_update, (None, POLICY)),
        (phone_update_records.wake_up_cancel_update, ("2026-01-04T06:30", POLICY)),
    ]
    for build, arguments in each:
        assert error(build, room, *arguments)[0] == "room"


@settings(derandomize=True)
@given(
    st.datetimes(datetime(2026, 1, 1, 14), datetime(2026, 12, 31)),  # noqa: DTZ001
    st.integers(0, 99),
    st.integers(0, 99),
)
def test_the_records_of_updates_are_valid_fias(at: datetime, unread: int, read: int) -> None:
    moment = at.isoformat()
    each = [
        status({"status": 1 + unread % 6}),
        phone_update_records.voicemail_update("110", {"unread": unread, "read": read}),
        wake_up(moment),
        phone_update_records.wake_up_cancel_update("110", moment, POLICY),
        phone_update_records.wake_up_cancel_update("110", None, POLICY),
    ]
    for update in each:
        assert not list(find_problems(update.record))
        json.loads(phone_update_records.serialize_update_body(update))


# The change of the hotel state.


@pytest.fixture
def hotel() -> HotelDriver:
    return HotelDriver(timezone=POLICY.timezone)


@pytest.mark.parametrize(
    "change",
    [
        PhoneUpdate("status", "110", 3),
        PhoneUpdate("status", "110", 1),
        PhoneUpdate("dnd", "110", False),
        PhoneUpdate("make_up_room", "110", False),
        PhoneUpdate("wake_up_cancel", "110", None),
        PhoneUpdate("voicemail", "110", None),
    ],
)
def test_updates_that_need_no_storage_do_not_add_an_unknown_room(
    hotel: HotelDriver, change: PhoneUpdate
) -> None:
    assert hotel.apply_phone_update(change) == []
    assert hotel.state.rooms == {}


def test_a_sign_and_a_wake_up_add_an_unknown_room(hotel: HotelDriver) -> None:
    hotel.apply_phone_update(PhoneUpdate("dnd", "110", True))
    hotel.apply_phone_update(PhoneUpdate("wake_up", "111", datetime(2026, 1, 2, 7)))  # noqa: DTZ001
    assert (hotel.room("110").do_not_disturb, len(hotel.room("111").wake_ups)) == (True, 1)


def test_a_status_update_changes_the_state(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|")
    assert hotel.apply_phone_update(PhoneUpdate("status", "110", 3)) == ["room.status 110 3 by pbx"]
    assert hotel.room() == Room("110", status=3)


def test_a_sign_changes_the_state_and_emits_one_event(hotel: HotelDriver) -> None:
    assert hotel.apply_phone_update(PhoneUpdate("dnd", "110", True)) == [
        "room.do_not_disturb 110 True by pbx"
    ]
    assert hotel.apply_phone_update(PhoneUpdate("dnd", "110", True)) == []
    assert hotel.apply_phone_update(PhoneUpdate("dnd", "110", False)) == [
        "room.do_not_disturb 110 False by pbx"
    ]


def test_do_not_disturb_and_make_up_room_are_two_signs(hotel: HotelDriver) -> None:
    """Case A8."""
    hotel.apply_phone_update(PhoneUpdate("dnd", "110", True))
    assert hotel.apply_phone_update(PhoneUpdate("make_up_room", "110", False)) == []
    hotel.apply_phone_update(PhoneUpdate("make_up_room", "110", True))
    assert (hotel.room().do_not_disturb, hotel.room().make_up_room) == (True, True)
    hotel.apply_phone_update(PhoneUpdate("dnd", "110", False))
    assert (hotel.room().do_not_disturb, hotel.room().make_up_room) == (False, True)


def test_voicemail_with_a_light_switches_the_message_light(hotel: HotelDriver) -> None:
    for on in (True, False):
        update = phone_update_records.voicemail_update("110", {"unread": int(on), "light": on})
        assert update.record.text == f"RE|RN110|VM0{int(on)}00|"
        assert update.phone_update is not None
        assert hotel.apply_phone_update(update.phone_update) == [f"room.message_light 110 {on} by pbx"]
    hotel.apply_phone_update(PhoneUpdate("voicemail", "110", True))
    assert hotel.receive("RE|RN110|MLN|") == ["room.message_light 110 False"]


def test_the_pms_can_remove_a_sign(hotel: HotelDriver) -> None:
    hotel.apply_phone_update(PhoneUpdate("dnd", "110", True))
    assert hotel.receive("RE|RN110|DNN|") == ["room.do_not_disturb 110 False"]


def test_a_wake_up_from_a_phone_equals_one_from_the_pms(hotel: HotelDriver) -> None:
    order = wake_up("2026-01-01T13:30")
    assert order.phone_update is not None
    assert hotel.apply_phone_update(order.phone_update) == ["wake_up.set 110 13:30 by pbx"]
    assert hotel.receive("WR|RN110|DA260101|TI133000|") == []  # the PMS may send the same wake-up
    assert hotel.wait(1800) == ["wake_up.due 110 13:30 1"]


def test_a_wake_up_that_a_guest_cancels_is_removed(hotel: HotelDriver) -> None:
    hotel.receive("WR|RN110|DA260101|TI133000|", "WR|RN110|DA260101|TI1345|")
    one = datetime(2026, 1, 1, 13, 45)  # noqa: DTZ001
    assert hotel.apply_phone_update(PhoneUpdate("wake_up_cancel", "110", one)) == [
        "wake_up.cancelled 110 13:45 by pbx"
    ]
    assert hotel.apply_phone_update(PhoneUpdate("wake_up_cancel", "110", None)) == [
        "wake_up.cancelled 110 13:30 by pbx"
    ]
    assert hotel.apply_phone_update(PhoneUpdate("wake_up_cancel", "110", None)) == []


def test_updates_add_no_room_beyond_the_maximum(hotel: HotelDriver) -> None:
    hotel.state.rooms.update({str(number): Room(str(number)) for number in range(MAX_ROOMS)})
    assert hotel.apply_phone_update(PhoneUpdate("dnd", "Annex", True)) == []
    with pytest.raises(TooManyWakeUpsError):
        hotel.apply_phone_update(PhoneUpdate("wake_up", "Annex", datetime(2026, 1, 2, 7)))  # noqa: DTZ001
    assert "Annex" not in hotel.state.rooms
    assert hotel.apply_phone_update(PhoneUpdate("dnd", "110", True)) == [
        "room.do_not_disturb 110 True by pbx"
    ]


def test_a_phone_update_while_the_guest_leaves_is_about_the_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|", "RE|RN110|MLY|", "GO|RN110|G#1|GSN|")
    assert hotel.apply_phone_update(PhoneUpdate("dnd", "110", True)) == [
        "room.message_light 110 False",
        "room.do_not_disturb 110 True by pbx",
    ]
    assert hotel.wait(5) == ["guest.checked_out 110 #1 vacant"]
    assert hotel.room().do_not_disturb


@pytest.mark.parametrize(
    "update",
    [
        status({"status": 3}),
        status({"status": "*61"}, **{"*61": 17}),
        phone_update_records.dnd_update("110", {"on": True}),
        phone_update_records.dnd_update("110", {"on": False}),
        phone_update_records.make_up_room_update("110", {"on": True}),
        phone_update_records.voicemail_update("110", {"unread": 1}),
        wake_up("2026-01-04T06:30"),
        phone_update_records.wake_up_cancel_update("110", "2026-01-04T06:30", POLICY),
        phone_update_records.wake_up_cancel_update("110", None, POLICY),
    ],
    ids=lambda update: f"{update.type} {update.record.text}",
)
def test_the_phone_update_is_parsed_again_from_the_stored_body(update: OutboundUpdate) -> None:
    assert (
        phone_update_records.parse_phone_update(
            update.type, update.room, phone_update_records.serialize_update_body(update)
        )
        == update.phone_update
    )


def test_updates_without_a_phone_update_change_nothing(hotel: HotelDriver) -> None:
    hotel.receive("GO|RN110|")
    assert hotel.apply_phone_update(PhoneUpdate("voicemail", "110", None)) == []
    assert hotel.room() == Room("110")
