"""Tests of the JSON form of links, their controls, and trials of settings."""

from __future__ import annotations

import pytest
from attrs import fields

from pmslink.config.link_settings import LinkSettings
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi


@time_limit(10)
async def test_a_link_that_is_in_sync(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=20, alive_timeout=5, profile="opera")
    served_api.dock()
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert {
        key: link[key] for key in ("name", "state", "label", "reason", "advice", "intent", "attention")
    } == {
        "name": "grand",
        "state": "ESTABLISHED",
        "label": "Link established",
        "reason": "The PMS started the link (LS)",
        "advice": "",
        "intent": "enabled",
        "attention": 0,
    }
    assert link["since"] == link["last_in_sync"] == "2026-11-20T07:00:00.000Z"
    assert link["in_sync"] is True
    assert link["down_since"] is None
    assert link["cause"] == {"code": "started", "params": {"record": "LS"}}
    assert (link["host"], link["port"], link["profile"], link["declared"]) == (
        "192.0.2.1",
        5010,
        "opera",
        True,
    )
    assert link["retry"] == {"attempt": 0, "next_at": None}
    assert link["outbox"] == {"pending": 0, "unknown": 0, "refused": 0, "oldest": None}
    assert link["resync"] == {"wanted": False, "asked": None, "started": None, "ended": None, "records": 0}
    assert link["settings"].keys() == {attribute.name for attribute in fields(LinkSettings)}
    assert link["settings"]["alive_interval"] == 20
    assert link["declared_records"][:2] == ["GI", "GO"]


@time_limit(10)
async def test_a_link_that_redials(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    served_api.add_link()
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert link["state"] == "EXPECTION"
    assert link["retry"]["attempt"] == 1
    assert link["retry"]["next_at"].startswith("2026-11-20T07:00:0")
    assert link["down_since"] == "2026-11-20T07:00:00.000Z"
    assert link["cause"]["code"] == "refused"
    assert link["attention"] == 4


@time_limit(10)
async def test_a_link_reports_its_last_check_and_resync(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=20, alive_timeout=30)
    served_api.dock()
    served_api.send_from_pms("DS|DA261120|TI070000|", "GI|RN101|G#1|SF|", "DE|DA261120|TI070000|")
    served_api.advance(20.5)
    served_api.send_from_pms("LA|DA261120|TI070000|")
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert link["alive"]["last_check"] < link["alive"]["last_answer"] == link["alive"]["last_received"]
    assert 0 < link["alive"]["round_trip_ms"] < 11000
    assert link["resync"]["records"] == 1
    assert link["resync"]["ended"] == "2026-11-20T07:00:00.000Z"


@time_limit(10)
async def test_a_link_without_description_declares_no_records(served_api: ServedApi) -> None:
    served_api.add_link(describe=False, enabled=False, expires_at="2030-01-01T00:00:00Z")
    link = (await served_api.get("/api/v1/links/grand")).json()
    assert link["declared_records"] == []
    assert link["settings"]["expires_at"] == "2030-01-01T00:00:00.000Z"


@time_limit(10)
async def test_all_links_are_listed(served_api: ServedApi) -> None:
    served_api.add_link("a", enabled=False)
    served_api.add_link("b", enabled=False)
    listed = (await served_api.get("/api/v1/links")).json()["links"]
    assert [link["name"] for link in listed] == ["a", "b"]
    assert listed[0] == (await served_api.get("/api/v1/links/a")).json()


@time_limit(10)
async def test_controls_return_the_changed_link(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    seen = []
    for control in ("enable", "disconnect", "expire", "enable", "disable"):
        answer = await served_api.post(f"/api/v1/links/grand/{control}")
        assert answer.status == 200
        seen.append((answer.json()["state"], answer.json()["intent"]))
    assert seen == [
        ("WAIT_LS", "enabled"),
        ("CLOSED", "disconnected"),
        ("EXPIRED", "expired"),
        ("WAIT_LS", "enabled"),
        ("DISABLED", "disabled"),
    ]


@time_limit(10)
async def test_controls_that_do_not_apply_are_rejected(served_api: ServedApi) -> None:
    served_api.add_link("off", enabled=False)
    served_api.add_link("past", expires_at="2026-01-01T00:00:00Z")
    assert (await served_api.post("/api/v1/links/off/disconnect")).error == (409, "not_applicable")
    rejected = await served_api.post("/api/v1/links/past/enable")
    assert rejected.error == (409, "expired")
    assert "expires_at" in rejected.json()["error"]["message"]


@time_limit(10)
async def test_a_control_accepts_a_body_only_in_json(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    form = {"content-type": "application/x-www-form-urlencoded"}
    rejected = await served_api.call("POST", "/api/v1/links/grand/enable", headers=form, body=b"a=b")
    assert rejected.error == (415, "unsupported_type")
    assert (await served_api.post("/api/v1/links/grand/enable", {})).status == 200
    assert (await served_api.call("POST", "/api/v1/links/grand/enable", headers=form)).status == 200


@pytest.mark.parametrize(
    "path", ["", "/transitions", "/records", "/enable", "/disable", "/expire", "/disconnect"]
)
@time_limit(10)
async def test_an_unknown_link_is_not_found(served_api: ServedApi, path: str) -> None:
    method = "GET" if path in ("", "/transitions", "/records") else "POST"
    answer = await served_api.call(method, f"/api/v1/links/none{path}")
    assert answer.error == (404, "unknown_link")


@time_limit(10)
async def test_a_link_may_be_named_test(served_api: ServedApi) -> None:
    served_api.add_link("test", enabled=False)
    assert (await served_api.get("/api/v1/links/test")).json()["name"] == "test"
