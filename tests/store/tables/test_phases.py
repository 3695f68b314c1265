"""The phases of a link over a period, computed from runs, transitions and sync changes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from pmslink.store.tables.log_entries import SyncChanged, TransitionLogged
from pmslink.store.tables.phases import MAX_PHASE_CAUSES, Phase, build_phases
from pmslink.store.tables.service_runs import Run
from tests.store.store_harness import LINK_NAME, START_TIME

UNTIL = 1000


def at(second: float) -> datetime:
    return START_TIME + timedelta(seconds=second)


def second(time: datetime) -> float:
    return (time - START_TIME).total_seconds()


@define
class History:
    """One run of the service, and the changes of a link in it, at seconds after the start."""

    runs: list[Run] = field(factory=lambda: [Run(1, at(-500), at(UNTIL))])
    transitions: list[TransitionLogged] = field(factory=list)
    syncs: list[SyncChanged] = field(factory=list)
    _state: str | None = None

    def enter(self, second: int, state: str, code: str = "started", **params: str) -> History:
        cause = json.dumps({"code": code, "params": params})
        change = TransitionLogged(self._id(), LINK_NAME, at(second), self._state, state, code, cause)
        self.transitions.append(change)
        self._state = state
        return self

    def sync(self, second: int, in_sync: bool = True) -> History:
        self.syncs.append(SyncChanged(self._id(), LINK_NAME, at(second), in_sync))
        return self

    def dock(self, second: int) -> History:
        return self.enter(second, "WAIT_LS").enter(second + 1, "ESTABLISHED", record="LS").sync(second + 2)

    def redial(self, second: int, code: str = "refused") -> History:
        return self.enter(second, "WAIT_LS", code).enter(second, "EXPECTION", code)

    def phases(self, since: float = 0, until: float = UNTIL) -> list[Phase]:
        return build_phases(at(since), at(until), self.runs, self.transitions, self.syncs)

    def kinds(self, since: float = 0) -> list[tuple[str, float]]:
        """Return the kind of each phase and the second at which it ends."""
        return [(phase.kind, second(phase.until)) for phase in self.phases(since)]

    def _id(self) -> int:
        return 2 + len(self.transitions) + len(self.syncs)


def lost_at(second: int) -> History:
    """Return the history of a link that is in sync from second 12 on, and is lost at a second."""
    return History().dock(10).enter(second, "EXPECTION", "lost").sync(second, False)


def test_an_outage_with_all_its_redials_is_one_phase() -> None:
    history = lost_at(100)
    for number in range(20):
        history.redial(110 + number * 10)
    history.dock(400)
    assert history.kinds() == [
        ("unknown", 10),
        ("connecting", 12),
        ("in_sync", 100),
        ("down", 402),
        ("in_sync", 1000),
    ]
    outage = history.phases()[3]
    assert outage.dials == 21
    assert outage.transitions == 1 + 2 * 20 + 2
    assert [(second(change.at), change.reason) for change in outage.causes] == [
        (100, "lost"),
        (110, "refused"),
    ]


def test_the_transitions_of_a_phase_are_the_last_ones_up_to_its_last() -> None:
    history = lost_at(100).redial(110).dock(400)
    outage = history.phases()[3]
    ids = [change.id for change in history.transitions if second(change.at) >= 100]
    assert outage.last_transition == ids[-1]
    assert outage.transitions == len(ids)


def test_the_link_start_explains_why_a_link_is_in_sync() -> None:
    (docked,) = History().dock(10).phases(since=50)
    assert [change.new for change in docked.causes] == ["ESTABLISHED"]
    assert docked.transitions == docked.dials == 0


def test_a_link_that_was_never_in_sync_is_down_from_its_first_failed_attempt() -> None:
    assert History().enter(10, "WAIT_LS").enter(40, "EXPECTION").redial(50).kinds() == [
        ("unknown", 10),
        ("connecting", 40),
        ("down", 1000),
    ]


def test_an_outage_that_began_before_the_period_is_down_from_the_beginning() -> None:
    history = History().enter(10, "EXPECTION").enter(20, "WAIT_LS")
    assert history.kinds(since=100) == [("down", 1000)]
    (outage,) = history.phases(since=100)
    assert outage.dials == 0


def test_an_unconfirmed_link_start_does_not_end_an_outage() -> None:
    history = lost_at(100).enter(110, "WAIT_LS").enter(120, "ESTABLISHED").enter(150, "EXPECTION")
    assert history.kinds()[-1] == ("down", 1000)


def test_a_link_that_the_pms_ended_is_down_and_one_that_a_user_ended_is_off() -> None:
    docked = History().dock(10)
    docked.enter(100, "CLOSED", "pms_ended").sync(100, False)
    assert docked.kinds()[-1] == ("down", 1000)
    for states in (["DISABLED"], ["EXPIRED"], ["WAIT_LE", "CLOSED"]):
        off = History().dock(10)
        for number, state in enumerate(states):
            off.enter(100 + number, state, "pms_ended" if number else "user").sync(100, False)
        assert off.kinds()[-2:] == [("in_sync", 100), ("off", 1000)]


def test_sync_that_is_lost_while_the_link_is_established_is_a_phase_of_connecting() -> None:
    history = History().dock(10).sync(100, False).sync(130)
    assert history.kinds()[-3:] == [("in_sync", 100), ("connecting", 130), ("in_sync", 1000)]


def test_a_link_that_is_closed_only_until_it_dials_is_connecting() -> None:
    assert History().enter(10, "CLOSED").dock(10).kinds() == [
        ("unknown", 10),
        ("connecting", 12),
        ("in_sync", 1000),
    ]
    at_rest = History().enter(10, "CLOSED").dock(20)
    assert at_rest.kinds()[:3] == [("unknown", 10), ("off", 20), ("connecting", 22)]


def test_the_causes_of_a_phase_are_bounded() -> None:
    history = lost_at(100)
    for number in range(20):
        history.enter(110 + number, "EXPECTION", "refused", detail=str(number))
    assert len(history.phases()[-1].causes) == MAX_PHASE_CAUSES


STATES = st.sampled_from(
    ["CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION", "DISABLED", "WAIT_LE", "sync", "loss"]
)


@given(st.lists(st.tuples(STATES, st.integers(-100, 1100)), max_size=40), st.integers(0, 900))
def test_phases_cover_the_period_whatever_the_clock_did(steps: list[tuple[str, int]], since: int) -> None:
    history = History()
    for state, when in steps:
        if state in ("sync", "loss"):
            history.sync(when, state == "sync")
        else:
            history.enter(when, state)
    phases = history.phases(since)
    edges = [at(since), *(phase.until for phase in phases)]
    assert [phase.since for phase in phases] == edges[:-1]
    assert edges[-1] == at(UNTIL)
    assert all(phase.since < phase.until for phase in phases)
    assert all(
        one.last_transition != other.last_transition for one, other in pairwise(phases) if one.transitions
    )
