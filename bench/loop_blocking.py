"""The blocking of Twisted's event loop: its longest turn, and how late a timer of 1 ms fires."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet import reactor as global_reactor

PROBE_INTERVAL_S = 0.001

reactor: Any = global_reactor


@define
class LoopBlocking:
    """The longest turn of the event loop, and the greatest lateness of the timer, since `start`."""

    longest_turn_s: float = 0.0
    max_lateness_s: float = 0.0
    _woken_at: float = field(factory=time.monotonic)
    _timer: Any = None

    def start(self) -> Callable[[], None]:
        """Start observing; return the function that stops it."""
        poller = reactor._poller
        reactor._poller = _ObservedPoller(poller, self)
        self._probe(None)

        def stop() -> None:
            reactor._poller = poller
            self._timer.cancel()

        return stop

    def on_wait(self) -> None:
        """Record the end of a turn: the loop waits for events."""
        self.longest_turn_s = max(self.longest_turn_s, time.monotonic() - self._woken_at)

    def on_wake(self) -> None:
        """Record the start of a turn."""
        self._woken_at = time.monotonic()

    def _probe(self, due_at: float | None) -> None:
        now = time.monotonic()
        if due_at is not None:
            self.max_lateness_s = max(self.max_lateness_s, now - due_at)
        self._timer = reactor.callLater(PROBE_INTERVAL_S, self._probe, now + PROBE_INTERVAL_S)


class _ObservedPoller:
    """A poll object that reports when the loop waits and wakes."""

    def __init__(self, poller: Any, blocking: LoopBlocking) -> None:
        self._poller = poller
        self._blocking = blocking

    def poll(self, *arguments: Any) -> Any:
        self._blocking.on_wait()
        try:
            return self._poller.poll(*arguments)
        finally:
            self._blocking.on_wake()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)
