"""What is asked for becomes a row: once for each key, with the next number that nobody holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmslink.store.operations.operator_actions import Decide, discard
from pmslink.store.operations.outbox_enqueue import Accepted, KeyReused, NoNumber, Offer, OutboxFull, accept
from pmslink.store.tables.outbox_rows import OPEN, Moved, Row, State, newest_rows
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import LINK, NOW, Playing, Watched, a_row, offer

ONE_DIGIT = range(1, 10)


def numbers(outcomes: Sequence[object]) -> list[int | type[Exception] | None]:
    """The number of each, or what it failed with."""
    return [
        outcome.row.number if isinstance(outcome, Accepted) else type(outcome)  # type: ignore[misc]
        for outcome in outcomes
    ]


# rows


def test_a_row_is_what_was_offered(playing: Playing) -> None:
    asked: dict[str, Any] = {
        "link": LINK,
        "record": "WR",
        "type": "wakeup",
        "room": "102",
        "body": '{"a": "ü"}',
        "text": "WR|RN102|",
        "created": NOW + 5,
        "subject": "DN",
        "until": NOW + 9,
        "key": "k",
        "asked": "digest",
    }
    accepted = playing.do(accept, Offer(**asked))
    assert isinstance(accepted, Accepted)
    row = playing.row(accepted.row.id)
    assert row == accepted.row
    assert {name: getattr(row, name) for name in asked} == asked
    assert (row.number, row.state, row.queued, row.attempts, row.lost) == (None, "pending", 1, 0, 0)
    assert row.changed == row.id


def test_each_new_row_is_told_once_and_a_known_one_is_not(playing: Playing) -> None:
    outcomes = playing.do_all(accept, *(offer(key=key, asked="a") for key in ("k", "l", "k")))
    rows = [outcome.row for outcome in outcomes if isinstance(outcome, Accepted)]
    assert rows[0] == rows[2]
    assert [(type(entry), entry.seq) for entry in playing.told] == [(Moved, row.changed) for row in rows[:2]]
    assert [entry.row for entry in playing.told if isinstance(entry, Moved)] == rows[:2]


# keys


@pytest.mark.parametrize("turns", [1, 2], ids=["in one commit", "in two"])
@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "a"}, "known"),
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "b"}, KeyReused),
        ({"key": "k", "asked": "a"}, {"key": "l", "asked": "a"}, "new"),
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "a", "link": "annexe"}, "new"),
        ({"key": "k", "asked": "a"}, {"key": "k", "asked": "a", "full": True}, "known"),
        ({"key": "k", "asked": "a"}, {"key": "l", "asked": "a", "full": True}, OutboxFull),
        ({"key": "k", "asked": "a"}, {"full": True}, OutboxFull),
        ({}, {}, "new"),
        ({"key": "", "asked": "a"}, {"key": "", "asked": "a"}, "known"),
        ({"key": "k", "asked": "a", "full": True}, {"key": "k", "asked": "b"}, "new"),
    ],
)
def test_a_key_stands_for_one_posting_of_its_link(
    playing: Playing,
    turns: int,
    first: dict[str, object],
    second: dict[str, object],
    outcome: str | type[Exception],
) -> None:
    offers = [offer(**first), offer(**second)]
    if turns == 1:
        before, after = playing.do_all(accept, *offers)
    else:
        (before,), (after,) = (playing.do_all(accept, one) for one in offers)
    if isinstance(outcome, str):
        assert isinstance(after, Accepted)
        assert after.new == (outcome == "new")
        if not after.new:
            assert isinstance(before, Accepted)
            assert after.row == before.row
    else:
        assert type(after) is outcome


def test_what_is_known_is_given_as_it_is_now(playing: Playing) -> None:
    row = playing.accept(key="k", asked="a")
    playing.do(discard, Decide(LINK, row.id, 4))
    assert playing.accept(key="k", asked="a").state == "discarded"


def test_a_key_is_known_after_a_crash(playing: Playing) -> None:
    row = playing.accept(key="k", asked="a")
    playing.crash()
    playing.start()
    assert playing.accept(key="k", asked="a") == row


def test_very_many_at_once_find_their_keys(playing: Playing) -> None:
    offers = [offer(key=str(n), asked="a", digits=5) for n in range(6000)]
    rows = [outcome.row for outcome in playing.do_all(accept, *offers) if isinstance(outcome, Accepted)]
    again = playing.do_all(accept, *offers)
    assert [outcome.row for outcome in again if isinstance(outcome, Accepted)] == rows
    assert numbers(again) == list(range(1, 6001))


# numbers


def test_numbers_go_round_in_a_circle(playing: Playing) -> None:
    given: list[Any] = []
    for _ in range(25):
        (one,) = playing.do_all(accept, offer(digits=1))
        assert isinstance(one, Accepted)
        given.append(one.row.number)
        playing.do(discard, Decide(LINK, one.row.id, 1))
    assert given == [n % 9 + 1 for n in range(25)]


def test_each_link_counts_for_itself(playing: Playing) -> None:
    links = ["grand", "annexe", "grand", "annexe", "grand"]
    outcomes = playing.do_all(accept, *(offer(link=link) for link in links))
    assert numbers(outcomes) == [1, 1, 2, 2, 3]


def test_a_record_that_carries_no_number_takes_none(playing: Playing) -> None:
    outcomes = playing.do_all(accept, *(offer(digits=digits) for digits in (4, None, 4)))
    assert numbers(outcomes) == [1, None, 2]


def test_the_circle_goes_on_after_a_crash(playing: Playing) -> None:
    row = playing.accept()
    playing.do(discard, Decide(LINK, row.id, 4))
    playing.crash()
    playing.start()
    assert playing.accept().number == 2


@pytest.mark.parametrize(
    ("state", "skipped"),
    [(state, state in OPEN) for state in get_args(State)],
)
def test_a_number_is_held_while_its_row_waits(playing: Playing, state: str, skipped: bool) -> None:
    playing.have(a_row(1, state))
    assert playing.accept().number == (2 if skipped else 1)


def test_when_all_are_held_there_is_no_number(playing: Playing) -> None:
    outcomes = playing.do_all(accept, *(offer(digits=1) for _ in range(11)))
    assert numbers(outcomes) == [*ONE_DIGIT, NoNumber, NoNumber]
    freed = outcomes[6]
    assert isinstance(freed, Accepted)
    playing.do(discard, Decide(LINK, freed.row.id, 1))
    assert numbers(playing.do_all(accept, offer(digits=1), offer(digits=1))) == [7, NoNumber]
    assert numbers(playing.do_all(accept, offer(digits=None))) == [None]


def test_fewer_digits_than_before_begin_within_the_circle(playing: Playing) -> None:
    for _ in range(13):
        playing.do(discard, Decide(LINK, playing.accept(digits=2).id, 2))
    assert [playing.accept(digits=1).number for _ in range(9)] == [5, 6, 7, 8, 9, 1, 2, 3, 4]
    assert playing.accept(digits=2).number == 10


class Circle:
    """Numbers as a person would give them out, one after the other."""

    def __init__(self, highest: int) -> None:
        self.highest = highest
        self.last = 0
        self.held: set[int] = set()

    def next(self) -> int | type[Exception]:
        for step in range(self.highest):
            number = (self.last + step) % self.highest + 1
            if number not in self.held:
                self.last = number
                self.held.add(number)
                return number
        return NoNumber


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sets(st.integers(1, 9), max_size=9)), min_size=1, max_size=10)
)
def test_numbers_are_given_out_as_in_a_circle(turns: list[tuple[int, set[int]]]) -> None:
    """In each turn some are accepted at once, then those with these numbers given up."""
    playing = Playing(Watched(MemoryDatabase()))
    circle = Circle(9)
    try:
        for wanted, given_up in turns:
            outcomes = playing.do_all(accept, *[offer(digits=1)] * wanted)
            assert numbers(outcomes) == [circle.next() for _ in range(wanted)]
            rows = [row for row in waiting(playing) if row.number in given_up]
            playing.do_all(discard, *(Decide(LINK, row.id, 1) for row in rows))
            circle.held -= given_up
    finally:
        playing.crash()


def waiting(playing: Playing) -> list[Row]:
    return [row for row in playing.read(newest_rows, LINK, None, None, 1000) if row.state in OPEN]
