"""Tests of the lists of transitions and records."""

from __future__ import annotations

import pytest

from tests.time_limit import time_limit
from tests.web.served_api import ServedApi, make_link_config


@time_limit(10)
async def test_transitions_come_newest_first(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    transitions = (await served_api.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert [(entry["from"], entry["to"]) for entry in transitions] == [
        ("WAIT_LS", "ESTABLISHED"),
        ("CLOSED", "WAIT_LS"),
        (None, "CLOSED"),
    ]
    assert transitions[0]["at"] == "2026-11-20T07:00:00.000Z"
    assert transitions[0]["cause"] == {"code": "started", "params": {"record": "LS"}}
    assert transitions[0]["id"] > transitions[1]["id"] > transitions[2]["id"]
    path = f"/api/v1/links/grand/transitions?limit=1&before={transitions[0]['id']}"
    assert (await served_api.get(path)).json()["transitions"] == transitions[1:2]


@time_limit(10)
async def test_records_come_newest_first_and_as_on_the_wire(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms("GI|RN101|G#1|GSN|RN|")
    served_api.send_from_pms("??|x")
    records = (await served_api.get("/api/v1/links/grand/records?direction=in")).json()["records"]
    assert [entry["type"] for entry in records] == ["??", "GI", "LA", "LS"]
    assert records[1]["fields"] == [["RN", "101"], ["G#", "1"], ["GS", "N"], ["RN", ""]]
    assert records[1]["text"] == "GI|RN101|G#1|GSN|RN|"
    assert records[1]["direction"] == "in"
    path = f"/api/v1/links/grand/records?direction=in&limit=2&before={records[0]['id']}"
    assert (await served_api.get(path)).json()["records"] == records[1:3]
    of_type = (await served_api.get("/api/v1/links/grand/records?type=LR&limit=1000")).json()["records"]
    assert {(entry["type"], entry["direction"]) for entry in of_type} == {("LR", "out")}


@time_limit(10)
async def test_lists_have_a_hundred_entries_by_default(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms(*["GO|RN101|G#1|"] * 120)
    assert len((await served_api.get("/api/v1/links/grand/records")).json()["records"]) == 100


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
@time_limit(10)
async def test_invalid_list_parameters_are_rejected(
    served_api: ServedApi, call: str, query: str, field: str
) -> None:
    served_api.add_link(enabled=False)
    answer = await served_api.get(f"/api/v1/links/grand/{call}?{query}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field


@time_limit(10)
async def test_a_direction_is_in_or_out(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    answer = await served_api.get("/api/v1/links/grand/records?direction=up")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == "direction"


@time_limit(20)
async def test_transitions_and_records_survive_a_restart(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms("GI|RN101|GNSmith|", "GO|RN102|")
    transitions = (await served_api.get("/api/v1/links/grand/transitions")).json()["transitions"]
    stored = (await served_api.get("/api/v1/links/grand/records?type=GI")).json()["records"]
    await served_api.stop()
    after = ServedApi(previous=served_api, links=[make_link_config()])
    listed = (await after.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert listed[-3:] == transitions
    assert listed[-4]["from"] is None
    records = (await after.get("/api/v1/links/grand/records")).json()["records"]
    assert [entry["type"] for entry in records] == ["GO", "GI"]
    assert records[1:] == stored
    await after.stop()


@time_limit(20)
async def test_records_of_trace_and_store_are_merged_in_order(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    for _ in range(3):
        served_api.send_from_pms(*["GO|RN101|G#1|"] * 400)
        served_api.send_from_pms("??|", "LS|DA261120|TI070000|", "GI|RN101|", "LA|DA261120|TI070000|")
    all_records = (await served_api.get("/api/v1/links/grand/records?limit=1000")).json()["records"]
    ids = [entry["id"] for entry in all_records]
    assert len(ids) == 1000
    assert ids == sorted(set(ids), reverse=True)
    parts: list[int] = []
    query = ""
    while part := (await served_api.get(f"/api/v1/links/grand/records?limit=170{query}")).json()["records"]:
        parts += [entry["id"] for entry in part]
        query = f"&before={parts[-1]}"
    assert parts[:1000] == ids
    assert parts == sorted(set(parts), reverse=True)
    of_type = (await served_api.get("/api/v1/links/grand/records?type=GO&limit=1000")).json()["records"]
    assert len(of_type) == 1000
    later_records = (
        await served_api.get(f"/api/v1/links/grand/records?type=GO&limit=1000&before={of_type[-1]['id']}")
    ).json()["records"]
    assert len(later_records) == 200
