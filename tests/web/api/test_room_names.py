"""Tests of the names of rooms in paths and bodies: any characters, blanks around them, control characters."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.time_limit import time_limit
from tests.web.api.test_room_endpoints import ROOMS, dock_link, events
from tests.web.served_api import Response, ServedApi

WAKE_UP = {"at": "2026-11-20T08:00"}
UPDATES = [
    ("PUT", "status", {"status": 1}),
    ("PUT", "dnd", {"on": True}),
    ("PUT", "make-up-room", {"on": True}),
    ("PUT", "voicemail", {"unread": 1}),
    ("PUT", "wake-up", WAKE_UP),
    ("DELETE", "wake-up?at=2026-11-20T08:00", None),
    ("DELETE", "wake-up", None),
]


async def call_all(served: ServedApi, encoded_room: str) -> list[Response]:
    """Make every call for a room, and return the responses: the state, the updates, a result."""
    room = f"{ROOMS}/{encoded_room}"
    responses = [await served.get(room)]
    for method, kind, body in UPDATES:
        responses.append(await served.post(f"{room}/{kind}", body, method=method))
    result = {"id": 1, "result": "answered"}
    return [*responses, await served.post(f"{room}/wake-up/result", result)]


@pytest.mark.parametrize(
    "room", ["10/8", "/", "a/b/status", "..", "50%", "10%2F8", "Suite ä 三", "a?b#c&d+e"]
)
@time_limit(10)
async def test_e11_a_room_may_have_any_characters_in_its_name(served_api: ServedApi, room: str) -> None:
    dock_link(served_api, charset="utf-8")
    served_api.pms.latest_connection.transport.write(  # type: ignore[union-attr]
        f"\x02GI|RN{room}|G#1|GNSmith|GSN|\x03".encode()
    )
    served_api.advance()
    state, *updates, result = await call_all(served_api, quote(room, safe=""))
    assert (state.status, state.json()["room"]) == (200, room)
    assert [(update.status, update.json()["room"]) for update in updates] == [(202, room)] * len(UPDATES)
    assert result.error == (404, "unknown_wake_up")
    assert {event["room"] for event in await events(served_api)} == {room}


@pytest.mark.parametrize("room", ["10/8", "10%2f8/x", "10", "8"])
@time_limit(10)
async def test_a_room_in_the_path_is_one_segment(served_api: ServedApi, room: str) -> None:
    dock_link(served_api)
    served_api.send_from_pms("GI|RN10/8|G#1|GNSmith|GSN|")
    answer = await served_api.get(f"{ROOMS}/{room}")
    assert answer.status == 404


@pytest.mark.parametrize("encoded", ["%20101", "101%20%20", "%20101%20", "%C2%A0101"])
@time_limit(10)
async def test_a10_blanks_around_a_room_in_the_path_are_dropped(served_api: ServedApi, encoded: str) -> None:
    dock_link(served_api)
    served_api.send_from_pms("GI|RN101|G#1|GNSmith|GSN|")
    state, *updates, result = await call_all(served_api, encoded)
    assert (state.status, state.json()["room"]) == (200, "101")
    assert [(update.status, update.json()["room"]) for update in updates] == [(202, "101")] * len(UPDATES)
    assert result.error == (404, "unknown_wake_up")
    assert {event["room"] for event in await events(served_api)} == {"101"}


@pytest.mark.parametrize(
    "encoded", ["10%0A1", "%00", "101%0D", "%C2%85101", "%7F", "%20", "10%7C1", "1" * 41]
)
@time_limit(10)
async def test_a10_a_name_that_no_room_can_have_is_rejected_by_every_call(
    served_api: ServedApi, encoded: str
) -> None:
    dock_link(served_api)
    for response in await call_all(served_api, encoded):
        assert response.error == (400, "invalid")
        assert response.json()["error"]["field"] == "room"
        assert response.json()["error"]["message"] == (
            'room must be text of 1 to 40 characters without "|" and control characters'
        )
    assert await events(served_api) == []


@time_limit(10)
async def test_a10_the_room_of_a_posting_is_stripped_too(served_api: ServedApi) -> None:
    dock_link(served_api)
    posting = {"type": "minibar", "article": "1", "room": "  101 "}
    answer = await served_api.post("/api/v1/links/grand/postings", posting)
    assert (answer.status, answer.json()["room"]) == (202, "101")
    for room in ("10\n1", "101\r\n", "\t101", "  ", "\x00"):
        rejected = await served_api.post("/api/v1/links/grand/postings", {**posting, "room": room})
        assert rejected.error == (400, "invalid")
        assert rejected.json()["error"]["field"] == "room"


@time_limit(10)
async def test_an_encoded_slash_in_the_name_of_a_link_or_a_file_names_none(served_api: ServedApi) -> None:
    assert (await served_api.get("/api/v1/links/a%2Fb")).error == (404, "unknown_link")
    assert (await served_api.get("/page/texts%2Fen.json")).status == 200
    assert (await served_api.get("/page/..%2F..%2Fmain.py")).error == (404, "not_found")
