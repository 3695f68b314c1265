"""The budget of a link: how much record text it may store in a day, so that one PMS cannot fill the disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from pmslink.config.link_settings import LinkSettings

ROW_BYTES = 160
"""Bytes that a stored record takes in the database beside its text."""
_BYTES_PER_MB = 1 << 20


class RecordBudget:
    """Count what one link stores in the hotel's day, since the service started.

    A restart begins anew: the budget bounds what a PMS can cause, and a PMS cannot restart the service.
    """

    def __init__(self, settings: Callable[[], LinkSettings]) -> None:
        self._settings = settings
        self._used_bytes = 0
        self._day_begin = self._day_end = datetime.min.replace(tzinfo=UTC)
        self._exceeded_mb: int | None = None  # the budget that was exceeded on this day
        self.on_exceeded: Callable[[int], None] = lambda megabytes: None
        """Called for each record whose text is not stored, with the budget in MiB."""
        self.on_renewed: Callable[[], None] = lambda: None
        """Called when the budget was exceeded, and a new day has begun."""

    def begin_day(self, now: datetime) -> None:
        """Start to count anew if another day of the hotel has begun."""
        if self._day_begin <= now < self._day_end:
            return
        local = now.astimezone(self._settings().zone)
        midnight = datetime.combine(local.date(), time(), local.tzinfo)
        self._day_begin = midnight.astimezone(UTC)
        self._day_end = (midnight + timedelta(days=1)).astimezone(UTC)
        self._used_bytes = 0
        if self._exceeded_mb is not None:
            self._exceeded_mb = None
            self.on_renewed()

    def take(self, text: str) -> bool:
        """Count a record, and return whether its text may be stored.

        After the first one that may not, none is stored until the day ends or the setting changes.
        """
        megabytes = self._settings().store_budget_mb
        used = self._used_bytes + len(text.encode()) + ROW_BYTES
        if self._exceeded_mb != megabytes and used <= megabytes * _BYTES_PER_MB:
            self._used_bytes, self._exceeded_mb = used, None
            return True
        self._exceeded_mb = megabytes
        self.on_exceeded(megabytes)
        return False
