"""Tests of creating, changing and removing links over the API, also while the disk is full."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmslink.config.link_definition import LinkConfig
from pmslink.link.link import Link
from pmslink.web.api.link_settings_body import parse_settings
from pmslink.web.http.api_errors import ApiError
from tests.time_limit import time_limit
from tests.web.served_api import Response, ServedApi, run_reactor_turns

NEW = {"name": "new", "host": "192.0.2.1", "port": 5010}


async def create_link(served: ServedApi, **settings: object) -> Link:
    assert (await served.post("/api/v1/links", {**NEW, **settings})).status == 201
    link = served.links.get("new")
    assert link is not None
    return link


async def patch(served: ServedApi, body: object, name: str = "new") -> Response:
    return await served.post(f"/api/v1/links/{name}", body, method="PATCH")


async def delete(served: ServedApi, name: str = "new", query: str = "") -> Response:
    return await served.call("DELETE", f"/api/v1/links/{name}{query}")


def message(answer: Response) -> str:
    matches: str = answer.json()["error"]["message"]
    return matches


@time_limit(10)
async def test_a_link_is_created(served_api: ServedApi) -> None:
    answer = await served_api.post("/api/v1/links", {**NEW, "profile": "opera", "alive_timeout": None})
    assert answer.status == 201
    link = answer.json()
    assert (link["name"], link["state"], link["intent"]) == ("new", "DISABLED", "disabled")
    assert (link["profile"], link["declared"]) == ("opera", False)
    assert link["settings"]["alive_timeout"] == 30
    assert (await served_api.get("/api/v1/links/new")).json() == link


@time_limit(10)
async def test_a_link_may_be_created_enabled(served_api: ServedApi) -> None:
    answer = await served_api.post("/api/v1/links", {**NEW, "enabled": True})
    assert (answer.json()["state"], answer.json()["intent"]) == ("WAIT_LS", "enabled")


@time_limit(20)
async def test_a_created_link_survives_a_restart(served_api: ServedApi) -> None:
    await create_link(served_api, charset="utf-8")
    await patch(served_api, {"alive_interval": 44})
    await served_api.post("/api/v1/links/new/enable")
    await served_api.stop()
    after = ServedApi(previous=served_api)
    link = (await after.get("/api/v1/links/new")).json()
    assert (link["settings"]["charset"], link["settings"]["alive_interval"]) == ("utf-8", 44)
    assert (link["declared"], link["intent"]) == (False, "enabled")
    await after.stop()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"host": "pms", "port": 1}, "name"),
        ({"name": 5, "host": "pms", "port": 1}, "name"),
        ({"name": None, "host": "pms", "port": 1}, "name"),
        ({"name": "a b", "host": "pms", "port": 1}, "name"),
        ({"name": "x" * 65, "host": "pms", "port": 1}, "name"),
        ({"name": "a", "port": 1}, "host"),
        ({"name": "a", "host": "pms", "port": 1, "colour": 3}, "colour"),
        ({"name": "a", "host": "pms", "port": 1, "alive_interval": "3"}, "alive_interval"),
        ([], None),
    ],
)
@time_limit(10)
async def test_a_link_with_invalid_settings_is_not_created(
    served_api: ServedApi, body: object, field: str | None
) -> None:
    answer = await served_api.post("/api/v1/links", body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"].get("field") == field
    assert len(served_api.links) == 0


@time_limit(10)
async def test_a_name_in_use_is_rejected(served_api: ServedApi) -> None:
    await create_link(served_api)
    assert (await served_api.post("/api/v1/links", NEW)).error == (409, "name_taken")


@time_limit(10)
async def test_settings_are_changed_and_restored(served_api: ServedApi) -> None:
    link = await create_link(served_api, answer_timeout=7, alive_interval=9)
    changed = await patch(served_api, {"answer_timeout": None, "send_limit": 5})
    assert changed.status == 200
    settings = changed.json()["settings"]
    assert (settings["answer_timeout"], settings["alive_interval"], settings["send_limit"]) == (30, 9, 5)
    assert json.loads(link.definition or "") == {
        "host": "192.0.2.1",
        "port": 5010,
        "alive_interval": 9,
        "send_limit": 5,
    }


@time_limit(10)
async def test_a_new_address_redials(served_api: ServedApi) -> None:
    await create_link(served_api, enabled=True)
    served_api.dock()
    dials = served_api.network.dial_count
    changed = (await patch(served_api, {"port": 5011})).json()
    assert (changed["port"], changed["state"]) == (5011, "WAIT_LS")
    served_api.advance(1)
    assert served_api.network.dial_count == dials + 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"host": None}, "host"),
        ({"name": "other"}, "name"),
        ({"retry_initial": 90}, "retry_initial"),
        ({"port": 0}, "port"),
        (5, None),
    ],
)
@time_limit(10)
async def test_an_invalid_change_is_rejected(served_api: ServedApi, body: object, field: str | None) -> None:
    link = await create_link(served_api)
    before = (link.config, link.definition)
    answer = await patch(served_api, body)
    assert answer.error == (400, "invalid")
    assert answer.json()["error"].get("field") == field
    assert (link.config, link.definition) == before


def test_too_deep_nesting_in_a_setting_is_rejected() -> None:
    def read(name: str, flat: object) -> LinkConfig:
        raise RecursionError  # json.dumps supports less depth than json.loads

    with pytest.raises(ApiError) as raised:
        parse_settings(read, "new", {})
    assert raised.value.code == "invalid"


@time_limit(10)
async def test_too_deep_nesting_of_the_body_is_rejected(served_api: ServedApi) -> None:
    await create_link(served_api)
    nested_body = b'{"host":' + b"[" * 100_000
    json_type = {"content-type": "application/json"}
    answer = await served_api.call("PATCH", "/api/v1/links/new", json_type, nested_body)
    assert answer.error == (400, "invalid")


@time_limit(10)
async def test_a_declared_link_is_changed_in_its_file(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    assert (await patch(served_api, {"port": 1}, "grand")).error == (409, "declared")
    assert (await delete(served_api, "grand")).error == (409, "declared")
    assert served_api.links.get("grand") is not None


@time_limit(10)
async def test_a_link_is_removed(served_api: ServedApi) -> None:
    await create_link(served_api, enabled=True)
    served_api.dock()
    answer = await delete(served_api)
    assert (answer.status, answer.json()) == (200, {"removed": "new"})
    assert (await served_api.get("/api/v1/links/new")).error == (404, "unknown_link")
    assert served_api.network.open_count == 0
    assert not served_api.store.hotels.has_policy("new")
    link = await create_link(served_api)  # the name is free, and the data of the old link is deleted
    listed = (await served_api.get("/api/v1/links/new/transitions")).json()["transitions"]
    assert [transition["to"] for transition in listed] == ["DISABLED"]
    assert link.outbox.counts.pending == 0


@time_limit(10)
async def test_a_link_with_open_postings_is_removed_only_with_discard(served_api: ServedApi) -> None:
    await create_link(served_api)
    posting = {"type": "minibar", "room": "1", "article": "7"}
    await served_api.post("/api/v1/links/new/postings", posting)
    assert (await delete(served_api)).error == (409, "not_final")
    assert (await delete(served_api, query="?discard=false")).error == (409, "not_final")
    assert (await delete(served_api, query="?discard=yes")).json()["error"]["field"] == "discard"
    assert (await delete(served_api, query="?discard=true")).status == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@time_limit(10)
async def test_an_unknown_link_is_not_found(served_api: ServedApi, method: str) -> None:
    assert (await served_api.post("/api/v1/links/none", {}, method=method)).error == (404, "unknown_link")


@time_limit(10)
async def test_a_resync_is_requested(served_api: ServedApi) -> None:
    served_api.add_link()
    answer = await served_api.post("/api/v1/links/grand/resync")
    assert answer.status == 202
    assert answer.json()["resync"]["wanted"] is True
    assert answer.json()["resync"]["asked"] is None
    served_api.dock()
    served_api.send_from_pms("DS|DA261120|TI070000|")
    resync = (await served_api.get("/api/v1/links/grand")).json()["resync"]
    assert (resync["wanted"], resync["asked"]) == (False, "2026-11-20T07:00:00.000Z")
    assert (await served_api.post("/api/v1/links/grand/resync")).error == (409, "resync_running")


# Full disk


@time_limit(10)
async def test_no_link_is_created_while_the_store_fails(served_api: ServedApi) -> None:
    served_api.break_store()
    answer = await served_api.post("/api/v1/links", NEW)
    assert answer.error == (503, "store")
    assert "the disk is full" in message(answer)
    assert served_api.links.get("new") is None
    assert not served_api.store.hotels.has_policy("new")


@pytest.mark.parametrize("call", ["enable", "resync", "PATCH"])
@time_limit(10)
async def test_a_change_that_was_not_stored_is_reported(served_api: ServedApi, call: str) -> None:
    link = await create_link(served_api)
    served_api.break_store()
    if call == "PATCH":
        answer = await patch(served_api, {"send_limit": 5})
        assert link.settings().send_limit == 5
    else:
        answer = await served_api.post(f"/api/v1/links/new/{call}")
        assert (link.core.intent == "enabled") is (call == "enable")
    assert answer.error == (503, "store")
    assert message(answer).startswith(
        "the change took effect, but was not stored and is lost at a restart: the disk is full"
    )


@time_limit(10)
async def test_a_link_stays_if_its_removal_fails(served_api: ServedApi) -> None:
    await create_link(served_api)
    served_api.break_store()
    assert (await delete(served_api)).error == (503, "store")
    assert served_api.store.hotels.has_policy("new")
    served_api.repair_store()
    assert (await served_api.get("/api/v1/links/new")).status == 200
    assert (await delete(served_api)).status == 200


# Disconnected clients


async def send_and_disconnect(served: ServedApi, method: str, path: str, body: Any = None) -> None:
    """Send a request, and disconnect before the response."""
    raw = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost:{served.port}\r\n"
    type = "content-type: application/json\r\n" if raw else ""
    connection = await served.connect(f"{head}{type}content-length: {len(raw)}\r\n\r\n".encode() + raw)
    await run_reactor_turns(20)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await connection.closed
    await run_reactor_turns(20)
    served.advance()


@time_limit(10)
async def test_a_change_completes_although_its_client_disconnects(served_api: ServedApi) -> None:
    await send_and_disconnect(served_api, "POST", "/api/v1/links", NEW)
    assert served_api.links.get("new") is not None
    await send_and_disconnect(served_api, "PATCH", "/api/v1/links/new", {"send_limit": 5})
    await send_and_disconnect(served_api, "POST", "/api/v1/links/new/enable")
    link = (await served_api.get("/api/v1/links/new")).json()
    assert (link["settings"]["send_limit"], link["intent"]) == (5, "enabled")
    await send_and_disconnect(served_api, "DELETE", "/api/v1/links/new")
    assert served_api.links.get("new") is None
    await served_api.stop()
    after = ServedApi(previous=served_api)
    assert len(after.links) == 0
    await after.stop()


@time_limit(10)
async def test_d15_the_address_of_another_link_is_rejected(served_api: ServedApi) -> None:
    await create_link(served_api)
    other = {**NEW, "name": "other", "host": "192.0.2.1"}
    rejected = await served_api.post("/api/v1/links", other)
    assert rejected.error == (409, "in_use")
    assert message(rejected) == (
        "the link new has 192.0.2.1:5010 already; remove it, or change the host or port of one of them"
    )
    assert (await served_api.post("/api/v1/links", {**other, "port": 5011})).status == 201
    assert (await patch(served_api, {"port": 5010}, "other")).error == (409, "in_use")
    assert (await patch(served_api, {"connect": "accept", "port": 5010}, "other")).status == 200


@time_limit(10)
async def test_d8_a_record_is_left_out_of_the_description(served_api: ServedApi) -> None:
    await create_link(served_api)
    answer = await patch(served_api, {"records": {"GC": ""}})
    assert answer.status == 200
    assert answer.json()["settings"]["records"] == {"GC": ""}
    assert "GC" not in answer.json()["declared_records"]
