"""Tests of the phones' activities: the API calls and their bodies."""

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


def make_calls(rooms: list[dict[str, Any]] = ROOMS, count: int = 2000, seed: int = 1) -> list[ApiCall]:
    phones = PhoneActivity("grand", Random(seed))
    calls = [phones.next_call(rooms, NOW) for _ in range(count)]
    return [call for call in calls if call is not None]


def calls_named(name: str) -> list[ApiCall]:
    return [call for call in make_calls() if call.name == name]


def test_all_activities_occur_and_calls_are_the_most_frequent() -> None:
    counts = Counter(call.name for call in make_calls())
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


def test_equal_seeds_give_equal_calls() -> None:
    assert make_calls(seed=1) == make_calls(seed=1)
    assert make_calls(seed=1) != make_calls(seed=2)


@pytest.mark.parametrize("name", ["call", "minibar"])
def test_postings_are_valid_and_have_unique_keys(name: str) -> None:
    postings = calls_named(name)
    for call in postings:
        assert (call.method, call.path) == ("POST", "/api/v1/links/grand/postings")
        assert call.body is not None
        posting = parse_posting(call.body, NOW)
        assert posting.room in ("101", "1 2/3")
        assert posting.started <= NOW
    assert len({call.key for call in postings}) == len(postings)


def test_half_of_the_calls_have_an_amount() -> None:
    priced = ["amount" in (call.body or {}) for call in calls_named("call")]
    assert 0.4 < sum(priced) / len(priced) < 0.6


def test_the_room_status_depends_on_occupancy() -> None:
    statuses = {(call.path.split("/")[6], (call.body or {})["status"]) for call in calls_named("status")}
    occupied = {(room, status) for room in ("101", "1%202%2F3") for status in (2, 4, 6)}
    assert statuses == occupied | {("103", status) for status in (1, 3, 5)}


def test_do_not_disturb_voicemail_and_wake_ups_are_sent_for_the_room() -> None:
    path = "/api/v1/links/grand/rooms/1%202%2F3"
    assert ApiCall("do_not_disturb", "PUT", f"{path}/dnd", {"on": False}) in calls_named("do_not_disturb")
    assert ApiCall("do_not_disturb", "PUT", "/api/v1/links/grand/rooms/101/dnd", {"on": True}) in make_calls()
    voicemail = ApiCall("voicemail", "PUT", f"{path}/voicemail", {"unread": 1, "read": 3})
    assert voicemail in calls_named("voicemail")
    wake_ups = [call for call in calls_named("wake_up") if call.path == f"{path}/wake-up"]
    times = {call.body["at"] for call in wake_ups if call.body}
    local = NOW.replace(tzinfo=None)
    for at in times:
        assert len(at) == len("2026-11-20T07:00")
        assert local < datetime.fromisoformat(at) < local + timedelta(days=1, minutes=1)


def test_one_or_all_wake_ups_of_a_room_are_cancelled() -> None:
    path = "/api/v1/links/grand/rooms/101/wake-up"
    assert {call.path for call in calls_named("no_wake_up")} == {path, f"{path}?at=2026-11-21T07%3A00%3A00"}
    assert {(call.method, call.body) for call in calls_named("no_wake_up")} == {("DELETE", None)}


def test_a_vacant_room_has_only_its_status_and_no_rooms_have_no_calls() -> None:
    assert {call.name for call in make_calls(ROOMS[2:], 50)} == {"status"}
    assert make_calls([], 50) == []


def test_most_ringing_phones_are_answered() -> None:
    phones = PhoneActivity("grand", Random(1))
    delayed_calls = [phones.react_to_event(DUE) for _ in range(1000)]
    counts = Counter(delayed_call.call.name for delayed_call in delayed_calls if delayed_call is not None)
    assert set(counts) == {"answered", "no_answer", "busy"}
    assert counts["answered"] > 700
    for delayed_call in delayed_calls:
        assert delayed_call is not None
        assert 0 < delayed_call.seconds <= 30
        assert delayed_call.call == ApiCall(
            delayed_call.call.name,
            "POST",
            "/api/v1/links/grand/rooms/1%202%2F3/wake-up/result",
            {"id": 7, "attempt": 2, "result": delayed_call.call.name},
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
def test_other_events_do_not_ring_a_phone(event: dict[str, Any]) -> None:
    assert PhoneActivity("grand", Random(1)).react_to_event(event) is None
