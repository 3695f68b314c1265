"""Weeks in a simulated hotel of 300 rooms; then pmslink and the PMS agree on guests, rooms and postings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hotel_judge import check_hotel, check_moment
from tests.simulated_days import simulate_days
from tests.soak.random_seed import choose_seed

WEEKS = 5


@pytest.mark.soak
@pytest.mark.parametrize("week", range(WEEKS))
def test_a_week_of_300_rooms(week: int, report: Callable[[str], None]) -> None:
    seed = choose_seed() + week
    hotel = simulate_days(days=7, rooms=300, seed=seed, every_hour=check_moment)
    report(f"seed {seed}; {check_hotel(hotel)}; {dict(hotel.life.counts)}; {dict(hotel.phones.counts)}")
