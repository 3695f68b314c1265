"""The availability of a link over a period, computed from runs, transitions and sync changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from pmslink.store.tables.availability import Timeline, build_timeline
from pmslink.store.tables.log_entries import SyncChanged, TransitionLogged
from pmslink.store.tables.service_runs import Run
from tests.store.store_harness import LINK_NAME, START_TIME

UNTIL = 100


def at(second: float) -> datetime:
    return START_TIME + timedelta(seconds=second)


@define
class LinkHistory:
    """Runs, transitions and sync changes of a link, at seconds after the start."""

    runs: list[Run] = field(factory=list)
    changes: list[TransitionLogged] = field(factory=list)
    syncs: list[SyncChanged] = field(factory=list)

    def start_run(self, second: int) -> LinkHistory:
        """Add a run of the service."""
        self.runs.append(Run(self._id(), at(second), at(second)))
        return self

    def update_run(self, second: int) -> LinkHistory:
        """Update the end of the last run."""
        if self.runs:
            self.runs[-1] = evolve(self.runs[-1], seen=at(second))
        return self

    def enter_state(self, second: int, marker: str = "ESTABLISHED") -> LinkHistory:
        self.changes.append(TransitionLogged(self._id(), LINK_NAME, at(second), None, marker, "", "{}"))
        return self

    def in_sync(self, second: int) -> LinkHistory:
        self.syncs.append(SyncChanged(self._id(), LINK_NAME, at(second), in_sync=True))
        return self

    def out_of_sync(self, second: int) -> LinkHistory:
        self.syncs.append(SyncChanged(self._id(), LINK_NAME, at(second), in_sync=False))
        return self

    def _id(self) -> int:
        return len(self.runs) + len(self.changes) + len(self.syncs) + 1

    def timeline(self, since: float = 0, until: float = UNTIL) -> Timeline:
        return build_timeline(at(since), at(until), self.runs, self.changes, self.syncs)

    def spans(self, since: float = 0, until: float = UNTIL) -> list[tuple[float, float, str | None]]:
        spans = self.timeline(since, until).spans
        return [(second(span.since), second(span.until), span.state) for span in spans]

    def in_sync_and_observed_s(self, since: float = 0, until: float = UNTIL) -> tuple[float, float]:
        found = self.timeline(since, until)
        return found.in_sync_time.total_seconds(), found.observed_time.total_seconds()


def second(time: datetime) -> float:
    return (time - START_TIME).total_seconds()


def test_spans_follow_each_other_and_the_last_change_before_the_period_gives_the_first_state() -> None:
    history = (
        LinkHistory()
        .start_run(-90)
        .enter_state(-80, "CLOSED")
        .enter_state(-70)
        .enter_state(20, "EXPECTION")
        .enter_state(30)
        .update_run(100)
    )
    assert history.spans() == [(0, 20, "ESTABLISHED"), (20, 30, "EXPECTION"), (30, 100, "ESTABLISHED")]
    assert history.spans(25, 26) == [(25, 26, "EXPECTION")]


def test_each_span_names_its_transition() -> None:
    history = LinkHistory().start_run(0).enter_state(0).enter_state(50).update_run(100)
    assert [span.transition for span in history.timeline().spans] == history.changes


def test_the_time_in_sync_is_part_of_the_observed_time() -> None:
    history = (
        LinkHistory().start_run(20).enter_state(20).in_sync(30).out_of_sync(50).in_sync(80).update_run(100)
    )
    assert history.in_sync_and_observed_s() == (40, 80)
    assert history.timeline().in_sync_ratio == 0.5
    assert history.in_sync_and_observed_s(40, 90) == (20, 50)


def test_a_sync_change_does_not_split_a_span() -> None:
    history = LinkHistory().start_run(0).enter_state(0).in_sync(10).out_of_sync(20).update_run(100)
    assert history.spans() == [(0, 100, "ESTABLISHED")]


def test_without_changes_the_state_is_unknown() -> None:
    assert LinkHistory().spans() == [(0, 100, None)]
    assert LinkHistory().timeline().in_sync_ratio is None
    assert LinkHistory().start_run(0).update_run(100).spans() == [(0, 100, None)]
    assert LinkHistory().enter_state(0).in_sync(0).spans() == [(0, 100, None)]  # outside all runs


def test_an_empty_period_has_no_spans() -> None:
    assert LinkHistory().start_run(0).enter_state(0).update_run(100).spans(50, 50) == []


def test_between_two_runs_the_state_is_unknown() -> None:
    history = (
        LinkHistory()
        .start_run(0)
        .enter_state(0)
        .in_sync(0)
        .update_run(40)
        .start_run(60)
        .enter_state(62, "CLOSED")
        .enter_state(70)
    )
    history.update_run(100)
    assert history.spans() == [
        (0, 40, "ESTABLISHED"),
        (40, 62, None),
        (62, 70, "CLOSED"),
        (70, 100, "ESTABLISHED"),
    ]
    assert history.in_sync_and_observed_s() == (40, 78)  # in the second run the link is not in sync yet


def test_a_change_after_the_last_update_of_a_run_extends_the_run() -> None:
    history = (
        LinkHistory()
        .start_run(0)
        .enter_state(0)
        .in_sync(10)
        .update_run(20)
        .out_of_sync(30)
        .enter_state(30, "EXPECTION")
        .enter_state(50)
    )
    assert history.spans() == [(0, 30, "ESTABLISHED"), (30, 50, "EXPECTION"), (50, 100, None)]
    assert history.in_sync_and_observed_s() == (20, 50)


def test_a_run_without_the_link_leaves_its_state_unknown() -> None:
    history = (
        LinkHistory()
        .start_run(0)
        .enter_state(0)
        .update_run(20)
        .start_run(30)
        .update_run(60)
        .start_run(70)
        .enter_state(80)
        .update_run(100)
    )
    assert history.spans() == [(0, 20, "ESTABLISHED"), (20, 80, None), (80, 100, "ESTABLISHED")]


def test_after_the_clock_is_set_back_the_later_timestamp_limits_a_span() -> None:
    history = (
        LinkHistory()
        .start_run(0)
        .enter_state(10)
        .enter_state(50, "EXPECTION")
        .in_sync(55)
        .enter_state(40)
        .update_run(100)
    )
    assert history.spans() == [(0, 10, None), (10, 40, "ESTABLISHED"), (40, 100, "ESTABLISHED")]
    assert history.in_sync_and_observed_s() == (60, 90)


def test_changes_with_timestamps_in_the_future_are_outside_the_period() -> None:
    history = LinkHistory().start_run(0).enter_state(10).enter_state(5000, "EXPECTION").update_run(100)
    assert history.spans() == [(0, 10, None), (10, 100, "ESTABLISHED")]


# Arbitrary histories.

STEP_KINDS = st.sampled_from(["start_run", "update_run", "enter_state", "in_sync", "out_of_sync"])


def build_history(steps: Sequence[tuple[str, int]]) -> LinkHistory:
    history = LinkHistory()
    for kind, when in steps:
        getattr(history, kind)(when)
    return history


@given(
    st.lists(st.tuples(STEP_KINDS, st.integers(-50, 150)), max_size=30),
    st.integers(-20, 120),
    st.integers(0, 120),
)
def test_spans_cover_the_time_without_gaps_whatever_the_clock_did(
    steps: list[tuple[str, int]], since: int, length: int
) -> None:
    history, until = build_history(steps), since + length
    found = history.timeline(since, until)
    assert all(span.since < span.until for span in found.spans)
    edges = [at(since), *(span.until for span in found.spans)]
    assert [span.since for span in found.spans] == edges[:-1]
    assert edges[-1] == at(until)
    changes = [span.transition for span in found.spans]
    assert all(one is not other for one, other in pairwise(changes))
    known = sum((span.until - span.since for span in found.spans if span.transition), timedelta())
    assert timedelta() <= found.in_sync_time <= found.observed_time == known
    assert (found.in_sync_ratio is None) == (not known)
    assert found.in_sync_ratio is None or 0 <= found.in_sync_ratio <= 1


@given(st.lists(st.tuples(STEP_KINDS, st.integers(0, 20)), max_size=30))
def test_with_a_correct_clock_each_second_has_its_state(gaps: list[tuple[str, int]]) -> None:
    now = -30
    steps = [("start_run", now)] + [(kind, now := now + gap) for kind, gap in gaps]
    history = build_history(steps)
    found = history.timeline()
    seconds = [expected_state_at(history, number) for number in range(UNTIL)]
    for number, (changed, _) in enumerate(seconds):
        assert [span.transition for span in found.spans if span.since <= at(number) < span.until] == [changed]
    assert found.observed_time.total_seconds() == sum(changed is not None for changed, _ in seconds)
    assert found.in_sync_time.total_seconds() == sum(in_sync for changed, in_sync in seconds if changed)


def expected_state_at(history: LinkHistory, number: int) -> tuple[TransitionLogged | None, bool]:
    """Compute transition and sync state at a second without `build_timeline`."""
    started_runs = [run for run in history.runs if run.began <= at(number)]
    later = [run.id for run in history.runs[len(started_runs) :]]

    def in_run(steps: Sequence[Any]) -> list[Any]:
        return [
            one for one in steps if started_runs and started_runs[-1].id < one.id < min(later, default=1000)
        ]

    changes_in_run = in_run([*history.changes, *history.syncs])
    if not started_runs or at(number) >= max([started_runs[-1].seen, *(one.at for one in changes_in_run)]):
        return None, False
    changes = [one for one in in_run(history.changes) if one.at <= at(number)]
    syncs = [one for one in in_run(history.syncs) if one.at <= at(number)]
    return (changes[-1] if changes else None), bool(syncs) and syncs[-1].in_sync
