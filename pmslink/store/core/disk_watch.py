"""An alarm for a disk that does not respond."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

CHECK_INTERVAL_S = 1.0
SILENT_CHECKS_LIMIT = 5
"""Consecutive checks without progress after which the disk counts as silent."""


class DiskWatch:
    """Calls `on_silent` when a commit makes no progress for SILENT_CHECKS_LIMIT checks.

    `progress` returns a number that grows while the writer's thread works. A commit may take long, and a busy
    reactor may check late: neither is a silent disk. However late a check is, it counts as one.
    """

    def __init__(
        self, clock: IReactorTime, progress: Callable[[], int], on_silent: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._progress = progress
        self._on_silent = on_silent
        self._last_progress = 0
        self._silent_checks = 0
        self._next_check: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to watch, at the begin of a commit."""
        self._silent_checks, self._last_progress = 0, self._progress()
        self._next_check = self._clock.callLater(CHECK_INTERVAL_S, self._check)

    def stop(self) -> None:
        """Stop watching, at the end of the commit."""
        if self._next_check is not None:
            self._next_check.cancel()
            self._next_check = None

    def _check(self) -> None:
        progress = self._progress()
        self._silent_checks = self._silent_checks + 1 if progress == self._last_progress else 0
        self._last_progress = progress
        self._next_check = self._clock.callLater(CHECK_INTERVAL_S, self._check)
        if self._silent_checks == SILENT_CHECKS_LIMIT:
            self._on_silent()
