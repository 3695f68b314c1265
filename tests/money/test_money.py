"""The money test: nobody pays for another, nothing is booked twice, and no row rests without a reason.

`tests/soak` makes more and longer runs.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from pmslink.link import backoff, link_checks
from tests.money.money_run import MoneyRun, RunOptions

SEEDS = range(4)


@pytest.mark.parametrize("unanswered", ["hold", "resend"])
@pytest.mark.parametrize("is_numbered", [True, False], ids=["numbered", "unnumbered"])
def test_every_charge_goes_to_its_guest_or_to_nobody(
    unanswered: str, is_numbered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: Counter[str] = Counter()
    for seed in SEEDS:
        for module in (link_checks, backoff):  # so that a seed repeats a run
            monkeypatch.setattr(module, "random", Random(seed))
        judged += MoneyRun(RunOptions(seed, unanswered=unanswered, is_numbered=is_numbered)).run().judged
    assert set(judged) >= {"moved", "stayed", "late", "done", "refused", "unknown"}, judged
