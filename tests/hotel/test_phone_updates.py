"""What a phone may tell, the record that it becomes, and what the house knows then."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.fias.catalog import problems
from pmslink.hotel import phone_updates
from pmslink.hotel.events import Awoken
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import MOST_ROOMS
from pmslink.hotel.phone_updates import Change, Told
from pmslink.hotel.rooms import Room, WakeUp
from pmslink.hotel.wake_ups import TooManyWakeUps
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError
from tests.hotel.hotel_driver import NOON, Hotel

RULES = Rules(timezone=ZoneInfo("Europe/Vienna"))  # where it is 13:00


def status(body: Mapping[str, object], **codes: int) -> Told:
    return phone_updates.told_status("110", body, codes)


def wake_up(at: object) -> Told:
    return phone_updates.told_wake_up("110", {"at": at}, NOON, RULES)


def error(told: Callable[..., Any], *arguments: Any) -> tuple[str, str]:
    with pytest.raises(BodyError) as caught:
        told(*arguments)
    return caught.value.field, str(caught.value)


# Status.


def test_a_status_is_told_as_the_pms_has_it() -> None:
    told = status({"status": 3})
    assert told == Told(
        type="status",
        room="110",
        body={"status": 3},
        record=told.record,
        subject="status",
        change=Change("status", "110", 3),
    )
    assert told.record.text == "RE|RN110|RS3|"
    assert phone_updates.body_text(told) == '{"status": 3}'


@pytest.mark.parametrize("value", [0, 7, "3", True, 1.0])
def test_a_status_is_a_number_from_1_to_6(value: object) -> None:
    assert error(status, {"status": value}) == ("status", "status must be a whole number from 1 to 6")


@pytest.mark.parametrize("body", [{}, {"status": None}])
def test_a_status_has_to_be_there(body: dict[str, object]) -> None:
    assert error(status, body) == ("status", "status is missing: must be a whole number from 1 to 6")


def test_where_the_hotel_has_codes_they_are_what_is_told() -> None:
    """Q26."""
    assert status({"status": "*61"}, **{"*61": 1, "62": 17}).record.text == "RE|RN110|RS1|"
    told = status({"status": 62}, **{"*61": 1, "62": 17})
    assert (told.record.text, told.body, told.change) == (
        "RE|RN110|RS17|",
        {"status": 17},
        Change("status", "110", 17),
    )


@pytest.mark.parametrize("value", [1, "1", True, 62.0, ["62"]])
def test_where_the_hotel_has_codes_nothing_else_is_told(value: object) -> None:
    with pytest.raises(BodyError, match=r"^status must be one of the hotel's codes \*61, 62$"):
        status({"status": value}, **{"*61": 1, "62": 17})


# Signs.


@pytest.mark.parametrize(
    ("told", "type", "on", "text", "disturb_not"),
    [
        (phone_updates.told_dnd, "dnd", True, "RE|RN110|RS8|", True),
        (phone_updates.told_dnd, "dnd", False, "RE|RN110|RS10|", False),
        (phone_updates.told_make_up_room, "make_up_room", True, "RE|RN110|RS9|", False),
        (phone_updates.told_make_up_room, "make_up_room", False, "RE|RN110|RS10|", False),
    ],
)
def test_there_is_one_sign_at_a_door(
    told: Callable[..., Told], type: Any, on: bool, text: str, disturb_not: bool
) -> None:
    sign = told("110", {"on": on})
    assert (sign.type, sign.record.text, sign.body) == (type, text, {"on": on})
    assert (sign.subject, sign.change) == ("sign", Change(type, "110", disturb_not))


@pytest.mark.parametrize("told", [phone_updates.told_dnd, phone_updates.told_make_up_room])
def test_a_sign_is_on_or_off(told: Callable[..., Told]) -> None:
    assert error(told, "110", {"on": 1}) == ("on", "on must be true or false")
    assert error(told, "110", {"one": True}) == ("one", 'there is no "one" in a sign; did you mean on?')


# Voicemail.


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"unread": 1, "read": 3}, "RE|RN110|VM0103|"),
        ({"unread": 0}, "RE|RN110|VM0000|"),
        ({"unread": 99, "read": 99}, "RE|RN110|VM9999|"),
    ],
)
def test_voicemail_is_told_in_two_numbers(body: dict[str, object], text: str) -> None:
    told = phone_updates.told_voicemail("110", body)
    assert (told.record.text, told.subject, told.change) == (text, "voicemail", None)


@pytest.mark.parametrize("body", [{"unread": 100}, {"unread": -1}, {"unread": 1, "read": 100}, {"read": 1}])
def test_voicemail_has_two_digits_each(body: dict[str, object]) -> None:
    with pytest.raises(BodyError, match=r"must be a whole number from 0 to 99$"):
        phone_updates.told_voicemail("110", body)


# Wake-ups.


def test_a_guest_may_order_a_wake_up() -> None:
    told = wake_up("2026-01-04T06:30")
    assert told.record.text == "WR|RN110|DA260104|TI063000|"
    assert told.body == {"at": "2026-01-04T06:30:00"}
    assert told.until == to_ms(datetime(2026, 1, 4, 5, 30, tzinfo=UTC))
    assert (told.subject, told.change) == (
        None,
        Change("wake_up", "110", datetime(2026, 1, 4, 6, 30)),  # noqa: DTZ001
    )


@pytest.mark.parametrize("at", ["2026-01-01T12:59", "2026-01-01T12:59:00.500", "2027-01-02T13:00"])
def test_it_may_be_for_now_or_any_time_within_a_year(at: str) -> None:
    assert wake_up(at).type == "wake_up"


@pytest.mark.parametrize("at", ["2026-01-01T12:58:59", "2027-01-02T13:00:01", "2000-01-01T00:00"])
def test_it_may_not_be_for_any_other_time(at: str) -> None:
    assert error(wake_up, at) == ("at", "at must be in the future, and within a year")


@pytest.mark.parametrize(
    "at",
    [
        *("2026-01-04", "06:30", "2026-01-04 06:30", "2026-02-30T06:30", "soon", 7, ""),
        *("2026-01-04T06:30Z", "2026-01-04T06:30+01:00", "1999-12-31T23:59", "2100-01-01T00:00"),
    ],
)
def test_its_moment_is_the_hotel_s_local_time(at: object) -> None:
    assert error(wake_up, at) == (
        "at",
        'at must be a date and time of the hotel without an offset, such as "2026-11-20T07:00"',
    )


def test_a_guest_may_cancel_one_wake_up_or_all() -> None:
    one = phone_updates.told_wake_up_cancel("110", "2026-01-04T06:30", RULES)
    assert one.record.text == "WC|RN110|DA260104|TI063000|"
    assert one.until == to_ms(datetime(2026, 1, 4, 5, 30, tzinfo=UTC))
    assert one.change == Change("wake_up_cancel", "110", datetime(2026, 1, 4, 6, 30))  # noqa: DTZ001
    all_of_them = phone_updates.told_wake_up_cancel("110", None, RULES)
    assert all_of_them.record.text == "WC|RN110|DA|TI|"
    assert (all_of_them.body, all_of_them.until) == ({}, None)
    assert all_of_them.change == Change("wake_up_cancel", "110", None)
    assert error(phone_updates.told_wake_up_cancel, "110", "tomorrow", RULES)[0] == "at"


def test_the_result_says_the_moment_as_the_order_said_it() -> None:
    """§5.1: DA and TI as in the WR, seconds included or not."""
    at = datetime(2026, 1, 3, 7)  # noqa: DTZ001
    told = phone_updates.told_result(
        Awoken("110", WakeUp(7, at, "260103", "0700", due=0, attempts=1), "answered")
    )
    assert told.record.text == "WA|RN110|DA260103|TI0700|ASOK|"
    assert (told.type, told.room) == ("wake_up_result", "110")
    assert (told.subject, told.until, told.change) == (None, None, None)
    assert told.body == {"at": "2026-01-03T07:00:00", "result": "answered"}


def test_a_pbx_tells_how_an_attempt_went() -> None:
    assert phone_updates.read_result({"id": 7, "result": "busy"}) == (7, None, "busy")
    assert phone_updates.read_result({"id": 7, "attempt": 2, "result": "no_answer"}) == (7, 2, "no_answer")


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
def test_what_a_pbx_may_not_tell(body: dict[str, object], field: str) -> None:
    assert error(phone_updates.read_result, body)[0] == field


# All of them.


@pytest.mark.parametrize("room", ["", "1" * 41, "1|1", "1\n"])
def test_a_room_is_named_as_fias_can(room: str) -> None:
    each: list[tuple[Callable[..., Told], tuple[object, ...]]] = [
        (phone_updates.told_status, ({"status": 1}, {})),
        (phone_updates.told_dnd, ({"on": True},)),
        (phone_updates.told_make_up_room, ({"on": True},)),
        (phone_updates.told_voicemail, ({"unread": 1},)),
        (phone_updates.told_wake_up, ({"at": "2026-01-04T06:30"}, NOON, RULES)),
        (phone_updates.told_wake_up_cancel, (None, RULES)),
        (phone_updates.told_wake_up_cancel, ("2026-01-04T06:30", RULES)),
    ]
    for told, arguments in each:
        assert error(told, room, *arguments)[0] == "room"


@settings(deadline=None, derandomize=True)
@given(
    st.datetimes(datetime(2026, 1, 1, 14), datetime(2026, 12, 31)),  # noqa: DTZ001
    st.integers(0, 99),
    st.integers(0, 99),
)
def test_what_is_sent_is_as_fias_has_it(at: datetime, unread: int, read: int) -> None:
    moment = at.isoformat()
    each = [
        status({"status": 1 + unread % 6}),
        phone_updates.told_voicemail("110", {"unread": unread, "read": read}),
        wake_up(moment),
        phone_updates.told_wake_up_cancel("110", moment, RULES),
        phone_updates.told_wake_up_cancel("110", None, RULES),
    ]
    for told in each:
        assert not list(problems(told.record))
        json.loads(phone_updates.body_text(told))


# What the house knows of it.


@pytest.fixture
def hotel() -> Hotel:
    return Hotel(timezone=RULES.timezone)


@pytest.mark.parametrize(
    "change",
    [
        Change("status", "110", 3),
        Change("status", "110", 1),
        Change("dnd", "110", False),
        Change("make_up_room", "110", False),
        Change("wake_up_cancel", "110", None),
        Change("voicemail", "110", None),
    ],
)
def test_a_room_that_the_pms_has_not_named_is_not_made_for_what_need_not_be_known(
    hotel: Hotel, change: Change
) -> None:
    assert hotel.phone(change) == []
    assert hotel.house.rooms == {}


def test_a_room_that_the_pms_has_not_named_may_be_silent_and_woken(hotel: Hotel) -> None:
    hotel.phone(Change("dnd", "110", True))
    hotel.phone(Change("wake_up", "111", datetime(2026, 1, 2, 7)))  # noqa: DTZ001
    assert (hotel.room("110").do_not_disturb, len(hotel.room("111").wake_ups)) == (True, 1)


def test_a_status_that_is_told_is_so(hotel: Hotel) -> None:
    hotel.hear("GO|RN110|")
    assert hotel.phone(Change("status", "110", 3)) == []
    assert hotel.room() == Room("110", status=3)


def test_a_sign_that_is_put_up_is_there_and_told_once(hotel: Hotel) -> None:
    assert hotel.phone(Change("dnd", "110", True)) == ["room.do_not_disturb 110 True by pbx"]
    assert hotel.phone(Change("dnd", "110", True)) == []
    assert hotel.phone(Change("make_up_room", "110", False)) == ["room.do_not_disturb 110 False by pbx"]


def test_the_pms_may_take_a_sign_away_again(hotel: Hotel) -> None:
    hotel.phone(Change("dnd", "110", True))
    assert hotel.hear("RE|RN110|DNN|") == ["room.do_not_disturb 110 False"]


def test_a_wake_up_that_a_guest_orders_is_as_good_as_the_pms_s(hotel: Hotel) -> None:
    order = wake_up("2026-01-01T13:30")
    assert order.change is not None
    assert hotel.phone(order.change) == ["wake_up.set 110 13:30 by pbx"]
    assert hotel.hear("WR|RN110|DA260101|TI133000|") == []  # which the PMS may say back
    assert hotel.wait(1800) == ["wake_up.due 110 13:30 1"]


def test_a_wake_up_that_a_guest_cancels_is_gone(hotel: Hotel) -> None:
    hotel.hear("WR|RN110|DA260101|TI133000|", "WR|RN110|DA260101|TI1345|")
    one = datetime(2026, 1, 1, 13, 45)  # noqa: DTZ001
    assert hotel.phone(Change("wake_up_cancel", "110", one)) == ["wake_up.cancelled 110 13:45 by pbx"]
    assert hotel.phone(Change("wake_up_cancel", "110", None)) == ["wake_up.cancelled 110 13:30 by pbx"]
    assert hotel.phone(Change("wake_up_cancel", "110", None)) == []


def test_a_house_that_is_full_takes_no_other_room(hotel: Hotel) -> None:
    hotel.house.rooms.update({str(number): Room(str(number)) for number in range(MOST_ROOMS)})
    assert hotel.phone(Change("dnd", "Annex", True)) == []
    with pytest.raises(TooManyWakeUps):
        hotel.phone(Change("wake_up", "Annex", datetime(2026, 1, 2, 7)))  # noqa: DTZ001
    assert "Annex" not in hotel.house.rooms
    assert hotel.phone(Change("dnd", "110", True)) == ["room.do_not_disturb 110 True by pbx"]


def test_a_phone_of_a_room_that_is_being_left_is_the_next_guest_s(hotel: Hotel) -> None:
    hotel.hear("GI|RN110|G#1|GSN|", "RE|RN110|MLY|", "GO|RN110|G#1|GSN|")
    assert hotel.phone(Change("dnd", "110", True)) == [
        "guest.checked_out 110 #1 vacant",
        "room.message_light 110 False",
        "room.do_not_disturb 110 True by pbx",
    ]
    assert hotel.wait(5) == []


@pytest.mark.parametrize(
    "told",
    [
        status({"status": 3}),
        status({"status": "*61"}, **{"*61": 17}),
        phone_updates.told_dnd("110", {"on": True}),
        phone_updates.told_dnd("110", {"on": False}),
        phone_updates.told_make_up_room("110", {"on": True}),
        phone_updates.told_voicemail("110", {"unread": 1}),
        wake_up("2026-01-04T06:30"),
        phone_updates.told_wake_up_cancel("110", "2026-01-04T06:30", RULES),
        phone_updates.told_wake_up_cancel("110", None, RULES),
    ],
    ids=lambda told: f"{told.type} {told.record.text}",
)
def test_what_the_house_is_to_know_stands_in_what_is_kept_of_it(told: Told) -> None:
    assert phone_updates.change_of(told.type, told.room, phone_updates.body_text(told)) == told.change


def test_what_the_house_need_not_know_changes_nothing(hotel: Hotel) -> None:
    hotel.hear("GO|RN110|")
    assert hotel.phone(Change("voicemail", "110", None)) == []
    assert hotel.room() == Room("110")
