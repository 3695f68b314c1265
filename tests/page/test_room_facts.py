"""Tests of what the page concludes about rooms and hotel times, without a view."""

from __future__ import annotations

from typing import Any

import pytest

from tests.page.browser import BrowserUser
from tests.page.page_modules import call_module

ROOMS = "core/rooms.js"
TIME = "core/hotel_time.js"
NOVEMBER_30 = 1_796_062_800_000
"""2026-11-30 18:20 in UTC, in milliseconds."""
LANGUAGES = """
EA English  GE German  SP Spanish  FR French  IT Italian  JA Japanese  CT Catalan  CR Croatian  CZ Czech
DK Danish  FN Finnish  GR Greek  RI Indonesian  NR Norwegian  PO Portuguese  RL Russian  RS Russian
SC Slovak  SW Swedish  NL Dutch  HU Hungarian  TR Turkish  EN English  de German  ZH Chinese
QX QX  1 1  E\u202eA E⟨202E⟩A
"""


def _room(name: str, **values: Any) -> dict[str, Any]:
    room = {
        "room": name,
        "extensions": [name],
        "guests": [],
        "class_of_service": None,
        "do_not_disturb": False,
        "message_light": False,
        "status": None,
        "wake_ups": [],
        "changed": None,
    }
    return room | values


@pytest.mark.parametrize(
    ("room", "floor"),
    [
        ("214", "2"),
        ("1204", "12"),
        ("B214", "B2"),
        ("07", None),
        ("Villa", None),
        ("10/8", None),
        ("0305", "03"),
    ],
)
def test_a_floor_is_the_number_without_its_last_two_digits(
    user: BrowserUser, room: str, floor: str | None
) -> None:
    assert call_module(user.page, ROOMS, "floorOf", room) == floor


def test_rooms_are_grouped_from_the_highest_floor_down(user: BrowserUser) -> None:
    rooms = [_room(name) for name in ("102", "1001", "Villa", "201", "101", "203")]
    floors = call_module(user.page, ROOMS, "groupByFloor", rooms)
    assert [(one["floor"], [room["room"] for room in one["rooms"]]) for one in floors] == [
        ("10", ["1001"]),
        ("2", ["201", "203"]),
        ("1", ["101", "102"]),
        (None, ["Villa"]),
    ]


@pytest.mark.parametrize(("named", "others", "expected"), [(6, 4, True), (5, 4, False), (0, 0, False)])
def test_floors_need_enough_rooms_whose_numbers_name_one(
    user: BrowserUser, named: int, others: int, expected: bool
) -> None:
    rooms = [_room(f"{100 + number}") for number in range(named)]
    rooms += [_room(f"Villa {number}") for number in range(others)]
    assert call_module(user.page, ROOMS, "haveFloors", rooms) is expected


def test_chips_count_the_rooms_that_belong_to_them(user: BrowserUser) -> None:
    guest: dict[str, Any] = {"number": "1", "name": "Larsen", "first_name": None, "title": None, "fields": {}}
    rooms = [
        _room("101", guests=[guest], do_not_disturb=True, status=2),
        _room("102", message_light=True, status=1, extensions=[]),
        _room("103", status=3, wake_ups=[{"at": "2026-12-01T07:00", "attempts": 0}]),
        _room("104", by_hand={"what": "check_in", "by": "desk", "at": "2026-11-30T21:10:00Z"}),
    ]
    assert call_module(user.page, ROOMS, "chipCounts", rooms) == {
        "all": 4,
        "occupied": 1,
        "vacant": 3,
        "dnd": 1,
        "message": 1,
        "wake": 1,
        "dirty": 2,
        "hand": 1,
        "unmapped": 1,
    }


def test_housekeeping_has_a_code_for_vacant_and_for_occupied_rooms(user: BrowserUser) -> None:
    by_occupancy: list[tuple[list[Any], list[int]]] = [([], [1, 3, 5]), ([{}], [2, 4, 6])]
    for guests, statuses in by_occupancy:
        for condition, status in zip(("dirty", "clean", "ok"), statuses, strict=True):
            assert call_module(user.page, ROOMS, "statusOf", condition, _room("101", guests=guests)) == status
            assert call_module(user.page, ROOMS, "conditionOf", status) == condition
    assert call_module(user.page, ROOMS, "conditionOf", 7) is None


def test_a_status_is_requested_by_the_codes_of_the_hotels_phones(user: BrowserUser) -> None:
    assert call_module(user.page, ROOMS, "requestedStatus", 3, {}) == 3
    assert call_module(user.page, ROOMS, "requestedStatus", 3, {"11": 1, "12": 3}) == "12"
    assert call_module(user.page, ROOMS, "requestedStatus", 5, {"11": 1, "12": 3}) is None


def test_a_wake_up_is_on_a_day_of_the_hotel(user: BrowserUser) -> None:
    def wake_up(day: str, date: str = "") -> Any:
        fields = {"day": day, "time": "07:00", "date": date}
        return call_module(user.page, TIME, "wakeUpTime", fields, NOVEMBER_30, "Asia/Shanghai")

    assert wake_up("today") == "2026-12-01T07:00"  # it is after midnight there
    assert wake_up("tomorrow") == "2026-12-02T07:00"
    assert wake_up("date", "2026-12-24") == "2026-12-24T07:00"
    assert wake_up("date") is None
    assert call_module(user.page, TIME, "proposedWakeUp") == {"day": "tomorrow", "time": "07:00"}


def test_nights_are_counted_from_the_date_of_the_hotel(user: BrowserUser) -> None:
    for zone, departure in (("America/New_York", "2026-12-01"), ("Asia/Shanghai", "2026-12-02")):
        assert call_module(user.page, TIME, "departureDate", 1, NOVEMBER_30, zone) == departure


def test_a_zone_is_elsewhere_if_its_clocks_show_another_time(user: BrowserUser) -> None:
    here = user.page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert call_module(user.page, TIME, "isElsewhere", NOVEMBER_30, here) is False
    assert call_module(user.page, TIME, "isElsewhere", NOVEMBER_30, None) is False
    assert call_module(user.page, TIME, "isElsewhere", NOVEMBER_30, "Pacific/Chatham") is True


def test_work_by_hand_is_offered_after_two_minutes_without_sync(user: BrowserUser) -> None:
    def offered(seconds: int, **link: Any) -> Any:
        values = {"in_sync": False, "down_since": None, "last_in_sync": None, "since": "2026-11-30T18:20:00Z"}
        return call_module(
            user.page, "core/by_hand.js", "isOffered", values | link, NOVEMBER_30 + seconds * 1000
        )

    assert offered(119) is False
    assert offered(120) is True
    assert offered(10_000, in_sync=True) is False
    assert offered(10, down_since="2026-11-30T18:00:00Z") is True
    assert offered(10, last_in_sync="2026-11-30T18:00:00Z") is True


def test_guest_languages_are_fias_codes_or_iso_codes(user: BrowserUser) -> None:
    words = LANGUAGES.split()
    expected = dict(zip(words[::2], words[1::2], strict=True))
    actual = [call_module(user.page, "components/room_labels.js", "guestLanguage", code) for code in expected]
    assert dict(zip(expected, actual, strict=True)) == expected
