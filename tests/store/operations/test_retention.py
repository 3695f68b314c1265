"""Forgetting: what is old enough goes, in the order of what happened, and whatever the clock says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.store.core import schema
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.retention import ANNOUNCEMENTS_KEPT, AT_ONCE, STRIDE, Purge
from pmslink.store.store_service import PURGE_INTERVAL, SEEN_INTERVAL
from pmslink.store.tables.history_queries import newest_records, newest_transitions
from pmslink.store.tables.log_entries import (
    Announced,
    Synced,
    keep_announcements,
    keep_syncs,
    keep_transitions,
)
from pmslink.store.tables.outbox_rows import OPEN, State, newest_rows
from pmslink.store.tables.service_runs import Run, keep_runs
from pmslink.timestamps import to_ms
from tests.store.store_harness import DAY, LINK, RETENTION, START, Playing, a_record, a_row
from tests.store.tables.test_history_queries import STATES, a_change

GUEST, HISTORY = RETENTION.guest, RETENTION.history


def purge(playing: Playing, times: int = 1) -> None:
    for _ in range(times):
        playing.result(Deferred.fromCoroutine(playing.store.purge()))


def keep(playing: Playing, **ages: timedelta) -> None:
    """Records with these names, so old at START."""
    playing.do_all(keep_records, *(a_record(f"GI|{name}|", at=START - age) for name, age in ages.items()))


def left(playing: Playing) -> str:
    """The names of the records that are left, oldest first."""
    records = playing.read(newest_records, LINK, None, None, None, 100)
    return "".join(record.text[3] for record in reversed(records))


def test_guest_data_goes_after_its_time_and_not_before(playing: Playing) -> None:
    ms = timedelta(milliseconds=1)
    keep(playing, a=GUEST + DAY, b=GUEST + ms, c=GUEST, d=GUEST - ms, e=timedelta(0))
    purge(playing)
    assert left(playing) == "cde"
    playing.now += 2 * ms
    purge(playing)
    assert left(playing) == "e"


def test_what_holds_no_guest_data_stays_longer(playing: Playing) -> None:
    for id, age in enumerate([HISTORY + DAY, HISTORY - DAY, GUEST + DAY]):
        change = a_change(id)
        change.at = START - age
        playing.do(keep_transitions, change)
        playing.have(a_row(id + 1, "done", created=to_ms(START - age)))
    keep(playing, a=GUEST + DAY)
    purge(playing)
    assert [change.id for change in playing.read(newest_transitions, LINK, None, 9)] == [2, 1]
    assert [row.id for row in playing.read(newest_rows, LINK, None, None, 9)] == [3, 2]
    assert left(playing) == ""


def test_when_a_link_was_in_sync_and_the_service_ran_stays_as_long_as_how_it_was(playing: Playing) -> None:
    for id, age in enumerate([HISTORY + DAY, HISTORY - DAY]):
        playing.do(keep_syncs, Synced(id, LINK, START - age, in_sync=True))
        playing.do(keep_runs, Run(id, START - 2 * HISTORY, START - age))
    purge(playing)
    assert playing.read(ids, schema.SYNCS) == [1]
    assert playing.read(ids, schema.RUNS) == [1, playing.store.run]


def ids(connection: Connection, table: Any) -> list[int]:
    return list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())


def test_a_run_that_goes_on_is_not_forgotten_however_long_ago_it_began(playing: Playing) -> None:
    playing.now += 2 * HISTORY
    playing.turn(SEEN_INTERVAL)
    playing.turn(1)
    purge(playing)
    assert playing.read(ids, schema.RUNS) == [playing.store.run]


@pytest.mark.parametrize("state", STATES)
def test_a_posting_that_waits_stays_however_old_and_holds_up_nothing(playing: Playing, state: State) -> None:
    old = to_ms(START - 2 * HISTORY)
    playing.have(a_row(1, state, created=old), a_row(2, "done", created=old), a_row(3, "done"))
    purge(playing)
    ids = [row.id for row in playing.read(newest_rows, LINK, None, None, 9)]
    assert ids == ([3, 1] if state in OPEN else [3])


def test_all_links_are_purged_alike(playing: Playing) -> None:
    playing.do_all(
        keep_records, a_record(at=START - 2 * GUEST, link="annexe"), a_record(at=START - 2 * GUEST)
    )
    purge(playing)
    assert playing.read(count, schema.RECORDS) == 0


def count(connection: Connection, table: Any) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_announcements_are_bounded_by_their_number(playing: Playing) -> None:
    news = [Announced(START, str(number)) for number in range(ANNOUNCEMENTS_KEPT + 5)]
    playing.do_all(keep_announcements, *news)
    purge(playing)
    assert playing.read(count, schema.ANNOUNCEMENTS) == ANNOUNCEMENTS_KEPT
    oldest = schema.ANNOUNCEMENTS.c.seq
    assert playing.read(lambda c: c.execute(select(func.min(oldest))).scalar_one()) == news[5].seq


def test_a_long_past_goes_in_several_commits_for_others_wait(playing: Playing) -> None:
    amount = 2 * AT_ONCE + 1
    old = to_ms(START - 2 * HISTORY)
    playing.do_all(keep_records, *(a_record(at=START - 2 * GUEST) for _ in range(amount)))
    playing.have(*(a_row(id + 1, "done", created=old) for id in range(amount)))
    before = playing.database.commits
    purge(playing)
    assert playing.read(count, schema.RECORDS) == playing.read(count, schema.POSTINGS) == 0
    assert playing.database.commits == before + 1 + 3 + 1


# clocks that are wrong


def test_what_a_clock_gone_wrong_has_dated_back_stays_as_long_as_its_neighbours(playing: Playing) -> None:
    keep(playing, a=2 * GUEST, b=DAY, c=20 * 365 * DAY, d=20 * 365 * DAY, e=timedelta(0))
    purge(playing)
    assert left(playing) == "bcde"
    playing.now += GUEST
    purge(playing, 35 * (DAY // STRIDE))
    assert left(playing) == "e"


def test_what_it_has_dated_ahead_goes_with_what_comes_after_it(playing: Playing) -> None:
    keep(playing, a=2 * GUEST, b=-365 * DAY, c=2 * GUEST, d=-365 * DAY, e=DAY)
    purge(playing)
    assert left(playing) == "de"
    playing.now += GUEST
    purge(playing, 35 * (DAY // STRIDE))
    assert left(playing) == ""


def test_a_clock_that_is_a_year_ahead_forgets_a_stride_more_in_each_purge(playing: Playing) -> None:
    ages = {name: GUEST - (step + 0.5) * STRIDE for step, name in enumerate("abc")}
    keep(playing, **ages, d=timedelta(0))
    purge(playing)
    assert left(playing) == "abcd"
    playing.now += 365 * DAY
    seen = []
    for _ in range(3):
        purge(playing)
        seen.append(left(playing))
    assert seen == ["bcd", "cd", "d"]
    playing.now = START
    purge(playing)
    playing.now += 365 * DAY
    purge(playing)
    assert left(playing) == "d"  # set right in between, it begins from there


def test_after_a_long_standstill_it_catches_up_over_restarts(playing: Playing) -> None:
    keep(playing, a=timedelta(0))
    purge(playing)
    playing.stop()
    playing.now += GUEST + 5 * DAY
    playing.start()
    purge(playing, GUEST // STRIDE)
    assert left(playing) == "a"
    playing.crash()
    playing.start()
    purge(playing)
    assert left(playing) == ""


# the purge in the service


def test_it_is_purged_again_and_again(playing: Playing) -> None:
    keep(playing, a=2 * GUEST)
    playing.turn(PURGE_INTERVAL - 1)
    assert left(playing) == "a"
    playing.turn(1)
    assert left(playing) == ""
    keep(playing, b=2 * GUEST)
    playing.turn(PURGE_INTERVAL)
    assert left(playing) == ""


def test_who_keeps_a_copy_is_told_how_old_is_gone(playing: Playing) -> None:
    told: list[Purge] = []
    playing.store.purged.append(told.append)
    purge(playing)
    assert told == [Purge(START - GUEST, START - HISTORY, START)]


def test_a_disk_that_fails_puts_it_off_to_the_next_time(playing: Playing) -> None:
    keep(playing, a=2 * GUEST)
    playing.database.fail()
    playing.turn(PURGE_INTERVAL)
    playing.database.mend()
    playing.turn(60)
    assert left(playing) == "a"
    playing.turn(PURGE_INTERVAL)
    assert left(playing) == ""


def test_a_disk_that_cannot_give_space_back_does_not_end_the_purging(playing: Playing) -> None:
    told: list[Purge] = []
    playing.store.purged.append(told.append)
    keep(playing, a=2 * GUEST)
    playing.database.reclaiming_fails = True
    playing.turn(PURGE_INTERVAL)
    assert left(playing) == ""
    assert len(told) == 1
    playing.database.reclaiming_fails = False
    keep(playing, b=2 * GUEST)
    playing.turn(PURGE_INTERVAL)
    assert left(playing) == ""
    assert len(told) == 2


def test_a_purge_that_is_wrong_is_logged(playing: Playing, nothing_left_behind: list[LogEvent]) -> None:
    def broken(step: Purge) -> None:
        raise RuntimeError

    playing.store.purged.append(broken)
    playing.turn(PURGE_INTERVAL)
    (event,) = nothing_left_behind
    assert event["log_failure"].type is RuntimeError
    nothing_left_behind.clear()


def test_a_stop_does_not_wait_for_the_rest_of_a_long_purge(playing: Playing) -> None:
    keep_many = [a_record(at=START - 2 * GUEST) for _ in range(5 * AT_ONCE)]
    playing.do_all(keep_records, *keep_many)
    stopped: list[object] = []

    def stop(entries: object = None) -> None:
        if not stopped:
            stopped.append(playing.store.stopService())

    playing.journal.write(lambda transaction, arguments: arguments, None)  # the purge's first commit …
    purging = Deferred.fromCoroutine(playing.store.purge())
    stop()  # … and the end, in one turn
    playing.turn()
    assert purging.called
    assert isinstance(stopped[0], Deferred)
    assert stopped[0].called
    playing.start()
    assert playing.read(count, schema.RECORDS) >= 3 * AT_ONCE
    assert not playing.store.opened.unclean
