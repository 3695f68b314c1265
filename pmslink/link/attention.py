"""How urgently a link needs the attention of an operator.

The API reports it as `attention`. Lists of links (`link_summary.py`), `worst` of the status,
`pmslink status` and the page sort by it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pmslink.link.machine import Intent
from pmslink.link.outbox_hold import Hold

Attention = Literal[0, 1, 2, 3, 4]
WORST_MIN_ATTENTION = 2
"""The lowest attention with which a link can be the `worst` of the status."""

MIN_OUTAGES = 2
"""Outages in an hour that need a look."""
MAX_HOLD = timedelta(minutes=30)
"""For how long postings may be held before a person has to look."""
MAX_NIGHT_AUDIT_HOLD = timedelta(hours=3)


def rate_attention(intent: Intent, in_sync: bool, needs_decision: bool, needs_look: bool) -> Attention:
    """Return the urgency of a link, from 4 (needs an operator now) to 0 (well), by the first rule that fits.

    4: enabled but not in sync. 3: `needs_decision`: rows are unknown or refused, postings are held for too
    long, or a wake-up has failed. 2: `needs_look`: repeated outages, hints, or something not understood.
    1: not enabled. 0: none of these.
    """
    if intent == "enabled" and not in_sync:
        return 4
    if needs_decision:
        return 3
    if needs_look:
        return 2
    return 0 if intent == "enabled" else 1


def is_held_too_long(hold: Hold | None, oldest: datetime | None, now: datetime) -> bool:
    """Check whether rows wait for too long; `oldest` is when the oldest of them was created."""
    if hold is None or not hold.waiting or oldest is None:
        return False
    limit = MAX_NIGHT_AUDIT_HOLD if hold.by == "night_audit" else MAX_HOLD
    return now - max(hold.since, oldest) >= limit
