"""Long work in the reactor's thread, in slices of bounded length."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IDelayedCall, IReactorTime

TURN_LIMIT_S = 0.02
"""Seconds of work in one turn of the reactor; a slice ends with the step that passes it."""


class TurnSlices:
    """Runs the steps of one iterator at a time, as many in each turn as TURN_LIMIT_S allows."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._steps: Iterator[None] = iter(())
        self._on_done: Callable[[], None] = lambda: None
        self._next_slice: IDelayedCall | None = None
        self.is_running = False
        """Whether steps remain, or one of them is running."""

    def run(self, steps: Iterator[None], on_done: Callable[[], None]) -> None:
        """Begin with the steps at once, and call `on_done` after the last one."""
        self._steps, self._on_done = steps, on_done
        self.is_running = True
        self._run_slice()

    def _run_slice(self) -> None:
        self._next_slice = None
        limit = self._clock.seconds() + TURN_LIMIT_S
        for _ in self._steps:
            if self._clock.seconds() >= limit:
                self._next_slice = self._clock.callLater(0, self._run_slice)
                return
        self.is_running = False
        self._on_done()

    def finish(self) -> None:
        """Run all remaining steps in this turn."""
        if self._next_slice is not None:
            self._next_slice.cancel()
            self._next_slice = None
            for _ in self._steps:
                pass
            self.is_running = False
            self._on_done()
