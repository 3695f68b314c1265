"""A timer that can be stopped and restarted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Countdown:
    """Call `callback` after a time, unless the countdown is stopped or restarted before."""

    def __init__(self, clock: IReactorTime, callback: Callable[..., None]) -> None:
        self._clock = clock
        self._callback = callback
        self._call: IDelayedCall | None = None

    @property
    def running(self) -> bool:
        """Whether the callback is still to be called."""
        return self._call is not None

    def start(self, seconds: float, *arguments: Any) -> None:
        """Call the callback with these arguments after `seconds`. A countdown that runs is restarted."""
        self.stop()
        self._call = self._clock.callLater(max(0.0, seconds), self._fire, *arguments)

    def stop(self) -> None:
        """Do not call the callback."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _fire(self, *arguments: Any) -> None:
        self._call = None
        self._callback(*arguments)
