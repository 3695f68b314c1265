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
class Story:
    """What happened to a link, told in seconds."""

    runs: list[Run] = field(factory=list)
    changes: list[TransitionLogged] = field(factory=list)
    syncs: list[SyncChanged] = field(factory=list)

    def begins(self, second: int) -> Story:
        """The service does."""
        self.runs.append(Run(self._id(), at(second), at(second)))
        return self

    def seen(self, second: int) -> Story:
        """It was known to run then."""
        if self.runs:
            self.runs[-1] = evolve(self.runs[-1], seen=at(second))
        return self

    def enters(self, second: int, marker: str = "ESTABLISHED") -> Story:
        self.changes.append(TransitionLogged(self._id(), LINK_NAME, at(second), None, marker, "", "{}"))
        return self

    def in_sync(self, second: int) -> Story:
        self.syncs.append(SyncChanged(self._id(), LINK_NAME, at(second), in_sync=True))
        return self

    def out_of_sync(self, second: int) -> Story:
        self.syncs.append(SyncChanged(self._id(), LINK_NAME, at(second), in_sync=False))
        return self

    def _id(self) -> int:
        return len(self.runs) + len(self.changes) + len(self.syncs) + 1

    def timeline(self, since: float = 0, until: float = UNTIL) -> Timeline:
        return build_timeline(at(since), at(until), self.runs, self.changes, self.syncs)

    def spans(self, since: float = 0, until: float = UNTIL) -> list[tuple[float, float, str | None]]:
        spans = self.timeline(since, until).spans
        return [(second(span.since), second(span.until), span.state) for span in spans]

    def in_sync_and_known(self, since: float = 0, until: float = UNTIL) -> tuple[float, float]:
        found = self.timeline(since, until)
        return found.in_sync_time.total_seconds(), found.observed_time.total_seconds()


def second(moment: datetime) -> float:
    return (moment - START_TIME).total_seconds()


def test_spans_follow_each_other_and_the_last_change_before_the_period_gives_the_first_state() -> None:
    story = Story().begins(-90).enters(-80, "CLOSED").enters(-70).enters(20, "EXPECTION").enters(30).seen(100)
    assert story.spans() == [(0, 20, "ESTABLISHED"), (20, 30, "EXPECTION"), (30, 100, "ESTABLISHED")]
    assert story.spans(25, 26) == [(25, 26, "EXPECTION")]


def test_each_span_names_its_transition() -> None:
    story = Story().begins(0).enters(0).enters(50).seen(100)
    assert [span.transition for span in story.timeline().spans] == story.changes


def test_the_time_in_sync_is_part_of_the_observed_time() -> None:
    story = Story().begins(20).enters(20).in_sync(30).out_of_sync(50).in_sync(80).seen(100)
    assert story.in_sync_and_known() == (40, 80)
    assert story.timeline().in_sync_ratio == 0.5
    assert story.in_sync_and_known(40, 90) == (20, 50)


def test_a_sync_change_does_not_split_a_span() -> None:
    story = Story().begins(0).enters(0).in_sync(10).out_of_sync(20).seen(100)
    assert story.spans() == [(0, 100, "ESTABLISHED")]


def test_without_changes_the_state_is_unknown() -> None:
    assert Story().spans() == [(0, 100, None)]
    assert Story().timeline().in_sync_ratio is None
    assert Story().begins(0).seen(100).spans() == [(0, 100, None)]
    assert Story().enters(0).in_sync(0).spans() == [(0, 100, None)]  # in no run that is known


def test_an_empty_period_has_no_spans() -> None:
    assert Story().begins(0).enters(0).seen(100).spans(50, 50) == []


def test_between_two_runs_the_state_is_unknown() -> None:
    story = Story().begins(0).enters(0).in_sync(0).seen(40).begins(60).enters(62, "CLOSED").enters(70)
    story.seen(100)
    assert story.spans() == [
        (0, 40, "ESTABLISHED"),
        (40, 62, None),
        (62, 70, "CLOSED"),
        (70, 100, "ESTABLISHED"),
    ]
    assert story.in_sync_and_known() == (40, 78)  # for in the second run it is not in sync yet


def test_a_change_after_the_last_update_of_a_run_extends_the_run() -> None:
    story = (
        Story().begins(0).enters(0).in_sync(10).seen(20).out_of_sync(30).enters(30, "EXPECTION").enters(50)
    )
    assert story.spans() == [(0, 30, "ESTABLISHED"), (30, 50, "EXPECTION"), (50, 100, None)]
    assert story.in_sync_and_known() == (20, 50)


def test_a_run_without_the_link_leaves_its_state_unknown() -> None:
    story = Story().begins(0).enters(0).seen(20).begins(30).seen(60).begins(70).enters(80).seen(100)
    assert story.spans() == [(0, 20, "ESTABLISHED"), (20, 80, None), (80, 100, "ESTABLISHED")]


def test_after_the_clock_is_set_back_the_later_timestamp_limits_a_span() -> None:
    story = Story().begins(0).enters(10).enters(50, "EXPECTION").in_sync(55).enters(40).seen(100)
    assert story.spans() == [(0, 10, None), (10, 40, "ESTABLISHED"), (40, 100, "ESTABLISHED")]
    assert story.in_sync_and_known() == (60, 90)


def test_changes_with_timestamps_in_the_future_are_outside_the_period() -> None:
    story = Story().begins(0).enters(10).enters(5000, "EXPECTION").seen(100)
    assert story.spans() == [(0, 10, None), (10, 100, "ESTABLISHED")]


# whatever happened

kinds = st.sampled_from(["begins", "seen", "enters", "in_sync", "out_of_sync"])


def told(happened: Sequence[tuple[str, int]]) -> Story:
    story = Story()
    for kind, when in happened:
        getattr(story, kind)(when)
    return story


@given(
    st.lists(st.tuples(kinds, st.integers(-50, 150)), max_size=30), st.integers(-20, 120), st.integers(0, 120)
)
def test_spans_cover_the_time_without_gaps_whatever_the_clock_did(
    happened: list[tuple[str, int]], since: int, length: int
) -> None:
    story, until = told(happened), since + length
    found = story.timeline(since, until)
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


@given(st.lists(st.tuples(kinds, st.integers(0, 20)), max_size=30))
def test_with_a_correct_clock_each_second_has_its_state(gaps: list[tuple[str, int]]) -> None:
    now = -30
    happened = [("begins", now)] + [(kind, now := now + gap) for kind, gap in gaps]
    story = told(happened)
    found = story.timeline()
    seconds = [how(story, number) for number in range(UNTIL)]
    for number, (changed, _) in enumerate(seconds):
        assert [span.transition for span in found.spans if span.since <= at(number) < span.until] == [changed]
    assert found.observed_time.total_seconds() == sum(changed is not None for changed, _ in seconds)
    assert found.in_sync_time.total_seconds() == sum(in_sync for changed, in_sync in seconds if changed)


def how(story: Story, number: int) -> tuple[TransitionLogged | None, bool]:
    """How the link was in that second: the long way round."""
    begun = [run for run in story.runs if run.began <= at(number)]
    later = [run.id for run in story.runs[len(begun) :]]

    def in_run(happened: Sequence[Any]) -> list[Any]:
        return [one for one in happened if begun and begun[-1].id < one.id < min(later, default=1000)]

    everything = in_run([*story.changes, *story.syncs])
    if not begun or at(number) >= max([begun[-1].seen, *(one.at for one in everything)]):
        return None, False
    changes = [one for one in in_run(story.changes) if one.at <= at(number)]
    syncs = [one for one in in_run(story.syncs) if one.at <= at(number)]
    return (changes[-1] if changes else None), bool(syncs) and syncs[-1].in_sync
