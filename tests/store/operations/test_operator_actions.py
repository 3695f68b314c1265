"""What a person may do to a row, in every state."""

from __future__ import annotations

from typing import get_args

import pytest

from pmslink.store.operations.operator_actions import Decide, NoSuchRow, WrongState, discard, resend
from pmslink.store.operations.outbox_delivery import Take, take
from pmslink.store.operations.outbox_enqueue import NoNumber
from pmslink.store.tables.log_entries import Operation
from pmslink.store.tables.outbox_rows import Moved, Row, State
from tests.store.store_harness import LINK, NOW, Playing, a_row

STATES: tuple[State, ...] = get_args(State)
MAY: dict[str, tuple[State, ...]] = {
    "resend": ("unknown", "refused"),
    "discard": ("unknown", "refused", "pending"),
}
BECOMES: dict[str, State] = {"resend": "pending", "discard": "discarded"}
BOTH = pytest.mark.parametrize("decision", [resend, discard])

Decision = Operation[Decide, Row]


def decide(id: int = 1, link: str = LINK, digits: int = 4) -> Decide:
    return Decide(link, id, digits)


@BOTH
@pytest.mark.parametrize("state", STATES)
def test_each_decision_in_each_state(playing: Playing, decision: Decision, state: State) -> None:
    before = a_row(1, state, lost=2, answer="UR", answered=NOW, text_answer="no", held_since=NOW)
    playing.have(before)
    playing.told.clear()
    (outcome,) = playing.do_all(decision, decide())
    if state in MAY[decision.__name__]:
        assert outcome == playing.row(1)
        assert isinstance(outcome, Row)
        assert (outcome.state, outcome.number) == (BECOMES[decision.__name__], 1)
        assert [entry.row for entry in playing.told if isinstance(entry, Moved)] == [outcome]
    else:
        assert isinstance(outcome, WrongState)
        assert str(outcome) == state
        assert playing.row(1) == before
        assert playing.told == []


@BOTH
@pytest.mark.parametrize("wrong", [decide(2), decide(link="annexe")])
def test_a_row_that_is_not_there(playing: Playing, decision: Decision, wrong: Decide) -> None:
    playing.have(a_row(1, "refused"))
    (outcome,) = playing.do_all(decision, wrong)
    assert isinstance(outcome, NoSuchRow)


@pytest.mark.parametrize("state", MAY["resend"])
def test_one_that_is_sent_again_begins_anew(playing: Playing, state: State) -> None:
    said = {"answered": NOW, "answer": "UR", "text_answer": "no", "not_before": NOW + 9, "held_since": NOW}
    playing.have(a_row(1, state, lost=2, attempts=3, **said))
    row = playing.do(resend, decide())
    assert [getattr(row, name) for name in said] == [None] * len(said)
    assert (row.queued, row.lost, row.attempts) == (1, 0, 3)
    taken = playing.do(take, Take(LINK, NOW))
    assert isinstance(taken, Row)
    assert (taken.id, taken.attempts) == (1, 4)


@pytest.mark.parametrize("state", MAY["discard"])
def test_one_that_is_given_up_is_not_sent(playing: Playing, state: State) -> None:
    playing.have(a_row(1, state, queued=1, not_before=NOW + 9))
    row = playing.do(discard, decide())
    assert (row.queued, row.not_before) == (0, None)
    assert playing.do(take, Take(LINK, NOW + 10)) is None


# numbers that were taken meanwhile


@pytest.mark.parametrize("holder", ["pending", "sent", "unknown"])
def test_a_refused_one_whose_number_is_held_by_now_gets_another(playing: Playing, holder: State) -> None:
    playing.have(a_row(1, "refused", number=1), a_row(2, holder, number=1))
    assert playing.do(resend, decide()).number == 2
    assert playing.accept().number == 3


@pytest.mark.parametrize("holder", ["done", "refused", "discarded"])
def test_a_number_that_nobody_holds_stays(playing: Playing, holder: State) -> None:
    playing.have(a_row(1, "refused", number=1), a_row(2, holder, number=1))
    playing.have(a_row(3, number=1, link="annexe"))
    assert playing.do(resend, decide()).number == 1


def test_an_unknown_one_keeps_its_number_for_it_holds_it(playing: Playing) -> None:
    playing.have(a_row(1, "unknown", number=7))
    assert playing.do(resend, decide()).number == 7
    assert playing.accept().number == 1  # it was not given out anew


def test_two_with_one_number_that_are_sent_again_at_once_get_two(playing: Playing) -> None:
    playing.have(a_row(1, "refused", number=1), a_row(2, "refused", number=1))
    first, second = playing.do_all(resend, decide(1), decide(2))
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.number, second.number) == (1, 2)


def test_without_a_free_number_it_stays_refused(playing: Playing) -> None:
    playing.have(a_row(1, "refused"), *(a_row(10 + number, number=number) for number in range(1, 10)))
    (outcome,) = playing.do_all(resend, decide(digits=1))
    assert isinstance(outcome, NoNumber)
    assert playing.row(1).state == "refused"


def test_a_record_without_a_number_needs_none(playing: Playing) -> None:
    playing.have(a_row(1, "refused", number=None), a_row(2, number=None))
    assert playing.do(resend, decide()).number is None
