"""Tests of rooms in the control API: their values, settings and wake-ups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.control.served_control import ServedControl, with_control


@with_control
async def test_rooms_have_the_values_that_the_pbx_sent(control: ServedControl) -> None:
    control.first.check_in("101", "Adams")
    control.pbx.send("RE|RN101|RS4|", "RE|RN101|RS8|VM0103|", "WR|RN101|DA260103|TI070000|")
    _, answer = await control.call("GET", "/rooms")
    assert answer["rooms"][0] == {
        "room": "101",
        "guests": ["5001"],
        "class_of_service": None,
        "message_light": False,
        "do_not_disturb": True,
        "status": "4",
        "sign": "do-not-disturb",
        "voicemail": "0103",
        "wake_ups": [["260103", "070000"]],
        "wake_up_results": [],
    }
    assert [room["room"] for room in answer["rooms"]] == ["101", "102", "103", "104", "105", "106"]


@with_control
async def test_room_settings_are_changed_and_returned(control: ServedControl) -> None:
    control.pbx.dock({"RE": "RNCSMLDN"})
    status, room = await control.call(
        "PATCH", "/rooms/101", {"class_of_service": 3, "message_light": True, "do_not_disturb": False}
    )
    assert status == 200
    assert (room["room"], room["class_of_service"], room["message_light"]) == ("101", 3, True)
    assert (await control.call("PATCH", "/rooms/101", {"do_not_disturb": True}))[1]["do_not_disturb"]
    assert control.pbx.take_records() == ["RE|RN101|CS3|MLY|DNN|", "RE|RN101|DNY|"]


@with_control
async def test_wake_ups_are_ordered_and_cancelled(control: ServedControl) -> None:
    control.pbx.dock({"WR": "RNDATI", "WC": "RNDATI"})
    path = "/rooms/101/wake-ups"
    status, room = await control.call("POST", path, {"at": "2026-01-03T07:00"})
    assert (status, room["wake_ups"]) == (201, [["260103", "070000"]])
    await control.call("POST", path, {"at": "2026-01-03T08:30:15"})
    _, room = await control.call("DELETE", f"{path}?at=2026-01-03T07:00")
    assert room["wake_ups"] == [["260103", "083015"]]
    assert (await control.call("DELETE", path))[1]["wake_ups"] == []
    assert control.pbx.take_records() == [
        "WR|RN101|DA260103|TI070000|",
        "WR|RN101|DA260103|TI083015|",
        "WC|RN101|DA260103|TI070000|",
        "WC|RN101|DA|TI|",
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("PATCH", "/rooms/999", {"message_light": True}, (400, "unknown_room", "room")),
        ("PATCH", "/rooms/101", {}, (400, "missing", None)),
        ("PATCH", "/rooms/101", {"message_light": 1}, (400, "bad_value", "message_light")),
        ("PATCH", "/rooms/101", {"message_light": None}, (400, "bad_value", "message_light")),
        ("PATCH", "/rooms/101", {"class_of_service": 4}, (400, "bad_value", "class_of_service")),
        ("PATCH", "/rooms/101", {"sign": "x"}, (400, "unknown_key", "sign")),
        ("POST", "/rooms/999/wake-ups", {"at": "2026-01-03T07:00"}, (400, "unknown_room", "room")),
        ("POST", "/rooms/101/wake-ups", {}, (400, "missing", "at")),
        ("POST", "/rooms/101/wake-ups", {"at": "soon"}, (400, "bad_value", "at")),
        ("POST", "/rooms/101/wake-ups", {"at": 7}, (400, "bad_value", "at")),
        ("POST", "/rooms/101/wake-ups", {"at": "2026-01-03T07:00Z"}, (400, "bad_value", "at")),
        ("POST", "/rooms/101/wake-ups", {"at": "1999-01-03T07:00"}, (400, "bad_value", "at")),
        ("POST", "/rooms/101/wake-ups", {"at": "2026-01-03T07:00", "x": 1}, (400, "unknown_key", "x")),
        ("DELETE", "/rooms/101/wake-ups?at=never", None, (400, "bad_value", "at")),
        ("DELETE", "/rooms/999/wake-ups", None, (400, "unknown_room", "room")),
    ],
)
@with_control
async def test_an_invalid_room_setting_is_rejected_with_the_reason(
    control: ServedControl, method: str, path: str, body: Any, error: tuple[Any, ...]
) -> None:
    assert await control.error(method, path, body) == error
    assert control.pbx.take_bytes() == b""
