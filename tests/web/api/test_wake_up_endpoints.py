"""Tests of wake-up calls: order, cancel, and report results."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.hotel.rooms import MAX_WAKE_UPS
from tests.time_limit import time_limit
from tests.web.api.test_room_endpoints import (
    CHECK_IN_RECORD,
    EIGHT,
    ROOM,
    dock_link,
    events,
    put,
    row_of,
    types,
)
from tests.web.served_api import ServedApi


@time_limit(10)
async def test_a_wake_up_is_ordered_in_the_local_time_of_the_hotel(served_api: ServedApi) -> None:
    served_api.add_link(timezone="Europe/Vienna", enabled=False)
    assert (await put(served_api, "wake-up", {"at": "2026-11-20T08:30"})).status == 202
    served_api.advance(30 * 60 - 1)
    assert await types(served_api) == ["wake_up.set"]
    served_api.advance(3)
    (set_event, due) = await events(served_api)
    assert set_event["by"] == "pbx"
    assert due["wake_up"] == set_event["wake_up"]
    assert due["wake_up"]["at"] == "2026-11-20T08:30:00"
    assert due["at"][:16] == "2026-11-20T07:30"
    assert due["until"][:16] == "2026-11-20T07:33"


@time_limit(10)
async def test_a_room_has_a_hundred_wake_ups_at_most(served_api: ServedApi) -> None:
    dock_link(served_api)
    served_api.send_from_pms(
        *(f"WR|RN101|DA261121|TI{number // 60:02}{number % 60:02}|" for number in range(MAX_WAKE_UPS))
    )
    before = (await served_api.get(ROOM)).json()
    assert len(before["wake_ups"]) == 100
    answer = await put(served_api, "wake-up", EIGHT)
    assert answer.error == (409, "too_many_wake_ups")
    assert answer.json()["error"]["message"] == "room 101 has the maximum number of wake-ups"
    assert (await served_api.get(ROOM)).json() == before
    assert (await served_api.get("/api/v1/links/grand/postings")).json() == {"postings": [], "next": None}
    assert (await put(served_api, "wake-up", {"at": "2026-11-21T00:59"})).status == 202


@time_limit(10)
async def test_a_wake_up_is_cancelled_by_its_time_and_without_one_all_are(served_api: ServedApi) -> None:
    dock_link(served_api)
    for hour in ("08", "09", "10"):
        await put(served_api, "wake-up", {"at": f"2026-11-20T{hour}:00"})
    one = await served_api.call("DELETE", f"{ROOM}/wake-up?at=2026-11-20T09:00")
    assert one.status == 202
    assert (one.json()["type"], one.json()["at"]) == ("wake_up_cancel", "2026-11-20T09:00:00")
    remaining = (await served_api.get(ROOM)).json()["wake_ups"]
    assert [wake_up["at"][11:13] for wake_up in remaining] == ["08", "10"]
    both = await served_api.call("DELETE", f"{ROOM}/wake-up")
    assert both.status == 202
    assert (await served_api.get(ROOM)).json()["wake_ups"] == []
    assert (await types(served_api)).count("wake_up.cancelled") == 3
    served_api.advance(1)
    sent = (await served_api.get("/api/v1/links/grand/records?direction=out&type=WC")).json()["records"]
    assert [one["text"] for one in sent] == ["WC|RN101|DA|TI|", "WC|RN101|DA261120|TI090000|"]


@pytest.mark.parametrize("query", ["at=nine", "at=2026-11-20T09:00Z", "at=", "at=2026-11-20T09:00&at=1"])
@time_limit(10)
async def test_an_invalid_time_cancels_nothing(served_api: ServedApi, query: str) -> None:
    dock_link(served_api)
    await put(served_api, "wake-up", EIGHT)
    answer = await served_api.call("DELETE", f"{ROOM}/wake-up?{query}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "at"
    assert len((await served_api.get(ROOM)).json()["wake_ups"]) == 1


async def start_wake_up(served: ServedApi) -> int:
    """Order a wake-up of room 101, wait until it is due, and return its id."""
    served.send_from_pms(CHECK_IN_RECORD, "WR|RN101|DA261120|TI0701|")
    served.advance(62)
    due = (await events(served))[-1]
    assert (due["type"], due["attempt"], due["attempts"]) == ("wake_up.due", 1, 3)
    id: int = due["wake_up"]["id"]
    return id


async def report_result(served: ServedApi, id: int, result: str, **more: object) -> Any:
    return await served.post(f"{ROOM}/wake-up/result", {"id": id, "result": result, **more})


@time_limit(10)
async def test_an_answered_wake_up_is_reported_to_the_pms(served_api: ServedApi) -> None:
    dock_link(served_api)
    id = await start_wake_up(served_api)
    answer = await report_result(served_api, id, "answered", attempt=1)
    assert answer.status == 202
    assert answer.json() == {
        "id": id,
        "at": "2026-11-20T07:01:00",
        "attempts": 1,
        "result": "answered",
        "again": None,
    }
    assert (await report_result(served_api, id, "answered", attempt=1)).error == (404, "unknown_wake_up")
    done = (await events(served_api))[-1]
    assert (done["type"], done["result"], done["attempts"]) == ("wake_up.done", "answered", 1)
    served_api.advance(1)
    (sent,) = (await served_api.get("/api/v1/links/grand/records?direction=out&type=WA")).json()["records"]
    assert sent["text"] == "WA|RN101|DA261120|TI0701|ASOK|"
    assert (await served_api.get(ROOM)).json()["wake_ups"] == []


@time_limit(10)
async def test_an_unanswered_wake_up_is_retried(served_api: ServedApi) -> None:
    dock_link(served_api)
    id = await start_wake_up(served_api)
    answer = (await report_result(served_api, id, "busy")).json()
    assert (answer["result"], answer["attempts"]) == ("busy", 1)
    assert answer["again"][:16] == "2026-11-20T07:04"
    (retried,) = (await served_api.get(ROOM)).json()["wake_ups"]
    assert retried["attempts"] == 1
    served_api.advance(2 * 180)
    assert (await events(served_api))[-1]["attempt"] == 3
    last = (await report_result(served_api, id, "no_answer", attempt=3)).json()
    assert (last["result"], last["again"], last["attempts"]) == ("no_answer", None, 3)
    assert (await types(served_api)).count("wake_up.done") == 1


@time_limit(10)
async def test_a_result_before_the_attempt_is_rejected(
    served_api: ServedApi,
) -> None:
    dock_link(served_api)
    served_api.send_from_pms("WR|RN101|DA261120|TI0800|")
    id = (await events(served_api))[-1]["wake_up"]["id"]
    rejected = await report_result(served_api, id, "answered")
    assert rejected.error == (409, "not_due")
    assert "2026-11-20T08:00:00" in rejected.json()["error"]["message"]
    served_api.advance(3602)
    assert (await report_result(served_api, id, "answered", attempt=2)).error == (409, "not_due")
    assert (await report_result(served_api, id, "answered", attempt=1)).status == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"result": "answered"}, "id"),
        ({"id": "1", "result": "answered"}, "id"),
        ({"id": 0, "result": "answered"}, "id"),
        ({"id": 1}, "result"),
        ({"id": 1, "result": "missed"}, "result"),
        ({"id": 1, "result": "answered", "attempt": 0}, "attempt"),
        ({"id": 1, "result": "answered", "attempt": 11}, "attempt"),
        ({"id": 1, "result": "answered", "at": "2026-11-20T08:00"}, "at"),
    ],
)
@time_limit(10)
async def test_an_invalid_result_is_rejected_with_its_field(
    served_api: ServedApi, body: object, field: str
) -> None:
    dock_link(served_api)
    answer = await served_api.post(f"{ROOM}/wake-up/result", body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field


@time_limit(10)
async def test_a_result_for_an_unknown_wake_up_is_rejected(served_api: ServedApi) -> None:
    dock_link(served_api)
    assert (await report_result(served_api, 1, "answered")).error == (404, "unknown_wake_up")


@time_limit(10)
async def test_wake_ups_run_while_the_link_is_down_and_are_reported_later(served_api: ServedApi) -> None:
    dock_link(served_api)
    served_api.send_from_pms(CHECK_IN_RECORD, "WR|RN101|DA261120|TI0701|")
    await served_api.post("/api/v1/links/grand/disconnect")
    served_api.send_from_pms("LE|DA261120|TI070000|")
    assert (await served_api.get("/api/v1/links/grand")).json()["state"] == "CLOSED"
    served_api.advance(62)
    id = (await events(served_api))[-1]["wake_up"]["id"]
    assert (await report_result(served_api, id, "answered")).status == 202
    (row,) = (await served_api.get("/api/v1/links/grand/postings")).json()["postings"]
    assert (row["type"], row["result"], row["state"]) == ("wake_up_result", "answered", "pending")
    await served_api.post("/api/v1/links/grand/enable")
    served_api.advance()
    served_api.dock()
    served_api.advance(1)
    assert (await row_of(served_api, row["id"]))["state"] == "sent"


@time_limit(10)
async def test_a_new_time_zone_moves_ordered_wake_ups(
    served_api: ServedApi,
) -> None:
    body = {"name": "grand", "host": "192.0.2.1", "port": 5010, "timezone": "UTC"}
    await served_api.post("/api/v1/links", body)
    assert (await put(served_api, "wake-up", EIGHT)).status == 202
    changes = {"timezone": "Asia/Karachi"}  # the local time there is noon, five hours after the wake-up
    assert (await served_api.post("/api/v1/links/grand", changes, method="PATCH")).status == 200
    served_api.advance()
    done = (await events(served_api))[-1]
    assert (done["type"], done["result"]) == ("wake_up.done", "missed")
    assert (await put(served_api, "wake-up", {"at": "2026-11-20T12:30"})).status == 202
    served_api.advance(1802)
    assert (await types(served_api))[-1] == "wake_up.due"
