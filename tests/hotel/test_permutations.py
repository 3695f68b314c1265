"""Whatever guests do, and however a PMS sends it, rooms and events equal the truth.

`tests/hotel/permutations/hotel_truth.py` states the rules, and what they do not determine.
"""

from __future__ import annotations

from tests.hotel.permutations.hotel_run import run_hotels

ACTS = 2000


def test_rooms_and_events_equal_the_truth() -> None:
    counts = run_hotels(ACTS)
    print(dict(counts))
    assert counts["acts"] >= ACTS
