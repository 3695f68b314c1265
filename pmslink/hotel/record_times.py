"""The times at which the PMS made its records (DA and TI of GI, GO and GC).

While the link is down, the PMS queues the records of hours, and sends all of them at one time. Their own
times tell which of them belong together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pmslink.errors import PmslinkError
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.record import Record

MAX_GAP = timedelta(seconds=3)
"""Records that were made with at most this gap may belong together: the move window, and whole seconds."""
MAX_CLOCK_OFFSET = timedelta(minutes=2)
"""How far the clock of the PMS may be ahead."""
GUEST_RECORD_IDS = frozenset({"GI", "GO", "GC"})


def parse_record_time(record: Record) -> datetime | None:
    """Return when a guest record was made, in the hotel's local time.

    None for other records, for those of a resync, and without DA and TI.
    """
    if record.id not in GUEST_RECORD_IDS or "SF" in record:
        return None
    try:
        return datetime.combine(
            parse_date("DA", record.get("DA") or ""), parse_time("TI", record.get("TI") or "")
        )
    except PmslinkError:
        return None


def is_made_later(earlier: datetime | None, later: datetime, local_now: Callable[[], datetime]) -> bool:
    """Check whether a record was made so long after another that they do not belong together.

    Two times with 0 seconds say nothing, because some PMSs send times without seconds. Nor does a time in the
    future of `local_now`, the time at the hotel: the clock of the PMS is wrong.
    """
    if earlier is None or not (earlier.second or later.second) or later - earlier <= MAX_GAP:
        return False
    return later <= local_now() + MAX_CLOCK_OFFSET
