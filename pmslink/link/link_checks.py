"""Link checks: LS at an interval, and a deadline for the answer to each."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from pmslink.config.link_settings import LinkSettings


class LinkCheckTarget(Protocol):
    """Whose link is checked."""

    def settings(self) -> LinkSettings:
        """The settings now."""

    def send_link_check(self) -> None:
        """Send LS."""

    def reading_paused(self) -> bool:
        """Nothing is read at the moment, so no answer can be heard."""

    def is_receiving_resync(self) -> bool:
        """A resync is streaming in: that is sign of life enough, and nothing is sent into it."""

    def check_overdue(self) -> None:
        """The answer did not come in time."""

    def check_failed(self, failure: Failure) -> None:
        """The check itself could not run; there will be no other."""


class LinkChecks:
    """Runs from `start` to `stop`; while one check is unanswered no other is sent."""

    def __init__(
        self, clock: IReactorTime, wall_clock: Callable[[], datetime], target: LinkCheckTarget
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._target = target
        self._first_check: IDelayedCall | None = None
        self._loop: LoopingCall | None = None
        self._deadline: IDelayedCall | None = None
        self._sent_at = 0.0
        self.last_check: datetime | None = None
        self.last_answer: datetime | None = None
        self.round_trip: float | None = None
        """Seconds from the last check to its answer."""

    def start(self) -> None:
        """The first check comes after half to a whole interval, so that many links do not beat as one."""
        interval = self._target.settings().alive_interval
        self._first_check = self._clock.callLater(random.uniform(0.5, 1) * interval, self._start_loop)  # noqa: S311

    def stop(self) -> None:
        """End the checks, the pending one too."""
        for call in (self._first_check, self._deadline):
            if call is not None and call.active():
                call.cancel()
        if self._loop is not None and self._loop.running:
            self._loop.stop()
        self._first_check = self._loop = self._deadline = None

    def on_peer_alive(self) -> None:
        """Something came that proves the link alive."""
        if self._deadline is None:
            return
        self._deadline.cancel()
        self._deadline = None
        self.last_answer = self._wall_clock()
        self.round_trip = self._clock.seconds() - self._sent_at

    def check_now(self) -> None:
        """Do not wait for the next check, unless one is unanswered."""
        if self._first_check is not None:
            self._send_check()

    def _start_loop(self) -> None:
        self._loop = LoopingCall(self._send_check)
        self._loop.clock = self._clock
        # A beat that raises ends a LoopingCall for good, and only this Deferred knows.
        self._loop.start(self._target.settings().alive_interval).addErrback(self._target.check_failed)

    def _send_check(self) -> None:
        settings = self._target.settings()
        if self._loop is not None:
            self._loop.interval = settings.alive_interval
        if self._deadline is not None or self._target.is_receiving_resync():
            return
        self._sent_at = self._clock.seconds()
        self.last_check = self._wall_clock()
        self._deadline = self._clock.callLater(settings.alive_timeout, self._on_overdue)
        self._target.send_link_check()

    def _on_overdue(self) -> None:
        if self._target.reading_paused():
            self._deadline = self._clock.callLater(self._target.settings().alive_timeout, self._on_overdue)
            return
        self._deadline = None
        self._target.check_overdue()
