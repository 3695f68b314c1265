"""The reconnect back-off: how long to wait before each redial."""

from __future__ import annotations

import random

GROWTH_FACTOR = 1.7
"""Factor by which each delay exceeds the one before, up to the maximum."""
JITTER_RATIO = 0.1
"""Share by which a delay varies at random, so that many links do not redial at the same moment."""


class Backoff:
    """Compute the redial delays of one link. All times are in seconds."""

    def __init__(self, initial_s: float) -> None:
        self._base_s = initial_s

    def reset(self, initial_s: float) -> None:
        """Start again with the shortest delay."""
        self._base_s = initial_s

    def next_delay(self, max_s: float) -> float:
        """Return the next delay and grow the one after it. No delay exceeds `max_s`, its jitter included."""
        longest = max_s / (1 + JITTER_RATIO)
        base = min(self._base_s, longest)
        self._base_s = min(base * GROWTH_FACTOR, longest)
        return base * random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311
