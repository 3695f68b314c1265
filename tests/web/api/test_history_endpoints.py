"""What a link has been through: its transitions and records."""

from __future__ import annotations

import pytest

from tests.time_limit import within
from tests.web.served_api import Served, config


@within(10)
async def test_transitions_come_newest_first(served: Served) -> None:
    served.add()
    served.dock()
    told = (await served.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert [(one["from"], one["to"]) for one in told] == [
        ("WAIT_LS", "ESTABLISHED"),
        ("CLOSED", "WAIT_LS"),
        (None, "CLOSED"),
    ]
    assert told[0]["at"] == "2026-11-20T07:00:00.000Z"
    assert told[0]["cause"] == {"code": "started", "params": {"record": "LS"}}
    assert told[0]["id"] > told[1]["id"] > told[2]["id"]
    path = f"/api/v1/links/grand/transitions?limit=1&before={told[0]['id']}"
    assert (await served.get(path)).json()["transitions"] == told[1:2]


@within(10)
async def test_records_come_newest_first_and_as_on_the_wire(served: Served) -> None:
    served.add()
    served.dock()
    served.say("GI|RN101|G#1|GSN|RN|")
    served.say("??|x")
    told = (await served.get("/api/v1/links/grand/records?direction=in")).json()["records"]
    assert [one["type"] for one in told] == ["??", "GI", "LA", "LS"]
    assert told[1]["fields"] == [["RN", "101"], ["G#", "1"], ["GS", "N"], ["RN", ""]]
    assert told[1]["text"] == "GI|RN101|G#1|GSN|RN|"
    assert told[1]["direction"] == "in"
    path = f"/api/v1/links/grand/records?direction=in&limit=2&before={told[0]['id']}"
    assert (await served.get(path)).json()["records"] == told[1:3]
    of_type = (await served.get("/api/v1/links/grand/records?type=LR&limit=1000")).json()["records"]
    assert {(one["type"], one["direction"]) for one in of_type} == {("LR", "out")}


@within(10)
async def test_a_hundred_entries_are_given_without_a_limit(served: Served) -> None:
    served.add()
    served.dock()
    served.say(*["GO|RN101|G#1|"] * 120)
    assert len((await served.get("/api/v1/links/grand/records")).json()["records"]) == 100


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=1e1", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("before=9007199254740992", "before"),
        ("before=" + "9" * 5000, "before"),
        ("before=%ff", "before"),
    ],
)
@pytest.mark.parametrize("call", ["records", "transitions"])
@within(10)
async def test_a_part_that_cannot_be_is_refused(served: Served, call: str, query: str, field: str) -> None:
    served.add(enabled=False)
    answer = await served.get(f"/api/v1/links/grand/{call}?{query}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field


@within(10)
async def test_a_direction_is_in_or_out(served: Served) -> None:
    served.add(enabled=False)
    answer = await served.get("/api/v1/links/grand/records?direction=up")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "direction"


@within(20)
async def test_both_are_there_after_a_restart(served: Served) -> None:
    served.add()
    served.dock()
    served.say("GI|RN101|GNSmith|", "GO|RN102|")
    transitions = (await served.get("/api/v1/links/grand/transitions")).json()["transitions"]
    kept = (await served.get("/api/v1/links/grand/records?type=GI")).json()["records"]
    await served.stop()
    after = Served(before=served, links=[config()])
    listed = (await after.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert listed[-3:] == transitions
    assert listed[-4]["from"] is None
    records = (await after.get("/api/v1/links/grand/records")).json()["records"]
    assert [one["type"] for one in records] == ["GO", "GI"]
    assert records[1:] == kept
    await after.stop()


@within(20)
async def test_records_of_memory_and_store_come_once_and_in_order(served: Served) -> None:
    served.add()
    served.dock()
    for _ in range(3):
        served.say(*["GO|RN101|G#1|"] * 400)
        served.say("??|", "LS|DA261120|TI070000|", "GI|RN101|", "LA|DA261120|TI070000|")
    whole = (await served.get("/api/v1/links/grand/records?limit=1000")).json()["records"]
    ids = [one["id"] for one in whole]
    assert len(ids) == 1000
    assert ids == sorted(set(ids), reverse=True)
    parts: list[int] = []
    query = ""
    while part := (await served.get(f"/api/v1/links/grand/records?limit=170{query}")).json()["records"]:
        parts += [one["id"] for one in part]
        query = f"&before={parts[-1]}"
    assert parts[:1000] == ids
    assert parts == sorted(set(parts), reverse=True)
    of_type = (await served.get("/api/v1/links/grand/records?type=GO&limit=1000")).json()["records"]
    assert len(of_type) == 1000
    rest = (
        await served.get(f"/api/v1/links/grand/records?type=GO&limit=1000&before={of_type[-1]['id']}")
    ).json()["records"]
    assert len(rest) == 200
