"""What an operator may do with a row, in every state."""

from __future__ import annotations

from typing import get_args

import pytest

from pmslink.store.core.transaction import Operation
from pmslink.store.operations.operator_actions import (
    InvalidRowStateError,
    OperatorAction,
    RowNotFoundError,
    discard,
    resend,
)
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.operations.outbox_enqueue import PostingNumbersExhaustedError
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, RowState
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness, make_row

STATES: tuple[RowState, ...] = get_args(RowState)
MAY: dict[str, tuple[RowState, ...]] = {
    "resend": ("unknown", "refused"),
    "discard": ("unknown", "refused", "pending"),
}
BECOMES: dict[str, RowState] = {"resend": "pending", "discard": "discarded"}
BOTH = pytest.mark.parametrize("decision", [resend, discard])

Decision = Operation[OperatorAction, OutboxRow]


def decide(id: int = 1, link: str = LINK_NAME, digits: int = 4) -> OperatorAction:
    return OperatorAction(link, id, digits)


@BOTH
@pytest.mark.parametrize("state", STATES)
def test_each_action_in_each_state(harness: StoreHarness, decision: Decision, state: RowState) -> None:
    before = make_row(1, state, lost=2, answer="UR", answered=START_MS, text_answer="no", held_since=START_MS)
    harness.insert_rows(before)
    harness.published.clear()
    (outcome,) = harness.submit_all(decision, decide())
    if state in MAY[decision.__name__]:
        assert outcome == harness.row(1)
        assert isinstance(outcome, OutboxRow)
        assert (outcome.state, outcome.number) == (BECOMES[decision.__name__], 1)
        assert [entry.row for entry in harness.published if isinstance(entry, OutboxRowChanged)] == [outcome]
    else:
        assert isinstance(outcome, InvalidRowStateError)
        assert str(outcome) == state
        assert harness.row(1) == before
        assert harness.published == []


@BOTH
@pytest.mark.parametrize("wrong", [decide(2), decide(link="annexe")])
def test_an_action_on_an_unknown_row_fails(
    harness: StoreHarness, decision: Decision, wrong: OperatorAction
) -> None:
    harness.insert_rows(make_row(1, "refused"))
    (outcome,) = harness.submit_all(decision, wrong)
    assert isinstance(outcome, RowNotFoundError)


@pytest.mark.parametrize("state", MAY["resend"])
def test_a_resent_row_starts_from_the_beginning(harness: StoreHarness, state: RowState) -> None:
    said = {
        "answered": START_MS,
        "answer": "UR",
        "text_answer": "no",
        "not_before": START_MS + 9,
        "held_since": START_MS,
    }
    harness.insert_rows(make_row(1, state, lost=2, attempts=3, **said))
    row = harness.submit(resend, decide())
    assert [getattr(row, name) for name in said] == [None] * len(said)
    assert (row.queued, row.lost, row.attempts) == (1, 0, 3)
    taken = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert isinstance(taken, OutboxRow)
    assert (taken.id, taken.attempts) == (1, 4)


@pytest.mark.parametrize("state", MAY["discard"])
def test_a_discarded_row_is_not_sent(harness: StoreHarness, state: RowState) -> None:
    harness.insert_rows(make_row(1, state, queued=1, not_before=START_MS + 9))
    row = harness.submit(discard, decide())
    assert (row.queued, row.not_before) == (0, None)
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 10)) is None


# numbers that were taken meanwhile


@pytest.mark.parametrize("holder", ["pending", "sent", "unknown"])
def test_a_refused_row_whose_number_is_in_use_gets_another_number(
    harness: StoreHarness, holder: RowState
) -> None:
    harness.insert_rows(make_row(1, "refused", number=1), make_row(2, holder, number=1))
    assert harness.submit(resend, decide()).number == 2
    assert harness.enqueue().number == 3


@pytest.mark.parametrize("holder", ["done", "refused", "discarded"])
def test_a_number_that_is_free_is_used_again(harness: StoreHarness, holder: RowState) -> None:
    harness.insert_rows(make_row(1, "refused", number=1), make_row(2, holder, number=1))
    harness.insert_rows(make_row(3, number=1, link="annexe"))
    assert harness.submit(resend, decide()).number == 1


def test_an_unknown_row_keeps_its_number(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "unknown", number=7))
    assert harness.submit(resend, decide()).number == 7
    assert harness.enqueue().number == 1  # it was not given out anew


def test_two_rows_with_one_number_that_are_resent_together_get_two_numbers(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "refused", number=1), make_row(2, "refused", number=1))
    first, second = harness.submit_all(resend, decide(1), decide(2))
    assert isinstance(first, OutboxRow)
    assert isinstance(second, OutboxRow)
    assert (first.number, second.number) == (1, 2)


def test_without_a_free_number_a_row_stays_refused(harness: StoreHarness) -> None:
    harness.insert_rows(
        make_row(1, "refused"), *(make_row(10 + number, number=number) for number in range(1, 10))
    )
    (outcome,) = harness.submit_all(resend, decide(digits=1))
    assert isinstance(outcome, PostingNumbersExhaustedError)
    assert harness.row(1).state == "refused"


def test_a_record_without_a_number_needs_none(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "refused", number=None), make_row(2, number=None))
    assert harness.submit(resend, decide()).number is None
