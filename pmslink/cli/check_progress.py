"""The progress of a check that takes long, as lines on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

REPORT_INTERVAL_S = 5.0
"""Seconds between two lines; a check that takes less prints none."""


def print_on_stderr(line: str) -> None:
    """Write a line to stderr, so that the result alone is on stdout."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class CheckProgress:
    """Print, every few seconds, what a check does and how far it is."""

    def __init__(
        self,
        print_line: Callable[[str], None] = print_on_stderr,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._print_line = print_line
        self._seconds = seconds
        self._started_at = self._reported_at = seconds()

    def report(self, activity: str, done: int | None = None, total: int | None = None) -> None:
        """Print what is being done, with the number of rows done of all, unless a line was printed lately."""
        now = self._seconds()
        if now - self._reported_at < REPORT_INTERVAL_S:
            return
        self._reported_at = now
        rows = "" if done is None else f": {done:,} of {total:,} rows"
        self._print_line(f"{activity}{rows} ({now - self._started_at:.0f} s)")
