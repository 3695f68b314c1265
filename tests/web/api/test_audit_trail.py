"""The audit trail: who did what, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from pmslink.config.loader import Config
from pmslink.store.core import schema
from pmslink.web.api.audit_trail import AUDITED_ACTIONS, REFUSALS_AT_ONCE, UNAUDITED_CALLS
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import Response, ServedApi, make_link_config, run_reactor_turns

ADDRESS = {"host": "192.0.2.1", "port": 5010}
GRAND = "/api/v1/links/grand"


async def audit(served: ServedApi, query: str = "", headers: Mapping[str, str] | None = None) -> list[Any]:
    answer = await served.get(f"/api/v1/audit{query}", headers=headers)
    assert answer.status == 200
    entries: list[Any] = answer.json()["audit"]
    return entries


def brief(entries: list[Any], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(entry[key] for key in keys) for entry in entries]


async def create_link(served: ServedApi, **settings: object) -> Response:
    return await served.post("/api/v1/links", {"name": "grand", **ADDRESS, **settings})


def test_each_call_that_is_no_get_is_audited_or_named_as_not(served_api: ServedApi) -> None:
    changing = {
        (method, rule.rule)
        for rule in served_api.site.api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD"}
    }
    assert changing == {*AUDITED_ACTIONS, *UNAUDITED_CALLS}
    assert not UNAUDITED_CALLS & AUDITED_ACTIONS.keys()


@time_limit(10)
async def test_an_entry_says_who_did_what_and_when(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(enabled=False)
    manager = protected_api.add_token("manager", "control")
    assert (await protected_api.post(f"{GRAND}/enable", headers=manager)).status == 200
    (entry,) = await audit(protected_api, headers=manager)
    assert entry == {
        "id": entry["id"],
        "at": "2026-11-20T07:00:01.000Z",
        "who": "manager",
        "role": "control",
        "action": "link.enable",
        "link": "grand",
        "object": None,
        "before": {"intent": "disabled"},
        "after": {"intent": "enabled"},
        "result": "done",
    }


@time_limit(10)
async def test_without_tokens_the_caller_is_local(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    await served_api.post(f"{GRAND}/enable")
    assert brief(await audit(served_api), "who", "role") == [("(local)", "control")]


@time_limit(10)
async def test_all_controls_are_audited(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    controls = ["resync", "disconnect", "enable", "expire", "disable"]
    for control in controls:
        await served_api.post(f"{GRAND}/{control}")
    assert brief(reversed(await audit(served_api)), "action", "result") == [  # type: ignore[arg-type]
        (f"link.{control}", "done") for control in controls
    ]


@time_limit(10)
async def test_a_link_is_created_changed_and_removed_with_its_settings(served_api: ServedApi) -> None:
    secret = {"webhook_url": "https://pbx.example/", "webhook_secret": "s" * 32}
    assert (await create_link(served_api, enabled=False, **secret)).status == 201
    change = {"retry_max": 9, "port": 5011, "webhook_secret": "t" * 32, "webhook_url": secret["webhook_url"]}
    assert (await served_api.post(GRAND, change, method="PATCH")).status == 200
    assert (await served_api.call("DELETE", GRAND)).status == 200
    removed, changed, created = await audit(served_api, "?link=grand")
    assert (created["action"], created["before"]) == ("link.create", None)
    given = {"profile": "generic", "enabled": False, **ADDRESS, **secret, "webhook_secret": "***"}
    assert created["after"].items() >= given.items()
    assert (changed["action"], changed["before"], changed["after"]) == (
        "link.change",
        {"port": 5010, "retry_max": 30.0, "webhook_secret": "***"},
        {"port": 5011, "retry_max": 9.0, "webhook_secret": "***"},
    )
    assert (removed["action"], removed["after"]) == ("link.remove", None)
    assert removed["before"].items() >= {**given, "port": 5011, "retry_max": 9}.items()


@time_limit(10)
async def test_a_refused_call_is_audited_with_its_error(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(enabled=False)
    view, control = (protected_api.bearer_headers(role) for role in ("view", "control"))
    await protected_api.post(f"{GRAND}/enable", headers=view)
    await protected_api.post(f"{GRAND}/disconnect", headers=control)
    await protected_api.post("/api/v1/links/none/enable", headers=control)
    await protected_api.post("/api/v1/links", {"name": "grand", **ADDRESS}, headers=control)
    await protected_api.post(GRAND, {"port": 0}, headers=control, method="PATCH")
    await protected_api.call("PUT", f"{GRAND}/rooms/10%2F8/dnd", control, b"{")
    await protected_api.post(f"{GRAND}/postings/17/resend", headers=control)
    entries = await audit(protected_api, headers=control)
    assert brief(entries, "who", "action", "link", "object", "result") == [
        ("control", "posting.resend", "grand", "posting 17", "unknown_posting"),
        ("control", "room.dnd", "grand", "room 10/8", "unsupported_type"),
        ("control", "link.change", "grand", None, "declared"),
        ("control", "link.create", "grand", None, "name_taken"),
        ("control", "link.enable", "none", None, "unknown_link"),
        ("control", "link.disconnect", "grand", None, "not_applicable"),
        ("view", "link.enable", "grand", None, "forbidden"),
    ]
    assert all(entry["before"] is None and entry["after"] is None for entry in entries)


@time_limit(10)
async def test_a_caller_that_is_not_known_leaves_no_entry(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(enabled=False)
    await protected_api.post(f"{GRAND}/enable")
    await protected_api.post(f"{GRAND}/enable", headers={"authorization": "Bearer pmslink_wrong"})
    await protected_api.post("/api/v1/session", {"token": "pmslink_wrong"})
    assert await audit(protected_api, headers=protected_api.bearer_headers("control")) == []


@time_limit(20)
async def test_refused_calls_of_one_caller_cannot_fill_the_store(protected_api: TokenProtectedApi) -> None:
    view, control = (protected_api.bearer_headers(role) for role in ("view", "control"))
    for _ in range(REFUSALS_AT_ONCE + 2):
        await protected_api.post(f"{GRAND}/enable", headers=view)
    await protected_api.post(f"{GRAND}/enable", headers=protected_api.bearer_headers("pbx"))
    entries = await audit(protected_api, "?limit=1000", headers=control)
    assert len(entries) == REFUSALS_AT_ONCE + 1
    assert entries[0]["who"] == "pbx"
    protected_api.advance(60)
    await protected_api.post(f"{GRAND}/enable", headers=view)
    assert len(await audit(protected_api, "?limit=1000", headers=control)) == REFUSALS_AT_ONCE + 2


@time_limit(10)
async def test_names_in_a_refused_path_are_cut_off_and_printable(served_api: ServedApi) -> None:
    await served_api.post(f"/api/v1/links/{'x' * 200}/enable")
    await served_api.post("/api/v1/links/a%0Ab%E2%80%AE/enable")
    assert [entry["link"] for entry in await audit(served_api)] == ["a?b?", "x" * 64]


@time_limit(10)
async def test_room_updates_are_audited_in_the_commit_of_their_row(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    calls = {
        "room.status": ("PUT", "status", {"status": 3}),
        "room.dnd": ("PUT", "dnd", {"on": True}),
        "room.voicemail": ("PUT", "voicemail", {"unread": 1, "read": 3}),
        "room.wake_up": ("PUT", "wake-up", {"at": "2026-11-21T07:00"}),
        "room.wake_up_cancel": ("DELETE", "wake-up?at=2026-11-21T07:00", None),
    }
    for method, path, body in calls.values():
        answer = await served_api.post(f"{GRAND}/rooms/101/{path}", body, method=method)
        assert answer.status == 202, answer.body
    entries = [*reversed(await audit(served_api, "?link=grand"))]
    assert [entry["action"] for entry in entries] == [*calls]
    assert {entry["object"] for entry in entries} == {"room 101"}
    assert [entry["after"] for entry in entries[:3]] == [body for _, _, body in [*calls.values()][:3]]


@time_limit(10)
async def test_what_the_disk_rejects_is_neither_changed_nor_audited_as_done(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    served_api.break_store()
    dnd = f"{GRAND}/rooms/101/dnd"
    assert (await served_api.post(dnd, {"on": True}, method="PUT")).error == (503, "store")
    served_api.repair_store()
    assert brief(await audit(served_api), "action", "result") == [("room.dnd", "store")]
    rows = (await served_api.get(f"{GRAND}/postings")).json()["postings"]
    assert rows == []


@time_limit(10)
async def test_a_control_that_took_effect_on_a_failing_disk_is_audited_as_done(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    served_api.break_store()
    assert (await served_api.post(f"{GRAND}/enable")).error == (503, "store")  # rejected with its commit
    assert (await served_api.post(f"{GRAND}/disable")).error == (503, "store")  # rejected at once
    assert (await served_api.post(f"{GRAND}/disconnect")).error == (409, "not_applicable")
    served_api.repair_store()
    assert brief(await audit(served_api), "action", "before", "after", "result") == [
        ("link.disconnect", None, None, "not_applicable"),
        ("link.disable", {"intent": "enabled"}, {"intent": "disabled"}, "done"),
        ("link.enable", {"intent": "disabled"}, {"intent": "enabled"}, "done"),
    ]


@time_limit(10)
async def test_changed_settings_that_are_stored_later_are_audited_as_done(served_api: ServedApi) -> None:
    await create_link(served_api, enabled=False)
    served_api.break_store()
    assert (await served_api.post(GRAND, {"port": 5011}, method="PATCH")).error == (503, "store")
    annexe = {"name": "annexe", "host": "192.0.2.2", "port": 5010}
    assert (await served_api.post("/api/v1/links", annexe)).error == (503, "store")
    served_api.repair_store()
    assert brief(await audit(served_api), "action", "link", "after", "result")[:2] == [
        ("link.create", "annexe", None, "store"),
        ("link.change", "grand", {"port": 5011}, "done"),
    ]


@time_limit(10)
async def test_what_a_pbx_sets_in_rooms_is_not_audited(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(enabled=False)
    for role in ("pbx", "desk", "control", "view"):
        headers = protected_api.bearer_headers(role)
        for body in ({"on": True}, {"on": 7}):
            await protected_api.post(f"{GRAND}/rooms/101/dnd", body, headers, method="PUT")
    control = protected_api.bearer_headers("control")
    assert brief(reversed(await audit(protected_api, headers=control)), "who", "result") == [  # type: ignore[arg-type]
        ("desk", "done"),
        ("desk", "invalid"),
        ("control", "done"),
        ("control", "invalid"),
        ("view", "forbidden"),
        ("view", "forbidden"),
    ]
    rows = (await protected_api.get(f"{GRAND}/postings", headers=control)).json()["postings"]
    assert len(rows) == 3, "each is a row of the outbox"


@time_limit(10)
async def test_postings_are_not_audited_but_what_a_person_decides_about_them_is(
    served_api: ServedApi,
) -> None:
    served_api.add_link(enabled=False)
    charge = {"type": "minibar", "room": "101", "article": "7"}
    posting = (await served_api.post(f"{GRAND}/postings", charge)).json()
    assert await audit(served_api) == []
    path = f"{GRAND}/postings/{posting['id']}"
    assert (await served_api.post(f"{path}/discard")).status == 200
    assert (await served_api.post(f"{path}/discard")).error == (409, "wrong_state")
    refused, done = await audit(served_api)
    assert done["object"] == refused["object"] == f"posting {posting['id']}"
    assert (done["action"], done["result"]) == ("posting.discard", "done")
    assert (done["before"], done["after"]) == ({"state": "pending"}, {"state": "discarded"})
    assert (refused["result"], refused["before"]) == ("wrong_state", None)


@time_limit(10)
async def test_a_reload_is_audited_with_what_it_changed(served_api: ServedApi) -> None:
    served_api.config = Config(links=(make_link_config("comes"),))
    await served_api.post("/api/v1/reload")
    (entry,) = await audit(served_api)
    assert (entry["action"], entry["link"]) == ("service.reload", None)
    assert entry["after"] == {"added": ["comes"], "changed": [], "removed": [], "needs_restart": []}


@time_limit(10)
async def test_signing_in_and_out_is_audited(protected_api: TokenProtectedApi) -> None:
    session = await protected_api.sign_in("view")
    headers = {**session.cookie_headers, **session.csrf_headers}
    assert (await protected_api.call("DELETE", "/api/v1/session", headers)).status == 200
    entries = await audit(protected_api, headers=protected_api.bearer_headers("control"))
    assert brief(entries, "who", "action") == [("view", "session.end"), ("view", "session.begin")]


@time_limit(10)
async def test_entries_are_filtered_and_listed_in_pages(served_api: ServedApi) -> None:
    for name in ("grand", "annexe"):
        served_api.add_link(name, enabled=False)
        for control in ("enable", "disable"):
            await served_api.post(f"/api/v1/links/{name}/{control}")
    newest = await audit(served_api, "?limit=2")
    assert brief(newest, "link", "action") == [("annexe", "link.disable"), ("annexe", "link.enable")]
    older = await audit(served_api, f"?before={newest[-1]['id']}")
    assert brief(older, "link", "action") == [("grand", "link.disable"), ("grand", "link.enable")]
    assert await audit(served_api, "?link=grand") == older
    enabled = await audit(served_api, "?action=link.enable&who=(local)&link=annexe")
    assert brief(enabled, "link", "action") == [("annexe", "link.enable")]
    assert await audit(served_api, "?who=nobody") == []
    assert (await served_api.get("/api/v1/audit?room=1")).error == (400, "invalid")


@time_limit(10)
async def test_the_audit_trail_outlives_its_link_and_the_service(served_api: ServedApi) -> None:
    await create_link(served_api, enabled=False)
    await served_api.call("DELETE", GRAND)
    before = await audit(served_api)
    await served_api.stop()
    service = ServedApi(previous=served_api)
    try:
        assert await audit(service, "?link=grand") == before
        assert brief(before, "action") == [("link.remove",), ("link.create",)]
    finally:
        await service.stop()


@pytest.mark.parametrize("role", ["view", "pbx", "desk"])
@time_limit(10)
async def test_only_control_reads_the_audit_trail(protected_api: TokenProtectedApi, role: Any) -> None:
    answer = await protected_api.get("/api/v1/audit", headers=protected_api.bearer_headers(role))
    assert answer.error == (403, "forbidden")


@time_limit(10)
async def test_a_change_and_its_entry_are_one_commit(served_api: ServedApi) -> None:
    """No commit has the intent without its entry, or the entry without the intent."""
    served_api.add_link(enabled=False)
    commits: list[tuple[str, int]] = []

    def on_commit(*_: object) -> None:
        with served_api.database.reader() as connection, connection.begin():
            intent = connection.execute(select(schema.LINKS.c.intent)).scalar_one()
            entries = connection.execute(select(func.count()).select_from(schema.AUDIT)).scalar_one()
        commits.append((intent, entries))

    served_api.store.journal._on_outcome = _after(served_api.store.journal._on_outcome, on_commit)  # type: ignore[method-assign]
    await served_api.post(f"{GRAND}/enable")
    await run_reactor_turns()
    assert {*commits} == {("enabled", 1)}


def _after(call: Any, then: Any) -> Any:
    def both(*arguments: Any) -> Any:
        result = call(*arguments)
        then()
        return result

    return both
