"""Tests of notices: opened, ended, acknowledged for all users, and continued after a restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from pmslink.link.cause import Cause
from pmslink.link.link import Link
from pmslink.link.notice_tracker import SWEEP_INTERVAL_S
from pmslink.store.core.store_metadata import barrier
from pmslink.store.tables.notice_rows import store_notices
from pmslink.timestamps import format_timestamp
from pmslink.web.auth.permissions import Role
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import START_TIME, ServedApi, make_link_config
from tests.web.stream_client import open_stream

NOTICES = "/api/v1/notices"
QUIET: dict[str, Any] = {"alive_by": "nothing"}
"""Settings of a link that stays connected although the PMS is silent."""


async def list_notices(served: ServedApi, query: str = "") -> list[dict[str, Any]]:
    notices: list[dict[str, Any]] = (await served.get(f"{NOTICES}{query}")).json()["notices"]
    return notices


async def kinds(served: ServedApi, query: str = "") -> list[tuple[str, str]]:
    return [(notice["kind"], notice["state"]) for notice in await list_notices(served, query)]


async def acknowledge(served: ServedApi, notice: dict[str, Any]) -> dict[str, Any]:
    answer = await served.post(f"{NOTICES}/{notice['id']}/acknowledge")
    assert answer.status == 200, answer.body
    acknowledged: dict[str, Any] = answer.json()
    return acknowledged


async def restart(served: ServedApi, **settings: object) -> ServedApi:
    await served.stop()
    return ServedApi(previous=served, links=[make_link_config(**{**QUIET, **settings})])


def docked_link(served: ServedApi, **settings: object) -> Link:
    link = served.add_link(**{**QUIET, **settings})
    served.dock()
    assert link.session.in_sync
    return link


def lose(served: ServedApi) -> None:
    served.pms.latest_connection.transport.loseConnection()  # type: ignore[union-attr]
    served.advance()


def redial(served: ServedApi) -> None:
    """Let the network accept connections, and wait for the next redial of the only link."""
    served.network.mode = "accept"
    (link,) = served.links
    while link.core.marker != "WAIT_LS":
        served.advance(1)


def count_writes(served: ServedApi) -> list[str]:
    """Return a list that gets the kind of each notice that is submitted to the store."""
    written: list[str] = []
    submit = served.store.journal.submit

    def submit_and_count(operation: Any, argument: Any, **options: Any) -> Any:
        if operation is store_notices:
            written.append(argument.notice.kind)
        return submit(operation, argument, **options)

    served.store.journal.submit = submit_and_count  # type: ignore[assignment, method-assign]
    return written


@time_limit(20)
async def test_an_outage_is_one_notice_however_often_the_link_redials(served_api: ServedApi) -> None:
    link = docked_link(served_api)
    assert await list_notices(served_api) == []
    written = count_writes(served_api)
    served_api.network.mode = "refuse"
    lose(served_api)
    at = format_timestamp(served_api.now())
    for _ in range(10):
        served_api.advance(61)
    assert link.dialer.retries > 9
    (notice,) = await list_notices(served_api)
    assert (notice["kind"], notice["state"], notice["at"]) == ("down", "open", at)
    assert (notice["link"], notice["subject"]) == ("grand", format_timestamp(link.status().down_since))  # type: ignore[arg-type]
    assert notice["cause"]["code"] == "refused"
    assert notice["params"] == {
        "causes": ["lost", "refused"],
        "host": "192.0.2.1",
        "port": 5010,
        "marker": "EXPECTION",
        "attempts": link.dialer.retries,
    }
    assert written == ["down", "down"]

    attempts = link.dialer.retries
    redial(served_api)
    served_api.dock()
    assert link.session.in_sync
    (notice,) = await list_notices(served_api)
    assert (notice["state"], notice["over"]) == ("over", format_timestamp(served_api.now()))
    assert (notice["params"]["attempts"], notice["params"]["in_sync"]) == (attempts, True)
    assert written == ["down", "down", "down"]


@time_limit(20)
async def test_a_link_that_is_switched_off_is_no_longer_down(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    served_api.add_link(**QUIET)
    assert await kinds(served_api) == [("down", "open")]
    await served_api.post("/api/v1/links/grand/disable")
    assert await kinds(served_api) == [("down", "over")]


@time_limit(20)
async def test_a_notice_is_acknowledged_once_for_all_users(protected_api: TokenProtectedApi) -> None:
    protected_api.network.mode = "refuse"
    protected_api.add_link(**QUIET)
    headers = {role: protected_api.bearer_headers(role) for role in get_args(Role)}
    listed = (await protected_api.get(NOTICES, headers=headers["view"])).json()
    assert listed["open"] == 1
    path = f"{NOTICES}/{listed['notices'][0]['id']}/acknowledge"
    for role in ("view", "pbx"):
        assert (await protected_api.post(path, headers=headers[role])).error == (403, "forbidden")
    stream = await open_stream(protected_api, headers=headers["view"])
    acknowledged = (await protected_api.post(path, headers=headers["control"])).json()
    by_control = {"by": "control", "at": format_timestamp(protected_api.now())}
    assert (acknowledged["state"], acknowledged["acknowledged"]) == ("acknowledged", by_control)

    protected_api.advance(5)
    other = protected_api.add_token("other", "control")
    assert (await protected_api.post(path, headers=other)).json()["acknowledged"] == by_control
    assert (await protected_api.get(NOTICES, headers=other)).json()["open"] == 0
    await stream.drain()
    (event,) = stream.events_of_kind("notice")
    assert (event.data["link"], event.data["notice"]["acknowledged"]) == ("grand", by_control)
    await stream.disconnect()
    audit = "/api/v1/audit?link=grand&action=notice.acknowledge"
    entries = (await protected_api.get(audit, headers=other)).json()["audit"]
    assert [(one["who"], one["object"], one["result"]) for one in entries] == [
        ("control", f"notice {acknowledged['id']}", "done")
    ]


@time_limit(30)
async def test_all_open_notices_are_acknowledged_at_once(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    for number in range(60):
        served_api.add_link(f"link-{number}", **QUIET)
    await acknowledge(served_api, (await list_notices(served_api, "?limit=1"))[0])
    answer = await served_api.post(f"{NOTICES}/acknowledge")
    assert answer.json() == {"acknowledged": 59}
    assert await list_notices(served_api, "?state=open") == []
    assert served_api.links.notices.count_open() == 0
    assert (await served_api.post(f"{NOTICES}/acknowledge")).json() == {"acknowledged": 0}


@time_limit(20)
async def test_an_acknowledged_outage_is_open_again_with_a_cause_of_another_group(
    served_api: ServedApi,
) -> None:
    link = docked_link(served_api)
    served_api.network.mode = "refuse"
    lose(served_api)
    served_api.advance(61)
    await acknowledge(served_api, (await list_notices(served_api))[0])
    served_api.advance(300)
    assert await kinds(served_api) == [("down", "acknowledged")]
    redial(served_api)
    served_api.send_from_pms("LE|DA261120|TI070000|")
    assert link.core.cause == Cause("pms_ended")
    assert await kinds(served_api) == [("down", "open")]


@time_limit(20)
async def test_rows_to_decide_are_one_notice_until_all_are_decided(served_api: ServedApi) -> None:
    docked_link(served_api, answer_timeout=2)
    posting = {"type": "call", "room": "101", "dialled": "1", "duration": 5, "amount": 100}
    for _ in range(2):
        await served_api.post("/api/v1/links/grand/postings", posting)
        served_api.advance(60)
    (notice,) = [one for one in await list_notices(served_api) if one["kind"] == "decision"]
    assert notice["params"]["unknown"] + notice["params"]["refused"] >= 1
    rows = (await served_api.get("/api/v1/links/grand/postings")).json()["postings"]
    for row in rows:
        await served_api.post(f"/api/v1/links/grand/postings/{row['id']}/discard")
    assert ("decision", "over") in await kinds(served_api)
    assert ("decision", "open") not in await kinds(served_api)


@time_limit(20)
async def test_an_acknowledged_wake_up_needs_no_attention_also_after_a_restart(served_api: ServedApi) -> None:
    docked_link(served_api)
    served_api.send_from_pms("WR|RN101|TI07:00|", "WR|RN102|TI07:00|")
    assert (await served_api.get("/api/v1/links/grand")).json()["attention"] == 3
    one, other = await list_notices(served_api, "?state=open")
    assert one["params"] == {"room": "102", "due": None, "result": "not_understood", "attempts": 0}
    await acknowledge(served_api, one)
    after = await restart(served_api)
    try:
        after.dock()
        assert await kinds(after) == [("wake_up", "acknowledged"), ("wake_up", "open")]
        assert (await after.get("/api/v1/links/grand")).json()["attention"] == 3
        await acknowledge(after, other)
        link = (await after.get("/api/v1/links/grand")).json()
        assert (link["attention"], link["failed_wake_ups"]["count"]) == (2, 0)  # it was not understood
        after.advance(24 * 3600 + SWEEP_INTERVAL_S)
        assert {state for _, state in await kinds(after)} == {"over"}
    finally:
        await after.stop()


@time_limit(20)
async def test_notices_continue_after_a_restart(served_api: ServedApi) -> None:
    docked_link(served_api)
    for _ in range(2):
        lose(served_api)
        served_api.advance(5)
        served_api.dock()
    served_api.network.mode = "refuse"
    lose(served_api)
    before = await list_notices(served_api)
    assert {(one["kind"], one["state"]) for one in before} == {
        *(("flapping", "open"), ("down", "open"), ("down", "over"))
    }
    after = await restart(served_api)
    after.network.mode = "refuse"
    try:
        for _ in range(3):
            after.advance(61)
        assert [one["id"] for one in await list_notices(after)] == [one["id"] for one in before]
        redial(after)
        after.dock()
        after.advance(2 * 3600)  # without an outage
        assert {state for _, state in await kinds(after)} == {"over"}
        assert len(await list_notices(after)) == len(before)
    finally:
        await after.stop()


@time_limit(20)
async def test_the_last_change_of_a_notice_is_replayed_after_a_restart(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    served_api.add_link(**QUIET)
    stream = await open_stream(served_api)
    await stream.drain()
    last_id = stream.event_ids[-1]
    await stream.disconnect()
    await acknowledge(served_api, (await list_notices(served_api))[0])
    after = await restart(served_api)
    try:
        resumed = await open_stream(after, last_event_id=last_id)
        await resumed.drain()
        states = [event.data["notice"]["state"] for event in resumed.events_of_kind("notice")]
        assert states == ["acknowledged"]
        assert not resumed.events_of_kind("reset")
        await resumed.disconnect()
    finally:
        await after.stop()


@time_limit(20)
async def test_a_link_that_is_no_longer_configured_has_no_lasting_notice(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    served_api.add_link(**QUIET)
    await served_api.stop()
    after = ServedApi(previous=served_api)
    try:
        assert await kinds(after) == [("down", "over")]
    finally:
        await after.stop()


@time_limit(20)
async def test_a_removed_link_has_no_notices(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    made = {"name": "made", "host": "192.0.2.7", "port": 5020, "enabled": True}
    assert (await served_api.post("/api/v1/links", made)).status == 201
    assert await kinds(served_api, "?link=made") == [("down", "open")]
    assert (await served_api.call("DELETE", "/api/v1/links/made")).status == 200
    served_api.advance(1)
    assert await list_notices(served_api) == []
    assert served_api.links.notices.count_open() == 0


@time_limit(20)
async def test_a_store_that_cannot_be_written_is_noticed_and_may_be_acknowledged(
    served_api: ServedApi,
) -> None:
    docked_link(served_api)
    stream = await open_stream(served_api)
    served_api.break_store()
    served_api.send_from_pms("GI|RN101|G#1|GSN|")
    served_api.advance(2)
    (notice,) = await list_notices(served_api)
    assert (notice["kind"], notice["link"]) == ("store", None)
    assert "full" in notice["params"]["reason"]
    assert (await acknowledge(served_api, notice))["state"] == "acknowledged"
    served_api.advance(1)
    await stream.drain()
    states = [event.data["notice"]["state"] for event in stream.events_of_kind("notice")]
    assert states == ["open", "acknowledged"]
    served_api.repair_store()
    served_api.advance(2)
    (notice,) = await list_notices(served_api, "?state=over")
    assert (notice["kind"], notice["acknowledged"]["by"]) == ("store", None)
    assert served_api.links.notices._unstored == {}
    await stream.disconnect()


@time_limit(20)
async def test_nothing_else_is_acknowledged_while_the_store_fails(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    served_api.add_link(**QUIET)
    served_api.break_store()
    served_api.store.journal.submit_nowait(barrier, None)
    served_api.advance(1)
    (notice,) = [one for one in await list_notices(served_api) if one["kind"] == "down"]
    answer = await served_api.post(f"{NOTICES}/{notice['id']}/acknowledge")
    assert answer.error == (503, "store")
    assert ("down", "open") in await kinds(served_api)
    served_api.repair_store()


@time_limit(20)
async def test_the_end_of_a_subscription_is_noticed_without_a_change_of_the_link(
    served_api: ServedApi,
) -> None:
    end = START_TIME + timedelta(days=14, minutes=30)
    docked_link(served_api, expires_at=end.isoformat())
    assert await list_notices(served_api) == []
    served_api.advance(1800 + SWEEP_INTERVAL_S)
    assert await kinds(served_api) == [("expires_soon", "open")]


@time_limit(20)
async def test_a_subscription_that_ends_is_one_that_ends_soon_no_more(served_api: ServedApi) -> None:
    end = START_TIME + timedelta(minutes=30)
    docked_link(served_api, expires_at=end.isoformat())
    assert await kinds(served_api) == [("expires_soon", "open")]
    served_api.advance(1800 + SWEEP_INTERVAL_S)
    assert await kinds(served_api) == [("expired", "open"), ("expires_soon", "over")]


@time_limit(20)
async def test_pages_of_notices_follow_each_other(served_api: ServedApi) -> None:
    served_api.network.mode = "refuse"
    for number in range(5):
        served_api.add_link(f"link-{number}", **QUIET)
    await acknowledge(served_api, (await list_notices(served_api, "?link=link-3"))[0])
    names, query = [], "?limit=2"
    while query:
        page = (await served_api.get(f"{NOTICES}{query}")).json()
        assert page["open"] == 4
        names += [notice["link"] for notice in page["notices"]]
        query = page["next"] and f"?limit=2&after={page['next']}"
    assert names == [f"link-{number}" for number in (4, 3, 2, 1, 0)]
    assert await kinds(served_api, "?state=acknowledged") == [("down", "acknowledged")]
    assert len(await list_notices(served_api, "?state=open,acknowledged")) == 5
    assert await list_notices(served_api, "?state=over") == []


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (f"{NOTICES}?state=closed", (400, "invalid")),
        (f"{NOTICES}?state=", (400, "invalid")),
        (f"{NOTICES}?after=x", (400, "invalid")),
        (f"{NOTICES}?limit=0", (400, "invalid")),
        (f"{NOTICES}?before=3", (400, "invalid")),
    ],
)
@time_limit(10)
async def test_an_invalid_query_is_rejected(served_api: ServedApi, path: str, error: Any) -> None:
    assert (await served_api.get(path)).error == error


@pytest.mark.parametrize("notice_id", ["7", "x", "-1", "9" * 20])
@time_limit(10)
async def test_an_unknown_notice_is_not_found(served_api: ServedApi, notice_id: str) -> None:
    answer = await served_api.post(f"{NOTICES}/{notice_id}/acknowledge")
    assert answer.error == (404, "unknown_notice")
