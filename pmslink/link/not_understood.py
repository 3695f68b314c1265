"""What came from the PMS and was not understood: records with a problem, and bytes that are no record."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from pmslink.fias.framing import FRAME_LIMIT_BYTES, SkipReason

RECENT = timedelta(hours=24)
"""For how long something that was not understood needs attention."""
MAX_SEPARATOR_BYTES = 4
"""Bytes between two frames that are no loss: ACK, LRC and CR LF, which some systems send there."""

_SKIPPED_TEXTS: dict[SkipReason, str] = {
    "noise": "{size} bytes outside of records",
    "torn": "{size} bytes of a record that has no end",
    "overlong": f"{{size}} bytes: a record longer than {FRAME_LIMIT_BYTES // 1024} KiB",
}


@frozen
class NotUnderstood:
    """What was not understood since the service started, or in the last 24 h before its start."""

    records: int = 0
    bytes: int = 0
    last_at: datetime | None = None
    last: str | None = None
    """What the last one was, in English, without guest data."""

    def add_record(self, record_id: str, problem: str, at: datetime) -> NotUnderstood:
        """Count a record."""
        is_named = len(record_id) == 2 and record_id not in problem
        last = f"{record_id}: {problem}" if is_named else problem
        return NotUnderstood(self.records + 1, self.bytes, at, last)

    def add_skipped(self, kind: SkipReason, size: int, at: datetime) -> NotUnderstood:
        """Count skipped bytes."""
        return NotUnderstood(self.records, self.bytes + size, at, _SKIPPED_TEXTS[kind].format(size=size))

    def is_recent(self, now: datetime) -> bool:
        """Check whether the last one is recent enough to need attention."""
        return self.last_at is not None and now < self.last_at + RECENT


def is_separator(kind: SkipReason, size: int) -> bool:
    """Check whether skipped bytes are what some systems send between frames."""
    return kind == "noise" and size <= MAX_SEPARATOR_BYTES
