"""Tests of the scheduler of acts: pauses between records, and the rooms that acts are about."""

from __future__ import annotations

from twisted.internet.task import Clock

from pmslink.simulator.pms import act_scheduler
from pmslink.simulator.pms.act_scheduler import ActScheduler, Step
from tests.simulator.simulated_pbx import make_docked_property


def make_steps(done: list[int], *pauses: float) -> list[Step]:
    """Make steps that append their number to a list, each after a pause."""
    return [(pause, lambda at=at: done.append(at)) for at, pause in enumerate(pauses)]  # type: ignore[misc]


def test_steps_are_run_at_once_up_to_a_pause() -> None:
    clock, done = Clock(), list[int]()
    ActScheduler(clock).run(make_steps(done, 0, 0, 0.5, 0, 0.2), ["101"])
    assert done == [0, 1]
    clock.advance(0.5)
    assert done == [0, 1, 2, 3]
    clock.advance(0.2)
    assert done == [0, 1, 2, 3, 4]
    assert clock.getDelayedCalls() == []


def test_a_room_is_busy_until_some_seconds_after_the_last_step() -> None:
    clock, done = Clock(), list[int]()
    acts = ActScheduler(clock)
    acts.run(make_steps(done, 0, 1), ["101"])
    clock.advance(3.9)
    assert (acts.is_busy("101"), acts.is_busy("102")) == (True, False)
    clock.advance(0.1)
    assert not acts.is_busy("101")


def test_rooms_that_are_no_longer_busy_are_forgotten() -> None:
    clock = Clock()
    acts = ActScheduler(clock)
    acts.mark_busy(map(str, range(200)))
    clock.advance(3)
    acts.mark_busy(["101"])
    assert len(acts._busy_until) == 1


def test_the_acts_with_pauses_are_bounded() -> None:
    clock, done = Clock(), list[int]()
    acts = ActScheduler(clock)
    for _ in range(act_scheduler.MAX_WAITING_ACTS + 5):
        acts.run(make_steps(done, 1), ["101"])
    assert len(done) == 5
    clock.advance(1)
    assert len(done) == act_scheduler.MAX_WAITING_ACTS + 5


def test_stop_drops_the_steps_that_wait() -> None:
    clock, pms, _ = make_docked_property()
    done: list[int] = []
    pms.acts.run(make_steps(done, 0, 1), ["101"])
    pms.stop()
    clock.advance(2)
    assert done == [0]
