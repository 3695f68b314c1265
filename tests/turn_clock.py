"""A clock for tests of work that is spread over the turns of the reactor."""

from __future__ import annotations

from collections import Counter

from twisted.internet.task import Clock


class TurnClock(Clock):
    """A clock that counts what is done in each turn: calls that are added in a turn are made in the next."""

    def __init__(self) -> None:
        super().__init__()
        self.work_by_turn: Counter[int] = Counter()
        self.turn = 0

    def note_work(self) -> None:
        self.work_by_turn[self.turn] += 1

    def run_turn(self) -> None:
        """Make the calls that are due now, as the reactor does between two reads."""
        self.turn += 1
        for call in [call for call in self.calls if call.getTime() <= self.rightNow]:
            if call in self.calls:
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
