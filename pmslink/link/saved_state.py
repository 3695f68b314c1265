"""What of a link outlives a restart: what is wanted of it, since when it is down, and its resync."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pmslink.link.machine import Intent, Marker
from pmslink.link.resync import Progress
from pmslink.store.tables.link_rows import KeptLink
from pmslink.timestamps import perhaps_from_ms, perhaps_to_ms

AT_START: dict[Intent, Marker] = {
    "enabled": "CLOSED",
    "disabled": "DISABLED",
    "expired": "EXPIRED",
    "disconnected": "CLOSED",
}
"""The state in which a link of this intent begins."""


@frozen
class Lasting:
    """It, as the link has it. `expiry_seen` is the expires_at whose passing was seen."""

    intent: Intent
    expiry_seen: datetime | None = None
    down_since: datetime | None = None
    last_in_sync: datetime | None = None
    resync: Progress = field(factory=Progress)

    @classmethod
    def of(cls, kept: KeptLink) -> Lasting:
        """From the store."""
        return cls(
            kept.intent,
            perhaps_from_ms(kept.expiry_seen),
            perhaps_from_ms(kept.down_since),
            perhaps_from_ms(kept.last_in_sync),
            Progress(
                bool(kept.resync_wanted),
                perhaps_from_ms(kept.resync_asked),
                perhaps_from_ms(kept.resync_started),
                perhaps_from_ms(kept.resync_ended),
                kept.resync_records,
            ),
        )

    def to_keep(self, name: str, definition: str | None) -> KeptLink:
        """For the store."""
        return KeptLink(
            name,
            definition,
            self.intent,
            perhaps_to_ms(self.expiry_seen),
            perhaps_to_ms(self.down_since),
            perhaps_to_ms(self.last_in_sync),
            self.resync.wanted,
            perhaps_to_ms(self.resync.asked),
            perhaps_to_ms(self.resync.started),
            perhaps_to_ms(self.resync.ended),
            self.resync.records,
        )
