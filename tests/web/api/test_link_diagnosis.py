"""Tests of what the API says is wrong with a link, also after a restart (cases C4, D9, D12, D16)."""

from __future__ import annotations

from typing import Any

from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi, make_link_config

LINK = "/api/v1/links/grand"
QUIET: dict[str, str] = {"alive_by": "nothing"}
"""Settings of a link that stays connected although the PMS is silent."""


async def get_link(served: ServedApi) -> dict[str, Any]:
    link: dict[str, Any] = (await served.get(LINK)).json()
    return link


async def restart(served: ServedApi) -> ServedApi:
    await served.stop()
    return ServedApi(previous=served, links=[make_link_config(**QUIET)])


@time_limit(10)
async def test_d12_a_record_has_its_problem_from_memory_and_from_the_store(served_api: ServedApi) -> None:
    served_api.add_link(**QUIET)
    served_api.dock()
    served_api.send_from_pms("GI|RN101|G#1|GSN|", "GI|G#2|GNAdams|GSN|", "GO|RN|")
    served_api.send_from_pms("??|")
    before = (await served_api.get(f"{LINK}/records?direction=in&limit=4")).json()["records"]
    assert [record["problem"] for record in before] == [
        "unknown record id",
        "RN (room) must have 1 to 40 characters, and no control characters inside",
        "RN (room) is missing",
        None,
    ]
    after = await restart(served_api)
    try:
        stored = (await after.get(f"{LINK}/records?direction=in")).json()["records"]
        assert [record["problem"] for record in stored] == [record["problem"] for record in before[1:]]
        after.dock()
        link = await get_link(after)
        assert link["not_understood"]["records"] == 2  # those of a type that FIAS knows are stored
        assert link["not_understood"]["last"].startswith("GO: RN (room) must have")
        assert link["attention"] == 2
    finally:
        await after.stop()


@time_limit(10)
async def test_d12_a_problem_reveals_no_guest_to_a_viewer(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(**QUIET)
    protected_api.dock()
    protected_api.send_from_pms("GI|G#2|GNAdams|GFAnna|GSN|", "ZZ|GNAdams|")
    body = (await protected_api.get(f"{LINK}/records", headers=protected_api.bearer_headers("view"))).body
    assert b"RN (room) is missing" in body
    assert b"Adams" not in body


@time_limit(10)
async def test_c4_a_wake_up_request_that_is_not_understood_needs_a_person_for_a_day(
    served_api: ServedApi,
) -> None:
    served_api.add_link(**QUIET)
    served_api.dock()
    assert (await get_link(served_api))["attention"] == 0
    served_api.send_from_pms("WR|RN101|TI07:00|")
    link = await get_link(served_api)
    assert link["attention"] == 3
    assert link["not_understood"]["last"] == "WR: TI (time) '07:00' is not a time HHMMSS or HHMM"
    assert link["advice"].startswith("A wake-up failed, or a wake-up request was not understood")
    failed = link["failed_wake_ups"]
    assert (failed["count"], failed["last_room"]) == (1, "101")
    after = await restart(served_api)
    try:
        after.dock()
        assert (await get_link(after))["attention"] == 3
        assert (await get_link(after))["failed_wake_ups"] == failed
        assert (await after.post(f"{LINK}/disable")).json()["attention"] == 3  # whatever the intent
        after.advance(24 * 3600)
        assert (await get_link(after))["attention"] == 1
        assert (await get_link(after))["failed_wake_ups"]["count"] == 0
    finally:
        await after.stop()


@time_limit(10)
async def test_d16_outages_are_counted_over_a_restart(served_api: ServedApi) -> None:
    served_api.add_link(**QUIET)
    served_api.send_from_pms("LS|", "LA|")
    for _ in range(3):
        served_api.advance(118)
        served_api.pms.latest_connection.transport.loseConnection()  # type: ignore[union-attr]
        served_api.advance(2)
        served_api.send_from_pms("LS|", "LA|")
    before = (await get_link(served_api))["outages"]
    assert before == {
        "last_hour": 3,
        "last_at": "2026-11-20T07:05:58.000Z",
        "last_seconds": 2.0,
        "last_cause": "lost",
    }
    after = await restart(served_api)
    try:
        after.send_from_pms("LS|", "LA|")
        link = await get_link(after)
        assert link["outages"] == before
        assert link["attention"] == 2
        assert "3 outages in the last hour, last " in link["advice"]
        after.advance(3600)
        link = await get_link(after)
        assert (link["outages"]["last_hour"], link["attention"]) == (0, 0)
    finally:
        await after.stop()


@time_limit(10)
async def test_d9_the_hint_about_the_charset_names_the_record(served_api: ServedApi) -> None:
    served_api.add_link(**QUIET)
    served_api.dock()
    served_api.send_from_pms("GI|RN101|G#1|GNMüller|GSN|")
    (hint,) = (await get_link(served_api))["hints"]
    (record,) = (await served_api.get(f"{LINK}/records?type=GI")).json()["records"]
    assert hint == {
        "code": "charset",
        "params": {"setting": "charset", "value": "utf-8", "record": "GI", "id": record["id"]},
    }


@time_limit(10)
async def test_a_change_of_attention_by_the_passage_of_time_is_published(served_api: ServedApi) -> None:
    link = served_api.add_link(**QUIET)
    served_api.dock()
    served_api.send_from_pms("??|")
    served_api.advance(5)
    published = []
    served_api.links.subscribe(lambda changed, transition: published.append(changed.summary.attention))
    served_api.advance(24 * 3600)
    assert published == [0]
    assert link.summary.attention == 0
