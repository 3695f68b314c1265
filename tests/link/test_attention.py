"""The rating of links by urgency."""

from __future__ import annotations

from typing import get_args

import pytest

from pmslink.link.attention import Attention, rate_attention
from pmslink.link.machine import Intent

NOT_ENABLED: tuple[Intent, ...] = ("disabled", "expired", "disconnected")


@pytest.mark.parametrize(
    ("intent", "in_sync", "unresolved_rows", "attention"),
    [
        ("enabled", True, 0, 0),
        ("enabled", True, 1, 3),
        ("enabled", False, 0, 4),
        ("enabled", False, 1, 4),
        *((intent, in_sync, 0, 1) for intent in NOT_ENABLED for in_sync in (False, True)),
        *((intent, in_sync, 2, 3) for intent in NOT_ENABLED for in_sync in (False, True)),
    ],
)
def test_the_first_rule_that_fits_gives_the_attention(
    intent: Intent, in_sync: bool, unresolved_rows: int, attention: Attention
) -> None:
    assert rate_attention(intent, in_sync, unresolved_rows) == attention


def test_the_table_covers_all_intents() -> None:
    assert {"enabled", *NOT_ENABLED} == set(get_args(Intent))
