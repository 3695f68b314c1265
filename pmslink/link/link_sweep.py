"""A regular look at every link: each second at those that received something, and at a part of the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from pmslink.link.link import Link
from pmslink.link.turn_queue import Pace

SWEEP_INTERVAL_S = 1.0
"""Seconds between two parts of a sweep."""
MAX_SWEEP_S = 20.0
"""Seconds in which every link is visited, however many there are.

A subscription that ends must be noticed within 30 seconds.
"""
LINKS_PER_PART = 250
"""Links in one part of a sweep; with up to so many, every link is visited each `SWEEP_INTERVAL_S`."""


class LinkSweep:
    """Visit links, to publish what has changed without a change of their state.

    Records that are not understood, and other findings, change a link that receives something. With the time
    of day, subscriptions end, or a corrected clock undoes their end, and the attention of a link changes.
    `pace` spreads the visits.
    """

    def __init__(self, links: Callable[[], Iterable[Link]], pace: Pace) -> None:
        self._links = links
        self._pace = pace
        self._active: set[Link] = set()
        self._rest: Iterator[Link] = iter(())
        self._part_size = 0

    def note_input(self, link: Link) -> None:
        """Note that a link received something: the next part includes it."""
        self._active.add(link)

    def visit_next_part(self) -> None:
        """Visit the links that received something, and the next others, or the first ones of a new sweep."""
        part = dict.fromkeys(islice(self._rest, self._part_size)) or self._begin()
        active, self._active = self._active, set()
        for link in part | dict.fromkeys(active):
            self._pace(partial(self._visit, link))

    def _visit(self, link: Link) -> None:
        if link.is_running:  # not removed since the sweep began
            link.check_expiry()
            link.refresh()

    def _begin(self) -> dict[Link, None]:
        links = [*self._links()]
        self._part_size = max(LINKS_PER_PART, math.ceil(len(links) * SWEEP_INTERVAL_S / MAX_SWEEP_S))
        self._rest = iter(links)
        return dict.fromkeys(islice(self._rest, self._part_size))
