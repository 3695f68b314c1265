"""What a link has been through, and what of that is kept: its markers, and since when it is down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from attrs import frozen

from pmslink.link.cause import Cause
from pmslink.link.machine import Marker
from pmslink.link.saved_state import Lasting
from pmslink.store.core.journal_interface import Keeper
from pmslink.store.tables.link_rows import KeptLink, keep_links
from pmslink.store.tables.log_entries import Changed, Synced, keep_syncs, keep_transitions


@frozen
class Transition:
    """A change of marker; the first after a start comes from None."""

    id: int
    at: datetime
    old: Marker | None
    new: Marker
    reason: str
    cause: Cause


class Chronicle:
    """Of one link; `kept` is what the store knows of it, None at first sight."""

    def __init__(
        self, link: str, keeper: Keeper, wall: Callable[[], datetime], kept: KeptLink | None
    ) -> None:
        self._link = link
        self._keeper = keeper
        self._wall = wall
        self.kept = kept
        """What of the link outlives a restart, as it was kept last."""
        self.marker: Marker | None = None
        """The marker that was told last."""
        self.since = wall()
        self.in_sync = False
        """As it was noted last."""
        self.down_since = Lasting.of(kept).down_since if kept else None
        """Since when the link is wanted and not in sync; kept over all redials, and restarts."""
        self.changes: Counter[tuple[Marker | None, Marker]] = Counter()
        """How often the marker changed, from and to."""

    def enter(self, marker: Marker, reason: str, cause: Cause) -> Transition:
        """The link has this marker now."""
        self.since = self._wall()
        old, self.marker = self.marker, marker
        self.changes[old, marker] += 1
        transition = Transition(self._keeper.number(), self.since, old, marker, reason, cause)
        why = json.dumps({"code": cause.code, "params": dict(cause.params)})
        self._keeper.append(
            keep_transitions, Changed(transition.id, self._link, self.since, old, marker, reason, why)
        )
        return transition

    def note(self, wanted: bool, in_sync: bool) -> None:
        """Whether the link is wanted now, and of use."""
        if in_sync != self.in_sync:
            self.in_sync = in_sync
            self._keeper.append(keep_syncs, Synced(self._keeper.number(), self._link, self._wall(), in_sync))
        if in_sync or not wanted:
            self.down_since = None
        elif self.down_since is None:
            self.down_since = self._wall()

    def keep(self, lasting: Lasting, definition: str | None) -> None:
        """Have what outlives a restart kept, if it is not."""
        kept = lasting.to_keep(self._link, definition)
        if kept != self.kept:
            self.kept = kept
            self._keeper.append(keep_links, kept)
