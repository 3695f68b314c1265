"""Link checks: send LS at an interval, and wait for the answer to each until a deadline.

With `alive_by = "LA"` the check is a heartbeat without an answer, and with "nothing" there is none: for PMSs
that never answer LS. Such a link counts as alive while it is connected.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig
from pmslink.config.link_settings import LinkSettings
from pmslink.link.deadline import Deadline
from pmslink.link.status import LinkCheckStatus

EARLY_CHECKS_PER_INTERVAL = 10
"""Link checks in an interval, at most, that are sent early to confirm rows."""
PROFILES_WITH_RARE_CHECKS = ("opera", "suite8")
"""Profiles of systems whose maker asks for at most one link check in an interval."""


def min_early_check_interval(config: LinkConfig) -> float:
    """Return the shortest time in seconds between two link checks that are sent early."""
    is_rare = config.profile in PROFILES_WITH_RARE_CHECKS
    return config.settings.alive_interval / (1 if is_rare else EARLY_CHECKS_PER_INTERVAL)


class LinkCheckTarget(Protocol):
    """The session whose link is checked."""

    def settings(self) -> LinkSettings:
        """Return the current settings."""

    def send_link_check(self) -> None:
        """Send LS."""

    def send_heartbeat(self) -> None:
        """Send LA."""

    def is_exchange_open(self) -> bool:
        """Whether an exchange of link records is open, in which no check may be sent."""

    def reading_paused(self) -> bool:
        """Whether reading is paused, so that no answer can be received."""

    def is_receiving_resync(self) -> bool:
        """Whether a resync is arriving, which proves the link alive. Nothing is sent during a resync."""

    def check_answered(self) -> None:
        """Handle the answer to a check."""

    def check_overdue(self) -> None:
        """Handle an answer that did not come in time."""

    def check_failed(self, failure: Failure) -> None:
        """Handle an error in the check itself, after which no other check runs."""


class LinkChecks:
    """The link checks of one link. While one check is unanswered, no other is sent."""

    def __init__(
        self, clock: IReactorTime, wall_clock: Callable[[], datetime], target: LinkCheckTarget
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._target = target
        self._first_check: IDelayedCall | None = None
        self._loop: LoopingCall | None = None
        self._deadline = Deadline(clock, self._on_overdue)  # of the unanswered check
        self._sent_at = 0.0
        self.last_check: datetime | None = None
        self.last_answer: datetime | None = None
        self.round_trip_s: float | None = None
        """Seconds from the last check to its answer."""

    def status(self, last_received: datetime | None) -> LinkCheckStatus:
        """Take a snapshot; `last_received` is the time of the last record of any type."""
        return LinkCheckStatus(self.last_check, self.last_answer, self.round_trip_s, last_received)

    def start(self) -> None:
        """Start the checks. The first one follows after 50 to 100 % of an interval, to spread many links."""
        interval = self._target.settings().alive_interval
        self._first_check = self._clock.callLater(random.uniform(0.5, 1) * interval, self._start_loop)  # noqa: S311

    def stop(self) -> None:
        """Stop the checks, and drop the deadline of one that is unanswered."""
        if self._first_check is not None and self._first_check.active():
            self._first_check.cancel()
        self._deadline.stop()
        if self._loop is not None and self._loop.running:
            self._loop.stop()
        self._first_check = self._loop = None

    def on_peer_alive(self) -> None:
        """Take a record as the answer to the unanswered check, if there is one."""
        if not self._deadline.running:
            return
        self._deadline.stop()
        self.last_answer = self._wall_clock()
        self.round_trip_s = self._clock.seconds() - self._sent_at
        self._target.check_answered()

    def check_now(self) -> None:
        """Send a check now, unless one is unanswered, the checks are stopped, or no LS is to be sent."""
        if self._first_check is not None and self._target.settings().alive_by == "LS":
            self._send_check()

    def _start_loop(self) -> None:
        self._loop = LoopingCall(self._send_check)
        self._loop.clock = self._clock
        # A check that raises ends the LoopingCall for good; only this Deferred reports it.
        self._loop.start(self._target.settings().alive_interval).addErrback(self._target.check_failed)

    def _send_check(self) -> None:
        settings = self._target.settings()
        if self._loop is not None:
            self._loop.interval = settings.alive_interval
        is_held = self._target.is_exchange_open() or self._target.is_receiving_resync()
        if self._deadline.running or is_held or settings.alive_by == "nothing":
            return
        self._sent_at = self._clock.seconds()
        self.last_check = self._wall_clock()
        if settings.alive_by == "LA":
            self._target.send_heartbeat()
            return
        self._deadline.start(settings.alive_timeout)
        self._target.send_link_check()

    def on_reading_resumed(self) -> None:
        """Begin the time of an unanswered check again: during a pause of reading no answer could arrive."""
        if self._deadline.running:
            self._deadline.start(self._target.settings().alive_timeout)

    def _on_overdue(self) -> None:
        if self._target.reading_paused():
            self._deadline.start(self._target.settings().alive_timeout)
            return
        self._target.check_overdue()
