"""How urgently a link needs the attention of an operator.

This is the only order of links by urgency. The API reports it as `attention`; `worst` of the status,
`pmslink status` and the page sort by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
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

_NEVER = datetime.max.replace(tzinfo=UTC)


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


def most_urgent(links: Iterable[tuple[Attention, datetime | None, str]]) -> str | None:
    """Return the name of the link with the highest attention; None if no link has an attention of 2 or more.

    Each link is given by its attention, the start of its outage (None without one) and its name. Of links
    with the same attention, it is the one that has been down the longest, then the first by name.
    """
    candidates = [
        (-attention, down_since or _NEVER, name)
        for attention, down_since, name in links
        if attention >= WORST_MIN_ATTENTION
    ]
    return min(candidates)[-1] if candidates else None
