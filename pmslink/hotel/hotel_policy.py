"""What a hotel has decided, as far as the meaning of records depends on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from attrs import frozen

from pmslink.timestamps import from_ms, to_ms


def identity(room: str) -> tuple[str, ...]:
    """Each room has one phone, whose number is the room's."""
    return (room,)


@frozen
class HotelPolicy:
    """`interval` and `late` in milliseconds; the time zone of the system is None.

    `attempts` of a wake-up are made, one each `interval`; one that is `late` by more is missed.
    """

    timezone: tzinfo | None = None
    wake_up_attempts: int = 3
    wake_up_interval_ms: int = 180_000
    wake_up_late_ms: int = 600_000
    extensions_of_room: Callable[[str], tuple[str, ...]] = identity
    rooms_of_extension: Callable[[str], tuple[str, ...]] = identity  # of an extension

    def to_utc_ms(self, local: datetime) -> int:
        """A moment of the hotel's local time in milliseconds since 1970 in UTC.

        One that comes twice is the first of both, unless its `fold` is 1; one that a clock set forward
        leaves out is as far after the last moment before the gap as it says.
        """
        aware = local.replace(tzinfo=self.timezone) if self.timezone else local.astimezone()
        return to_ms(aware)

    def resolve_ambiguous(self, local: datetime, earliest_ms: int) -> datetime:
        """Of a moment that comes twice the second, if the first was before `earliest`."""
        second = local.replace(fold=1)
        return second if self.to_utc_ms(local) < earliest_ms <= self.to_utc_ms(second) else local

    def to_local(self, utc_ms: int) -> datetime:
        """The hotel's local time."""
        return from_ms(utc_ms).astimezone(self.timezone).replace(tzinfo=None)
