"""The seed of a campaign's random choices."""

from __future__ import annotations

import os
from random import Random


def choose_seed() -> int:
    """Return and print a random seed, or the one in the environment variable SOAK_SEED."""
    seed = int(os.environ.get("SOAK_SEED") or Random().randrange(10**6))
    print(f"SOAK_SEED={seed}")
    return seed
