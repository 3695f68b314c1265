"""Timestamps: whole milliseconds since 1970 in UTC in the store, ISO 8601 in JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Convert an aware datetime to milliseconds; fractions are truncated."""
    return (at - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Convert milliseconds to a datetime in UTC."""
    return _EPOCH + ms * _MILLISECOND


def optional_to_ms(at: datetime | None) -> int | None:
    """Convert an aware datetime to milliseconds; None stays None."""
    return None if at is None else to_ms(at)


def optional_from_ms(ms: int | None) -> datetime | None:
    """Convert milliseconds to a datetime in UTC; None stays None."""
    return None if ms is None else from_ms(ms)


def utc_now() -> datetime:
    """Return the current time in UTC, aware."""
    return datetime.now(UTC)


def local_now() -> datetime:
    """Return the current time in the time zone of this machine, aware."""
    return datetime.now().astimezone()


def format_timestamp(at: datetime) -> str:
    """Format an aware datetime in ISO 8601, in UTC with milliseconds and a Z, for JSON."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_timestamp_ms(ms: int) -> str:
    """Format milliseconds since 1970 in ISO 8601, in UTC with milliseconds and a Z, for JSON."""
    return format_timestamp(from_ms(ms))
