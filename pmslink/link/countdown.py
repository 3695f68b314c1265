"""One timer that runs at most once at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Countdown:
    """Calls `then` when its time is up, unless it is stopped or started anew before."""

    def __init__(self, clock: IReactorTime, callback: Callable[..., None]) -> None:
        self._clock = clock
        self._callback = callback
        self._call: IDelayedCall | None = None

    @property
    def running(self) -> bool:
        return self._call is not None

    def start(self, seconds: float, *arguments: Any) -> None:
        """From now on; what it counted before is forgotten."""
        self.stop()
        self._call = self._clock.callLater(max(0.0, seconds), self._fire, *arguments)

    def stop(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _fire(self, *arguments: Any) -> None:
        self._call = None
        self._callback(*arguments)
