"""The scheduler of acts: sends the records of one act, with pauses, and knows which rooms they are about.

Within two seconds, the order of records about one room means nothing to a PBX. So two acts about one room
must be further apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

ACT_WINDOW_S = 3.0
"""Time after the last record of an act in which no other act should be about the same rooms."""
MAX_WAITING_ACTS = 100
"""Acts whose records are being sent; further ones are sent without pauses."""

Step = tuple[float, Callable[[], object]]
"""A pause in seconds, and what is done after it."""


class ActScheduler:
    """Runs the steps of acts."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: set[IDelayedCall] = set()
        self._busy_until: dict[str, float] = {}

    def run(self, steps: Iterable[Step], rooms: Iterable[str]) -> None:
        """Run the steps of an act about these rooms: at once, up to the first pause, then later."""
        waiting = deque(steps)
        total = sum(pause for pause, _ in waiting)
        self.mark_busy(rooms, total)
        self._run_due(waiting)

    def mark_busy(self, rooms: Iterable[str], seconds: float = 0.0) -> None:
        """Note that an act is about these rooms, which takes some seconds."""
        now = self._clock.seconds()
        if len(self._busy_until) > 100:
            self._busy_until = {room: until for room, until in self._busy_until.items() if until > now}
        self._busy_until.update(dict.fromkeys(rooms, now + seconds + ACT_WINDOW_S))

    def is_busy(self, room: str) -> bool:
        """Return whether an act is about the room, or was until just now."""
        return self._busy_until.get(room, 0.0) > self._clock.seconds()

    def stop(self) -> None:
        """Drop all steps that have not been run."""
        for call in self._calls:
            call.cancel()
        self._calls.clear()

    def _run_due(self, waiting: deque[Step]) -> None:
        while waiting:
            pause, step = waiting[0]
            if pause and len(self._calls) < MAX_WAITING_ACTS:
                waiting[0] = (0.0, step)
                self._schedule(pause, waiting)
                return
            waiting.popleft()
            step()

    def _schedule(self, pause: float, waiting: deque[Step]) -> None:
        def run() -> None:
            self._calls.discard(call)
            self._run_due(waiting)

        call = self._clock.callLater(pause, run)
        self._calls.add(call)
