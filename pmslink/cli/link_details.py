"""Lines about a link beside its advice: what is held, work by hand, hints, outages, and the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pmslink.cli.terminal_output import format_local_time
from pmslink.link.reason_texts import format_duration, hint_text, outage_text

MIN_CLOCK_OFFSET_S = 10
"""Seconds by which the clock of a PMS must differ to be shown."""
MIN_OUTAGES = 2
"""Outages in an hour that are shown."""


def link_details(link: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a link, given as the API returns it. An earlier release has fewer keys.

    The advice for a link in sync contains hints, outages and what was not understood already.
    """
    hold = link.get("held")
    if hold and (hold["waiting"] or hold["by"] != "sync"):  # each link waits a little after it gets in sync
        yield _describe_hold(hold)
    outbox = link.get("outbox", {})
    if outbox.get("unknown") or outbox.get("refused"):
        yield f"postings: {outbox['unknown']} in doubt, {outbox['refused']} refused"
    by_hand = link.get("by_hand", {})
    if by_hand.get("open"):
        yield f"by hand: {by_hand['open']} changes, {by_hand['differ']} of them differ from the PMS"
    offset = link.get("clock_offset")
    hinted = {hint["code"] for hint in link.get("hints", ())}
    if offset is not None and abs(offset) >= MIN_CLOCK_OFFSET_S and "clock" not in hinted:
        direction = "ahead of" if offset > 0 else "behind"
        yield f"clock: the PMS is {format_duration(abs(offset))} {direction} the hotel's local time"
    if not link["in_sync"]:
        yield from _problems(link)


def _describe_hold(hold: Mapping[str, Any]) -> str:
    until = f", until {format_local_time(hold['until'])}" if hold["until"] else ""
    by = hold["by"].replace("_", " ")
    return f"held: {by} since {format_local_time(hold['since'])}{until}, {hold['waiting']} waiting"


def _problems(link: Mapping[str, Any]) -> Iterator[str]:
    for hint in link.get("hints", ()):
        yield f"hint: {hint_text(hint['code'], hint['params'])}"
    outages = link.get("outages", {})
    if outages.get("last_hour", 0) >= MIN_OUTAGES:
        last, cause = format_local_time(outages["last_at"]), outage_text(outages["last_cause"])
        yield f"outages: {outages['last_hour']} in the last hour, last {last}: {cause}"
    unreadable = link.get("not_understood", {})
    if unreadable.get("last_at"):
        yield (
            f"not understood: {unreadable['records']} records, {unreadable['bytes']} bytes; "
            f"last {format_local_time(unreadable['last_at'])}: {unreadable['last']}"
        )
