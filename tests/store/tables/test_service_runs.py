"""The runs of the service: stored at the start, each minute and at the stop, and at no other time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select

from pmslink.store.core.schema import RUNS
from pmslink.store.store_service import RUN_UPDATE_INTERVAL_S
from pmslink.store.tables.service_runs import Run, run_from_row
from tests.store.store_harness import START_TIME, StoreHarness

SECOND = timedelta(seconds=1)


def runs(connection: Connection) -> list[Run]:
    return [run_from_row(row) for row in connection.execute(select(RUNS).order_by(RUNS.c.id))]


def pass_time(harness: StoreHarness, seconds: float) -> None:
    """Advance both clocks, and commit the writes that are not urgent."""
    harness.now += seconds * SECOND
    harness.advance(seconds)
    harness.advance(0.1)


def times(harness: StoreHarness) -> list[tuple[float, float]]:
    """Return start and end of all runs, in seconds after the start of the first."""
    return [
        ((run.began - START_TIME) / SECOND, (run.seen - START_TIME) / SECOND) for run in harness.read(runs)
    ]


def test_a_run_that_crashed_ends_at_its_last_update(harness: StoreHarness) -> None:
    assert times(harness) == [(0, 0)]
    for _ in range(3):
        pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert times(harness) == [(0, 180)]
    pass_time(harness, RUN_UPDATE_INTERVAL_S - 1)
    harness.crash()
    harness.start()
    assert times(harness) == [(0, 180), (239, 239)]


def test_a_run_that_stops_cleanly_ends_at_its_stop(harness: StoreHarness) -> None:
    pass_time(harness, 30)
    harness.stop()
    harness.now += 10 * SECOND
    harness.start()
    assert times(harness) == [(0, 30), (40, 40)]


def test_the_id_of_a_run_is_below_those_of_its_entries(harness: StoreHarness) -> None:
    first = harness.store.run_id
    number = harness.journal.next_seq()
    harness.crash()
    harness.start()
    second = harness.store.run_id
    assert first is not None
    assert second is not None
    assert first < number < second
    assert [run.id for run in harness.read(runs)] == [first, second]


def test_the_update_of_a_run_costs_one_commit_a_minute(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    for _ in range(5):
        pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert harness.database.commit_count == before + 5


def test_during_an_outage_updates_of_the_run_are_not_queued_and_the_run_has_no_id(
    harness: StoreHarness,
) -> None:
    run = harness.store.run_id
    harness.database.start_failing()
    for _ in range(3):
        pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert harness.store.run_id is None
    assert len(harness.journal._queue) == 1
    harness.database.stop_failing()
    pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert harness.store.run_id == run
    pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert times(harness) == [(0, 5 * RUN_UPDATE_INTERVAL_S)]
