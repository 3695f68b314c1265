"""Wake-ups, as a PBX orders them, is told of them, and tells how they went."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.hotel.wake_ups import MOST_WAKE_UPS
from tests.time_limit import within
from tests.web.api.test_room_endpoints import ARRIVES, EIGHT, ROOM, docked, events, put, row_of, types
from tests.web.served_api import Served


@within(10)
async def test_a_wake_up_is_ordered_in_the_local_time_of_the_hotel(served: Served) -> None:
    served.add(timezone="Europe/Vienna", enabled=False)
    assert (await put(served, "wake-up", {"at": "2026-11-20T08:30"})).status == 202
    served.run(30 * 60 - 1)
    assert await types(served) == ["wake_up.set"]
    served.run(3)
    (set_event, due) = await events(served)
    assert set_event["by"] == "pbx"
    assert due["wake_up"] == set_event["wake_up"]
    assert due["wake_up"]["at"] == "2026-11-20T08:30:00"
    assert due["at"][:16] == "2026-11-20T07:30"
    assert due["until"][:16] == "2026-11-20T07:33"


@within(10)
async def test_a_room_has_a_hundred_wake_ups_at_most(served: Served) -> None:
    docked(served)
    served.say(
        *(f"WR|RN101|DA261121|TI{number // 60:02}{number % 60:02}|" for number in range(MOST_WAKE_UPS))
    )
    before = (await served.get(ROOM)).json()
    assert len(before["wake_ups"]) == 100
    answer = await put(served, "wake-up", EIGHT)
    assert answer.error == (409, "too_many_wake_ups")
    assert answer.json()["error"]["message"] == "room 101 has as many wake-ups as it may"
    assert (await served.get(ROOM)).json() == before
    assert (await served.get("/api/v1/links/grand/postings")).json() == {"postings": []}
    assert (await put(served, "wake-up", {"at": "2026-11-21T00:59"})).status == 202


@within(10)
async def test_a_wake_up_is_cancelled_by_its_moment_and_without_one_all_are(served: Served) -> None:
    docked(served)
    for hour in ("08", "09", "10"):
        await put(served, "wake-up", {"at": f"2026-11-20T{hour}:00"})
    one = await served.call("DELETE", f"{ROOM}/wake-up?at=2026-11-20T09:00")
    assert one.status == 202
    assert (one.json()["type"], one.json()["at"]) == ("wake_up_cancel", "2026-11-20T09:00:00")
    left = (await served.get(ROOM)).json()["wake_ups"]
    assert [wake_up["at"][11:13] for wake_up in left] == ["08", "10"]
    both = await served.call("DELETE", f"{ROOM}/wake-up")
    assert both.status == 202
    assert (await served.get(ROOM)).json()["wake_ups"] == []
    assert (await types(served)).count("wake_up.cancelled") == 3
    served.run(1)
    sent = (await served.get("/api/v1/links/grand/records?direction=out&type=WC")).json()["records"]
    assert [one["text"] for one in sent] == ["WC|RN101|DA|TI|", "WC|RN101|DA261120|TI090000|"]


@pytest.mark.parametrize("query", ["at=nine", "at=2026-11-20T09:00Z", "at=", "at=2026-11-20T09:00&at=1"])
@within(10)
async def test_a_wrong_moment_cancels_nothing(served: Served, query: str) -> None:
    docked(served)
    await put(served, "wake-up", EIGHT)
    answer = await served.call("DELETE", f"{ROOM}/wake-up?{query}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "at"
    assert len((await served.get(ROOM)).json()["wake_ups"]) == 1


async def ringing(served: Served) -> int:
    """A wake-up of room 101 that is due; gives its id."""
    served.say(ARRIVES, "WR|RN101|DA261120|TI0701|")
    served.run(62)
    due = (await events(served))[-1]
    assert (due["type"], due["attempt"], due["attempts"]) == ("wake_up.due", 1, 3)
    id: int = due["wake_up"]["id"]
    return id


async def tell(served: Served, id: int, result: str, **more: object) -> Any:
    return await served.post(f"{ROOM}/wake-up/result", {"id": id, "result": result, **more})


@within(10)
async def test_a_guest_who_answers_is_awake_and_the_pms_hears_it(served: Served) -> None:
    docked(served)
    id = await ringing(served)
    answer = await tell(served, id, "answered", attempt=1)
    assert answer.status == 202
    assert answer.json() == {
        "id": id,
        "at": "2026-11-20T07:01:00",
        "attempts": 1,
        "result": "answered",
        "again": None,
    }
    assert (await tell(served, id, "answered", attempt=1)).error == (404, "unknown_wake_up")
    done = (await events(served))[-1]
    assert (done["type"], done["result"], done["attempts"]) == ("wake_up.done", "answered", 1)
    served.run(1)
    (sent,) = (await served.get("/api/v1/links/grand/records?direction=out&type=WA")).json()["records"]
    assert sent["text"] == "WA|RN101|DA261120|TI0701|ASOK|"
    assert (await served.get(ROOM)).json()["wake_ups"] == []


@within(10)
async def test_a_guest_who_does_not_is_tried_again(served: Served) -> None:
    docked(served)
    id = await ringing(served)
    answer = (await tell(served, id, "busy")).json()
    assert (answer["result"], answer["attempts"]) == ("busy", 1)
    assert answer["again"][:16] == "2026-11-20T07:04"
    (shown,) = (await served.get(ROOM)).json()["wake_ups"]
    assert shown["attempts"] == 1
    served.run(2 * 180)
    assert (await events(served))[-1]["attempt"] == 3
    last = (await tell(served, id, "no_answer", attempt=3)).json()
    assert (last["result"], last["again"], last["attempts"]) == ("no_answer", None, 3)
    assert (await types(served)).count("wake_up.done") == 1


@within(10)
async def test_before_it_rings_and_for_attempts_that_were_not_made_there_is_no_result(served: Served) -> None:
    docked(served)
    served.say("WR|RN101|DA261120|TI0800|")
    id = (await events(served))[-1]["wake_up"]["id"]
    early = await tell(served, id, "answered")
    assert early.error == (409, "not_due")
    assert "2026-11-20T08:00:00" in early.json()["error"]["message"]
    served.run(3602)
    assert (await tell(served, id, "answered", attempt=2)).error == (409, "not_due")
    assert (await tell(served, id, "answered", attempt=1)).status == 202


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
@within(10)
async def test_a_wrong_result_is_told_with_its_field(served: Served, body: object, field: str) -> None:
    docked(served)
    answer = await served.post(f"{ROOM}/wake-up/result", body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field


@within(10)
async def test_a_wake_up_that_nobody_knows_has_no_result(served: Served) -> None:
    docked(served)
    assert (await tell(served, 1, "answered")).error == (404, "unknown_wake_up")


@within(10)
async def test_guests_are_woken_while_the_link_is_down_and_the_pms_hears_later(served: Served) -> None:
    docked(served)
    served.say(ARRIVES, "WR|RN101|DA261120|TI0701|")
    await served.post("/api/v1/links/grand/disconnect")
    served.say("LE|DA261120|TI070000|")
    assert (await served.get("/api/v1/links/grand")).json()["state"] == "CLOSED"
    served.run(62)
    id = (await events(served))[-1]["wake_up"]["id"]
    assert (await tell(served, id, "answered")).status == 202
    (row,) = (await served.get("/api/v1/links/grand/postings")).json()["postings"]
    assert (row["type"], row["result"], row["state"]) == ("wake_up_result", "answered", "pending")
    await served.post("/api/v1/links/grand/enable")
    served.run()
    served.dock()
    served.run(1)
    assert (await row_of(served, row["id"]))["state"] == "sent"


@within(10)
async def test_another_time_zone_of_the_link_makes_another_moment_of_what_was_ordered(served: Served) -> None:
    body = {"name": "grand", "host": "192.0.2.1", "port": 5010, "timezone": "UTC"}
    await served.post("/api/v1/links", body)
    assert (await put(served, "wake-up", EIGHT)).status == 202
    changes = {"timezone": "Asia/Karachi"}  # where it is noon, and the moment five hours ago
    assert (await served.post("/api/v1/links/grand", changes, method="PATCH")).status == 200
    served.run()
    done = (await events(served))[-1]
    assert (done["type"], done["result"]) == ("wake_up.done", "missed")
    assert (await put(served, "wake-up", {"at": "2026-11-20T12:30"})).status == 202
    served.run(1802)
    assert (await types(served))[-1] == "wake_up.due"
