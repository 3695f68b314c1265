"""The clock of the PMS, compared with the hotel's local time: wake-ups and charges depend on it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pmslink.errors import FieldError
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.record import Record

MAX_OFFSET_S = 120.0
"""Seconds by which the clock of the PMS may differ without a warning."""
_ZONE_STEP_S = 900
"""Seconds between the offsets of time zones."""
_HALF_DAY_S = 43_200
_MINUTE_S = 60


def measure_clock_offset(record: Record, local_time: datetime) -> float | None:
    """Return by how many seconds DA and TI of a record are ahead of `local_time`, the hotel's local time.

    None if the record has no time, or an invalid one. A time without seconds is compared as the whole
    minute that it names. A time without a date is that of the nearest day.
    """
    date_text, time_text = (record.get("DA") or "").strip(), (record.get("TI") or "").strip()
    ours = local_time.replace(tzinfo=None, microsecond=0)
    try:
        day: date = parse_date("DA", date_text) if date_text else ours.date()
        theirs = datetime.combine(day, parse_time("TI", time_text))
    except FieldError:
        return None
    seconds = (theirs - ours).total_seconds()
    if not date_text and abs(seconds) > _HALF_DAY_S:
        seconds -= timedelta(days=1).total_seconds() * (1 if seconds > 0 else -1)
    if len(time_text) == len("HHMM") and seconds < 0:
        seconds = min(0.0, seconds + _MINUTE_S - 1)
    return seconds


def is_zone_offset(offset_s: float) -> bool:
    """Check whether an offset is that of another time zone, rather than of a clock that is wrong."""
    steps = round(offset_s / _ZONE_STEP_S)
    return steps != 0 and abs(offset_s - steps * _ZONE_STEP_S) <= MAX_OFFSET_S
