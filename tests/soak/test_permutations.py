"""The permutation test at scale: 20 000 acts of random hotels, or SOAK_ACTS of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.hotel.permutations.hotel_run import run_hotels
from tests.soak.random_seed import choose_seed

ACTS = int(os.environ.get("SOAK_ACTS") or 20_000)


@pytest.mark.soak
def test_rooms_and_events_equal_the_truth(report: Callable[[str], None]) -> None:
    seed, started_at = choose_seed(), time.monotonic()
    counts = run_hotels(ACTS, seed)
    report(f"seed {seed}; {dict(counts)} in {time.monotonic() - started_at:.0f} s")
