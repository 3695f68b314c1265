"""The money test: nobody pays for another, nothing is booked twice, and no row rests without a reason."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.money.money_run import MoneyRun, RunOptions

RUNS = [
    RunOptions(seed, unanswered=unanswered, is_numbered=is_numbered)
    for seed in range(4)
    for unanswered in ("hold", "resend")
    for is_numbered in (True, False)
]


@pytest.mark.parametrize("options", RUNS, ids=str)
def test_every_charge_goes_to_its_guest_or_to_nobody(options: RunOptions) -> None:
    MoneyRun(options).run()


def test_the_runs_see_charges_of_every_kind() -> None:
    judged: Counter[str] = Counter()
    for options in RUNS:
        judged += MoneyRun(options).run().judged
    assert set(judged) >= {"moved", "stayed", "refused", "done", "unknown", "discarded"}, judged
