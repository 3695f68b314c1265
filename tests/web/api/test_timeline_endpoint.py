"""How a link was over the last hours, as it is told: over redials, over restarts, and while nothing ran."""

from __future__ import annotations

from typing import Any

import pytest

from tests.time_limit import within
from tests.web.served_api import Served, config

HOUR = 3600
PATH = "/api/v1/links/grand/timeline"
NOTHING = {"state": None, "reason": None, "cause": None}


def lengths(told: Any) -> list[tuple[str | None, int]]:
    """The states, and until when each lasted, in minutes since the test began."""
    return [(span["state"], minutes(span["until"])) for span in told["spans"]]


def minutes(moment: str) -> int:
    """Since the test began, at seven o'clock."""
    return 60 * (int(moment[11:13]) - 7) + int(moment[14:16])


@within(10)
async def test_it_tells_states_and_the_share_in_sync(served: Served) -> None:
    served.run(HOUR)
    served.add(alive_interval=3600)
    served.run(6)
    served.dock()
    served.run(HOUR / 2)
    served.pms.latest.transport.abortConnection()  # type: ignore[union-attr]
    served.network.mode = "refuse"
    served.run(HOUR / 2 - 6)
    told = (await served.get(f"{PATH}?hours=2")).json()
    assert (told["from"], told["until"]) == ("2026-11-20T07:00:00.000Z", "2026-11-20T09:00:00.000Z")
    before, waiting, docked, lost, *_, last = told["spans"]
    assert before == {**NOTHING, "since": told["from"], "until": "2026-11-20T08:00:00.000Z"}
    assert (waiting["state"], waiting["until"]) == ("WAIT_LS", "2026-11-20T08:00:06.000Z")
    assert docked == {
        "state": "ESTABLISHED",
        "since": "2026-11-20T08:00:06.000Z",
        "until": "2026-11-20T08:30:06.000Z",
        "reason": "The PMS started the link (LS)",
        "cause": {"code": "started", "params": {"record": "LS"}},
    }
    assert (lost["state"], lost["cause"]["code"]) == ("EXPECTION", "lost")
    assert last["until"] == told["until"]
    assert told["in_sync"] == {"seconds": 1800.0, "known_seconds": 3600.0, "share": 0.5}


@within(10)
async def test_a_day_is_told_where_no_hours_are_named(served: Served) -> None:
    served.add(enabled=False)
    told = (await served.get(PATH)).json()
    assert told["from"] == "2026-11-19T07:00:00.000Z"
    assert [span["state"] for span in told["spans"]] == [None]
    assert told["in_sync"] == {"seconds": 0.0, "known_seconds": 0.0, "share": None}


@within(10)
async def test_sync_that_is_lost_while_the_link_stays_established_counts(served: Served) -> None:
    served.add(alive_interval=3600, sync_timeout=300)
    served.dock()
    served.run(240)
    served.say("LS|DA261120|TI070000|")
    served.run(60)
    told = (await served.get(f"{PATH}?hours=1")).json()
    assert lengths(told)[-1] == ("ESTABLISHED", 5)
    assert told["in_sync"]["seconds"] == 240


@within(20)
async def test_a_restart_in_good_order_is_told_to_the_second(served: Served) -> None:
    served.add(alive_interval=3600)
    served.dock()
    served.run(10.5 * 60)
    await served.stop()
    stopped = served.clock.seconds()
    served.clock.advance(10 * 60)
    after = Served(before=served, links=[config(alive_interval=3600)])
    after.dock()
    after.run(5 * 60)
    told = (await after.get(f"{PATH}?hours=1")).json()
    states = [span["state"] for span in told["spans"]]
    assert states == [None, "ESTABLISHED", None, "ESTABLISHED"]
    assert told["in_sync"]["share"] == 1
    assert told["in_sync"]["seconds"] == pytest.approx(stopped + 5 * 60, abs=10)
    await after.stop()


@within(20)
async def test_what_was_not_stopped_in_good_order_ran_to_its_last_whole_minute(served: Served) -> None:
    served.add(alive_interval=3600)
    served.dock()
    served.run(10.5 * 60)
    crash(served)
    served.clock.advance(10 * 60)
    after = Served(before=served, links=[config(alive_interval=3600)])
    after.dock()
    after.run(5 * 60)
    told = (await after.get(f"{PATH}?hours=1")).json()
    assert lengths(told)[1:] == [("ESTABLISHED", 10), (None, 20), ("ESTABLISHED", 25)]
    assert told["in_sync"]["seconds"] == told["in_sync"]["known_seconds"] == 15 * 60
    await after.stop()


def crash(served: Served) -> None:
    """It has no time to write anything; its connections end with it."""
    served.store.journal.stop()
    for link in served.links:
        link.stop()


@within(10)
async def test_a_link_that_could_not_be_removed_begins_anew_and_out_of_sync(served: Served) -> None:
    made = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": True, "alive_interval": 3600}
    assert (await served.post("/api/v1/links", made)).status == 201
    served.run()
    served.dock()
    served.run(60)
    served.break_store()
    assert (await served.call("DELETE", "/api/v1/links/grand")).error == (503, "store")
    served.network.mode = "refuse"
    served.mend_store()
    served.run(60)
    told = (await served.get(f"{PATH}?hours=1")).json()
    assert told["spans"][-1]["state"] in ("EXPECTION", "WAIT_LS")
    assert told["in_sync"]["seconds"] == pytest.approx(60, abs=2)


@pytest.mark.parametrize("hours", ["0", "169", "", "1.5", "-1", "24&hours=24"])
@within(10)
async def test_hours_are_from_one_to_a_week(served: Served, hours: str) -> None:
    served.add(enabled=False)
    answer = await served.get(f"{PATH}?hours={hours}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "hours"


@within(10)
async def test_a_link_that_is_not_there_has_none(served: Served) -> None:
    assert (await served.get(PATH)).error == (404, "unknown_link")
