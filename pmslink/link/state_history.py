"""The history of a link: its transitions, its changes of in-sync, and the current outage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from attrs import frozen

from pmslink.link.cause import Cause, is_failure
from pmslink.link.machine import Marker
from pmslink.link.saved_state import SavedState
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.tables.link_rows import StoredLink, store_links
from pmslink.store.tables.log_entries import (
    SyncChanged,
    TransitionLogged,
    append_sync_changes,
    append_transitions,
)


@frozen
class Transition:
    """A change of marker; the first after a start comes from None."""

    id: int
    at: datetime
    old: Marker | None
    new: Marker
    reason: str
    cause: Cause

    def describe(self) -> str:
        """Describe the change for the log, as in ``CLOSED to WAIT_LS: The service started``."""
        if self.old is None:
            return f"{self.new} ({self.reason})"
        return f"{self.old} to {self.new}: {self.reason}"


class StateHistory:
    """The history of one link. `stored` is its row in the store; None for a new link."""

    def __init__(
        self, link: str, journal: JournalPort, wall_clock: Callable[[], datetime], stored: StoredLink | None
    ) -> None:
        self._link = link
        self._journal = journal
        self._wall_clock = wall_clock
        self.stored = stored
        """The row of the link as it was stored last."""
        self.marker: Marker | None = None
        """The marker that was announced last."""
        self.since = wall_clock()
        self.in_sync = False
        """The value of in-sync that was stored last."""
        self.down_since = SavedState.from_row(stored).down_since if stored else None
        """Start of the current outage: enabled, and not in sync. Redials and restarts do not reset it."""
        self.failure: Cause | None = None
        """What the last attempt of the current outage failed at; None if nothing has failed in this run."""
        self.transition_counts: Counter[tuple[Marker | None, Marker]] = Counter()
        """Changes of the marker, by old and new one."""

    def add_transition(self, marker: Marker, reason: str, cause: Cause) -> Transition:
        """Store a change of the marker, and return it."""
        self.since = self._wall_clock()
        if is_failure(cause):
            self.failure = cause
        old, self.marker = self.marker, marker
        self.transition_counts[old, marker] += 1
        transition = Transition(self._journal.next_seq(), self.since, old, marker, reason, cause)
        cause_json = json.dumps({"code": cause.code, "params": dict(cause.params)})
        self._journal.submit_nowait(
            append_transitions,
            TransitionLogged(transition.id, self._link, self.since, old, marker, reason, cause_json),
        )
        return transition

    def update_availability(self, enabled: bool, in_sync: bool) -> None:
        """Store a change of in-sync, and begin or end an outage."""
        if in_sync != self.in_sync:
            self.in_sync = in_sync
            self._journal.submit_nowait(
                append_sync_changes,
                SyncChanged(self._journal.next_seq(), self._link, self._wall_clock(), in_sync),
            )
        if in_sync or not enabled:
            self.down_since = self.failure = None
        elif self.down_since is None:
            self.down_since = self._wall_clock()

    def save(self, saved_state: SavedState, definition: str | None) -> None:
        """Store the state that outlives a restart, if it has changed."""
        row = saved_state.to_row(self._link, definition)
        if row != self.stored:
            self.stored = row
            self._journal.submit_nowait(store_links, row)
