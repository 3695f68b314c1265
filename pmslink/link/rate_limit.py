"""A limit of how often something happens: so many at once, and so many a second in the long run."""

from __future__ import annotations

from collections.abc import Callable


class RateLimit:
    """Count calls, and say how long the next one has to wait. It takes constant time and memory."""

    def __init__(self, seconds: Callable[[], float], burst: int, per_second: float) -> None:
        self._seconds = seconds
        self._interval_s = 1 / per_second
        self._tolerance_s = (burst - 1) * self._interval_s
        self._next_due_at = float("-inf")  # when the next call is due, had all come evenly

    def count(self) -> None:
        """Count a call that is made now."""
        self._next_due_at = max(self._next_due_at, self._seconds()) + self._interval_s

    def wait(self) -> float:
        """Return the seconds until the next call is within the limit; 0 if it is now."""
        return max(0.0, self._next_due_at - self._tolerance_s - self._seconds())
