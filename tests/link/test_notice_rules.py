"""Tests of the rules of notices: which facts open one, and what changes or reopens it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from pmslink.link.cause import Cause, CauseCode
from pmslink.link.noteworthy import Noteworthy
from pmslink.link.notice_rules import Fact, end_notice, find_facts, update_notice
from pmslink.store.tables.notice_rows import Notice, NoticeKind
from pmslink.store.tables.recent_failures import FailedWakeUp
from pmslink.timestamps import format_timestamp, to_ms

NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)
DOWN_SINCE = NOW - timedelta(minutes=5)
SUBJECT = "2026-11-20T06:55:00.000Z"
FAILED_WAKE_UP = FailedWakeUp(17, NOW, "214", "2026-11-20T06:30:00", "no_answer", 3)
REFUSED = Cause("refused", {"detail": "Connection refused"})
DOWN: dict[str, Any] = {"down_since": DOWN_SINCE, "group": "down", "failure": REFUSED}
EXPIRED: dict[str, Any] = {"intent": "expired", "group": "off"}


def make_noteworthy(**changes: Any) -> Noteworthy:
    """Return how a link is that is in sync and well, but for these changes."""
    well = Noteworthy(
        group="connected",
        failure=None,
        intent="enabled",
        in_sync=True,
        down_since=None,
        attempts=0,
        host="192.0.2.1",
        port=5010,
        expires_at=None,
        unknown=0,
        refused=0,
        undecided=0,
        failed_wake_ups=(),
        recent_outages=0,
    )
    return evolve(well, **changes)


def facts(**changes: Any) -> list[tuple[str, str, bool, Mapping[str, Any]]]:
    found = find_facts(make_noteworthy(**changes), NOW)
    return [(fact.kind, fact.subject, fact.opens, fact.params) for fact in found]


def expiry(**distance: float) -> datetime:
    return NOW + timedelta(**distance)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (
            DOWN,
            [
                (
                    *("down", SUBJECT, True),
                    {
                        "cause": {"code": "refused", "params": dict(REFUSED.params)},
                        "causes": ["refused"],
                        "host": "192.0.2.1",
                        "port": 5010,
                    },
                )
            ],
        ),
        # it redials, or connects for the first time: the outage lasts, and nothing of it is new
        ({**DOWN, "group": "connecting"}, [("down", SUBJECT, False, {})]),
        ({**DOWN, "failure": None}, [("down", SUBJECT, False, {})]),
        (
            {"unknown": 2, "refused": 1},
            [("decision", "", True, {"unknown": 2, "refused": 1})],
        ),
        ({"undecided": 2}, [("by_hand", "", True, {"count": 2})]),
        (
            {"failed_wake_ups": [FAILED_WAKE_UP]},
            [
                (
                    *("wake_up", "17", True),
                    {"room": "214", "due": "2026-11-20T06:30:00", "result": "no_answer", "attempts": 3},
                )
            ],
        ),
        ({"expires_at": expiry(days=14, seconds=1)}, []),
        ({"expires_at": expiry(days=14, seconds=1), "intent": "disabled"}, []),
        ({"expires_at": expiry(days=1), "intent": "disabled"}, []),
        ({"recent_outages": 1}, [("flapping", "", False, {"count": 1})]),
        ({"recent_outages": 2}, [("flapping", "", True, {"count": 2})]),
        ({"recent_outages": 2, "intent": "disabled"}, []),
        ({**EXPIRED}, []),  # a person has marked it as ended
        ({**EXPIRED, "expires_at": expiry(days=1)}, []),
    ],
)
def test_the_facts_about_a_link(changes: dict[str, Any], expected: list[Any]) -> None:
    assert facts(**changes) == expected


def test_a_subscription_is_noticed_two_weeks_before_its_end_and_at_its_end() -> None:
    soon, past = expiry(days=14), expiry(seconds=-1)
    end = format_timestamp(soon)
    assert facts(expires_at=soon) == [("expires_soon", end, True, {"expires_at": end})]
    end = format_timestamp(past)
    assert facts(expires_at=past, **EXPIRED) == [("expired", end, True, {"expires_at": end})]


def notice(kind: NoticeKind, params: Mapping[str, Any], acknowledged: bool = True) -> Notice:
    by, at = ("front-desk", to_ms(NOW)) if acknowledged else (None, None)
    return Notice(1, "grand", kind, SUBJECT, to_ms(DOWN_SINCE), params, None, by, at)


def outage(*codes: CauseCode) -> Mapping[str, Any]:
    cause: Mapping[str, Any] = {"code": codes[-1], "params": {}}
    return {"cause": cause, "causes": [*dict.fromkeys(codes)], "host": "192.0.2.1", "port": 5010}


@pytest.mark.parametrize(
    ("before", "code", "state", "causes"),
    [
        (("refused",), "dial_timeout", "acknowledged", ["refused", "dial_timeout"]),
        (("refused",), "displaced", "open", ["refused", "displaced"]),
        (("refused",), "pms_ended", "open", ["refused", "pms_ended"]),
        (("lost", "refused"), "no_answer", "acknowledged", ["lost", "refused", "no_answer"]),
        (("lost", "refused"), "lost", "acknowledged", ["lost", "refused"]),  # there and back again
    ],
)
def test_another_cause_changes_the_notice_and_one_of_another_group_reopens_it(
    before: tuple[CauseCode, ...], code: CauseCode, state: str, causes: list[str]
) -> None:
    updated = update_notice(
        notice("down", outage(*before)), Fact("down", SUBJECT, NOW, params={**outage(code), "port": 5020})
    )
    assert updated.state == state
    assert updated.params == {**outage(code), "causes": causes, "port": 5020}


def test_a_redial_with_the_same_cause_changes_nothing() -> None:
    before = notice("down", outage("refused"))
    again = {**outage("refused"), "cause": {"code": "refused", "params": {"detail": "other words"}}}
    assert update_notice(before, Fact("down", SUBJECT, NOW, params=again)) is before
    assert update_notice(before, Fact("down", SUBJECT, NOW, opens=False)) is before


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [((2, 1), (2, 1), "acknowledged"), ((2, 1), (1, 1), "acknowledged"), ((2, 1), (2, 2), "open")],
)
def test_more_rows_to_decide_reopen_the_notice(
    before: tuple[int, int], after: tuple[int, int], state: str
) -> None:
    params = [dict(zip(("unknown", "refused"), counts, strict=True)) for counts in (before, after)]
    acknowledged = notice("decision", params[0])
    updated = update_notice(acknowledged, Fact("decision", "", NOW, params=params[1]))
    assert (updated.state, updated.params) == (state, params[1])
    assert (updated is acknowledged) is (before == after)


def test_more_changes_by_hand_to_decide_reopen_the_notice() -> None:
    acknowledged = notice("by_hand", {"count": 2})
    for count, state in ((1, "acknowledged"), (3, "open")):
        updated = update_notice(acknowledged, Fact("by_hand", "", NOW, params={"count": count}))
        assert (updated.state, updated.params) == (state, {"count": count})


def test_the_number_of_outages_only_grows() -> None:
    before = notice("flapping", {"count": 3})
    assert update_notice(before, Fact("flapping", "", NOW, params={"count": 2})) is before
    updated = update_notice(before, Fact("flapping", "", NOW, params={"count": 4}))
    assert (updated.state, updated.params) == ("acknowledged", {"count": 4})


def test_the_notice_of_an_ended_outage_has_the_number_of_redials() -> None:
    lasting = notice("down", outage("refused"), acknowledged=False)
    ended = end_notice(lasting, make_noteworthy(attempts=391), NOW)
    assert (ended.state, ended.over) == ("over", to_ms(NOW))
    assert (ended.params["attempts"], ended.params["in_sync"]) == (391, True)
    assert end_notice(lasting, None, NOW).params == lasting.params  # the link is not configured any more
    set_back = end_notice(lasting, None, NOW - timedelta(hours=1))
    assert set_back.over == lasting.opened
