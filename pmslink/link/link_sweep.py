"""A regular look at every link, a part of them each second."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from pmslink.link.link import Link

SWEEP_INTERVAL_S = 1.0
"""Seconds between two parts of a sweep."""
MAX_SWEEP_S = 20.0
"""Seconds in which every link is visited, however many there are.

A subscription that ends must be noticed within 30 seconds.
"""
LINKS_PER_PART = 250
"""Links in one part of a sweep; with up to so many, every link is visited each `SWEEP_INTERVAL_S`."""


class LinkSweep:
    """Visit every link in turn, for what changes with the time of day only.

    These are subscriptions that have ended, or whose end a corrected clock undoes, and the attention of a
    link.
    """

    def __init__(self, links: Callable[[], Iterable[Link]]) -> None:
        self._links = links
        self._rest: Iterator[Link] = iter(())
        self._part_size = 0

    def visit_next_part(self) -> None:
        """Visit the next links, or the first ones of a new sweep."""
        part = list(islice(self._rest, self._part_size)) or self._begin()
        for link in part:
            if link.is_running:  # not removed since the sweep began
                link.check_expiry()
                link.refresh()

    def _begin(self) -> list[Link]:
        links = [*self._links()]
        self._part_size = max(LINKS_PER_PART, math.ceil(len(links) * SWEEP_INTERVAL_S / MAX_SWEEP_S))
        self._rest = iter(links)
        return list(islice(self._rest, self._part_size))
