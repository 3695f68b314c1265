"""The query of a timeline: the last change before the period, its limits, and the current run."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event

from pmslink.store.tables import timeline_query
from pmslink.store.tables.availability import Segment, Timeline
from pmslink.store.tables.link_rows import RemoveLink, StoredLink, remove_links, store_links
from pmslink.store.tables.log_entries import (
    SyncChanged,
    TransitionLogged,
    append_sync_changes,
    append_transitions,
)
from pmslink.store.tables.service_runs import Run, store_runs
from pmslink.store.tables.timeline_query import read_segments, read_timeline
from tests.store.store_harness import LINK_NAME, START_TIME, StoreHarness

HOUR = timedelta(hours=1)
WINDOW = 24 * HOUR


def enter_state(harness: StoreHarness, marker: str, link: str = LINK_NAME) -> None:
    number = harness.journal.next_seq()
    harness.submit(
        append_transitions, TransitionLogged(number, link, harness.now, "CLOSED", marker, "because", "{}")
    )


def set_in_sync(harness: StoreHarness, in_sync: bool, link: str = LINK_NAME) -> None:
    harness.submit(append_sync_changes, SyncChanged(harness.journal.next_seq(), link, harness.now, in_sync))


def read(harness: StoreHarness, length: timedelta = WINDOW, link: str = LINK_NAME) -> Timeline:
    """Read the timeline of the last `length` up to now."""
    return harness.read(read_timeline, link, harness.now - length, harness.now, harness.store.run_id)


def hours_and_states(timeline: Timeline) -> list[tuple[float, str | None]]:
    """Return the length in hours and the state of each span."""
    return [((span.until - span.since) / HOUR, span.state) for span in timeline.spans]


def test_the_timeline_has_changes_within_the_period_and_the_last_one_before_it(harness: StoreHarness) -> None:
    enter_state(harness, "WAIT_LS")
    enter_state(harness, "ESTABLISHED")
    set_in_sync(harness, True)
    harness.now += 30 * HOUR
    set_in_sync(harness, False)
    enter_state(harness, "EXPECTION")
    harness.now += 2 * HOUR
    timeline = read(harness)
    assert hours_and_states(timeline) == [(22, "ESTABLISHED"), (2, "EXPECTION")]
    assert (timeline.in_sync_time, timeline.observed_time) == (22 * HOUR, 24 * HOUR)
    assert hours_and_states(read(harness, HOUR)) == [(1, "EXPECTION")]
    assert read(harness, HOUR).in_sync_ratio == 0


def test_a_transition_is_read_as_it_was_stored(harness: StoreHarness) -> None:
    enter_state(harness, "WAIT_LS")
    harness.now += HOUR
    (_, span) = read(harness).spans
    assert span.transition is not None
    assert (span.transition.new, span.transition.reason, span.transition.cause) == (
        "WAIT_LS",
        "because",
        "{}",
    )
    assert span.since == START_TIME


def test_each_link_has_its_own_timeline(harness: StoreHarness) -> None:
    enter_state(harness, "ESTABLISHED")
    set_in_sync(harness, True)
    enter_state(harness, "DISABLED", link="annexe")
    harness.now += HOUR
    assert hours_and_states(read(harness, HOUR)) == [(1, "ESTABLISHED")]
    assert hours_and_states(read(harness, HOUR, "annexe")) == [(1, "DISABLED")]
    assert read(harness, HOUR, "annexe").in_sync_time == timedelta()
    assert hours_and_states(read(harness, HOUR, "nowhere")) == [(1, None)]


@pytest.mark.parametrize(("end", "noted"), [("stop", 5), ("crash", 0)])
def test_the_state_is_unknown_from_the_end_of_a_run_to_the_next(
    harness: StoreHarness, end: str, noted: int
) -> None:
    enter_state(harness, "ESTABLISHED")
    set_in_sync(harness, True)
    harness.now += 5 * HOUR
    getattr(harness, end)()
    harness.now += HOUR
    harness.start()
    enter_state(harness, "WAIT_LS")
    harness.now += HOUR
    timeline = read(harness, 7 * HOUR)
    assert hours_and_states(timeline)[-2:] == [(6 - noted, None), (1, "WAIT_LS")]
    assert (timeline.in_sync_time, timeline.observed_time) == (noted * HOUR, (noted + 1) * HOUR)


def test_during_an_outage_the_state_is_known_up_to_the_last_update_of_the_run(harness: StoreHarness) -> None:
    enter_state(harness, "ESTABLISHED")
    harness.now += HOUR
    harness.database.start_failing()
    harness.journal.submit_nowait(
        append_sync_changes, SyncChanged(harness.journal.next_seq(), LINK_NAME, harness.now, in_sync=True)
    )
    harness.advance()
    assert hours_and_states(read(harness, HOUR)) == [(1, None)]
    harness.database.stop_failing()
    harness.advance(1)
    assert hours_and_states(read(harness, HOUR)) == [(1, "ESTABLISHED")]


def test_a_removed_link_leaves_no_history_to_a_new_one_of_the_same_name(harness: StoreHarness) -> None:
    harness.submit(store_links, StoredLink(LINK_NAME, "{}", "enabled"))
    enter_state(harness, "ESTABLISHED")
    set_in_sync(harness, True)
    harness.now += HOUR
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=False))
    assert hours_and_states(read(harness)) == [(24, None)]
    enter_state(harness, "WAIT_LS")
    harness.now += HOUR
    assert hours_and_states(read(harness, 2 * HOUR)) == [(1, None), (1, "WAIT_LS")]
    assert read(harness).in_sync_time == timedelta()


def test_the_runs_are_read_once_for_several_links(harness: StoreHarness) -> None:
    enter_state(harness, "ESTABLISHED")
    enter_state(harness, "DISABLED", link="annexe")
    harness.now += HOUR
    statements: list[str] = []

    def read_counted(connection: Connection) -> dict[str, list[Segment]]:
        event.listen(connection, "before_cursor_execute", lambda *call: statements.append(call[2]))
        links = [LINK_NAME, "annexe", "nowhere"]
        return read_segments(connection, links, harness.now - HOUR, harness.now, harness.store.run_id)

    segments = harness.read(read_counted)
    states = {link: [segment.transition for segment in found] for link, found in segments.items()}
    assert [[change and change.new for change in changes] for changes in states.values()] == [
        ["ESTABLISHED"],
        ["DISABLED"],
        [None],
    ]
    assert sum("FROM runs" in statement for statement in statements) == 1


# Limits.


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit a timeline to three changes of each kind."""
    monkeypatch.setattr(timeline_query, "TIMELINE_MAX_CHANGES", 3)


def hours_covered(timeline: Timeline) -> float:
    """Return the length of the timeline in hours."""
    return (timeline.until - timeline.since) / HOUR


def test_after_too_many_transitions_the_timeline_begins_later(
    small_limit: None, harness: StoreHarness
) -> None:
    enter_state(harness, "CLOSED")
    for marker in ("WAIT_LS", "EXPECTION", "WAIT_LS"):
        harness.now += HOUR
        enter_state(harness, marker)
    assert hours_covered(read(harness)) == 3  # earlier transitions may exist
    harness.now += HOUR
    enter_state(harness, "ESTABLISHED")
    harness.now += HOUR
    timeline = read(harness)
    assert hours_covered(timeline) == 4
    assert hours_and_states(timeline) == [
        (1, "WAIT_LS"),
        (1, "EXPECTION"),
        (1, "WAIT_LS"),
        (1, "ESTABLISHED"),
    ]


def test_the_last_change_before_the_period_does_not_count_towards_the_limit(
    small_limit: None, harness: StoreHarness
) -> None:
    for marker in ("CLOSED", "WAIT_LS", "EXPECTION", "WAIT_LS"):
        enter_state(harness, marker)
        harness.now += HOUR
    timeline = read(harness, 3.5 * HOUR)
    assert hours_and_states(timeline) == [(0.5, "CLOSED"), (1, "WAIT_LS"), (1, "EXPECTION"), (1, "WAIT_LS")]


def test_after_too_many_sync_changes_the_timeline_begins_later(
    small_limit: None, harness: StoreHarness
) -> None:
    enter_state(harness, "ESTABLISHED")
    for number in range(6):
        harness.now += HOUR
        set_in_sync(harness, number % 2 == 0)
    harness.now += HOUR
    timeline = read(harness)
    assert hours_and_states(timeline) == [(4, "ESTABLISHED")]
    assert (timeline.in_sync_time, timeline.observed_time) == (2 * HOUR, 4 * HOUR)


def test_after_too_many_runs_the_timeline_begins_later(small_limit: None, harness: StoreHarness) -> None:
    for _ in range(6):
        harness.now += HOUR
        harness.crash()
        harness.start()
        enter_state(harness, "WAIT_LS")
    harness.now += HOUR
    assert hours_covered(read(harness)) == 4


def test_after_the_clock_is_set_back_no_timeline_begins_after_its_end(
    small_limit: None, harness: StoreHarness
) -> None:
    for _ in range(9):
        harness.now += HOUR
        enter_state(harness, "WAIT_LS")
    harness.now = START_TIME
    timeline = read(harness)
    assert (timeline.since, timeline.spans) == (START_TIME, [])


def test_many_runs_before_the_period_do_not_shorten_the_timeline(
    small_limit: None, harness: StoreHarness
) -> None:
    for number in range(9):
        past: datetime = START_TIME - (9 - number) * WINDOW
        harness.submit(store_runs, Run(number, past, past + HOUR))
    enter_state(harness, "ESTABLISHED")
    harness.now += 2 * HOUR
    assert hours_and_states(read(harness, HOUR)) == [(1, "ESTABLISHED")]
