"""Tests of rooms: their state, their extensions, and updates from phones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi, make_link_config

ROOMS = "/api/v1/links/grand/rooms"
ROOM = f"{ROOMS}/101"
EVENTS = "/api/v1/links/grand/events"
CHECK_IN_RECORD = "GI|RN101|G#5|GNSmith|GFAnn|GTDr|GLEA|GVA|GGTour|GA261119|GD261125|GSN|"
GUEST = {
    "number": "5",
    "name": "Smith",
    "first_name": "Ann",
    "title": "Dr",
    "language": "EA",
    "vip": "A",
    "group": "Tour",
    "arrival": "2026-11-19",
    "departure": "2026-11-25",
    "sharer": False,
    "no_post": None,
    "fields": {},
}
EIGHT = {"at": "2026-11-20T08:00"}


def dock_link(served: ServedApi, **settings: object) -> None:
    served.add_link("grand", timezone="UTC", alive_interval=36_000, **settings)
    served.dock()


async def put(served: ServedApi, kind: str, body: object, room: str = "101", **more: Any) -> Any:
    return await served.post(f"{ROOMS}/{room}/{kind}", body, method="PUT", **more)


async def events(served: ServedApi) -> list[dict[str, Any]]:
    """Return the hotel's events, without transitions of the link."""
    all_events = (await served.get(f"{EVENTS}?limit=1000")).json()["events"]
    return [event for event in all_events if event["type"] != "link.changed"]


async def types(served: ServedApi) -> list[str]:
    return [event["type"] for event in await events(served)]


# Room state


@time_limit(10)
async def test_a_room_has_the_state_that_the_pms_last_sent(served_api: ServedApi) -> None:
    dock_link(served_api)
    served_api.send_from_pms(CHECK_IN_RECORD, "RE|RN101|CS2|DNY|MLY|RS3|", "WR|RN101|DA261121|TI0700|")
    answer = await served_api.get(ROOM)
    (set_event,) = (event for event in await events(served_api) if event["type"] == "wake_up.set")
    assert answer.json() == {
        "room": "101",
        "extensions": ["101"],
        "guests": [GUEST],
        "class_of_service": 2,
        "do_not_disturb": True,
        "make_up_room": False,
        "message_light": True,
        "status": 3,
        "wake_ups": [{"id": set_event["wake_up"]["id"], "at": "2026-11-21T07:00:00", "attempts": 0}],
        "by_hand": None,
        "changed": "2026-11-20T07:00:00.000Z",
        "set": {},
    }


@time_limit(10)
async def test_rooms_are_sorted_by_name(served_api: ServedApi) -> None:
    dock_link(served_api)
    assert (await served_api.get(ROOMS)).json() == {"rooms": []}
    served_api.send_from_pms("GI|RN102|", CHECK_IN_RECORD, "GO|RN102|")
    rooms = (await served_api.get(ROOMS)).json()["rooms"]
    assert [(room["room"], len(room["guests"])) for room in rooms] == [("101", 1), ("102", 0)]
    assert rooms[0] | {"set": {}} == (await served_api.get(ROOM)).json()


@time_limit(10)
async def test_a_room_that_the_pms_never_mentioned_is_not_found(served_api: ServedApi) -> None:
    dock_link(served_api)
    served_api.send_from_pms(CHECK_IN_RECORD)
    assert (await served_api.get(f"{ROOMS}/999")).error == (404, "unknown_room")
    assert (await served_api.get(f"{ROOMS}/10")).error == (404, "unknown_room")


CALLS = [
    ("GET", ROOMS, None),
    ("GET", ROOM, None),
    ("GET", f"{ROOMS}?extension=101", None),
    ("PUT", f"{ROOM}/status", {"status": 1}),
    ("PUT", f"{ROOM}/dnd", {"on": True}),
    ("PUT", f"{ROOM}/make-up-room", {"on": True}),
    ("PUT", f"{ROOM}/voicemail", {"unread": 1}),
    ("PUT", f"{ROOM}/wake-up", EIGHT),
    ("DELETE", f"{ROOM}/wake-up", None),
    ("POST", f"{ROOM}/wake-up/result", {"id": 1, "result": "answered"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@time_limit(10)
async def test_rooms_of_an_unknown_link_are_not_found(
    served_api: ServedApi, method: str, path: str, body: object
) -> None:
    answer = await served_api.post(path.replace("grand", "none"), body, method=method)
    assert answer.error == (404, "unknown_link")


@pytest.mark.parametrize(("method", "path", "body"), CALLS[3:8])
@time_limit(10)
async def test_a_body_must_be_a_json_object(
    served_api: ServedApi, method: str, path: str, body: object
) -> None:
    dock_link(served_api)
    assert (await served_api.call(method, path, body=b"x")).error == (415, "unsupported_type")
    assert (await served_api.post(path, [body], method=method)).error == (400, "invalid")
    assert (await served_api.post(path, {}, method=method)).error == (400, "invalid")
    unknown_key = await served_api.post(path, {**(body or {}), "colour": 1}, method=method)  # type: ignore[dict-item]
    assert unknown_key.error == (400, "invalid")
    assert unknown_key.json()["error"]["field"] == "colour"


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@time_limit(10)
async def test_updates_are_rejected_while_the_store_fails(
    served_api: ServedApi, method: str, path: str, body: object
) -> None:
    dock_link(served_api)
    served_api.break_store()
    answer = await served_api.post(path, body, method=method)
    assert answer.status in (200, 404) if method == "GET" else answer.error == (503, "store")
    served_api.repair_store()


@time_limit(10)
async def test_rooms_survive_a_restart(served_api: ServedApi) -> None:
    dock_link(served_api)
    served_api.send_from_pms(CHECK_IN_RECORD, "RE|RN101|MLY|")
    before = (await served_api.get(ROOMS)).json()
    await served_api.stop()
    after = ServedApi(previous=served_api, links=[make_link_config(timezone="UTC")])
    assert (await after.get(ROOMS)).json() == before
    await after.stop()


@time_limit(10)
async def test_guests_are_masked_for_the_view_role(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link()
    protected_api.dock()
    protected_api.send_from_pms(CHECK_IN_RECORD)
    masked = GUEST | dict.fromkeys(("name", "first_name", "title", "group"), "•••")
    for role, guest in (("view", masked), ("control", GUEST), ("pbx", GUEST)):
        headers = protected_api.bearer_headers(role)  # type: ignore[arg-type]
        (listed,) = (await protected_api.get(ROOMS, headers=headers)).json()["rooms"]
        (found_by,) = (await protected_api.get(f"{ROOMS}?extension=101", headers=headers)).json()["rooms"]
        assert found_by == listed
        assert listed["guests"] == [guest]
        assert (await protected_api.get(ROOM, headers=headers)).json() == listed | {"set": {}}
        listed = (await protected_api.get(EVENTS, headers=headers)).json()["events"]
        assert [event["guest"] for event in listed if "guest" in event] == [guest]


# Extensions


@time_limit(10)
async def test_rooms_list_the_extensions_of_the_settings(served_api: ServedApi) -> None:
    dock_link(served_api, extensions="prefix", extension_prefix="7")
    served_api.send_from_pms(CHECK_IN_RECORD, "GC|RN102|RO101|G#5|GNSmith|", "NS|")
    assert (await served_api.get(f"{ROOMS}/102")).json()["extensions"] == ["7102"]
    came, moved, audit = await events(served_api)
    assert came["extensions"] == ["7101"]
    assert (moved["type"], moved["extensions"], moved["from_extensions"]) == (
        "guest.moved",
        ["7102"],
        ["7101"],
    )
    assert audit["extensions"] == []


@time_limit(10)
async def test_rooms_are_found_by_their_extension(served_api: ServedApi, tmp_path: Path) -> None:
    table = tmp_path / "extensions.csv"
    table.write_text("101,7101,7102\n102,7201\n")
    dock_link(served_api, extensions="table", extension_table=str(table))
    served_api.send_from_pms(CHECK_IN_RECORD, "GI|RN103|G#6|")
    rooms = (await served_api.get(ROOMS)).json()["rooms"]
    assert [room["extensions"] for room in rooms] == [["7101", "7102"], []]
    for extension in ("7101", "7102"):
        assert (await served_api.get(f"{ROOMS}?extension={extension}")).json() == {"rooms": rooms[:1]}
    for extension in ("101", "103", "", "710", "7101%7C"):
        assert (await served_api.get(f"{ROOMS}?extension={extension}")).json() == {"rooms": []}
    twice = await served_api.get(f"{ROOMS}?extension=7101&extension=7102")
    assert twice.error == (400, "invalid")


@pytest.mark.parametrize(
    ("settings", "extension", "room"),
    [
        ({}, "0101", "0101"),
        ({"extensions": "prefix", "extension_prefix": "*7"}, "*7101", "101"),
        ({"extensions": "strip", "extension_prefix": "7"}, "101", "7101"),
    ],
)
@time_limit(10)
async def test_a_room_never_mentioned_is_found_by_extension_as_vacant(
    served_api: ServedApi, settings: dict[str, Any], extension: str, room: str
) -> None:
    dock_link(served_api, **settings)
    assert (await served_api.get(f"{ROOMS}?extension={extension}")).json()["rooms"] == [
        {
            "room": room,
            "extensions": [extension],
            "guests": [],
            "class_of_service": None,
            "do_not_disturb": False,
            "make_up_room": False,
            "message_light": False,
            "status": None,
            "wake_ups": [],
            "by_hand": None,
            "changed": None,
        }
    ]
    assert (await served_api.get(ROOMS)).json() == {"rooms": []}
    assert (await served_api.get(f"{ROOMS}/{room}")).error == (404, "unknown_room")


@pytest.mark.parametrize("extension", ["1%7C2", "1%0A2", "x" * 41, ""])
@time_limit(10)
async def test_an_extension_lists_no_room_with_an_invalid_name(served_api: ServedApi, extension: str) -> None:
    dock_link(served_api)
    assert (await served_api.get(f"{ROOMS}?extension={extension}")).json() == {"rooms": []}


@time_limit(10)
async def test_a_changed_extension_table_is_reloaded_with_any_settings_change(
    served_api: ServedApi, tmp_path: Path
) -> None:
    table = tmp_path / "extensions.csv"
    table.write_text("101,7101\n")
    body = {"name": "grand", "host": "192.0.2.1", "port": 5010, "extensions": "table"}
    await served_api.post("/api/v1/links", body | {"extension_table": str(table)})
    for content, status, extension in (("101,8101\n", 200, "8101"), ("101\n", 400, "8101")):
        table.write_text(content)
        assert (await served_api.post("/api/v1/links/grand", {}, method="PATCH")).status == status
        (room,) = (await served_api.get(f"{ROOMS}?extension={extension}")).json()["rooms"]
        assert room["extensions"] == [extension]


@time_limit(10)
async def test_new_settings_apply_to_later_records_only(served_api: ServedApi) -> None:
    body = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": True, "listen_time": 9}
    await served_api.post("/api/v1/links", body)
    served_api.dock()
    served_api.send_from_pms(CHECK_IN_RECORD)
    changes = {"extensions": "prefix", "extension_prefix": "8"}
    assert (await served_api.post("/api/v1/links/grand", changes, method="PATCH")).status == 200
    served_api.send_from_pms("RE|RN101|MLY|")
    assert [event["extensions"] for event in await events(served_api)] == [["101"], ["8101"]]
    assert (await served_api.get(ROOM)).json()["extensions"] == ["8101"]


# Updates from phones


async def row_of(served: ServedApi, id: int) -> dict[str, Any]:
    row: dict[str, Any] = (await served.get(f"/api/v1/links/grand/postings/{id}")).json()
    return row


@pytest.mark.parametrize(
    ("kind", "body", "details", "record"),
    [
        ("status", {"status": 3}, {"type": "status", "status": 3}, "RE|RN101|RS3|"),
        ("dnd", {"on": True}, {"type": "dnd", "on": True}, "RE|RN101|RS8|"),
        ("make-up-room", {"on": True}, {"type": "make_up_room", "on": True}, "RE|RN101|RS9|"),
        ("voicemail", {"unread": 1}, {"type": "voicemail", "unread": 1, "read": 0}, "RE|RN101|VM0100|"),
        ("voicemail", {"unread": 12, "read": 3}, {"unread": 12, "read": 3}, "RE|RN101|VM1203|"),
        ("voicemail", {"unread": 1, "light": True}, {"unread": 1, "read": 0}, "RE|RN101|VM0100|"),
        ("wake-up", EIGHT, {"type": "wake_up", "at": "2026-11-20T08:00:00"}, "WR|RN101|DA261120|TI080000|"),
    ],
)
@time_limit(10)
async def test_an_update_is_accepted_and_sent(
    served_api: ServedApi, kind: str, body: object, details: dict[str, Any], record: str
) -> None:
    dock_link(served_api)
    answer = await put(served_api, kind, body)
    assert answer.status == 202
    row = answer.json()
    assert (
        row.items() >= {**details, "room": "101", "number": None, "state": "pending", "attempts": 0}.items()
    )
    served_api.advance(1)
    sent = (await served_api.get("/api/v1/links/grand/records?direction=out")).json()["records"]
    assert record in [entry["text"] for entry in sent]
    assert (await row_of(served_api, row["id"]))["state"] == "sent"


@time_limit(10)
async def test_a_sign_that_is_on_can_be_switched_off(served_api: ServedApi) -> None:
    dock_link(served_api)
    await put(served_api, "dnd", {"on": True})
    served_api.advance(1)
    row = (await put(served_api, "dnd", {"on": False})).json()
    assert row.items() >= {"type": "dnd", "on": False, "state": "pending", "attempts": 0}.items()
    served_api.advance(1)
    sent = (await served_api.get("/api/v1/links/grand/records?direction=out")).json()["records"]
    assert "RE|RN101|RS10|" in [entry["text"] for entry in sent]
    assert (await row_of(served_api, row["id"]))["state"] == "sent"


@time_limit(10)
async def test_a_sign_that_is_not_on_needs_no_record(served_api: ServedApi) -> None:
    """Case A8."""
    dock_link(served_api)
    row = (await put(served_api, "dnd", {"on": False})).json()
    assert row.items() >= {"type": "dnd", "on": False, "state": "done", "attempts": 0}.items()
    served_api.advance(1)
    sent = (await served_api.get("/api/v1/links/grand/records?direction=out")).json()["records"]
    assert [entry["text"] for entry in sent if entry["type"] == "RE"] == []


@time_limit(10)
async def test_an_update_is_accepted_while_the_link_is_down_and_sent_later(served_api: ServedApi) -> None:
    served_api.add_link(timezone="UTC")
    row = (await put(served_api, "dnd", {"on": True})).json()
    assert (await served_api.get(ROOM)).json()["do_not_disturb"] is True
    assert (await events(served_api))[0]["by"] == "pbx"
    served_api.dock()
    served_api.advance(1)
    assert (await row_of(served_api, row["id"]))["state"] == "sent"


@time_limit(10)
async def test_a_room_tells_who_set_what_and_whether_the_pms_has_it(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(timezone="UTC")
    pbx, control = protected_api.bearer_headers("pbx"), protected_api.bearer_headers("control")

    async def put_as(headers: dict[str, str], kind: str, body: object) -> Any:
        answer = await protected_api.post(f"{ROOM}/{kind}", body, headers, method="PUT")
        assert answer.status == 202
        return answer.json()

    async def updates() -> Any:
        return (await protected_api.get(ROOM, headers=control)).json()["set"]

    await put_as(pbx, "dnd", {"on": True})
    protected_api.advance(60)
    sign = await put_as(control, "dnd", {"on": True})
    make_up = await put_as(pbx, "make-up-room", {"on": True})
    await put_as(control, "wake-up", {"at": "2026-11-21T07:00"})
    cancelled = await protected_api.call("DELETE", f"{ROOM}/wake-up", control)
    assert await updates() == {
        "do_not_disturb": {
            "by": "control",
            "at": "2026-11-20T07:01:00.000Z",
            "posting": sign["id"],
            "state": "pending",
        },
        "make_up_room": {
            "by": "pbx",
            "at": "2026-11-20T07:01:00.000Z",
            "posting": make_up["id"],
            "state": "pending",
        },
        "wake_ups": {
            "by": "control",
            "at": "2026-11-20T07:01:00.000Z",
            "posting": cancelled.json()["id"],
            "state": "pending",
        },
    }
    protected_api.dock()
    protected_api.advance(1)
    assert (await updates())["do_not_disturb"]["state"] == "sent"
    protected_api.advance(4)
    protected_api.send_from_pms("LA|DA261120|TI070105|")
    assert (await updates())["do_not_disturb"]["state"] == "done"
    room = (await protected_api.get(ROOM, headers=control)).json()
    assert (room["do_not_disturb"], room["make_up_room"], room["wake_ups"]) == (True, True, [])


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("status", {"status": 0}, "status"),
        ("status", {"status": 7}, "status"),
        ("status", {"status": "1"}, "status"),
        ("status", {"status": True}, "status"),
        ("status", {"status": None}, "status"),
        ("dnd", {"on": "yes"}, "on"),
        ("dnd", {"on": 1}, "on"),
        ("make-up-room", {"on": None}, "on"),
        ("voicemail", {"read": 1}, "unread"),
        ("voicemail", {"unread": 100}, "unread"),
        ("voicemail", {"unread": 1, "read": -1}, "read"),
        ("voicemail", {"unread": 1, "light": 1}, "light"),
        ("voicemail", {"unread": 1.0}, "unread"),
        ("wake-up", {}, "at"),
        ("wake-up", {"at": 7}, "at"),
        ("wake-up", {"at": "seven"}, "at"),
        ("wake-up", {"at": "2026-11-20"}, "at"),
        ("wake-up", {"at": "2026-11-20T08:00:00Z"}, "at"),
        ("wake-up", {"at": "2026-11-20T08:00:00+01:00"}, "at"),
        ("wake-up", {"at": "2026-11-20T06:58:59"}, "at"),
        ("wake-up", {"at": "2027-11-22T07:00"}, "at"),
        ("wake-up", {"at": "1999-11-22T07:00"}, "at"),
    ],
)
@time_limit(10)
async def test_an_invalid_body_is_rejected_with_its_field(
    served_api: ServedApi, kind: str, body: object, field: str
) -> None:
    dock_link(served_api)
    answer = await put(served_api, kind, body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field
    assert (await served_api.get(ROOMS)).json() == {"rooms": []}
    assert (await served_api.get("/api/v1/links/grand/postings")).json() == {"postings": [], "next": None}


@pytest.mark.parametrize("room", ["1%7C2", "1%0A2", "x" * 41])
@pytest.mark.parametrize(("kind", "body"), [("status", {"status": 1}), ("wake-up", EIGHT)])
@time_limit(10)
async def test_a_room_name_that_fias_cannot_carry_is_rejected(
    served_api: ServedApi, kind: str, body: object, room: str
) -> None:
    dock_link(served_api)
    answer = await put(served_api, kind, body, room)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "room"


@time_limit(10)
async def test_a_room_name_outside_the_charset_is_rejected(served_api: ServedApi) -> None:
    dock_link(served_api, charset="cp1252")
    room_path = "%C3%BC1"  # ü1
    assert (await put(served_api, "dnd", {"on": True}, room_path)).status == 202
    answer = await put(served_api, "dnd", {"on": True}, "%E6%BC%A2")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "room"
    assert "cannot be sent" in answer.json()["error"]["message"]
    assert [room["room"] for room in (await served_api.get(ROOMS)).json()["rooms"]] == ["ü1"]


@time_limit(10)
async def test_a_hotel_may_have_its_own_status_codes(served_api: ServedApi) -> None:
    dock_link(served_api, status_codes={"*61": 1, "7": 12})
    served_api.send_from_pms(CHECK_IN_RECORD)
    assert (await put(served_api, "status", {"status": "*61"})).json()["status"] == 1
    assert (await put(served_api, "status", {"status": 7})).json()["status"] == 12
    answer = await put(served_api, "status", {"status": 1})
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["message"] == "status must be one of the hotel's codes *61, 7"
    assert (await served_api.get(ROOM)).json()["status"] == 12


@time_limit(10)
async def test_a_full_outbox_rejects_updates_and_changes_no_room(served_api: ServedApi) -> None:
    served_api.add_link(outbox_limit=1, enabled=False)
    assert (await put(served_api, "status", {"status": 1})).status == 202
    assert (await put(served_api, "dnd", {"on": True})).error == (503, "outbox_full")
    assert (await served_api.get(ROOM)).error == (404, "unknown_room")
    assert await types(served_api) == []


# A large hotel


@time_limit(60)
async def test_e7_a_large_hotel_is_listed_in_order(served_api: ServedApi) -> None:
    dock_link(served_api)
    numbers = [str(number) for number in range(1000, 1500)]
    served_api.send_from_pms(*(f"GI|RN{number}|G#{number}|GNSmith|GSN|" for number in reversed(numbers)))
    answer = await served_api.get(ROOMS)
    assert [room["room"] for room in answer.json()["rooms"]] == numbers
    assert "transfer-encoding" in answer.headers


@time_limit(20)
async def test_e7_guests_for_whom_there_is_no_place_are_reported(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmslink.hotel.stays.MAX_GUESTS", 2)
    dock_link(served_api)
    served_api.send_from_pms(*(f"GI|RN{number}|G#{number}|GNSmith|GSN|" for number in range(101, 105)))
    rooms = (await served_api.get(ROOMS)).json()["rooms"]
    assert [room["room"] for room in rooms if room["guests"]] == ["101", "102"]
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert link["not_understood"]["records"] == 2
    assert link["not_understood"]["last"] == "GI: the hotel has 2 guests already"
    assert link["attention"] == 2
    records = (await served_api.get("/api/v1/links/grand/records?type=GI")).json()["records"]
    problem = "the hotel has 2 guests already"
    assert [record.get("problem") for record in records] == [problem, problem, None, None]
