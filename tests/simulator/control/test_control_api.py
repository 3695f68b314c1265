"""Tests of the control API, over a loopback socket."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
import treq
from twisted.logger import Logger
from twisted.web.client import Agent

from pmslink.web.http import api_errors
from pmslink.web.http.bounded_request import MAX_BODY_BYTES
from tests.simulator.control.served_control import ServedControl, with_control
from tests.simulator.sockets import reactor


@with_control
async def test_get_root_returns_the_status_of_each_property(control: ServedControl) -> None:
    status, answer = await control.call("GET", "/")
    assert status == 200
    first, second = answer["properties"]
    assert first["declared"]["PS"] == "RNP#TA"
    assert {key: value for key, value in first.items() if key != "declared"} == {
        "port": 5010,
        "connected": True,
        "alive": True,
        "waits_for": None,
        "rooms": 6,
        "guests": 0,
        "connections": 1,
    }
    assert (second["port"], second["connected"], second["alive"]) == (5011, False, False)
    assert second["waits_for"] == "a connection of the PBX"


@with_control
async def test_port_selects_a_property(control: ServedControl) -> None:
    _, answer = await control.call("GET", "/?port=5011")
    assert [each["port"] for each in answer["properties"]] == [5011]
    await control.call("POST", "/guests?port=5011", {"room": "101", "name": "Adams"})
    assert (len(control.first.hotel.guests), len(control.second.hotel.guests)) == (0, 1)
    assert await control.error("GET", "/guests?port=1") == (404, "unknown_port", "port")
    assert await control.error("GET", "/guests?port=x") == (400, "bad_value", "port")


@with_control
async def test_faults_are_merged_for_all_properties_or_for_one(control: ServedControl) -> None:
    await control.call("POST", "/faults", {"hhmm": True, "pa_delay": 3})
    status, answer = await control.call("POST", "/faults?port=5011", {"hhmm": None, "no_ls": True})
    assert (status, answer) == (
        200,
        {"properties": [{"port": 5011, "faults": {"no_ls": True, "pa_delay": 3}}]},
    )
    _, answer = await control.call("GET", "/faults")
    assert [each["faults"] for each in answer["properties"]] == [
        {"hhmm": True, "pa_delay": 3},
        {"no_ls": True, "pa_delay": 3},
    ]
    assert answer["available"]["hhmm"] == {"default": False, "meaning": "sends times as HHMM"}
    _, answer = await control.call("DELETE", "/faults?port=5010")
    assert (control.first.faults.non_default(), control.second.faults.hhmm) == ({}, False)
    await control.call("DELETE", "/faults")
    assert control.second.faults.non_default() == {}


@with_control
async def test_an_invalid_fault_is_named_and_changes_nothing(control: ServedControl) -> None:
    assert await control.error("POST", "/faults", {"hhmm": True, "hmm": True}) == (400, "bad_fault", "hmm")
    assert await control.error("POST", "/faults", {"no_ls": True, "hhmm": 1}) == (400, "bad_fault", "hhmm")
    assert control.first.faults.non_default() == {}


@with_control
async def test_a_guest_from_check_in_to_check_out(control: ServedControl) -> None:
    status, guest = await control.call(
        "POST",
        "/guests",
        {
            "room": "101",
            "name": "Müller",
            "first_name": "Ann",
            "title": "Dr",
            "language": "GE",
            "arrival": "2026-01-01",
            "departure": "2026-01-05",
            "vip": "1",
            "class_of_service": 2,
        },
    )
    assert status == 201
    assert guest == {
        "number": "5001",
        "room": "101",
        "name": "Müller",
        "first_name": "Ann",
        "title": "Dr",
        "language": "GE",
        "arrival": "2026-01-01",
        "departure": "2026-01-05",
        "vip": "1",
        "class_of_service": 2,
        "sharer": False,
    }
    assert await control.call("GET", "/guests") == (200, {"guests": [guest]})
    _, changed = await control.call(
        "PATCH", "/guests/5001", {"name": "Maier", "vip": None, "departure": None}
    )
    assert (changed["name"], changed["vip"], changed["departure"]) == ("Maier", "", None)
    _, moved = await control.call("PATCH", "/guests/5001", {"room": "102"})
    assert moved["room"] == "102"
    status, _ = await control.call("DELETE", "/guests/5001")
    assert status == 200
    assert await control.call("GET", "/guests") == (200, {"guests": []})
    assert control.pbx.take_records() == [
        "GI|RN101|G#5001|GSN|GNMüller|GFAnn|",
        "GC|RN101|G#5001|GSN|GNMaier|",
        "GC|RN102|GSN|G#5001|GNMaier|GFAnn|RO101|GSN|",
        "GO|RN102|G#5001|GSN|",
    ]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"room": "101"}, "missing", "name"),
        ({"name": "Adams"}, "missing", "room"),
        ({"room": "101", "name": ""}, "missing", "name"),
        ({"room": "101", "name": 7}, "bad_value", "name"),
        ({"room": "101", "name": "x" * 201}, "bad_value", "name"),
        ({"room": "101", "name": "A|B"}, "bad_value", "name"),
        ({"room": "101", "name": "A", "language": "\n"}, "bad_value", "language"),
        ({"room": "999", "name": "A"}, "unknown_room", "room"),
        ({"room": "101", "name": "A", "age": 7}, "unknown_key", "age"),
        ({"room": "101", "name": "A", "arrival": "soon"}, "bad_value", "arrival"),
        ({"room": "101", "name": "A", "arrival": 20260101}, "bad_value", "arrival"),
        ({"room": "101", "name": "A", "departure": "1999-01-01"}, "bad_value", "departure"),
        ({"room": "101", "name": "A", "class_of_service": 4}, "bad_value", "class_of_service"),
        ({"room": "101", "name": "A", "class_of_service": True}, "bad_value", "class_of_service"),
    ],
)
@with_control
async def test_an_invalid_guest_is_rejected_with_the_key(
    control: ServedControl, body: dict[str, Any], code: str, field: str
) -> None:
    assert await control.error("POST", "/guests", body) == (400, code, field)
    assert control.first.hotel.guests == {}


@with_control
async def test_an_unknown_guest_is_reported_as_404(control: ServedControl) -> None:
    assert await control.error("PATCH", "/guests/1", {"name": "A"}) == (404, "unknown_guest", None)
    assert await control.error("PATCH", "/guests/1", {"room": "101"}) == (404, "unknown_guest", None)
    assert await control.error("DELETE", "/guests/1") == (404, "unknown_guest", None)


@with_control
async def test_a_move_must_not_change_other_attributes(control: ServedControl) -> None:
    control.first.check_in("101", "Adams")
    body = {"room": "102", "name": "B"}
    assert await control.error("PATCH", "/guests/5001", body) == (400, "bad_value", "room")
    assert await control.error("PATCH", "/guests/5001", {"room": "999"}) == (400, "unknown_room", "room")


@with_control
async def test_records_are_listed_by_id(control: ServedControl) -> None:
    control.first.trace.clear()
    control.pbx.send("LS|")
    _, answer = await control.call("GET", "/records")
    received, sent = answer["records"]
    assert (received["direction"], received["type"], received["text"]) == ("in", "LS", "LS|")
    assert (sent["direction"], sent["type"], sent["at"]) == ("out", "LA", "2026-01-01T08:00:00.000+00:00")
    assert sent["id"] == received["id"] + 1
    assert (await control.call("GET", f"/records?after={received['id']}"))[1]["records"] == [sent]
    assert (await control.call("GET", "/records?limit=1"))[1]["records"] == [received]
    assert await control.error("GET", "/records?limit=1001") == (400, "bad_value", "limit")
    assert await control.error("GET", "/records?after=-1") == (400, "bad_value", "after")
    assert await control.call("DELETE", "/records") == (200, {"records": []})
    assert control.first.trace.after() == []


@with_control
async def test_any_record_or_bytes_can_be_sent(control: ServedControl) -> None:
    assert (await control.call("POST", "/records", {"text": "RE|RN101|MLY|"}))[0] == 200
    assert (await control.call("POST", "/records", {"hex": "02ff"}))[0] == 200
    assert control.pbx.take_bytes() == b"\x02RE|RN101|MLY|\x03\x02\xff"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": 1}, "text"),
        ({"hex": "0"}, "hex"),
        ({"text": "a", "hex": "00"}, "text"),
        ({"hex": "00", "x": 1}, "text"),
    ],
)
@with_control
async def test_records_that_cannot_be_sent_are_rejected(
    control: ServedControl, body: dict[str, Any], field: str
) -> None:
    assert await control.error("POST", "/records", body) == (400, "bad_value", field)
    assert control.pbx.take_bytes() == b""


@with_control
async def test_postings_have_deliveries_and_answers(control: ServedControl) -> None:
    control.pbx.send("PS|RN101|P#7|")
    await control.call("POST", "/faults", {"pa_never": True})
    control.pbx.send("PS|RN101|P#7|")
    _, answer = await control.call("GET", "/postings")
    at = "2026-01-01T08:00:00.000+00:00"
    assert answer["postings"] == [
        {
            "number": "7",
            "deliveries": 2,
            "answers": ["OK"],
            "first_at": at,
            "last_at": at,
            "text": "PS|RN101|P#7|",
            "came": [
                {"at": at, "connection": 1, "answer": "OK", "answered_at": at},
                {"at": at, "connection": 1, "answer": None, "answered_at": None},
            ],
        }
    ]


@with_control
async def test_audit_resync_and_link(control: ServedControl) -> None:
    for path in ("/audit/start", "/audit/end", "/resync", "/link/start"):
        status, answer = await control.call("POST", path)
        assert (status, answer["port"]) == (200, 5010)
    sent = control.pbx.take_record_ids()
    assert (sent[:3], sent[-2:]) == (["NS", "NE", "DS"], ["DE", "LS"])
    await control.call("POST", "/link/end")
    assert control.pbx.take_record_ids() == ["LE"]
    _, answer = await control.call("POST", "/link/drop")
    assert (answer["connected"], control.pbx.is_closed) == (False, True)


@with_control
async def test_calls_that_need_a_link_are_rejected_without_one(control: ServedControl) -> None:
    for path in ("/link/start", "/link/end", "/link/drop", "/resync"):
        assert await control.error("POST", path + "?port=5011") == (409, "not_linked", None)
    assert await control.error("POST", "/records?port=5011", {"text": "x"}) == (409, "not_linked", None)
    assert (await control.call("POST", "/audit/start?port=5011"))[0] == 200


@with_control
async def test_http_errors_are_json(control: ServedControl) -> None:
    assert await control.error("GET", "/nothing") == (404, "not_found", None)
    assert await control.error("POST", "/link/dance") == (404, "not_found", None)
    assert await control.error("PUT", "/faults") == (405, "method_not_allowed", None)
    assert await control.error("POST", "/faults", data=b"{") == (400, "bad_json", None)
    assert await control.error("POST", "/faults", data=b"\xff") == (400, "bad_json", None)
    assert await control.error("POST", "/faults", data=b"[" * 100_000) == (400, "bad_json", None)
    assert await control.error("POST", "/faults", data=b"[]") == (400, "bad_json", None)
    assert await control.error("POST", "/faults") == (400, "bad_json", None)


@with_control
async def test_a_wrong_method_gets_the_allowed_methods(control: ServedControl) -> None:
    response = await treq.put(control.url + "/resync", agent=Agent(reactor))
    assert response.headers.getRawHeaders("Allow") == ["POST"]
    await response.content()


@with_control
async def test_a_body_over_the_limit_is_rejected(control: ServedControl) -> None:
    fits = b'{"hhmm": true}'.ljust(MAX_BODY_BYTES)
    assert (await control.call("POST", "/faults", data=fits))[0] == 200
    assert await control.error("POST", "/faults", data=fits + b" ") == (413, "too_long", None)
    assert await control.error("POST", "/faults", data=b" " * 2_000_000) == (413, "too_long", None)


@with_control
async def test_an_unexpected_failure_is_logged_and_reported_without_details(control: ServedControl) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    control.first.resync = broken  # type: ignore[method-assign]
    logged: list[Any] = []
    with patch.object(api_errors, "_log", Logger(observer=logged.append)):  # type: ignore[arg-type]
        status, answer = await control.call("POST", "/resync")
    assert (status, answer["error"]["code"]) == (500, "internal")
    assert "secret" not in json.dumps(answer)
    assert "secret" in str(logged[0]["log_failure"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/link/drop"), ("POST", "//link/drop"), ("GET", "/guests")]
)
@with_control
async def test_e15_pages_of_other_sites_are_rejected(
    control: ServedControl, method: str, path: str, headers: Any
) -> None:
    response = await treq.request(method, control.url + path, headers=headers, agent=Agent(reactor))
    assert response.code == 403
    assert (await response.json())["error"]["code"].startswith("foreign_")
    _, answer = await control.call("GET", "/")
    assert answer["properties"][0]["alive"]
