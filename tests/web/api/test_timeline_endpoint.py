"""Tests of a link's timeline over reconnects, restarts and downtimes of the service."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.link import controls
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi, make_link_config

HOUR = 3600
PATH = "/api/v1/links/grand/timeline"
UNKNOWN_STATE = {"state": None, "reason": None, "cause": None}


def spans_of(timeline: Any) -> list[tuple[str | None, int]]:
    """Return the states and the end of each, in minutes since the start of the test."""
    return [(span["state"], minutes(span["until"])) for span in timeline["spans"]]


def minutes(timestamp: str) -> int:
    """Return the minutes since the start of the test, at seven o'clock."""
    return 60 * (int(timestamp[11:13]) - 7) + int(timestamp[14:16])


@time_limit(10)
async def test_the_timeline_has_the_states_and_the_share_in_sync(served_api: ServedApi) -> None:
    served_api.advance(HOUR)
    served_api.add_link(alive_interval=3600)
    served_api.advance(6)
    served_api.dock()
    served_api.advance(HOUR / 2)
    served_api.pms.latest_connection.transport.abortConnection()  # type: ignore[union-attr]
    served_api.network.mode = "refuse"
    served_api.advance(HOUR / 2 - 6)
    timeline = (await served_api.get(f"{PATH}?hours=2")).json()
    assert (timeline["from"], timeline["until"]) == ("2026-11-20T07:00:00.000Z", "2026-11-20T09:00:00.000Z")
    before, waiting, docked, lost, *_, last = timeline["spans"]
    assert before == {**UNKNOWN_STATE, "since": timeline["from"], "until": "2026-11-20T08:00:00.000Z"}
    assert (waiting["state"], waiting["until"]) == ("WAIT_LS", "2026-11-20T08:00:06.000Z")
    assert docked == {
        "state": "ESTABLISHED",
        "since": "2026-11-20T08:00:06.000Z",
        "until": "2026-11-20T08:30:06.000Z",
        "reason": "The PMS started the link (LS)",
        "cause": {"code": "started", "params": {"record": "LS"}},
    }
    assert (lost["state"], lost["cause"]["code"]) == ("EXPECTION", "lost")
    assert last["until"] == timeline["until"]
    assert timeline["in_sync"] == {"seconds": 1800.0, "known_seconds": 3600.0, "share": 0.5}


@time_limit(10)
async def test_the_timeline_covers_a_day_by_default(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    timeline = (await served_api.get(PATH)).json()
    assert timeline["from"] == "2026-11-19T07:00:00.000Z"
    assert [span["state"] for span in timeline["spans"]] == [None]
    assert timeline["in_sync"] == {"seconds": 0.0, "known_seconds": 0.0, "share": None}


@time_limit(10)
async def test_sync_that_is_lost_while_the_link_stays_established_counts(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=3600, sync_timeout=300)
    served_api.dock()
    served_api.advance(240)
    served_api.send_from_pms("LS|DA261120|TI070000|")
    served_api.advance(60)
    timeline = (await served_api.get(f"{PATH}?hours=1")).json()
    assert spans_of(timeline)[-1] == ("ESTABLISHED", 5)
    assert timeline["in_sync"]["seconds"] == 240


@time_limit(20)
async def test_a_clean_restart_is_exact_to_the_second(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=3600)
    served_api.dock()
    served_api.advance(10.5 * 60)
    await served_api.stop()
    stopped = served_api.clock.seconds()
    served_api.clock.advance(10 * 60)
    after = ServedApi(previous=served_api, links=[make_link_config(alive_interval=3600)])
    after.dock()
    after.advance(5 * 60)
    timeline = (await after.get(f"{PATH}?hours=1")).json()
    states = [span["state"] for span in timeline["spans"]]
    assert states == [None, "ESTABLISHED", None, "ESTABLISHED"]
    assert timeline["in_sync"]["share"] == 1
    assert timeline["in_sync"]["seconds"] == pytest.approx(stopped + 5 * 60, abs=10)
    await after.stop()


@time_limit(20)
async def test_the_states_by_hours_are_restored(served_api: ServedApi) -> None:
    link = served_api.add_link(alive_interval=86400)
    served_api.dock()
    served_api.advance(HOUR)
    served_api.network.mode = "refuse"
    served_api.pms.latest_connection.transport.abortConnection()  # type: ignore[union-attr]
    served_api.advance(5 * 60)
    served_api.network.mode = "accept"
    controls.enable(link)
    served_api.advance(2)
    served_api.dock()
    served_api.advance(HOUR)
    await served_api.stop()
    served_api.clock.advance(2 * HOUR)
    after = ServedApi(previous=served_api, links=[make_link_config(alive_interval=86400)])
    after.dock()

    async def hours() -> str:
        (link,) = (await after.get("/api/v1/links?fields=brief")).json()["links"]
        return str(link["hours"])

    for _ in range(100):
        if "b" in await hours():
            break
    assert await hours() == "-" * 19 + "gbg-g"
    await after.stop()


@time_limit(20)
async def test_a_crashed_run_ends_at_its_last_whole_minute(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=3600)
    served_api.dock()
    served_api.advance(10.5 * 60)
    crash(served_api)
    served_api.clock.advance(10 * 60)
    after = ServedApi(previous=served_api, links=[make_link_config(alive_interval=3600)])
    after.dock()
    after.advance(5 * 60)
    timeline = (await after.get(f"{PATH}?hours=1")).json()
    assert spans_of(timeline)[1:] == [("ESTABLISHED", 10), (None, 20), ("ESTABLISHED", 25)]
    assert timeline["in_sync"]["seconds"] == timeline["in_sync"]["known_seconds"] == 15 * 60
    await after.stop()


def crash(served: ServedApi) -> None:
    """Stop the service without writing to the store, like a crash."""
    served.store.journal.stop()
    for link in served.links:
        link.stop()


@time_limit(10)
async def test_a_link_whose_removal_failed_starts_again_out_of_sync(served_api: ServedApi) -> None:
    definition = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": True, "alive_interval": 3600}
    assert (await served_api.post("/api/v1/links", definition)).status == 201
    served_api.advance()
    served_api.dock()
    served_api.advance(60)
    served_api.break_store()
    assert (await served_api.call("DELETE", "/api/v1/links/grand")).error == (503, "store")
    served_api.network.mode = "refuse"
    served_api.repair_store()
    served_api.advance(60)
    timeline = (await served_api.get(f"{PATH}?hours=1")).json()
    assert timeline["spans"][-1]["state"] in ("EXPECTION", "WAIT_LS")
    assert timeline["in_sync"]["seconds"] == pytest.approx(60, abs=2)


@pytest.mark.parametrize("hours", ["0", "169", "", "1.5", "-1", "24&hours=24"])
@time_limit(10)
async def test_hours_are_from_one_to_a_week(served_api: ServedApi, hours: str) -> None:
    served_api.add_link(enabled=False)
    answer = await served_api.get(f"{PATH}?hours={hours}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "hours"


@time_limit(10)
async def test_the_timeline_of_an_unknown_link_is_not_found(served_api: ServedApi) -> None:
    assert (await served_api.get(PATH)).error == (404, "unknown_link")


@time_limit(10)
async def test_phases_tell_an_outage_with_its_redials_as_one(served_api: ServedApi) -> None:
    served_api.add_link(alive_interval=3600)
    served_api.dock()
    served_api.advance(HOUR / 4)
    served_api.network.mode = "refuse"
    served_api.pms.latest_connection.transport.abortConnection()  # type: ignore[union-attr]
    served_api.advance(HOUR)
    phases = (await served_api.get("/api/v1/links/grand/phases?hours=2")).json()["phases"]
    assert [phase["kind"] for phase in phases] == ["unknown", "in_sync", "down"]
    _, docked, outage = phases
    assert docked["until"] == outage["since"] == "2026-11-20T07:15:00.000Z"
    assert [cause["cause"]["code"] for cause in outage["causes"]] == ["lost", "refused"]
    assert outage["dials"] > 100
    listing = f"before={outage['last_transition'] + 1}&limit={outage['transitions']}"
    transitions = (await served_api.get(f"/api/v1/links/grand/transitions?{listing}")).json()["transitions"]
    assert transitions[-1]["at"] == outage["since"]
    assert sum(transition["to"] == "WAIT_LS" for transition in transitions) == outage["dials"]


@time_limit(10)
async def test_phases_cover_400_days_at_most(served_api: ServedApi) -> None:
    served_api.add_link()
    path = "/api/v1/links/grand/phases"
    assert (await served_api.get(f"{path}?hours=9600")).status == 200
    assert (await served_api.get(f"{path}?hours=9601")).status == 400
    assert (await served_api.get("/api/v1/links/nowhere/phases")).status == 404
