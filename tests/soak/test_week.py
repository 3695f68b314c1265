"""A simulated week in a hotel of 300 rooms; at the end pmslink and the PMS agree on rooms and postings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulated_days import check_hotel, simulate_days
from tests.soak.random_seed import choose_seed


@pytest.mark.soak
def test_a_week_of_300_rooms(report: Callable[[str], None]) -> None:
    seed = choose_seed()
    hotel = simulate_days(days=7, rooms=300, seed=seed)
    report(f"seed {seed}; {check_hotel(hotel)}; {dict(hotel.life.counts)}; {dict(hotel.phones.counts)}")
