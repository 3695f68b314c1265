"""Answers and confirmations of the PMS: every answer in every state."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from pmslink.store.operations.outbox_answers import (
    ANSWER_DEADLINE_MS,
    ConfirmDelivered,
    PostingAnswer,
    confirm_delivered,
    store_answers,
)
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore, claim_next
from pmslink.store.tables.outbox_queue import RETRY_LATER_MS
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, RowState
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness, make_row

STATES: tuple[RowState, ...] = get_args(RowState)
AT = START_MS + 1000
ANSWER_VALUES = {"answered": AT, "text_answer": "said"}


def answer(status: str, now: int = AT, **of: Any) -> PostingAnswer:
    return PostingAnswer(LINK_NAME, now, status, "said", **of or {"number": 1})


def changed(before: OutboxRow, after: OutboxRow) -> dict[str, object]:
    """Return the columns that differ, except the number of the change."""
    different: dict[str, object] = {
        name: new
        for name, old, new in zip(OutboxRow._fields, before, after, strict=True)
        if new != old and name != "changed"
    }
    assert bool(different) == (after.changed > before.changed)
    return different


DONE = {"state": "done", "answer": "OK", **ANSWER_VALUES}
POSTPONED = {
    "state": "pending",
    "queued": 1,
    "answer": "RY",
    "held_since": AT,
    "not_before": AT + RETRY_LATER_MS,
    **ANSWER_VALUES,
}
POSTPONED_BY_AUDIT = {"state": "pending", "queued": 1, "answer": "NA", "held_since": AT, **ANSWER_VALUES}
REFUSED = {"state": "refused", "reason": "pms", **ANSWER_VALUES}
NO_CHANGES: dict[str, object] = {}

EXPECTED_CHANGES: dict[RowState, dict[str, dict[str, object]]] = {
    "pending": {"OK": {**DONE, "queued": 0}},
    "sent": {"OK": DONE, "RY": POSTPONED, "NA": POSTPONED_BY_AUDIT, "UR": REFUSED},
    "unknown": {"OK": DONE, "RY": POSTPONED, "NA": POSTPONED_BY_AUDIT, "UR": REFUSED},
    "done": {},
    "refused": {},
    "discarded": {"OK": DONE},
}
"""The changed columns by state and answer; an answer that is not listed changes nothing."""
CODES = ["OK", "RY", "NA", "UR", "NG", "NR", "CD", "CO", "NP", ""]


def expected_changes(state: RowState, code: str) -> dict[str, object]:
    if code in ("OK", "RY", "NA"):
        return EXPECTED_CHANGES[state].get(code, NO_CHANGES)
    refused = EXPECTED_CHANGES[state].get("UR", NO_CHANGES)
    return {**refused, "answer": code} if refused else NO_CHANGES


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("by", ["number", "row_id"])
def test_every_answer_in_every_state(harness: StoreHarness, code: str, by: str) -> None:
    for state in STATES:
        id = STATES.index(state) + 1
        before = make_row(id, state, attempts=1)
        harness.insert_rows(before)
        harness.published.clear()
        settled = harness.submit(store_answers, answer(code, **{by: id}))
        after = harness.row(id)
        assert changed(before, after) == expected_changes(state, code), state
        assert settled == after, state
        assert [entry.row for entry in harness.published if isinstance(entry, OutboxRowChanged)] == (
            [settled] if expected_changes(state, code) else []
        )


def test_a_late_answer_settles_a_posting_that_is_queued_again(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "unknown", queued=1))
    settled = harness.submit(store_answers, answer("OK"))
    assert settled is not None
    assert (settled.state, settled.queued) == ("done", 0)
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, AT)) is None


# The row of an answer.


def test_an_answer_belongs_to_the_newest_row_that_was_sent_with_its_number(harness: StoreHarness) -> None:
    harness.insert_rows(
        make_row(1, "done", number=7),
        make_row(2, "sent", number=7),
        make_row(3, "pending", number=7),  # never sent, so the answer is not for it
        make_row(4, "sent", number=7, link="annexe"),
        make_row(5, "sent", number=8),
    )
    settled = harness.submit(store_answers, answer("OK", number=7))
    assert settled is not None
    assert settled.id == 2


def test_an_answer_does_not_belong_to_an_older_row_with_its_number(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "discarded", number=7), make_row(2, "done", number=7))
    assert harness.submit(store_answers, answer("OK", number=7)) == harness.row(2)
    assert harness.row(1).state == "discarded"


def test_an_answer_with_an_unknown_number_changes_nothing(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"))
    assert harness.submit(store_answers, answer("OK", number=9)) is None


def test_a_second_answer_changes_nothing(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"))
    first, second, third = harness.submit_all(store_answers, answer("UR"), answer("OK"), answer("UR"))
    assert isinstance(first, OutboxRow)
    assert (second, third) == (first, first)
    assert harness.row(1) == first


# Delays.


def test_ry_delays_a_posting_for_half_a_minute_and_the_queue_continues(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"), make_row(2))
    harness.submit(store_answers, answer("RY"))
    aside = AT + RETRY_LATER_MS
    claimed = harness.submit(claim_next, ClaimNext(LINK_NAME, AT))
    assert isinstance(claimed, OutboxRow)
    assert claimed.id == 2
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, aside - 1)) == NotBefore(aside)
    again = harness.submit(claim_next, ClaimNext(LINK_NAME, aside))
    assert isinstance(again, OutboxRow)
    assert (again.id, again.number, again.attempts, again.not_before) == (1, 1, 2, None)
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, aside)) is None


def test_the_delayed_row_that_is_due_first_gives_the_time_to_wait(harness: StoreHarness) -> None:
    for id, moment in ((1, AT + 500), (2, AT)):
        harness.insert_rows(make_row(id, "sent"))
        harness.submit(store_answers, answer("RY", now=moment, number=id))
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, AT)) == NotBefore(AT + RETRY_LATER_MS)


def test_a_delayed_row_is_not_delayed_again_by_a_clock_that_is_set_back(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"))
    harness.submit(store_answers, answer("RY"))
    hour_before = AT - 3600 * 1000
    claimed = harness.submit(claim_next, ClaimNext(LINK_NAME, hour_before))
    assert isinstance(claimed, OutboxRow)
    assert claimed.sent == hour_before


def test_after_the_night_audit_the_same_posting_is_sent_first(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"), make_row(2))
    harness.submit(store_answers, answer("NA"))
    claimed = harness.submit(claim_next, ClaimNext(LINK_NAME, AT))
    assert isinstance(claimed, OutboxRow)
    assert claimed.id == 1


@pytest.mark.parametrize("code", ["RY", "NA"])
@pytest.mark.parametrize("state", ["sent", "unknown"])
@pytest.mark.parametrize(
    ("waited", "end"), [(ANSWER_DEADLINE_MS - 1, "pending"), (ANSWER_DEADLINE_MS, "refused")]
)
def test_ry_for_a_day_counts_as_a_refusal(
    harness: StoreHarness, code: str, state: RowState, waited: int, end: RowState
) -> None:
    harness.insert_rows(make_row(1, state, held_since=START_MS))
    settled = harness.submit(store_answers, answer(code, now=START_MS + waited))
    assert settled is not None
    assert (settled.state, settled.queued, settled.answer) == (end, int(end == "pending"), code)
    assert settled.held_since == START_MS
    assert settled.reason == ("pms" if end == "refused" else None)


def test_ry_is_no_refusal_while_the_clock_may_be_ahead(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, held_since=START_MS, state="sent"))
    harness.is_clock_settled = False
    settled = harness.submit(store_answers, answer("RY", now=START_MS + 2 * ANSWER_DEADLINE_MS))
    assert settled is not None
    assert (settled.state, settled.queued) == ("pending", 1)


def test_the_deadline_counts_from_the_first_ry(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"))
    moment = AT
    for _ in range(3):
        harness.submit(store_answers, answer("RY", now=moment))
        moment += RETRY_LATER_MS
        harness.submit(claim_next, ClaimNext(LINK_NAME, moment))
    assert harness.row(1).held_since == AT


# Confirmations.


def test_a_confirmation_marks_sent_rows_as_done(harness: StoreHarness) -> None:
    harness.insert_rows(*(make_row(id, state, record="RE") for id, state in enumerate(STATES, start=1)))
    harness.insert_rows(make_row(7, "sent", record="RE"), make_row(8, "sent", record="RE", link="annexe"))
    harness.submit(confirm_delivered, ConfirmDelivered(LINK_NAME, AT, (1, 2, 3, 4, 5, 6, 8, 99)))
    states = [harness.row(id).state for id in range(1, 8)]
    assert states == ["pending", "done", "unknown", "done", "refused", "discarded", "sent"]
    assert (harness.row(2).answered, harness.row(2).answer) == (AT, None)


def test_a_confirmation_without_rows_changes_nothing(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"))
    harness.submit(confirm_delivered, ConfirmDelivered(LINK_NAME, AT, ()))
    assert harness.row(1).state == "sent"


def test_a_confirmation_of_more_rows_than_one_statement_takes(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"), make_row(39_000, "sent"))
    harness.submit(confirm_delivered, ConfirmDelivered(LINK_NAME, AT, tuple(range(1, 40_000))))
    assert (harness.row(1).state, harness.row(39_000).state) == ("done", "done")
