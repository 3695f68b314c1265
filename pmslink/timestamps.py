"""Moments as they are kept: whole milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """An aware moment in milliseconds; what is smaller is cut off."""
    return (at - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + ms * _MILLISECOND


def optional_to_ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def optional_from_ms(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def local_now() -> datetime:
    """Return the current time in the time zone of this machine, aware."""
    return datetime.now().astimezone()


def format_timestamp(at: datetime) -> str:
    """An aware moment in ISO 8601, in UTC and with milliseconds: as JSON tells it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_timestamp_ms(ms: int) -> str:
    """The same of a moment that is kept."""
    return format_timestamp(from_ms(ms))
