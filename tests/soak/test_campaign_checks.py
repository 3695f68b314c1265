"""The final check of the campaigns finds what it is there to find."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soak import campaign_checks
from tests.soak.campaign_checks import RowJson
from tests.soak.event_consumer import EventConsumer, GuestLocations
from tests.soak.json_client import JsonClient
from tests.soak.posting_clients import AcceptedPosting

pytestmark = pytest.mark.soak

BODY = {"type": "charge", "amount": 1}


def row(id: int, **values: Any) -> RowJson:
    return {**BODY, "id": id, "number": id, "state": "done", "attempts": 1, **values}


def promise(id: int) -> AcceptedPosting:
    return AcceptedPosting(f"key-{id}", BODY, id, str(id))


def came(number: int, *deliveries: tuple[int, float | None]) -> RowJson:
    """What the simulator tells of a posting: per delivery its connection, and how late it was answered."""
    return {
        "number": str(number),
        "deliveries": len(deliveries),
        "answers": ["OK" for _, answered in deliveries if answered is not None],
        "came": [
            {
                "at": "2026-01-01T08:00:00.000+00:00",
                "connection": connection,
                "answered_at": None if answered is None else f"2026-01-01T08:00:{answered:06.3f}+00:00",
            }
            for connection, answered in deliveries
        ],
    }


ALL_WELL = [row(1), row(2)]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (ALL_WELL, []),
        ([row(1)], ["lost"]),
        ([row(1), row(2), row(2)], ["posting 2 is listed 2 times", "P# 2 was given 2 times"]),
        ([row(1), row(2, number=1)], ["P# 1 was given 2 times", "changed"]),
        ([row(1), row(2, amount=9)], ["changed"]),
        ([row(1), row(2), row(3)], ["listed, but accepted for nobody"]),
    ],
)
def test_what_was_promised_is_listed_once_and_unchanged(rows: list[RowJson], found: list[str]) -> None:
    assert starts(campaign_checks.check_all_listed(rows, [promise(1), promise(2)]), found)


@pytest.mark.parametrize(
    ("one", "seen", "found"),
    [
        (row(1), [came(1, (1, 0.0))], []),
        (row(1, attempts=2), [came(1, (1, 0.0))], []),
        (row(1, state="pending"), [], ["in the end pending"]),
        (row(1), [], ["done, but the PMS says"]),
        (row(1), [came(1, (1, None))], ["done, but the PMS says"]),
        (row(1, state="refused"), [came(1, (1, 0.0))], ["refused, but the PMS says"]),
        (row(1, state="unknown", attempts=3), [came(1, (1, None))], []),
        (row(1, state="unknown"), [came(1, (1, None))], ["unknown after 1 of 3 attempts"]),
        (row(1), [came(1, (1, 0.0), (2, 0.0))], ["2 deliveries, 1 attempts"]),
        (row(1, attempts=4), [came(1, (1, 0.0))], ["1 deliveries, 4 attempts"]),
        (row(1), [came(1, (1, 0.0)), came(2, (1, 0.0))], ["the PMS got what nobody listed"]),
    ],
)
def test_the_states_are_what_happened(one: RowJson, seen: list[RowJson], found: list[str]) -> None:
    assert starts(campaign_checks.check_states([one], seen, limit=3), found)


@pytest.mark.parametrize(
    ("rows", "found"), [(ALL_WELL, ["posting 2 came before 1"]), ([row(1, attempts=2), row(2)], [])]
)
def test_the_order_is_that_of_acceptance(rows: list[RowJson], found: list[str]) -> None:
    assert starts(campaign_checks.check_order(rows, [came(2, (1, 0.0)), came(1, (1, 0.0))]), found)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ([came(1, (1, 0.0), (2, 0.0))], []),
        ([came(1, (1, 0.0), (1, 0.0))], ["came again on the same connection though it was answered"]),
        ([came(1, (1, 2.0), (1, 0.0))], []),
        ([came(1, (1, None), (1, 0.0)), came(2, (1, 0.0), (2, 0.0))], []),
        ([came(number, (1, 0.0), (2, 0.0)) for number in (1, 2)], ["2 answers were lost with connection 1"]),
    ],
)
def test_nothing_is_repeated_without_a_reason(seen: list[RowJson], found: list[str]) -> None:
    assert starts(campaign_checks.check_repetitions(seen, in_time=0.5), found)


def of_guest(type: str, number: str = "7", room: str = "101") -> dict[str, Any]:
    return {"seq": 1, "type": f"guest.{type}", "room": room, "guest": {"number": number, "name": "Adams"}}


@pytest.mark.parametrize(
    ("types", "complaints", "staying"),
    [
        (["checked_in"], 0, {"7": ("101", "Adams")}),
        (["checked_in", "changed", "moved"], 0, {"7": ("101", "Adams")}),
        (["checked_in", "checked_out"], 0, {}),
        (["checked_in", "checked_in"], 1, {"7": ("101", "Adams")}),
        (["checked_out"], 1, {}),
        (["changed"], 1, {"7": ("101", "Adams")}),
        (["checked_in", "checked_out", "moved"], 1, {"7": ("101", "Adams")}),
    ],
)
def test_who_follows_the_events_knows_who_stays_or_complains(
    types: list[str], complaints: int, staying: GuestLocations
) -> None:
    follows = EventConsumer(JsonClient(1))
    for type in types:
        follows.apply_event(of_guest(type))
    assert (len(follows.errors), follows.guests) == (complaints, staying)


def starts(problems: Any, found: list[str]) -> bool:
    told = list(problems)
    return len(told) == len(found) and all(
        one.startswith(start) for one, start in zip(told, found, strict=True)
    )
