"""A summary of a link: what lists of links are sorted, filtered and searched by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Literal

from attrs import frozen

from pmslink.link.attention import WORST_MIN_ATTENTION, Attention
from pmslink.link.cause import CauseCode
from pmslink.link.machine import Intent, Marker
from pmslink.timestamps import to_ms

_LATEST_MS = 10**14
"""A time after all others, in milliseconds since 1970."""

LinkGroup = Literal["down", "look", "connecting", "connected", "off"]
"""How a link is, for people. Every link is in exactly one group.

`down`: it has failed, the PMS has ended it, or another link has its address. `look`: it is in sync, and
somebody has to look at it. `connecting`: it connects, confirms or disconnects. `connected`: it is in sync,
and well. `off`: it is disabled, disconnected or expired.
"""


_DOWN_CAUSES: frozenset[CauseCode] = frozenset({"pms_ended", "in_use"})
"""Causes that make a link `down` before an attempt to connect has failed."""


@frozen
class LinkSummary:
    """How a link was when its last change was published."""

    name: str
    marker: Marker
    attention: Attention
    group: LinkGroup
    down_since: datetime | None
    urgency: str
    """Sorts links: highest attention first, then the longest down, then by name."""
    recency: str
    """Sorts links: those first that are in their state, or down, for the shortest time, then by name."""
    search_text: str
    """Name, address, profile, state, group and reason, in lower case."""


def group_of(
    marker: Marker,
    intent: Intent,
    in_sync: bool,
    cause_code: CauseCode,
    has_failed: bool,
    attention: Attention,
) -> LinkGroup:
    """Return the group of a link; `has_failed` says that an attempt has failed since the link is down."""
    if marker in ("DISABLED", "EXPIRED") or (marker == "CLOSED" and intent == "disconnected"):
        return "off"
    if marker == "WAIT_LE":
        return "connecting"
    if not in_sync:
        is_down = has_failed or marker == "EXPECTION" or cause_code in _DOWN_CAUSES
        return "down" if is_down else "connecting"
    return "look" if attention >= WORST_MIN_ATTENTION else "connected"


def urgency_of(attention: Attention, down_since: datetime | None, name: str) -> str:
    """Return a text that sorts before that of every link that is less urgent."""
    down = "9" if down_since is None else down_since.isoformat(timespec="microseconds")
    return f"{4 - attention} {down} {name}"


def recency_of(since: datetime, name: str) -> str:
    """Return a text that sorts before that of every link that changed earlier."""
    return f"{_LATEST_MS - to_ms(since):015d} {name}"


def most_urgent(summaries: Iterable[LinkSummary]) -> str | None:
    """Return the name of the link that comes first by urgency; None if no attention is 2 or more."""
    candidates = (summary for summary in summaries if summary.attention >= WORST_MIN_ATTENTION)
    worst = min(candidates, key=attrgetter("urgency"), default=None)
    return None if worst is None else worst.name
