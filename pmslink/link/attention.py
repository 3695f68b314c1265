"""All links at a glance."""

from __future__ import annotations

from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.machine import Marker

_MARKERS_BY_URGENCY: tuple[Marker, ...] = ("EXPECTION", "WAIT_LS", "CLOSED", "WAIT_LE", "ESTABLISHED")
"""The states that a link which is wanted can be in."""


def is_up(link: Link) -> bool:
    """Whether data can flow: established, and the PMS has confirmed the description."""
    return link.core.marker == "ESTABLISHED" and link.session.in_sync


def most_urgent(links: LinkRegistry) -> str | None:
    """The name of the link that most needs looking at; None while all that are enabled are up.

    Of links in the same state it is the one that has been down the longest.
    """
    down = [link for link in links if link.core.intent == "enabled" and not is_up(link)]
    down.sort(
        key=lambda link: (
            _MARKERS_BY_URGENCY.index(link.core.marker),
            link.state_history.down_since or link.state_history.since,
        )
    )
    return down[0].name if down else None
