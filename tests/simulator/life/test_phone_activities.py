"""What is done at the telephones: which calls of the interface, and what they say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from pmslink.hotel.postings import parse_posting
from pmslink.simulator.life.phone_activities import ApiCall, PhoneActivity

NOW = datetime(2026, 11, 20, 6, 14, 31, tzinfo=UTC)
ROOMS: list[dict[str, Any]] = [
    {"room": "101", "guests": [{"number": "5001"}], "wake_ups": [{"id": 7, "at": "2026-11-21T07:00:00"}]},
    {"room": "1 2/3", "guests": [{"number": "5002"}], "wake_ups": [], "do_not_disturb": True},
    {"room": "103", "guests": []},
]
DUE = {
    "seq": 9,
    "at": "2026-11-20T06:14:00.000Z",
    "type": "wake_up.due",
    "room": "1 2/3",
    "wake_up": {"id": 7, "at": "2026-11-20T07:00:00"},
    "attempt": 2,
    "attempts": 3,
}


def deeds(rooms: list[dict[str, Any]] = ROOMS, count: int = 2000, seed: int = 1) -> list[ApiCall]:
    habits = PhoneActivity("grand", Random(seed))
    done = [habits.next_call(rooms, NOW) for _ in range(count)]
    return [deed for deed in done if deed is not None]


def of(what: str) -> list[ApiCall]:
    return [deed for deed in deeds() if deed.name == what]


def test_all_that_telephones_are_for_is_done_calls_most_of_all() -> None:
    counts = Counter(deed.name for deed in deeds())
    assert set(counts) == {
        "call",
        "minibar",
        "status",
        "do_not_disturb",
        "voicemail",
        "wake_up",
        "no_wake_up",
    }
    assert counts.most_common(1)[0][0] == "call"
    assert sum(counts.values()) == 2000


def test_the_same_random_numbers_do_the_same() -> None:
    assert deeds(seed=1) == deeds(seed=1)
    assert deeds(seed=1) != deeds(seed=2)


@pytest.mark.parametrize("what", ["call", "minibar"])
def test_postings_are_such_as_pmslink_takes_each_under_a_key_of_its_own(what: str) -> None:
    postings = of(what)
    for deed in postings:
        assert (deed.method, deed.path) == ("POST", "/api/v1/links/grand/postings")
        assert deed.body is not None
        posting = parse_posting(deed.body, NOW)
        assert posting.room in ("101", "1 2/3")
        assert posting.started <= NOW
    assert len({deed.key for deed in postings}) == len(postings)


def test_some_calls_have_their_price() -> None:
    priced = ["amount" in (deed.body or {}) for deed in of("call")]
    assert 0.4 < sum(priced) / len(priced) < 0.6


def test_a_maid_tells_the_status_of_any_room_and_whether_it_is_occupied() -> None:
    told = {(deed.path.split("/")[6], (deed.body or {})["status"]) for deed in of("status")}
    occupied = {(room, status) for room in ("101", "1%202%2F3") for status in (2, 4, 6)}
    assert told == occupied | {("103", status) for status in (1, 3, 5)}


def test_signs_voicemail_and_wake_ups_are_told_of_the_room() -> None:
    path = "/api/v1/links/grand/rooms/1%202%2F3"
    assert ApiCall("do_not_disturb", "PUT", f"{path}/dnd", {"on": False}) in of("do_not_disturb")
    assert ApiCall("do_not_disturb", "PUT", "/api/v1/links/grand/rooms/101/dnd", {"on": True}) in deeds()
    assert ApiCall("voicemail", "PUT", f"{path}/voicemail", {"unread": 1, "read": 3}) in of("voicemail")
    ordered = {deed.body["at"] for deed in of("wake_up") if deed.body and deed.path == f"{path}/wake-up"}
    local = NOW.replace(tzinfo=None)
    for at in ordered:
        assert len(at) == len("2026-11-20T07:00")
        assert local < datetime.fromisoformat(at) < local + timedelta(days=1, minutes=1)


def test_wake_ups_are_cancelled_where_there_are_some_one_or_all() -> None:
    path = "/api/v1/links/grand/rooms/101/wake-up"
    assert {deed.path for deed in of("no_wake_up")} == {path, f"{path}?at=2026-11-21T07%3A00%3A00"}
    assert {(deed.method, deed.body) for deed in of("no_wake_up")} == {("DELETE", None)}


def test_in_an_empty_hotel_there_are_only_the_maids_and_without_rooms_nobody() -> None:
    assert {deed.name for deed in deeds(ROOMS[2:], 50)} == {"status"}
    assert deeds([], 50) == []


def test_a_phone_that_rings_is_answered_mostly() -> None:
    habits = PhoneActivity("grand", Random(1))
    replies = [habits.react_to_event(DUE) for _ in range(1000)]
    counts = Counter(reply.call.name for reply in replies if reply is not None)
    assert set(counts) == {"answered", "no_answer", "busy"}
    assert counts["answered"] > 700
    for reply in replies:
        assert reply is not None
        assert 0 < reply.seconds <= 30
        assert reply.call == ApiCall(
            reply.call.name,
            "POST",
            "/api/v1/links/grand/rooms/1%202%2F3/wake-up/result",
            {"id": 7, "attempt": 2, "result": reply.call.name},
        )


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "record", "room": "101"},
        {**DUE, "type": "wake_up.done"},
        {**DUE, "wake_up": None},
        {**DUE, "room": None},
    ],
)
def test_no_other_event_rings_a_phone(event: dict[str, Any]) -> None:
    assert PhoneActivity("grand", Random(1)).react_to_event(event) is None
