"""Links that do not run: those that have stopped dial no more, and those to be started dial once."""

from __future__ import annotations

import pytest
from attrs import evolve

from pmslink.config.link_definition import LinkConfig
from pmslink.link import controls
from pmslink.link.dialer import Dialer
from pmslink.link.link import Link
from tests.link.link_harness import LinkHarness
from tests.link.test_address_conflicts import Registry
from tests.memory_network import advance_clock


@pytest.fixture
def registry() -> Registry:
    return Registry()


def stop_links(registry: Registry) -> None:
    """Stop the links; the API and the store still run, as while the connections of other links close."""
    stopped = registry.links.stopService()
    advance_clock(registry.clock, 0)
    assert stopped.called
    assert registry.network.open_count == 0


def start_again(registry: Registry, name: str) -> Link:
    registry.store.journal.stop()
    registry.start()
    link = registry.links.get(name)
    assert link is not None
    return link


def test_a_link_that_is_enabled_after_it_has_stopped_dials_at_the_next_start(registry: Registry) -> None:
    link = registry.create("grand", enabled=False)
    stop_links(registry)
    controls.enable(link)
    advance_clock(registry.clock, 60)
    assert registry.network.dial_count == 0
    assert link.status().intent == "enabled"
    restarted = start_again(registry, "grand")
    assert (restarted.core.intent, restarted.core.marker) == ("enabled", "WAIT_LS")
    registry.stop()


def test_a_link_that_is_readdressed_after_it_has_stopped_dials_at_the_next_start(registry: Registry) -> None:
    link = registry.create("grand")
    stop_links(registry)
    registry.change(link, port=5011)
    advance_clock(registry.clock, 60)
    assert (registry.network.dial_count, registry.network.open_count) == (1, 0)
    assert start_again(registry, "grand").config.port == 5011
    registry.stop()


def test_a_link_that_is_readdressed_before_it_starts_dials_only_its_new_address() -> None:
    harness = LinkHarness()
    dialled: list[int] = []

    def dial(dialer: Dialer, config: LinkConfig) -> object:
        dialled.append(config.port)
        return harness.network.dial(dialer, config)

    harness.link.connector._dial = dial
    harness.link.apply_config(evolve(harness.config, port=5011))
    harness.dock()
    assert dialled == [5011]
    assert [change.new for change in harness.changes if change] == ["CLOSED", "WAIT_LS", "ESTABLISHED"]
    harness.link.stop()
    harness.run()
