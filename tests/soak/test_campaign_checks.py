"""The final check of the campaigns detects each kind of error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pmslink.hotel.charge_destination import IN_DOUBT_SUFFIX
from tests.soak import campaign_checks
from tests.soak.campaign_checks import RowJson
from tests.soak.event_consumer import EventConsumer, GuestLocations
from tests.soak.json_client import JsonClient
from tests.soak.posting_clients import AcceptedPosting

pytestmark = pytest.mark.soak

BODY = {"type": "charge", "amount": 1}


def make_row(row_id: int, **values: Any) -> RowJson:
    return {**BODY, "id": row_id, "number": row_id, "state": "done", "attempts": 1, "reason": None, **values}


def make_refused_row(row_id: int, **values: Any) -> RowJson:
    refusal = {"state": "refused", "reason": "guest_left", "reservation": None, "text_answer": "vacant"}
    return make_row(row_id, **{**refusal, **values})


def make_accepted(row_id: int) -> AcceptedPosting:
    return AcceptedPosting(f"key-{row_id}", BODY, row_id, str(row_id))


def make_delivered(number: int, *deliveries: tuple[int, float | None]) -> RowJson:
    """Return a posting of the simulator; a delivery is a connection and the answer's delay in seconds."""
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


CORRECT_ROWS = [make_row(1), make_row(2)]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        (CORRECT_ROWS, []),
        ([make_row(1)], ["lost"]),
        ([make_row(1), make_row(2), make_row(2)], ["posting 2 is listed 2 times", "P# 2 is used 2 times"]),
        ([make_row(1), make_row(2, number=1)], ["P# 1 is used 2 times", "changed"]),
        ([make_row(1), make_row(2, amount=9)], ["changed"]),
        ([make_row(1), make_row(2), make_row(3)], ["listed, but not accepted"]),
    ],
)
def test_accepted_postings_must_be_listed_once_and_unchanged(
    rows: list[RowJson], problems: list[str]
) -> None:
    assert match_starts(
        campaign_checks.check_all_listed(rows, [make_accepted(1), make_accepted(2)]), problems
    )


@pytest.mark.parametrize(
    ("row", "pms_postings", "problems"),
    [
        (make_row(1), [make_delivered(1, (1, 0.0))], []),
        (make_row(1, attempts=2), [make_delivered(1, (1, 0.0))], []),
        (make_row(1, state="pending"), [], ["final state pending"]),
        (make_row(1), [], ["done, but the PMS has"]),
        (make_row(1), [make_delivered(1, (1, None))], ["done, but the PMS has"]),
        (make_row(1, state="refused"), [make_delivered(1, (1, 0.0))], ["refused, but the PMS has"]),
        (make_refused_row(1, attempts=0), [], []),
        (make_refused_row(1, reservation="7", attempts=0), [], ["refused, but its guest is in the hotel"]),
        (make_refused_row(1), [make_delivered(1, (1, None))], ["refused without a word about"]),
        (make_refused_row(1, text_answer=f"vacant{IN_DOUBT_SUFFIX}"), [make_delivered(1, (1, None))], []),
        (make_row(1, state="unknown", attempts=3), [make_delivered(1, (1, None))], []),
        (make_row(1, state="unknown"), [make_delivered(1, (1, None))], []),  # the PMS was alive
        (make_row(1, state="unknown", attempts=0), [], ["unknown after 0 of 3 attempts"]),
        (make_row(1), [make_delivered(1, (1, 0.0), (2, 0.0))], ["2 deliveries, 1 attempts"]),
        (make_row(1, attempts=4), [make_delivered(1, (1, 0.0))], ["1 deliveries, 4 attempts"]),
        (
            make_row(1),
            [make_delivered(1, (1, 0.0)), make_delivered(2, (1, 0.0))],
            ["the PMS received a posting that is not listed"],
        ),
    ],
)
def test_final_states_must_agree_with_the_pms(
    row: RowJson, pms_postings: list[RowJson], problems: list[str]
) -> None:
    assert match_starts(campaign_checks.check_states([row], pms_postings, limit=3), problems)


@pytest.mark.parametrize(
    ("rows", "problems"),
    [(CORRECT_ROWS, ["posting 2 was delivered before 1"]), ([make_row(1, attempts=2), make_row(2)], [])],
)
def test_first_deliveries_must_be_in_the_order_of_acceptance(
    rows: list[RowJson], problems: list[str]
) -> None:
    assert match_starts(
        campaign_checks.check_order(rows, [make_delivered(2, (1, 0.0)), make_delivered(1, (1, 0.0))]),
        problems,
    )


@pytest.mark.parametrize(
    ("pms_postings", "problems"),
    [
        ([make_delivered(1, (1, 0.0), (2, 0.0))], []),
        (
            [make_delivered(1, (1, 0.0), (1, 0.0))],
            ["repeated on the same connection although it was answered"],
        ),
        ([make_delivered(1, (1, 2.0), (1, 0.0))], []),
        ([make_delivered(1, (1, None), (1, 0.0)), make_delivered(2, (1, 0.0), (2, 0.0))], []),
        (
            [make_delivered(number, (1, 0.0), (2, 0.0)) for number in (1, 2)],
            ["2 answers were lost with connection 1"],
        ),
    ],
)
def test_repetitions_must_have_a_reason(pms_postings: list[RowJson], problems: list[str]) -> None:
    assert match_starts(campaign_checks.check_repetitions(pms_postings, in_time=0.5), problems)


def make_guest_event(event_type: str, number: str = "7", room: str = "101") -> dict[str, Any]:
    return {
        "seq": 1,
        "type": f"guest.{event_type}",
        "room": room,
        "guest": {"number": number, "name": "Adams"},
    }


@pytest.mark.parametrize(
    ("types", "error_count", "guests"),
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
def test_a_consumer_computes_the_guests_or_records_an_error(
    types: list[str], error_count: int, guests: GuestLocations
) -> None:
    consumer = EventConsumer(JsonClient(1))
    for event_type in types:
        consumer.apply_event(make_guest_event(event_type))
    assert (len(consumer.errors), consumer.guests) == (error_count, guests)


def match_starts(problems: Iterator[str], starts: list[str]) -> bool:
    texts = list(problems)
    return len(texts) == len(starts) and all(map(str.startswith, texts, starts))
