"""The reconnect back-off of a link: how it grows, and what resets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from pmslink.link import controls
from tests.link.conftest import FixedRandom
from tests.link.link_harness import START, LinkHarness


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_delay_grows_by_a_factor_of_1_7_up_to_the_maximum(
    fixed_random: FixedRandom, share: float
) -> None:
    fixed_random.share = share
    harness = LinkHarness()
    harness.network.mode = "refuse"
    harness.link.start()
    delays = harness.redial_delays(12)
    jitter = 0.9 + 0.2 * share
    expected = [min(1.7**step, 30 / 1.1) * jitter for step in range(12)]
    assert delays == pytest.approx(expected)
    assert max(delays) <= 30 + 1e-9
    assert 0.9 <= delays[0] <= 1.1


def test_the_maximum_bounds_the_first_delay_too(fixed_random: FixedRandom) -> None:
    fixed_random.share = 1.0
    harness = LinkHarness(retry_initial=5, retry_max=5)
    harness.network.mode = "refuse"
    harness.link.start()
    assert harness.redial_delays(3) == pytest.approx([5, 5, 5])


def grow_delay(harness: LinkHarness) -> None:
    harness.network.mode = "refuse"
    harness.link.start()
    harness.redial_delays(5)
    harness.network.mode = "accept"
    harness.redial_delays(1)
    harness.run()


def next_delay(harness: LinkHarness) -> float:
    harness.newest.transport.abortConnection()  # type: ignore[union-attr]
    (delay,) = harness.redial_delays(1)
    return delay


@pytest.mark.parametrize(("seconds", "delay"), [(59.9, 1.7**6), (60.1, 1)])
def test_a_minute_in_sync_resets_the_delay(fixed_random: FixedRandom, seconds: float, delay: float) -> None:
    harness = LinkHarness(alive_interval=300)
    grow_delay(harness)
    harness.dock()
    harness.run(seconds)
    assert next_delay(harness) == pytest.approx(delay)


def test_only_an_uninterrupted_minute_in_sync_resets_the_delay(fixed_random: FixedRandom) -> None:
    harness = LinkHarness(alive_interval=300, sync_timeout=300)
    grow_delay(harness)
    harness.dock()
    harness.run(50)
    harness.send("LS|")  # out of sync
    harness.run(50)
    harness.send("LA|")
    harness.run(50)
    assert next_delay(harness) == pytest.approx(1.7**6)


def enable(harness: LinkHarness) -> None:
    controls.enable(harness.link)


def change_settings(harness: LinkHarness) -> None:
    harness.link.apply_config(harness.make_config(end_timeout=3))


@pytest.mark.parametrize("act", [enable, change_settings])
def test_enabling_and_new_settings_reset_the_delay(
    fixed_random: FixedRandom, act: Callable[[LinkHarness], None]
) -> None:
    harness = LinkHarness()
    grow_delay(harness)
    harness.run()
    act(harness)
    assert next_delay(harness) == pytest.approx(1)


def test_the_status_gives_the_next_redial_by_the_wall_clock(fixed_random: FixedRandom) -> None:
    harness = LinkHarness()
    harness.network.mode = "refuse"
    harness.link.start()
    harness.run(0.25)
    assert harness.link.status().retry.next_at == START + timedelta(seconds=1)
    assert harness.link.status().advice.startswith("Redialling in 1 s. ")
