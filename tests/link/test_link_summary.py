"""The groups of links, and their order by urgency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from pmslink.link.attention import Attention
from pmslink.link.cause import CauseCode
from pmslink.link.link_summary import LinkGroup, group_of, recency_of, urgency_of
from pmslink.link.machine import Intent, Marker

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("marker", "intent", "in_sync", "cause", "has_failed", "attention", "group"),
    [
        ("EXPIRED", "expired", False, "expired", False, 1, "off"),
        ("DISABLED", "disabled", False, "user", True, 1, "off"),
        ("WAIT_LE", "disconnected", True, "user", False, 1, "connecting"),
        ("CLOSED", "disconnected", False, "pms_ended", False, 1, "off"),
        ("CLOSED", "enabled", False, "pms_ended", False, 4, "down"),
        ("WAIT_LS", "enabled", False, "pms_ended", False, 4, "down"),
        ("WAIT_LS", "enabled", False, "refused", True, 4, "down"),
        ("ESTABLISHED", "enabled", False, "started", True, 4, "down"),
        ("EXPECTION", "enabled", False, "lost", False, 4, "down"),
        ("ESTABLISHED", "enabled", False, "started", False, 4, "connecting"),
        ("WAIT_LS", "enabled", False, "started", False, 4, "connecting"),
        ("CLOSED", "enabled", False, "in_use", False, 4, "down"),
        ("ESTABLISHED", "enabled", True, "started", False, 3, "look"),
        ("ESTABLISHED", "enabled", True, "started", False, 2, "look"),
        ("ESTABLISHED", "enabled", True, "started", True, 0, "connected"),
    ],
)
def test_the_first_row_that_fits_gives_the_group(
    marker: Marker,
    intent: Intent,
    in_sync: bool,
    cause: CauseCode,
    has_failed: bool,
    attention: Attention,
    group: LinkGroup,
) -> None:
    assert group_of(marker, intent, in_sync, cause, has_failed, attention) == group


@pytest.mark.parametrize("marker", get_args(Marker))
@pytest.mark.parametrize("intent", get_args(Intent))
def test_every_link_is_in_a_group(marker: Marker, intent: Intent) -> None:
    for in_sync in (False, True):
        for has_failed in (False, True):
            assert group_of(marker, intent, in_sync, "started", has_failed, 0) in get_args(LinkGroup)


def test_the_longest_down_come_first_among_the_most_urgent() -> None:
    second = timedelta(seconds=1)
    expected = [
        (4, NOON - 3600 * second, "z"),
        (4, NOON, "y"),
        (4, NOON + second / 1000, "x"),
        (4, None, "a"),
        (4, None, "b"),
        (3, NOON - 7200 * second, "c"),
        (0, None, "a"),
    ]
    assert sorted(expected, key=lambda link: urgency_of(*link)) == expected  # type: ignore[arg-type]


def test_the_latest_change_comes_first() -> None:
    second = timedelta(seconds=1)
    expected = [(NOON + second / 1000, "z"), (NOON, "a"), (NOON, "b"), (NOON - second, "a")]
    assert sorted(expected, key=lambda change: recency_of(*change)) == expected
