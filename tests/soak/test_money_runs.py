"""The money test of `tests/money`, with more and longer runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from pmslink.link import backoff, link_checks
from tests.money.money_run import MoneyRun, RunOptions
from tests.soak.random_seed import choose_seed

RUNS = 60
STEPS = 400


@pytest.mark.soak
@pytest.mark.parametrize("unanswered", ["hold", "resend"])
@pytest.mark.parametrize("is_numbered", [True, False], ids=["numbered", "unnumbered"])
def test_every_charge_goes_to_its_guest_or_to_nobody(
    unanswered: str, is_numbered: bool, report: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = choose_seed()
    judged: Counter[str] = Counter()
    for seed in range(first, first + RUNS):
        for module in (link_checks, backoff):
            monkeypatch.setattr(module, "random", Random(seed))
        options = RunOptions(seed, STEPS, unanswered, is_numbered)
        print(options)
        judged += MoneyRun(options).run().judged
    report(f"seeds {first} to {first + RUNS - 1}; {dict(judged)}")
