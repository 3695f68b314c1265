"""The actions of an operator on a row, in every state."""

from __future__ import annotations

from typing import get_args

import pytest
from attrs import evolve

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
from pmslink.store.tables.audit_log import AuditQuery, newest_audit_entries
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, RowState
from tests.store.store_harness import AUDIT_ENTRY, LINK_NAME, START_MS, StoreHarness, make_row

STATES: tuple[RowState, ...] = get_args(RowState)
ALLOWED_STATES: dict[str, tuple[RowState, ...]] = {
    "resend": ("unknown", "refused"),
    "discard": ("unknown", "refused", "pending"),
}
NEXT_STATES: dict[str, RowState] = {"resend": "pending", "discard": "discarded"}
BOTH_OPERATIONS = pytest.mark.parametrize("operation", [resend, discard])

OperatorOperation = Operation[OperatorAction, OutboxRow]


def make_action(id: int = 1, link: str = LINK_NAME, digits: int = 4) -> OperatorAction:
    return OperatorAction(link, id, digits)


@BOTH_OPERATIONS
@pytest.mark.parametrize("state", STATES)
def test_each_action_in_each_state(
    harness: StoreHarness, operation: OperatorOperation, state: RowState
) -> None:
    before = make_row(1, state, lost=2, answer="UR", answered=START_MS, text_answer="no", held_since=START_MS)
    harness.insert_rows(before)
    harness.published.clear()
    (outcome,) = harness.submit_all(operation, make_action())
    if state in ALLOWED_STATES[operation.__name__]:
        assert outcome == harness.row(1)
        assert isinstance(outcome, OutboxRow)
        assert (outcome.state, outcome.number) == (NEXT_STATES[operation.__name__], 1)
        assert [entry.row for entry in harness.published if isinstance(entry, OutboxRowChanged)] == [outcome]
    else:
        assert isinstance(outcome, InvalidRowStateError)
        assert str(outcome) == state
        assert harness.row(1) == before
        assert harness.published == []


@BOTH_OPERATIONS
def test_the_audit_entry_has_the_states_of_the_row(
    harness: StoreHarness, operation: OperatorOperation
) -> None:
    harness.insert_rows(make_row(1, "unknown"), make_row(2, "done"))
    harness.submit_all(operation, *(evolve(make_action(id), audit=AUDIT_ENTRY) for id in (1, 2)))
    (stored,) = harness.read(newest_audit_entries, AuditQuery(limit=9))  # a refused action has none
    after = f'{{"state": "{NEXT_STATES[operation.__name__]}"}}'
    assert stored.entry == evolve(AUDIT_ENTRY, before='{"state": "unknown"}', after=after)


@BOTH_OPERATIONS
@pytest.mark.parametrize("invalid_action", [make_action(2), make_action(link="annexe")])
def test_an_action_on_an_unknown_row_fails(
    harness: StoreHarness, operation: OperatorOperation, invalid_action: OperatorAction
) -> None:
    harness.insert_rows(make_row(1, "refused"))
    (outcome,) = harness.submit_all(operation, invalid_action)
    assert isinstance(outcome, RowNotFoundError)


@pytest.mark.parametrize("state", ALLOWED_STATES["resend"])
def test_a_resent_row_starts_from_the_beginning(harness: StoreHarness, state: RowState) -> None:
    answer_values = {
        "answered": START_MS,
        "answer": "UR",
        "text_answer": "no",
        "not_before": START_MS + 9,
        "held_since": START_MS,
    }
    harness.insert_rows(make_row(1, state, lost=2, attempts=3, **answer_values))
    row = harness.submit(resend, make_action())
    assert [getattr(row, name) for name in answer_values] == [None] * len(answer_values)
    assert (row.queued, row.lost, row.attempts) == (1, 0, 3)
    claimed = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert isinstance(claimed, OutboxRow)
    assert (claimed.id, claimed.attempts) == (1, 4)


@pytest.mark.parametrize("state", ALLOWED_STATES["discard"])
def test_a_discarded_row_is_not_sent(harness: StoreHarness, state: RowState) -> None:
    harness.insert_rows(make_row(1, state, queued=1, not_before=START_MS + 9))
    row = harness.submit(discard, make_action())
    assert (row.queued, row.not_before) == (0, None)
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 10)) is None


# Posting numbers that another row uses now.


@pytest.mark.parametrize("holder", ["pending", "sent", "unknown"])
def test_a_refused_row_whose_number_is_in_use_gets_another_number(
    harness: StoreHarness, holder: RowState
) -> None:
    harness.insert_rows(make_row(1, "refused", number=1), make_row(2, holder, number=1))
    assert harness.submit(resend, make_action()).number == 2
    assert harness.enqueue().number == 3


@pytest.mark.parametrize("holder", ["done", "refused", "discarded"])
def test_a_number_that_is_free_is_used_again(harness: StoreHarness, holder: RowState) -> None:
    harness.insert_rows(make_row(1, "refused", number=1), make_row(2, holder, number=1))
    harness.insert_rows(make_row(3, number=1, link="annexe"))
    assert harness.submit(resend, make_action()).number == 1


def test_an_unknown_row_keeps_its_number(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "unknown", number=7))
    assert harness.submit(resend, make_action()).number == 7
    assert harness.enqueue().number == 1  # the number was not assigned again


def test_two_rows_with_one_number_that_are_resent_together_get_two_numbers(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "refused", number=1), make_row(2, "refused", number=1))
    first, second = harness.submit_all(resend, make_action(1), make_action(2))
    assert isinstance(first, OutboxRow)
    assert isinstance(second, OutboxRow)
    assert (first.number, second.number) == (1, 2)


def test_without_a_free_number_a_row_stays_refused(harness: StoreHarness) -> None:
    harness.insert_rows(
        make_row(1, "refused"), *(make_row(10 + number, number=number) for number in range(1, 10))
    )
    (outcome,) = harness.submit_all(resend, make_action(digits=1))
    assert isinstance(outcome, PostingNumbersExhaustedError)
    assert harness.row(1).state == "refused"


def test_a_record_without_a_number_needs_none(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "refused", number=None), make_row(2, number=None))
    assert harness.submit(resend, make_action()).number is None
