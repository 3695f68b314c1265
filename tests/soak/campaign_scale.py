"""The scale of a campaign: how often it repeats its fault."""

from __future__ import annotations

import os


def scaled(count: int) -> int:
    """Return this number, multiplied by the environment variable SOAK_SCALE if it is set."""
    return max(1, round(count * float(os.environ.get("SOAK_SCALE") or 1)))
