"""The timers of a link's states, named like the settings that hold their seconds."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_settings import LinkSettings
from pmslink.link.deadline import Deadline
from pmslink.link.machine import TimerName

_SECONDS: dict[TimerName, Callable[[LinkSettings], float]] = {
    "start_timeout": lambda settings: settings.start_timeout,
    "listen_time": lambda settings: settings.listen_time,
    "end_timeout": lambda settings: settings.end_timeout,
}


class StateTimers:
    """Run the timers of the current state (implements machine.Timers)."""

    def __init__(
        self,
        clock: IReactorTime,
        settings: Callable[[], LinkSettings],
        on_timeout: Callable[[TimerName, float], None],
    ) -> None:
        self._settings = settings
        self._deadlines = {timer: Deadline(clock, on_timeout) for timer in _SECONDS}

    def start_timer(self, timer: TimerName) -> None:
        """Start a timer. `on_timeout` gets its name and its seconds."""
        seconds = _SECONDS[timer](self._settings())
        self._deadlines[timer].start(seconds, timer, seconds)

    def stop_timers(self) -> None:
        """Stop all timers."""
        for deadline in self._deadlines.values():
            deadline.stop()
