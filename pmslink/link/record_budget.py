"""The budget of a link: how much record text it may store in a day, so that one PMS cannot fill the disk.

Once the disk is nearly full, the budget is LOW_SPACE_BUDGET_MB until the day ends: the rest of it is for
what has to be stored. Short records that the store reads again have a reserve as large as the budget.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from pmslink.config.link_settings import LinkSettings

ROW_BYTES = 160
"""Bytes that a stored record takes in the database beside its text."""
LOW_SPACE_BUDGET_MB = 1
"""The budget in MiB while the disk is nearly full."""
MAX_RESERVE_TEXT_BYTES = 512
"""Bytes of the longest text that the reserve is for."""
_BYTES_PER_MB = 1 << 20


class RecordBudget:
    """Count what one link stores in the hotel's day, since the service started.

    A restart begins anew: the budget bounds what a PMS can cause, and a PMS cannot restart the service.
    """

    def __init__(
        self, settings: Callable[[], LinkSettings], is_space_low: Callable[[], bool] = lambda: False
    ) -> None:
        self._settings = settings
        self._is_space_low = is_space_low
        self._used_bytes = self._used_reserve_bytes = 0
        self._was_space_low = False  # on this day
        self._day_begin = self._day_end = datetime.min.replace(tzinfo=UTC)
        self._exceeded_mb: int | None = None  # the budget that was exceeded on this day
        self.on_exceeded: Callable[[int, bool], None] = lambda megabytes, is_space_low: None
        """Called for each record over the budget: the budget in MiB, and if it is the disk's."""
        self.on_renewed: Callable[[], None] = lambda: None
        """Called when all text is stored again."""

    def begin_day(self, now: datetime) -> None:
        """Start to count anew if another day of the hotel has begun."""
        if self._day_begin <= now < self._day_end:
            return
        local = now.astimezone(self._settings().zone)
        midnight = datetime.combine(local.date(), time(), local.tzinfo)
        self._day_begin = midnight.astimezone(UTC)
        self._day_end = (midnight + timedelta(days=1)).astimezone(UTC)
        self._used_bytes = self._used_reserve_bytes = 0
        self._was_space_low = False
        self._renew()

    def take(self, text: str, is_read_again: bool = False) -> bool:
        """Count a record, and return whether its text may be stored.

        After the first one over the budget, none is stored until the day ends or the budget changes, apart
        from short ones that the store reads again, while their reserve lasts.
        """
        text_bytes = len(text.encode())
        used = self._used_bytes + text_bytes + ROW_BYTES
        megabytes, is_limited_by_disk = self._current_mb(used)
        if self._exceeded_mb != megabytes and used <= megabytes * _BYTES_PER_MB:
            self._used_bytes = used
            self._renew()
            return True
        self._exceeded_mb = megabytes
        self.on_exceeded(megabytes, is_limited_by_disk)
        return is_read_again and self._take_from_reserve(text_bytes, megabytes)

    def _take_from_reserve(self, text_bytes: int, megabytes: int) -> bool:
        used = self._used_reserve_bytes + text_bytes + ROW_BYTES
        if text_bytes > MAX_RESERVE_TEXT_BYTES or used > megabytes * _BYTES_PER_MB:
            return False
        self._used_reserve_bytes = used
        return True

    def _current_mb(self, used: int) -> tuple[int, bool]:
        """Return the budget in MiB, and whether it is that of a disk that is nearly full."""
        megabytes = self._settings().store_budget_mb
        if megabytes <= LOW_SPACE_BUDGET_MB:
            return megabytes, False
        if used > LOW_SPACE_BUDGET_MB * _BYTES_PER_MB and not self._was_space_low:
            self._was_space_low = self._is_space_low()
        return (LOW_SPACE_BUDGET_MB, True) if self._was_space_low else (megabytes, False)

    def _renew(self) -> None:
        if self._exceeded_mb is not None:
            self._exceeded_mb = None
            self.on_renewed()
