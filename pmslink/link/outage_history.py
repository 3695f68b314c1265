"""Outages: losses of sync that nobody on this side requested."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pmslink.link.cause import CauseCode


@frozen
class Outages:
    """The latest outages of a link."""

    last_hour: int = 0
    """Outages that began within the last hour."""
    last_at: datetime | None = None
    """When the last one began; None if none is known."""
    last_seconds: float | None = None
    """How long the last one took; None while it lasts."""
    last_cause: CauseCode | None = None
