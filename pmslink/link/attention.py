"""How urgently a link needs the attention of an operator.

This is the only order of links by urgency. The API reports it as `attention`; `worst` of the status,
`pmslink status` and the page sort by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from pmslink.link.machine import Intent

Attention = Literal[0, 1, 2, 3, 4]
WORST_MIN_ATTENTION = 2
"""The lowest attention with which a link can be the `worst` of the status."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def rate_attention(intent: Intent, in_sync: bool, unresolved_rows: int) -> Attention:
    """Return the urgency of a link, from 4 (needs an operator now) to 0 (well), by the first rule that fits.

    4: enabled but not in sync. 3: `unresolved_rows` (outbox rows in state unknown or refused) is not 0,
    whatever the intent. 1: not enabled. 0: none of these. Nothing is rated 2 so far.
    """
    if intent == "enabled" and not in_sync:
        return 4
    if unresolved_rows:
        return 3
    return 0 if intent == "enabled" else 1


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
