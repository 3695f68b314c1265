"""Tests of the keys of queries: a call with an unknown key, or with keys in its body, does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pmslink.web.api.openapi import load_openapi
from pmslink.web.api.query_keys import QUERY_KEYS_BY_ROUTE
from tests.time_limit import time_limit
from tests.web.api.test_openapi import described_path
from tests.web.api.test_room_endpoints import CHECK_IN_RECORD, ROOM, dock_link, put
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi

VARIABLES = {"{link}": "grand", "{room}": "101", "{id}": "1"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of every operation of the OpenAPI document."""
    for path, described in load_openapi()["paths"].items():
        for method in described.keys() - {"parameters"}:
            parameters = described.get("parameters", []) + described[method].get("parameters", [])
            yield method.upper(), path, {"parameters": [resolve(parameter) for parameter in parameters]}


def resolve(parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: dict[str, Any] = load_openapi()["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return found


def call_path(path: str) -> str:
    for variable, value in VARIABLES.items():
        path = path.replace(variable, value)
    return path


def test_the_document_has_the_same_query_keys_as_the_code() -> None:
    described = {
        (method, path): {
            parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"
        }
        for method, path, operation in operations()
    }
    known = {
        (method, described_path(path)): set(keys) for (method, path), keys in QUERY_KEYS_BY_ROUTE.items()
    }
    assert {route: keys for route, keys in described.items() if keys} == known


@time_limit(30)
async def test_c5_every_call_of_the_api_rejects_an_unknown_query_key_and_does_nothing(
    served_api: ServedApi,
) -> None:
    dock_link(served_api)
    served_api.send_from_pms(CHECK_IN_RECORD)
    assert (await put(served_api, "wake-up", {"at": "2026-11-20T08:00"})).status == 202
    room = (await served_api.get(ROOM)).json()
    link = (await served_api.get("/api/v1/links/grand")).json()
    api_calls = [(method, path) for method, path, _ in operations() if path.startswith("/api/")]
    assert len(api_calls) > 30
    for method, path in api_calls:
        answer = await served_api.post(f"{call_path(path)}?Nonsense=1", {}, method=method)
        assert answer.error == (400, "invalid"), (method, path)
        assert answer.json()["error"]["field"] == "Nonsense"
    assert (await served_api.get(ROOM)).json() == room
    assert (await served_api.get("/api/v1/links/grand")).json() == link
    assert len((await served_api.get("/api/v1/links/grand/postings")).json()["postings"]) == 1


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("At=2026-11-20T08:00", "At", 'there is no "At" in the query; did you mean at?'),
        ("at=2026-11-20T08:00&when=now", "when", 'there is no "when" in the query; there is at'),
        ("when", "when", 'there is no "when" in the query; there is at'),
        ("at", "at", "at has no value: must be at=…"),
        (
            "at=",
            "at",
            'at must be a date and time of the hotel without an offset, such as "2026-11-20T07:00"',
        ),
        ("at=2026-11-20T08:00&at=2026-11-20T09:00", "at", "at is given 2 times"),
        ("at=2026-11-20T08:00;At=1", "At", 'there is no "At" in the query; did you mean at?'),
        ("%41t=2026-11-20T08:00", "At", 'there is no "At" in the query; did you mean at?'),
        ("=2026-11-20T08:00", "", 'there is no "" in the query; there is at'),
        ("at%20=2026-11-20T08:00", "at ", 'there is no "at " in the query; did you mean at?'),
        ("%ff=1", "\ufffd", 'there is no "\ufffd" in the query; there is at'),
    ],
)
@time_limit(10)
async def test_c5_a_misspelt_time_cancels_no_wake_up(
    served_api: ServedApi, query: str, field: str, message: str
) -> None:
    dock_link(served_api)
    for hour in ("08", "09"):
        await put(served_api, "wake-up", {"at": f"2026-11-20T{hour}:00"})
    rejected = await served_api.call("DELETE", f"{ROOM}/wake-up?{query}")
    assert rejected.json()["error"] == {"code": "invalid", "message": message, "field": field}
    assert rejected.status == 400
    assert len((await served_api.get(ROOM)).json()["wake_ups"]) == 2


@time_limit(10)
async def test_a_time_in_the_body_cancels_no_wake_up(served_api: ServedApi) -> None:
    dock_link(served_api)
    await put(served_api, "wake-up", {"at": "2026-11-20T08:00"})
    rejected = await served_api.post(f"{ROOM}/wake-up", {"at": "2026-11-20T09:00"}, method="DELETE")
    assert rejected.error == (400, "invalid")
    assert rejected.json()["error"]["message"] == 'there is no "at" in the body of this call; it takes none'
    assert len((await served_api.get(ROOM)).json()["wake_ups"]) == 1
    assert (await served_api.post(f"{ROOM}/wake-up", {}, method="DELETE")).status == 202


@pytest.mark.parametrize("call", ["enable", "disable", "expire", "disconnect", "resync"])
@time_limit(10)
async def test_a_control_takes_no_keys(served_api: ServedApi, call: str) -> None:
    dock_link(served_api)
    rejected = await served_api.post(f"/api/v1/links/grand/{call}", {"force": True})
    assert rejected.error == (400, "invalid")
    assert rejected.json()["error"]["field"] == "force"
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert (link["state"], link["intent"], link["resync"]["wanted"]) == ("ESTABLISHED", "enabled", False)


@time_limit(10)
async def test_empty_parts_of_a_query_are_ignored(served_api: ServedApi) -> None:
    dock_link(served_api)
    assert (await served_api.get(f"{ROOM}?")).error == (404, "unknown_room")
    assert (await served_api.get("/api/v1/links?&")).status == 200
    assert (await served_api.get("/api/v1/links/grand/events?&after=0&&limit=1&")).status == 200


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/healthz", "/readyz", "/metrics", "/openapi.json"])
@time_limit(10)
async def test_the_page_and_the_calls_for_monitoring_ignore_their_query(
    served_api: ServedApi, path: str
) -> None:
    assert (await served_api.get(f"{path}?v=7&utm_source=mail")).status == 200


@time_limit(10)
async def test_who_may_not_call_learns_nothing_of_the_keys(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link("grand", enabled=False)
    assert (await protected_api.get("/api/v1/links/grand/rooms?Nonsense=1")).error == (401, "unauthorized")
