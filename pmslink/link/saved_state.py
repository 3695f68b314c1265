"""The state of a link that outlives a restart: intent, outage, and resync."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pmslink.link.machine import Intent, Marker
from pmslink.link.resync import Progress
from pmslink.store.tables.link_rows import StoredLink
from pmslink.timestamps import from_ms, optional_from_ms, optional_to_ms, to_ms

INITIAL_MARKERS: dict[Intent, Marker] = {
    "enabled": "CLOSED",
    "disabled": "DISABLED",
    "expired": "EXPIRED",
    "disconnected": "CLOSED",
}
"""The state in which a link with this intent starts."""


@frozen
class Creation:
    """When a link was created over the API, and by which token; None without one."""

    by: str | None
    at: datetime


@frozen
class SavedState:
    """The state as the link uses it.

    `expiry_seen` is the `expires_at` that the link has acted on, `intent_before` its intent before that.
    `made` is None for a link of the configuration file, or of a release that did not store it.
    """

    intent: Intent
    expiry_seen: datetime | None = None
    down_since: datetime | None = None
    last_in_sync: datetime | None = None
    resync: Progress = field(factory=Progress)
    intent_before: Intent | None = None
    made: Creation | None = None

    @classmethod
    def restore(cls, row: StoredLink | None, enabled: bool) -> SavedState:
        """Make the state of a link at the start of the service; `enabled` is the intent of a new link."""
        return cls("enabled" if enabled else "disabled") if row is None else cls.from_row(row)

    @classmethod
    def from_row(cls, row: StoredLink) -> SavedState:
        """Make the state from its row in the store."""
        return cls(
            row.intent,
            optional_from_ms(row.expiry_seen),
            optional_from_ms(row.down_since),
            optional_from_ms(row.last_in_sync),
            Progress(
                bool(row.resync_wanted),
                optional_from_ms(row.resync_asked),
                optional_from_ms(row.resync_started),
                optional_from_ms(row.resync_ended),
                row.resync_records,
            ),
            row.intent_before,
            None if row.made_at is None else Creation(row.made_by, from_ms(row.made_at)),
        )

    def to_row(self, name: str, definition: str | None) -> StoredLink:
        """Make the row for the store."""
        return StoredLink(
            name,
            definition,
            self.intent,
            optional_to_ms(self.expiry_seen),
            optional_to_ms(self.down_since),
            optional_to_ms(self.last_in_sync),
            self.resync.wanted,
            optional_to_ms(self.resync.asked),
            optional_to_ms(self.resync.started),
            optional_to_ms(self.resync.ended),
            self.resync.records,
            self.intent_before,
            None if self.made is None else self.made.by,
            None if self.made is None else to_ms(self.made.at),
        )
