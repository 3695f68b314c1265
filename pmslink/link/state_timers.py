"""The timers of a link's states, named as the settings that hold their seconds."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.config.link_settings import LinkSettings
from pmslink.link.machine import TimerName


class StateTimers:
    """Runs them until they are stopped all together (machine.Timers)."""

    def __init__(
        self,
        clock: IReactorTime,
        settings: Callable[[], LinkSettings],
        on_timeout: Callable[[TimerName, float], None],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._on_timeout = on_timeout
        self._running: dict[TimerName, IDelayedCall] = {}

    def start_timer(self, timer: TimerName) -> None:
        seconds: float = getattr(self._settings(), timer)
        self._running[timer] = self._clock.callLater(seconds, self._on_timeout, timer, seconds)

    def stop_timers(self) -> None:
        for call in self._running.values():
            if call.active():
                call.cancel()
        self._running.clear()
