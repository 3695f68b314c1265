"""Fixtures of the tests of links."""

from __future__ import annotations

import pytest

from pmslink.link import backoff, link_checks


class FixedRandom:
    """Return the value that lies at `share` between the bounds, 0 for the lowest."""

    def __init__(self, share: float) -> None:
        self.share = share

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.share


@pytest.fixture
def fixed_random(monkeypatch: pytest.MonkeyPatch) -> FixedRandom:
    random = FixedRandom(0.5)
    for module in (backoff, link_checks):
        monkeypatch.setattr(module, "random", random)
    return random
