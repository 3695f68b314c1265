"""The number that chooses a campaign's random moments."""

from __future__ import annotations

import os
from random import Random


def choose_seed() -> int:
    """Another one each time, printed; or what the environment's SOAK_SEED repeats."""
    chosen = int(os.environ.get("SOAK_SEED") or Random().randrange(10**6))
    print(f"SOAK_SEED={chosen}")
    return chosen
