"""Changes of in-sync, and the outage that a link reports."""

from __future__ import annotations

from datetime import timedelta

from pmslink.link import controls
from tests.link.link_harness import START, LinkHarness


def test_the_last_failure_stays_until_the_outage_ends() -> None:
    harness = LinkHarness()
    harness.link.start()
    assert harness.link.status().failure is None
    harness.run()
    harness.send("LS|")
    harness.run(33.05)
    failure = harness.link.status().failure
    assert failure is not None
    assert failure.code == "never_confirmed"
    while harness.marker() != "WAIT_LS":
        harness.run(1)
    harness.send("LS|")
    status = harness.link.status()
    assert (status.marker, status.cause.code, status.failure) == ("ESTABLISHED", "started", failure)
    harness.send("LA|")
    assert harness.link.status().in_sync
    assert harness.link.status().failure is None


def test_a_change_of_in_sync_alone_is_published_without_a_transition() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    assert [change and change.new for change in harness.changes] == ["CLOSED", "WAIT_LS", "ESTABLISHED", None]
    assert harness.changes[0] is not None
    assert harness.changes[0].old is None


def test_an_outage_lasts_over_all_redials_until_in_sync() -> None:
    harness = LinkHarness()
    harness.network.mode = "refuse"
    harness.run(5)
    harness.link.start()
    harness.run(100)
    assert harness.link.state_history.down_since == START + timedelta(seconds=5)
    harness.network.mode = "accept"
    controls.enable(harness.link)
    harness.dock()
    assert harness.link.state_history.down_since is None
    harness.send("LE|")
    assert harness.link.state_history.down_since == harness.wall_clock()
    controls.disconnect(harness.link)
    assert harness.marker() == "CLOSED"
    assert harness.link.state_history.down_since is None


def test_a_link_that_is_enabled_again_in_wait_le_is_down_from_then_on() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    controls.disconnect(harness.link)
    harness.run(1)
    assert harness.link.state_history.down_since is None
    controls.enable(harness.link)
    assert harness.marker() == "WAIT_LE"
    assert harness.link.state_history.down_since == harness.wall_clock()
