"""A request becomes a row: once for each idempotency key, with the next free posting number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.store.operations.operator_actions import OperatorAction, discard
from pmslink.store.operations.outbox_enqueue import (
    Enqueued,
    IdempotencyKeyReusedError,
    NewRow,
    OutboxFullError,
    PostingNumbersExhaustedError,
    enqueue,
)
from pmslink.store.tables.outbox_rows import OPEN_STATES, OutboxRow, OutboxRowChanged, RowState, newest_rows
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import (
    LINK_NAME,
    START_MS,
    FaultyDatabase,
    StoreHarness,
    make_new_row,
    make_row,
)

ONE_DIGIT = range(1, 10)


def numbers(outcomes: Sequence[object]) -> list[int | type[Exception] | None]:
    """Return the posting number of each result, or the type of its error."""
    return [
        outcome.row.number if isinstance(outcome, Enqueued) else type(outcome)  # type: ignore[misc]
        for outcome in outcomes
    ]


# rows


def test_a_row_has_the_values_of_the_request(harness: StoreHarness) -> None:
    asked: dict[str, Any] = {
        "link": LINK_NAME,
        "record": "WR",
        "type": "wakeup",
        "room": "102",
        "body": '{"a": "ü"}',
        "text": "WR|RN102|",
        "created": START_MS + 5,
        "subject": "DN",
        "until": START_MS + 9,
        "key": "k",
        "asked": "digest",
    }
    accepted = harness.submit(enqueue, NewRow(**asked))
    assert isinstance(accepted, Enqueued)
    row = harness.row(accepted.row.id)
    assert row == accepted.row
    assert {name: getattr(row, name) for name in asked} == asked
    assert (row.number, row.state, row.queued, row.attempts, row.lost) == (None, "pending", 1, 0, 0)
    assert row.changed == row.id


def test_a_new_row_is_published_once_and_a_known_one_is_not(harness: StoreHarness) -> None:
    outcomes = harness.submit_all(enqueue, *(make_new_row(key=key, asked="a") for key in ("k", "l", "k")))
    rows = [outcome.row for outcome in outcomes if isinstance(outcome, Enqueued)]
    assert rows[0] == rows[2]
    assert [(type(entry), entry.seq) for entry in harness.published] == [
        (OutboxRowChanged, row.changed) for row in rows[:2]
    ]
    assert [entry.row for entry in harness.published if isinstance(entry, OutboxRowChanged)] == rows[:2]


# keys


@pytest.mark.parametrize("turns", [1, 2], ids=["in one commit", "in two"])
@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "a"}, "known"),
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "b"}, IdempotencyKeyReusedError),
        ({"key": "k", "asked": "a"}, {"key": "l", "asked": "a"}, "new"),
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "a", "link": "annexe"}, "new"),
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "a", "outbox_full": True}, "known"),
        ({"key": "k", "asked": "a"}, {"key": "l", "asked": "a", "outbox_full": True}, OutboxFullError),
        ({"key": "k", "asked": "a"}, {"outbox_full": True}, OutboxFullError),
        ({}, {}, "new"),
        ({"key": "", "asked": "a"}, {"key": "", "asked": "a"}, "known"),
        ({"key": "k", "asked": "a", "outbox_full": True}, {"key": "k", "asked": "b"}, "new"),
    ],
)
def test_an_idempotency_key_belongs_to_one_posting_of_its_link(
    harness: StoreHarness,
    turns: int,
    first: dict[str, object],
    second: dict[str, object],
    outcome: str | type[Exception],
) -> None:
    offers = [make_new_row(**first), make_new_row(**second)]
    if turns == 1:
        before, after = harness.submit_all(enqueue, *offers)
    else:
        (before,), (after,) = (harness.submit_all(enqueue, one) for one in offers)
    if isinstance(outcome, str):
        assert isinstance(after, Enqueued)
        assert after.is_new == (outcome == "new")
        if not after.is_new:
            assert isinstance(before, Enqueued)
            assert after.row == before.row
    else:
        assert type(after) is outcome


def test_a_known_key_returns_the_row_in_its_present_state(harness: StoreHarness) -> None:
    row = harness.enqueue(key="k", asked="a")
    harness.submit(discard, OperatorAction(LINK_NAME, row.id, 4))
    assert harness.enqueue(key="k", asked="a").state == "discarded"


def test_a_key_is_known_after_a_crash(harness: StoreHarness) -> None:
    row = harness.enqueue(key="k", asked="a")
    harness.crash()
    harness.start()
    assert harness.enqueue(key="k", asked="a") == row


def test_more_keys_than_one_statement_takes_are_found(harness: StoreHarness) -> None:
    offers = [make_new_row(key=str(n), asked="a", digits=5) for n in range(6000)]
    rows = [outcome.row for outcome in harness.submit_all(enqueue, *offers) if isinstance(outcome, Enqueued)]
    again = harness.submit_all(enqueue, *offers)
    assert [outcome.row for outcome in again if isinstance(outcome, Enqueued)] == rows
    assert numbers(again) == list(range(1, 6001))


# numbers


def test_posting_numbers_wrap_around(harness: StoreHarness) -> None:
    given: list[Any] = []
    for _ in range(25):
        (one,) = harness.submit_all(enqueue, make_new_row(digits=1))
        assert isinstance(one, Enqueued)
        given.append(one.row.number)
        harness.submit(discard, OperatorAction(LINK_NAME, one.row.id, 1))
    assert given == [n % 9 + 1 for n in range(25)]


def test_each_link_has_its_own_posting_numbers(harness: StoreHarness) -> None:
    links = ["grand", "annexe", "grand", "annexe", "grand"]
    outcomes = harness.submit_all(enqueue, *(make_new_row(link=link) for link in links))
    assert numbers(outcomes) == [1, 1, 2, 2, 3]


def test_a_record_without_a_posting_number_uses_none(harness: StoreHarness) -> None:
    outcomes = harness.submit_all(enqueue, *(make_new_row(digits=digits) for digits in (4, None, 4)))
    assert numbers(outcomes) == [1, None, 2]


def test_posting_numbers_continue_after_a_crash(harness: StoreHarness) -> None:
    row = harness.enqueue()
    harness.submit(discard, OperatorAction(LINK_NAME, row.id, 4))
    harness.crash()
    harness.start()
    assert harness.enqueue().number == 2


@pytest.mark.parametrize(
    ("state", "skipped"),
    [(state, state in OPEN_STATES) for state in get_args(RowState)],
)
def test_a_posting_number_is_in_use_while_its_row_is_open(
    harness: StoreHarness, state: str, skipped: bool
) -> None:
    harness.insert_rows(make_row(1, state))
    assert harness.enqueue().number == (2 if skipped else 1)


def test_without_a_free_posting_number_the_row_is_rejected(harness: StoreHarness) -> None:
    outcomes = harness.submit_all(enqueue, *(make_new_row(digits=1) for _ in range(11)))
    assert numbers(outcomes) == [*ONE_DIGIT, PostingNumbersExhaustedError, PostingNumbersExhaustedError]
    freed = outcomes[6]
    assert isinstance(freed, Enqueued)
    harness.submit(discard, OperatorAction(LINK_NAME, freed.row.id, 1))
    assert numbers(harness.submit_all(enqueue, make_new_row(digits=1), make_new_row(digits=1))) == [
        7,
        PostingNumbersExhaustedError,
    ]
    assert numbers(harness.submit_all(enqueue, make_new_row(digits=None))) == [None]


def test_after_a_reduction_of_the_digits_numbers_fit_them(harness: StoreHarness) -> None:
    for _ in range(13):
        harness.submit(discard, OperatorAction(LINK_NAME, harness.enqueue(digits=2).id, 2))
    assert [harness.enqueue(digits=1).number for _ in range(9)] == [5, 6, 7, 8, 9, 1, 2, 3, 4]
    assert harness.enqueue(digits=2).number == 10


class PostingNumberModel:
    """A simple model that assigns posting numbers one after the other."""

    def __init__(self, highest: int) -> None:
        self.highest = highest
        self.last = 0
        self.in_use: set[int] = set()

    def next(self) -> int | type[Exception]:
        for step in range(self.highest):
            number = (self.last + step) % self.highest + 1
            if number not in self.in_use:
                self.last = number
                self.in_use.add(number)
                return number
        return PostingNumbersExhaustedError


@settings(max_examples=100, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sets(st.integers(1, 9), max_size=9)), min_size=1, max_size=10)
)
def test_posting_numbers_equal_those_of_a_simple_model(turns: list[tuple[int, set[int]]]) -> None:
    """In each turn, enqueue rows in one commit, then discard those with the released numbers."""
    harness = StoreHarness(FaultyDatabase(MemoryDatabase()))
    model = PostingNumberModel(9)
    try:
        for row_count, released_numbers in turns:
            outcomes = harness.submit_all(enqueue, *[make_new_row(digits=1)] * row_count)
            assert numbers(outcomes) == [model.next() for _ in range(row_count)]
            rows = [row for row in open_rows(harness) if row.number in released_numbers]
            harness.submit_all(discard, *(OperatorAction(LINK_NAME, row.id, 1) for row in rows))
            model.in_use -= released_numbers
    finally:
        harness.crash()


def open_rows(harness: StoreHarness) -> list[OutboxRow]:
    return [row for row in harness.read(newest_rows, LINK_NAME, None, None, 1000) if row.state in OPEN_STATES]
