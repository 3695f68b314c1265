"""What came from the PMS and was not understood: records with a problem, and bytes that are no record."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen
class NotUnderstood:
    """What was not understood since the service started, or in the last 24 h before its start."""

    records: int = 0
    bytes: int = 0
    last_at: datetime | None = None
    last: str | None = None
    """What the last one was, in English, without guest data."""
