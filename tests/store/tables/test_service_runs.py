"""When the service ran: noted at its start, each minute and at its stop, and nowhere else."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select

from pmslink.store.core.schema import RUNS
from pmslink.store.store_service import SEEN_INTERVAL
from pmslink.store.tables.service_runs import Run, as_run
from tests.store.store_harness import START, Playing

SECOND = timedelta(seconds=1)


def runs(connection: Connection) -> list[Run]:
    return [as_run(row) for row in connection.execute(select(RUNS).order_by(RUNS.c.id))]


def pass_time(playing: Playing, seconds: float) -> None:
    """With both clocks, and what nobody waits for committed."""
    playing.now += seconds * SECOND
    playing.turn(seconds)
    playing.turn(0.1)


def times(playing: Playing) -> list[tuple[float, float]]:
    """Of all runs, in seconds since the first began."""
    return [((run.began - START) / SECOND, (run.seen - START) / SECOND) for run in playing.read(runs)]


def test_a_run_is_known_from_its_start_to_its_last_whole_minute(playing: Playing) -> None:
    assert times(playing) == [(0, 0)]
    for _ in range(3):
        pass_time(playing, SEEN_INTERVAL)
    assert times(playing) == [(0, 180)]
    pass_time(playing, SEEN_INTERVAL - 1)
    playing.crash()
    playing.start()
    assert times(playing) == [(0, 180), (239, 239)]


def test_one_that_stops_in_good_order_is_known_to_its_end(playing: Playing) -> None:
    pass_time(playing, 30)
    playing.stop()
    playing.now += 10 * SECOND
    playing.start()
    assert times(playing) == [(0, 30), (40, 40)]


def test_a_run_has_a_number_before_all_that_happens_in_it(playing: Playing) -> None:
    first = playing.store.run
    number = playing.journal.number()
    playing.crash()
    playing.start()
    second = playing.store.run
    assert first is not None
    assert second is not None
    assert first < number < second
    assert [run.id for run in playing.read(runs)] == [first, second]


def test_a_minute_costs_one_commit(playing: Playing) -> None:
    before = playing.database.commits
    for _ in range(5):
        pass_time(playing, SEEN_INTERVAL)
    assert playing.database.commits == before + 5


def test_while_nothing_can_be_written_nothing_piles_up_and_the_run_is_not_told_of(playing: Playing) -> None:
    run = playing.store.run
    playing.database.fail()
    for _ in range(3):
        pass_time(playing, SEEN_INTERVAL)
    assert playing.store.run is None
    assert len(playing.journal._waiting) == 1
    playing.database.mend()
    pass_time(playing, SEEN_INTERVAL)
    assert playing.store.run == run
    pass_time(playing, SEEN_INTERVAL)
    assert times(playing) == [(0, 5 * SEEN_INTERVAL)]
