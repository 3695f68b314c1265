"""The remarks about a link that is in sync: what needs attention nevertheless, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from attrs import frozen

from pmslink.link.attention import MIN_OUTAGES
from pmslink.link.link_hints import Hint
from pmslink.link.not_understood import NotUnderstood
from pmslink.link.outage_history import Outages
from pmslink.link.outbox_hold import Hold
from pmslink.link.reason_texts import ENGLISH_TEXTS, hint_text, outage_text


@frozen
class RemarkFacts:
    """What the remarks are about. Times are shown in the hotel's `zone`; None is the system's."""

    zone: tzinfo | None
    now: datetime
    has_failed_wake_up: bool
    unknown: int
    refused: int
    hold: Hold | None
    outages: Outages
    not_understood: NotUnderstood
    hints: Sequence[Hint]
    resync_unanswered_since: datetime | None


def build_remarks(facts: RemarkFacts) -> str:
    """Return the remarks as sentences, the most urgent first; empty if there is nothing to say."""
    return " ".join([*_decisions(facts), *_observations(facts), *_hints(facts)])


def _hints(facts: RemarkFacts) -> Iterator[str]:
    return (f"{hint_text(hint.code, hint.params)}." for hint in facts.hints)


def _decisions(facts: RemarkFacts) -> Iterator[str]:
    if facts.has_failed_wake_up:
        yield ENGLISH_TEXTS["remark.wake_ups"]
    if facts.unknown or facts.refused:
        yield ENGLISH_TEXTS["remark.rows"].format(unknown=facts.unknown, refused=facts.refused)
    if facts.hold is not None and facts.hold.waiting:
        yield ENGLISH_TEXTS[f"remark.held_{facts.hold.by}"].format(
            since=_time(facts.hold.since, facts),
            until=_time(facts.hold.until, facts),
            waiting=facts.hold.waiting,
        )


def _observations(facts: RemarkFacts) -> Iterator[str]:
    outages, unreadable = facts.outages, facts.not_understood
    if outages.last_hour >= MIN_OUTAGES and outages.last_cause is not None:
        yield ENGLISH_TEXTS["remark.outages"].format(
            count=outages.last_hour,
            at=_time(outages.last_at, facts),
            seconds=round(outages.last_seconds or 0),
            cause=outage_text(outages.last_cause),
        )
    if unreadable.is_recent(facts.now):
        yield ENGLISH_TEXTS["remark.not_understood"].format(
            records=unreadable.records,
            bytes=unreadable.bytes,
            at=_time(unreadable.last_at, facts),
            last=unreadable.last,
        )
    if facts.resync_unanswered_since is not None:
        yield ENGLISH_TEXTS["remark.resync_unanswered"].format(at=_time(facts.resync_unanswered_since, facts))


def _time(at: datetime | None, facts: RemarkFacts) -> str:
    """Format a time in the hotel's zone; with the date if it is another day."""
    if at is None:
        return "–"
    local, today = at.astimezone(facts.zone), facts.now.astimezone(facts.zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"
