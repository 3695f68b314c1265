"""Tests of calls that the tariff of a link prices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.time_limit import time_limit
from tests.web.served_api import ServedApi

PATH = "/api/v1/links/grand/postings"
CALL = {"type": "call", "room": "101", "dialled": "+43 (1) 1234", "duration": 61}
TARIFF = {
    "rounding": 50,
    "rates": [
        {"prefix": "43", "connection": 20, "interval": 60, "price": 100, "call_type": "N"},
        {"prefix": "44", "interval": 60, "price": 100, "free": 90},
    ],
}


async def create_posting(served: ServedApi, body: object, status: int = 202, key: str = "") -> Any:
    answer = await served.post(PATH, body, headers={"idempotency-key": key} if key else None)
    assert answer.status == status
    return answer.json()


def sent_posting(served: ServedApi) -> str:
    """Return the only PS that the link has sent."""
    link = served.links.get("grand")
    assert link is not None
    (posting,) = link.trace.newest(None, "out", "PS")
    return posting.text


@pytest.mark.parametrize(
    ("more", "amount", "call_type", "record"),
    [
        ({}, 250, "N", "PS|RN101|PTC|TA250|DD4311234|DU000101|PCN|"),
        ({"call_type": "L"}, 250, "L", "PS|RN101|PTC|TA250|DD4311234|DU000101|PCL|"),
        ({"call_type": None, "amount": None}, 250, "N", "PS|RN101|PTC|TA250|DD4311234|DU000101|PCN|"),
        ({"amount": 7}, 7, None, "PS|RN101|PTC|TA7|DD4311234|DU000101|"),
        ({"dialled": "441"}, 0, None, "PS|RN101|PTC|TA0|DD441|DU000101|"),
        ({"dialled": "441", "duration": 91}, 100, None, "PS|RN101|PTC|TA100|DD441|DU000131|"),
        ({"dialled": "1"}, None, None, "PS|RN101|PTT|DD1|DU000101|"),
    ],
)
@time_limit(10)
async def test_a_call_without_an_amount_is_priced_by_the_tariff(
    served_api: ServedApi, more: dict[str, Any], amount: int | None, call_type: str | None, record: str
) -> None:
    served_api.add_link(tariff=TARIFF)
    served_api.dock()
    posting = await create_posting(served_api, CALL | more)
    assert (posting.get("amount"), posting.get("call_type")) == (amount, call_type)
    assert (await served_api.get(PATH)).json()["postings"][0].get("amount") == amount
    served_api.advance(1)
    assert sent_posting(served_api).startswith(record)


@time_limit(10)
async def test_without_a_tariff_a_call_is_sent_without_amount(served_api: ServedApi) -> None:
    served_api.add_link()
    assert "amount" not in await create_posting(served_api, CALL)


@time_limit(10)
async def test_nothing_but_calls_is_priced(served_api: ServedApi) -> None:
    served_api.add_link(tariff={"rates": [{"prefix": "", "interval": 1, "price": 1}]})
    assert "amount" not in await create_posting(
        served_api, {"type": "minibar", "room": "101", "article": "7"}
    )
    charge = {"type": "charge", "room": "101", "amount": 500}
    assert (await create_posting(served_api, charge))["amount"] == 500


@time_limit(10)
async def test_a_repeated_request_returns_the_same_posting_after_a_tariff_change(
    served_api: ServedApi,
) -> None:
    new = {"name": "grand", "host": "192.0.2.1", "port": 5010, "tariff": TARIFF}
    assert (await served_api.post("/api/v1/links", new)).status == 201
    first = await create_posting(served_api, CALL, key="cdr-1")
    assert (await served_api.post("/api/v1/links/grand", {"tariff": None}, method="PATCH")).status == 200
    assert await create_posting(served_api, CALL, status=200, key="cdr-1") == first
    assert "amount" not in await create_posting(served_api, CALL, key="cdr-2")
