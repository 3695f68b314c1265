"""The rating of links by urgency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from pmslink.link.attention import Attention, is_held_too_long, rate_attention
from pmslink.link.machine import Intent
from pmslink.link.outbox_hold import Hold, HoldReason

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOT_ENABLED: tuple[Intent, ...] = ("disabled", "expired", "disconnected")


@pytest.mark.parametrize(
    ("intent", "in_sync", "needs_decision", "needs_look", "attention"),
    [
        ("enabled", True, False, False, 0),
        ("enabled", True, False, True, 2),
        ("enabled", True, True, False, 3),
        ("enabled", True, True, True, 3),
        *(("enabled", False, decision, look, 4) for decision in (False, True) for look in (False, True)),
        *((intent, in_sync, False, False, 1) for intent in NOT_ENABLED for in_sync in (False, True)),
        *((intent, in_sync, False, True, 2) for intent in NOT_ENABLED for in_sync in (False, True)),
        *((intent, in_sync, True, False, 3) for intent in NOT_ENABLED for in_sync in (False, True)),
    ],
)
def test_the_first_rule_that_fits_gives_the_attention(
    intent: Intent, in_sync: bool, needs_decision: bool, needs_look: bool, attention: Attention
) -> None:
    assert rate_attention(intent, in_sync, needs_decision, needs_look) == attention


@pytest.mark.parametrize(
    ("by", "minutes", "waiting", "is_too_long"),
    [
        ("unanswered", 29, 1, False),
        ("unanswered", 30, 1, True),
        ("unanswered", 30, 0, False),
        ("resync", 30, 1, True),
        ("night_audit", 179, 1, False),
        ("night_audit", 180, 1, True),
    ],
)
def test_postings_may_be_held_for_half_an_hour_and_three_hours_by_the_night_audit(
    by: HoldReason, minutes: int, waiting: int, is_too_long: bool
) -> None:
    hold = Hold(by, NOW - timedelta(minutes=minutes), None, waiting)
    assert is_held_too_long(hold, NOW - timedelta(days=1), NOW) is is_too_long
    assert not is_held_too_long(hold, NOW - timedelta(minutes=1), NOW)  # nothing has waited for that long
    assert not is_held_too_long(None, NOW - timedelta(days=1), NOW)


def test_the_table_covers_all_intents() -> None:
    assert {"enabled", *NOT_ENABLED} == set(get_args(Intent))
