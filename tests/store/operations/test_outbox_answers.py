"""What the PMS answers, and what proves that it has read: every answer in every state."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from pmslink.store.operations.outbox_delivery import (
    PATIENCE,
    SET_ASIDE,
    Answer,
    Later,
    Proved,
    Take,
    prove,
    settle,
    take,
)
from pmslink.store.tables.outbox_rows import Moved, Row, State
from tests.store.store_harness import LINK, NOW, Playing, a_row

STATES: tuple[State, ...] = get_args(State)
AT = NOW + 1000
TOLD = {"answered": AT, "text_answer": "said"}


def answer(status: str, now: int = AT, **of: Any) -> Answer:
    return Answer(LINK, now, status, "said", **of or {"number": 1})


def changed(before: Row, after: Row) -> dict[str, object]:
    """What is different, but for the number of the change."""
    different: dict[str, object] = {
        name: new
        for name, old, new in zip(Row._fields, before, after, strict=True)
        if new != old and name != "changed"
    }
    assert bool(different) == (after.changed > before.changed)
    return different


DONE = {"state": "done", "answer": "OK", **TOLD}
ASIDE = {
    "state": "pending",
    "queued": 1,
    "answer": "RY",
    "held_since": AT,
    "not_before": AT + SET_ASIDE,
    **TOLD,
}
AUDIT = {"state": "pending", "queued": 1, "answer": "NA", "held_since": AT, **TOLD}
REFUSED = {"state": "refused", **TOLD}
NOTHING: dict[str, object] = {}

FATES: dict[State, dict[str, dict[str, object]]] = {
    "pending": {"OK": {**DONE, "queued": 0}},
    "sent": {"OK": DONE, "RY": ASIDE, "NA": AUDIT, "UR": REFUSED},
    "unknown": {"OK": DONE, "RY": ASIDE, "NA": AUDIT, "UR": REFUSED},
    "done": {},
    "refused": {},
    "discarded": {"OK": DONE},
}
"""By state and answer: what changes. Where nothing stands the answer says nothing new."""
CODES = ["OK", "RY", "NA", "UR", "NG", "NR", "CD", "CO", "NP", ""]


def fate(state: State, code: str) -> dict[str, object]:
    if code in ("OK", "RY", "NA"):
        return FATES[state].get(code, NOTHING)
    refused = FATES[state].get("UR", NOTHING)
    return {**refused, "answer": code} if refused else NOTHING


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("by", ["number", "id"])
def test_every_answer_in_every_state(playing: Playing, code: str, by: str) -> None:
    for state in STATES:
        id = STATES.index(state) + 1
        before = a_row(id, state, attempts=1)
        playing.have(before)
        playing.told.clear()
        settled = playing.do(settle, answer(code, **{by: id}))
        after = playing.row(id)
        assert changed(before, after) == fate(state, code), state
        assert settled == (after if fate(state, code) else None), state
        assert [entry.row for entry in playing.told if isinstance(entry, Moved)] == (
            [settled] if settled else []
        )


def test_a_posting_that_waits_to_be_sent_again_is_settled_for_good(playing: Playing) -> None:
    playing.have(a_row(1, "unknown", queued=1))
    settled = playing.do(settle, answer("OK"))
    assert settled is not None
    assert (settled.state, settled.queued) == ("done", 0)
    assert playing.do(take, Take(LINK, AT)) is None


# which row is meant


def test_a_number_means_the_newest_that_was_sent_with_it(playing: Playing) -> None:
    playing.have(
        a_row(1, "done", number=7),
        a_row(2, "sent", number=7),
        a_row(3, "pending", number=7),  # never sent: the answer cannot be its
        a_row(4, "sent", number=7, link="annexe"),
        a_row(5, "sent", number=8),
    )
    settled = playing.do(settle, answer("OK", number=7))
    assert settled is not None
    assert settled.id == 2


def test_an_older_one_with_its_number_is_not_meant_any_more(playing: Playing) -> None:
    playing.have(a_row(1, "discarded", number=7), a_row(2, "done", number=7))
    assert playing.do(settle, answer("OK", number=7)) is None
    assert playing.row(1).state == "discarded"


def test_a_number_that_nobody_has_means_nothing(playing: Playing) -> None:
    playing.have(a_row(1, "sent"))
    assert playing.do(settle, answer("OK", number=9)) is None


def test_a_second_answer_says_nothing_new(playing: Playing) -> None:
    playing.have(a_row(1, "sent"))
    first, second, third = playing.do_all(settle, answer("UR"), answer("OK"), answer("UR"))
    assert isinstance(first, Row)
    assert (second, third) == (None, None)
    assert playing.row(1) == first


# patience


def test_try_later_sets_one_aside_for_half_a_minute_and_the_queue_goes_on(playing: Playing) -> None:
    playing.have(a_row(1, "sent"), a_row(2))
    playing.do(settle, answer("RY"))
    aside = AT + SET_ASIDE
    taken = playing.do(take, Take(LINK, AT))
    assert isinstance(taken, Row)
    assert taken.id == 2
    assert playing.do(take, Take(LINK, aside - 1)) == Later(aside)
    again = playing.do(take, Take(LINK, aside))
    assert isinstance(again, Row)
    assert (again.id, again.number, again.attempts, again.not_before) == (1, 1, 2, None)
    assert playing.do(take, Take(LINK, aside)) is None


def test_the_one_that_is_due_first_says_how_long_to_wait(playing: Playing) -> None:
    for id, moment in ((1, AT + 500), (2, AT)):
        playing.have(a_row(id, "sent"))
        playing.do(settle, answer("RY", now=moment, number=id))
    assert playing.do(take, Take(LINK, AT)) == Later(AT + SET_ASIDE)


def test_after_the_night_audit_the_same_is_sent_first(playing: Playing) -> None:
    playing.have(a_row(1, "sent"), a_row(2))
    playing.do(settle, answer("NA"))
    taken = playing.do(take, Take(LINK, AT))
    assert isinstance(taken, Row)
    assert taken.id == 1


@pytest.mark.parametrize("code", ["RY", "NA"])
@pytest.mark.parametrize("state", ["sent", "unknown"])
@pytest.mark.parametrize(("waited", "end"), [(PATIENCE - 1, "pending"), (PATIENCE, "refused")])
def test_who_says_try_later_for_a_day_has_refused(
    playing: Playing, code: str, state: State, waited: int, end: State
) -> None:
    playing.have(a_row(1, state, held_since=NOW))
    settled = playing.do(settle, answer(code, now=NOW + waited))
    assert settled is not None
    assert (settled.state, settled.queued, settled.answer) == (end, int(end == "pending"), code)
    assert settled.held_since == NOW


def test_the_first_time_counts_for_patience(playing: Playing) -> None:
    playing.have(a_row(1, "sent"))
    moment = AT
    for _ in range(3):
        playing.do(settle, answer("RY", now=moment))
        moment += SET_ASIDE
        playing.do(take, Take(LINK, moment))
    assert playing.row(1).held_since == AT


# proof


def test_proof_makes_those_done_that_are_on_their_way(playing: Playing) -> None:
    playing.have(*(a_row(id, state, record="RE") for id, state in enumerate(STATES, start=1)))
    playing.have(a_row(7, "sent", record="RE"), a_row(8, "sent", record="RE", link="annexe"))
    playing.do(prove, Proved(LINK, AT, (1, 2, 3, 4, 5, 6, 8, 99)))
    states = [playing.row(id).state for id in range(1, 8)]
    assert states == ["pending", "done", "unknown", "done", "refused", "discarded", "sent"]
    assert (playing.row(2).answered, playing.row(2).answer) == (AT, None)


def test_proof_for_nothing_is_none(playing: Playing) -> None:
    playing.have(a_row(1, "sent"))
    playing.do(prove, Proved(LINK, AT, ()))
    assert playing.row(1).state == "sent"


def test_proof_for_more_rows_than_a_statement_takes(playing: Playing) -> None:
    playing.have(a_row(1, "sent"), a_row(39_000, "sent"))
    playing.do(prove, Proved(LINK, AT, tuple(range(1, 40_000))))
    assert (playing.row(1).state, playing.row(39_000).state) == ("done", "done")
