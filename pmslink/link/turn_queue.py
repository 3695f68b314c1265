"""A queue of short calls that are spread over the turns of the reactor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

LONG_TURN_S = 0.06
"""Seconds after which a turn of the reactor is long: a request over HTTP takes two or three turns."""
MIN_CALLS_PER_S = 150
"""Calls per second that a queue makes at least, however long the turns are."""

Pace = Callable[[Callable[[], object]], None]
"""Makes a call now, or in a later turn of the reactor if many are due."""


def make_call_now(call: Callable[[], object]) -> None:
    """Make a call at once (a `Pace` that spreads nothing)."""
    call()


class TurnQueue:
    """Make calls in order, at most `calls_per_turn` of them in one turn of the reactor.

    Between two turns the reactor reads and writes, so that work for thousands of links holds up neither
    the other links nor the API. A call is made at once if this turn has room for it. One that raises is
    logged, and affects neither the calls after it nor the caller of `add`.

    If `has_consequences`, a call causes work in later turns, as a dial does. Then fewer are made while the
    turns are long, down to MIN_CALLS_PER_S.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, calls_per_turn: int, has_consequences: bool = False) -> None:
        self._clock = clock
        self._calls_per_turn = calls_per_turn
        self._has_consequences = has_consequences
        self._limit = calls_per_turn  # calls in one turn, while the turns are as long as they are
        self._turn_began = 0.0
        self._room = calls_per_turn  # calls that may still be made in this turn
        self._waiting: deque[Callable[[], object]] = deque()
        self._next_turn: IDelayedCall | None = None

    def add(self, call: Callable[[], object]) -> None:
        """Make this call after those that were added before."""
        if self._waiting or not self._room:
            self._waiting.append(call)
        else:
            self._make(call)

    def clear(self) -> None:
        """Drop the calls that have not been made."""
        self._waiting.clear()

    def _make(self, call: Callable[[], object]) -> None:
        if self._next_turn is None:
            self._turn_began = self._clock.seconds()
            self._next_turn = self._clock.callLater(0, self._on_turn)
        self._room -= 1
        try:
            call()
        except Exception:  # it may concern one link only
            self.log.failure("A queued call failed; the others go on")

    def _on_turn(self) -> None:
        self._next_turn = None
        if self._has_consequences:
            self._adapt(self._clock.seconds() - self._turn_began)
        self._room = self._limit
        while self._waiting and self._room:
            self._make(self._waiting.popleft())

    def _adapt(self, turn_s: float) -> None:
        """Halve the number of calls after a long turn, and add one after any other."""
        calls = self._limit // 2 if turn_s > LONG_TURN_S else self._limit + 1
        least = max(1, round(turn_s * MIN_CALLS_PER_S))
        self._limit = min(max(calls, least), self._calls_per_turn)
