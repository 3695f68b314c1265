"""Dials of many links leave room for other work: while turns of the reactor are long, one makes fewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pmslink.link.turn_queue import LONG_TURN_S, MIN_CALLS_PER_S, TurnQueue

CALLS_PER_TURN = 25


class TurnClock:
    """The time of a reactor; unlike with `task.Clock`, a call for the next turn is not made in this one."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[Callable[[], object]] = []

    def seconds(self) -> float:
        return self._now

    def callLater(self, _seconds: float, call: Callable[[], object]) -> object:
        self._due.append(call)
        return call

    def run_turn(self, turn_s: float) -> None:
        self._now += turn_s
        due, self._due = self._due, []
        for call in due:
            call()


class SlowTurns:
    """A reactor whose turns take `turn_s` each, and a queue of many dials."""

    def __init__(self, turn_s: float, has_consequences: bool = True) -> None:
        self.turn_s = turn_s
        self._clock = TurnClock()
        self._calls_made = 0
        clock: Any = self._clock
        queue = TurnQueue(clock, CALLS_PER_TURN, has_consequences)
        for _ in range(10_000):
            queue.add(self._count)

    def _count(self) -> None:
        self._calls_made += 1

    def next_turn(self) -> int:
        """Return how many calls the next turn makes."""
        before = self._calls_made
        self._clock.run_turn(self.turn_s)
        return self._calls_made - before


def test_short_turns_make_as_many_dials_as_allowed() -> None:
    turns = SlowTurns(LONG_TURN_S / 2)
    assert {turns.next_turn() for _ in range(20)} == {CALLS_PER_TURN}


def test_long_turns_make_fewer_dials_until_they_are_short_again() -> None:
    turns = SlowTurns(LONG_TURN_S * 1.1)
    assert [turns.next_turn() for _ in range(3)] == [12, 10, 10]
    turns.turn_s = 0.001
    assert [turns.next_turn() for _ in range(3)] == [11, 12, 13]


@pytest.mark.parametrize("turn_s", [LONG_TURN_S * 1.1, 0.1, 1.0])
def test_the_dials_go_on_at_a_rate_however_long_the_turns_are(turn_s: float) -> None:
    turns = SlowTurns(turn_s)
    for _ in range(10):
        turns.next_turn()
    assert turns.next_turn() == min(round(turn_s * MIN_CALLS_PER_S), CALLS_PER_TURN)


def test_calls_without_consequences_are_not_slowed_down() -> None:
    turns = SlowTurns(1.0, has_consequences=False)
    assert {turns.next_turn() for _ in range(10)} == {CALLS_PER_TURN}
