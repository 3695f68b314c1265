"""The rules of notices: which facts about a link somebody should know, and when a notice of one changes.

An outage is one fact however often the link redials: its subject is `down_since`. So a redial changes
nothing, and only another cause of the outage is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from pmslink.link.attention import MIN_OUTAGES
from pmslink.link.cause import CauseCode
from pmslink.link.noteworthy import Noteworthy
from pmslink.store.tables.notice_rows import Notice, NoticeKind
from pmslink.timestamps import format_timestamp, to_ms

EXPIRES_SOON = timedelta(days=14)
"""How long before the end of a subscription a notice of it is opened."""
_UNIQUE = ""
"""The subject of a fact that a link can have once at a time."""

_CAUSE_GROUPS: Mapping[CauseCode, str] = {
    "unresolved": "unreachable",
    "refused": "unreachable",
    "dial_timeout": "unreachable",
    "start_timeout": "silent",
    "never_confirmed": "silent",
    "no_answer": "silent",
    "overlong": "silent",
    "lost": "silent",
    "pms_ended": "ended",
    "displaced": "other_client",
    "in_use": "other_client",
    "port_taken": "other_client",
    "store": "store",
}
"""Causes of an outage, by what a person does about them. The other codes are no causes of an outage."""


@frozen
class Fact:
    """A fact about a link, for which a notice is opened if it `opens` one.

    One that does not, keeps an open notice from being over.
    """

    kind: NoticeKind
    subject: str
    at: datetime
    """When it began."""
    opens: bool = True
    params: Mapping[str, Any] = field(factory=dict)


def find_facts(link: Noteworthy, now: datetime) -> Iterator[Fact]:
    """Find the facts about a link that somebody should know."""
    if link.down_since is not None:
        yield _outage(link, link.down_since, now)
    if link.unknown or link.refused:
        yield Fact("decision", _UNIQUE, now, params={"unknown": link.unknown, "refused": link.refused})
    if link.undecided:
        yield Fact("by_hand", _UNIQUE, now, params={"count": link.undecided})
    for failure in link.failed_wake_ups:
        yield Fact("wake_up", str(failure.seq), failure.at, params=failure.describe())
    yield from _subscription_end(link, now)
    if link.intent == "enabled" and (count := link.recent_outages):
        yield Fact("flapping", _UNIQUE, now, count >= MIN_OUTAGES, {"count": count})


def _outage(link: Noteworthy, down_since: datetime, now: datetime) -> Fact:
    failure, subject = link.failure, format_timestamp(down_since)
    if link.group != "down" or failure is None:
        return Fact("down", subject, now, opens=False)
    cause = {"code": failure.code, "params": dict(failure.params)}
    params = {"cause": cause, "causes": [failure.code], "host": link.host, "port": link.port}
    return Fact("down", subject, now, params=params)


def _subscription_end(link: Noteworthy, now: datetime) -> Iterator[Fact]:
    end = link.expires_at
    if end is None or link.intent == "disabled":
        return
    subject = format_timestamp(end)
    if link.intent == "expired":
        if end <= now:
            yield Fact("expired", subject, now, params={"expires_at": subject})
    elif end - EXPIRES_SOON <= now:
        yield Fact("expires_soon", subject, now, params={"expires_at": subject})


def update_notice(notice: Notice, fact: Fact) -> Notice:
    """Return the notice as the fact is now; the same object if nothing of it has changed.

    A notice that was acknowledged is open again if the fact has become another one for who looks at it: an
    outage has a cause of another group than all before, or more rows or changes by hand need a decision.
    """
    match notice.kind:
        case "down" if fact.opens:
            return _update_outage(notice, fact.params)
        case "decision" | "by_hand" if fact.params != notice.params:
            is_worse = sum(fact.params.values()) > sum(notice.params.values())
            return _change(notice, fact.params, is_worse)
        case "flapping" if fact.params["count"] > notice.params["count"]:
            return _change(notice, fact.params, is_worse=False)
    return notice


def _update_outage(notice: Notice, params: Mapping[str, Any]) -> Notice:
    code = params["cause"]["code"]
    if code == notice.params["cause"]["code"]:
        return notice
    causes = notice.params["causes"]
    groups = {_CAUSE_GROUPS.get(known) for known in causes}
    all_causes = causes if code in causes else [*causes, code]
    return _change(notice, {**params, "causes": all_causes}, _CAUSE_GROUPS[code] not in groups)


def _change(notice: Notice, params: Mapping[str, Any], is_worse: bool) -> Notice:
    if is_worse:
        return evolve(notice, params=params, acknowledged_by=None, acknowledged_at=None)
    return evolve(notice, params=params)


def end_notice(notice: Notice, link: Noteworthy | None, now: datetime) -> Notice:
    """Return the notice of a fact that is over; `link` is how its link is, if there still is one."""
    params = notice.params
    if notice.kind == "down" and link is not None:
        params = {**params, "attempts": link.attempts, "in_sync": link.in_sync}
    return evolve(notice, params=params, over=max(to_ms(now), notice.opened))
