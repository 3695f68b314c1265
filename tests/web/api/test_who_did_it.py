"""A link says who created it, and who brought about its state: `made`, and `by` of its cause."""

from __future__ import annotations

from typing import Any

import pytest

from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi

ADDRESS = {"host": "192.0.2.1", "port": 5010}
GRAND = "/api/v1/links/grand"


async def get_link(served: ServedApi, headers: Any = None) -> Any:
    return (await served.get(GRAND, headers=headers)).json()


async def restart(served: ServedApi) -> ServedApi:
    await served.stop()
    served.advance(3600)
    return ServedApi(previous=served)


@time_limit(10)
async def test_a_link_says_who_created_it_and_when(protected_api: TokenProtectedApi) -> None:
    manager = protected_api.add_token("manager", "control")
    created_at = f"2026-11-20T07:00:0{protected_api.clock.seconds():.0f}.000Z"
    created = await protected_api.post("/api/v1/links", {"name": "grand", **ADDRESS}, headers=manager)
    assert created.json()["made"] == {"by": "manager", "at": created_at}
    protected_api.advance(60)
    changed = await protected_api.post(GRAND, {"retry_max": 9}, manager, "PATCH")
    assert changed.json()["made"] == {"by": "manager", "at": created_at}
    brief = (await protected_api.get("/api/v1/links?fields=brief", headers=manager)).json()["links"]
    assert [link["made"] for link in brief] == [created.json()["made"]]
    service = await restart(protected_api)
    try:
        assert (await get_link(service))["made"] == created.json()["made"]
    finally:
        await service.stop()


@time_limit(10)
async def test_a_user_without_a_token_has_no_name(served_api: ServedApi) -> None:
    created = await served_api.post("/api/v1/links", {"name": "grand", **ADDRESS, "enabled": False})
    assert created.json()["made"] == {"by": None, "at": "2026-11-20T07:00:00.000Z"}
    link = (await served_api.post(f"{GRAND}/disable")).json()
    assert link["cause"]["params"].get("by") is None


@time_limit(10)
async def test_nobody_made_a_link_of_the_file(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    assert (await get_link(served_api))["made"] is None


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        ("disable", "Switched off by manager"),
        ("expire", "Marked as expired by manager"),
        ("disconnect", "Disconnected by manager"),
    ],
)
@time_limit(10)
async def test_a_link_says_who_put_it_to_rest_also_after_restarts(
    protected_api: TokenProtectedApi, control: str, reason: str
) -> None:
    manager = protected_api.add_token("manager", "control")
    await protected_api.post("/api/v1/links", {"name": "grand", **ADDRESS, "enabled": True}, headers=manager)
    protected_api.advance()
    link = (await protected_api.post(f"{GRAND}/{control}", headers=manager)).json()
    cause = {"code": "user", "params": {"control": control, "by": "manager"}}
    assert (link["cause"], link["reason"]) == (cause, reason)
    service: ServedApi = protected_api
    for _ in range(2):
        service = await restart(service)
        restarted = await get_link(service)
        assert (restarted["cause"], restarted["reason"], restarted["since"]) == (cause, reason, link["since"])
    transitions = (await service.get(f"{GRAND}/transitions")).json()["transitions"]
    started, _, by_manager = transitions[:3]
    assert started["from"] is None
    assert started["cause"]["code"] == ("expired" if control == "expire" else "started")
    assert (by_manager["cause"], by_manager["reason"]) == (cause, reason)
    await service.post(f"{GRAND}/enable")
    assert (await get_link(service))["cause"]["params"] == {"control": "enable"}
    await service.stop()


@time_limit(10)
async def test_a_restarted_link_that_is_enabled_does_not_name_who_switched_it_off(
    served_api: ServedApi,
) -> None:
    await served_api.post("/api/v1/links", {"name": "grand", **ADDRESS, "enabled": True})
    for control in ("disable", "enable"):
        await served_api.post(f"{GRAND}/{control}")
    service = await restart(served_api)
    try:
        assert (await get_link(service))["cause"]["code"] == "started"
    finally:
        await service.stop()


@time_limit(10)
async def test_a_redial_after_changed_settings_says_who_changed_them(
    protected_api: TokenProtectedApi,
) -> None:
    manager = protected_api.add_token("manager", "control")
    await protected_api.post("/api/v1/links", {"name": "grand", **ADDRESS, "enabled": True}, headers=manager)
    link = (await protected_api.post(GRAND, {"port": 5011}, manager, "PATCH")).json()
    assert link["cause"] == {"code": "settings", "params": {"by": "manager"}}
    assert link["reason"] == "manager changed the link settings"


@time_limit(10)
async def test_a_link_that_is_enabled_while_it_ends_says_who_enabled_it(
    protected_api: TokenProtectedApi,
) -> None:
    manager, other = (protected_api.add_token(name, "control") for name in ("manager", "other"))
    protected_api.add_link()
    protected_api.dock()
    await protected_api.post(f"{GRAND}/disconnect", headers=manager)
    await protected_api.post(f"{GRAND}/enable", headers=other)
    protected_api.send_from_pms("LE|DA261120|TI070001|")
    headers = protected_api.bearer_headers("control")
    transitions = (await protected_api.get(f"{GRAND}/transitions", headers=headers)).json()["transitions"]
    by = {one["to"]: one["cause"]["params"].get("by") for one in transitions[:3]}
    assert by["WAIT_LE"] == "manager"
    assert by["CLOSED"] == "other"
