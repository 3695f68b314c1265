"""The settings of a hotel that the reducer depends on: time zone, wake-ups, extensions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from attrs import frozen

from pmslink.timestamps import from_ms, to_ms


def identity(room: str) -> tuple[str, ...]:
    """Map a room to the one extension of the same name, and an extension to its room."""
    return (room,)


@frozen
class HotelPolicy:
    """The time zone of a hotel, its wake-up settings, and its mapping of rooms to extensions.

    `timezone` None is the time zone of the system. A wake-up has `wake_up_attempts` attempts, one each
    `wake_up_interval_ms`; it is missed if its first attempt is late by more than `wake_up_late_ms`.
    `guest_fields` are the fields of guests that the link description declares, None for all.
    """

    timezone: tzinfo | None = None
    wake_up_attempts: int = 3
    wake_up_interval_ms: int = 180_000
    wake_up_late_ms: int = 600_000
    guest_fields: frozenset[str] | None = None
    extensions_of_room: Callable[[str], tuple[str, ...]] = identity
    rooms_of_extension: Callable[[str], tuple[str, ...]] = identity

    def to_utc_ms(self, local: datetime) -> int:
        """Convert the hotel's local time to milliseconds since 1970 in UTC.

        An ambiguous local time is the earlier UTC time, unless its `fold` is 1. A time in the gap of a clock
        change counts with the UTC offset from before the gap.
        """
        aware = local.replace(tzinfo=self.timezone) if self.timezone else local.astimezone()
        return to_ms(aware)

    def resolve_ambiguous(self, local: datetime, earliest_ms: int) -> datetime:
        """Set the `fold` of a local time if only the later of its UTC times is not before `earliest_ms`."""
        second = local.replace(fold=1)
        return second if self.to_utc_ms(local) < earliest_ms <= self.to_utc_ms(second) else local

    def to_local(self, utc_ms: int) -> datetime:
        """Convert milliseconds since 1970 in UTC to the hotel's local time."""
        return from_ms(utc_ms).astimezone(self.timezone).replace(tzinfo=None)
