"""When the service ran: noted at its start, each minute and at its stop, and nowhere else."""

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


def pass_time(playing: StoreHarness, seconds: float) -> None:
    """With both clocks, and what nobody waits for committed."""
    playing.now += seconds * SECOND
    playing.advance(seconds)
    playing.advance(0.1)


def times(playing: StoreHarness) -> list[tuple[float, float]]:
    """Of all runs, in seconds since the first began."""
    return [
        ((run.began - START_TIME) / SECOND, (run.seen - START_TIME) / SECOND) for run in playing.read(runs)
    ]


def test_a_run_is_known_from_its_start_to_its_last_whole_minute(harness: StoreHarness) -> None:
    assert times(harness) == [(0, 0)]
    for _ in range(3):
        pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert times(harness) == [(0, 180)]
    pass_time(harness, RUN_UPDATE_INTERVAL_S - 1)
    harness.crash()
    harness.start()
    assert times(harness) == [(0, 180), (239, 239)]


def test_one_that_stops_in_good_order_is_known_to_its_end(harness: StoreHarness) -> None:
    pass_time(harness, 30)
    harness.stop()
    harness.now += 10 * SECOND
    harness.start()
    assert times(harness) == [(0, 30), (40, 40)]


def test_a_run_has_a_number_before_all_that_happens_in_it(harness: StoreHarness) -> None:
    first = harness.store.run_id
    number = harness.journal.next_seq()
    harness.crash()
    harness.start()
    second = harness.store.run_id
    assert first is not None
    assert second is not None
    assert first < number < second
    assert [run.id for run in harness.read(runs)] == [first, second]


def test_a_minute_costs_one_commit(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    for _ in range(5):
        pass_time(harness, RUN_UPDATE_INTERVAL_S)
    assert harness.database.commit_count == before + 5


def test_while_nothing_can_be_written_nothing_piles_up_and_the_run_is_not_told_of(
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
