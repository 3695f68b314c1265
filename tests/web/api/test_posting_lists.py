"""Tests of lists of postings: search, times, rows to decide on, pages, and CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from pmslink.web.api import posting_endpoints
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import Response, ServedApi

PATH = "/api/v1/links/grand/postings"
ACCEPTS_CSV = {"accept": "text/csv"}


async def _create(served: ServedApi, headers: Any = None, **posting: Any) -> int:
    body = {"type": "call", "room": "101", "dialled": "004420214", "duration": 60, "amount": 150, **posting}
    answer = await served.post(PATH, body, headers)
    assert answer.status == 202
    id: int = answer.json()["id"]
    return id


async def _list_ids(served: ServedApi, query: str, headers: Any = None) -> list[int]:
    answer = await served.get(PATH + query, headers=headers or {})
    assert answer.status == 200
    return [posting["id"] for posting in answer.json()["postings"]]


def _read_csv(answer: Response) -> list[dict[str, str]]:
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline=""), strict=True))


@time_limit(10)
async def test_postings_are_searched(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    call, room = await _create(served_api), await _create(served_api, room="214", dialled="1")
    assert await _list_ids(served_api, "?q=214") == [room, call]
    assert await _list_ids(served_api, "?q=%20P%232%20") == [room]
    assert await _list_ids(served_api, "?q=44-20") == [call]
    assert await _list_ids(served_api, "?q=") == [room, call]
    too_long = await served_api.get(f"{PATH}?q={'1' * 101}")
    assert (too_long.error, too_long.json()["error"]["field"]) == ((400, "invalid"), "q")


@time_limit(10)
async def test_masked_digits_are_not_searched(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(enabled=False)
    control, view = (protected_api.bearer_headers(role) for role in ("control", "view"))
    call = await _create(protected_api, control)
    assert await _list_ids(protected_api, "?q=44202", control) == [call]
    assert await _list_ids(protected_api, "?q=44202", view) == []
    assert await _list_ids(protected_api, "?q=101", view) == [call]


@time_limit(10)
async def test_postings_of_a_time(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    first = await _create(served_api)
    served_api.advance(3600)
    second = await _create(served_api)
    assert await _list_ids(served_api, "?from=2026-11-20T07:30:00Z") == [second]
    assert await _list_ids(served_api, "?to=2026-11-20T09:00:00%2B01:00") == [first]
    assert await _list_ids(served_api, "?from=2026-11-20T07:00Z&to=2026-11-20T08:00:00.001Z") == [
        second,
        first,
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2026-11-20T07:00:00", "to"),
        ("from=2026-11-21T00:00Z&to=2026-11-20T00:00Z", "from"),
        ("state=decided", "state"),
    ],
)
@time_limit(10)
async def test_an_invalid_query_is_rejected(served_api: ServedApi, query: str, field: str) -> None:
    served_api.add_link(enabled=False)
    answer = await served_api.get(f"{PATH}?{query}")
    assert (answer.error, answer.json()["error"]["field"]) == ((400, "invalid"), field)


@time_limit(10)
async def test_postings_to_decide_on_are_the_unknown_and_the_refused(served_api: ServedApi) -> None:
    link = served_api.add_link()
    served_api.dock(link)
    refused, unknown, pending = [await _create(served_api) for _ in range(3)]
    served_api.send_from_pms("PA|RN101|ASUR|P#1|CTno such room|DA261120|TI070005|")
    served_api.advance(31)
    assert await _list_ids(served_api, "?state=refused") == [refused]
    assert await _list_ids(served_api, "?state=decide") == [unknown, refused]
    assert pending not in await _list_ids(served_api, "?state=decide")
    assert await _list_ids(served_api, "?state=waiting") == [pending]
    assert await _list_ids(served_api, "?state=final") == []


@time_limit(10)
async def test_next_leads_to_the_next_page(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    ids = [await _create(served_api) for _ in range(5)]
    pages, before = [], ""
    while before is not None:
        page = (await served_api.get(f"{PATH}?limit=2{before and f'&before={before}'}")).json()
        pages.append([posting["id"] for posting in page["postings"]])
        before = page["next"]
    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]


@time_limit(10)
async def test_all_postings_are_listed_as_csv(served_api: ServedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting_endpoints, "_CSV_ROWS_PER_READ", 3)
    monkeypatch.setattr(posting_endpoints, "_CSV_ROWS_PER_PART", 2)
    served_api.add_link(enabled=False, currency="EUR")
    ids = [await _create(served_api) for _ in range(8)]
    rows = _read_csv(await served_api.get(PATH, headers=ACCEPTS_CSV))
    assert [int(row["id"]) for row in rows] == ids[::-1]
    newest = rows[0]
    assert (newest["dialled"], newest["amount"], newest["currency"]) == ("004420214", "1.50", "EUR")
    assert (newest["room"], newest["state"], newest["number"]) == ("101", "pending", "8")
    limited = _read_csv(await served_api.get(f"{PATH}?limit=4&q=101", headers=ACCEPTS_CSV))
    assert [int(row["id"]) for row in limited] == ids[:3:-1]


@time_limit(10)
async def test_csv_has_the_same_permissions_and_masks_as_json(protected_api: TokenProtectedApi) -> None:
    protected_api.add_link(enabled=False)
    await _create(protected_api, protected_api.bearer_headers("control"))
    view = {**protected_api.bearer_headers("view"), **ACCEPTS_CSV}
    (row,) = _read_csv(await protected_api.get(PATH, headers=view))
    assert (row["dialled"], row["room"]) == ("•••", "101")
    assert (await protected_api.get(PATH, headers=ACCEPTS_CSV)).error == (401, "unauthorized")
    assert _read_csv(await protected_api.get(f"{PATH}?q=44202", headers=view)) == []


@time_limit(10)
async def test_an_invalid_query_for_csv_is_answered_in_json(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    answer = await served_api.get(f"{PATH}?state=lost", headers=ACCEPTS_CSV)
    assert answer.error == (400, "invalid")
    assert (await served_api.get("/api/v1/links/annexe/postings", headers=ACCEPTS_CSV)).status == 404
