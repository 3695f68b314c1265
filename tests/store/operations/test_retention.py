"""Expired entries are deleted in the order in which they were stored, whatever the clock shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.store.core import schema
from pmslink.store.core.prepared_statements import insert_many
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations import retention
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.retention import (
    LINK_SNAPSHOT_MAX_ROWS,
    PURGE_BATCH_ROWS,
    PURGE_CLOCK_MAX_STEP,
    PURGE_STEP_ROWS,
    Purge,
    PurgeStep,
)
from pmslink.store.store_service import PURGE_INTERVAL_S, RUN_UPDATE_INTERVAL_S
from pmslink.store.tables.audit_log import AuditEntry, AuditQuery, append_audit_entries, newest_audit_entries
from pmslink.store.tables.history_queries import newest_records, newest_transitions
from pmslink.store.tables.log_entries import (
    LinkSnapshotLogged,
    SyncChanged,
    append_link_snapshots,
    append_sync_changes,
    append_transitions,
)
from pmslink.store.tables.outbox_rows import OPEN_STATES, RefusedRowPurged, RowState, newest_rows
from pmslink.store.tables.service_runs import Run, store_runs
from pmslink.store.tables.stays import Stay
from pmslink.timestamps import to_ms
from tests.store.store_harness import (
    DAY,
    LINK_NAME,
    RETENTION,
    START_TIME,
    StoreHarness,
    make_record,
    make_row,
)
from tests.store.tables.test_history_queries import STATES, make_transition

GUEST, HISTORY = RETENTION.guest, RETENTION.history


def purge(harness: StoreHarness, times: int = 1) -> None:
    for _ in range(times):
        harness.result(Deferred.fromCoroutine(harness.store.purge()))


def store_records(harness: StoreHarness, **ages: timedelta) -> None:
    """Store records with these names and these ages at START_TIME."""
    harness.submit_all(
        append_records, *(make_record(f"GI|{name}|", at=START_TIME - age) for name, age in ages.items())
    )


def remaining_names(harness: StoreHarness) -> str:
    """Return the names of the remaining records, oldest first."""
    records = harness.read(newest_records, LINK_NAME, None, None, None, 100)
    return "".join(record.text[3] for record in reversed(records))


def test_guest_data_is_deleted_after_its_retention_time_and_not_before(harness: StoreHarness) -> None:
    ms = timedelta(milliseconds=1)
    store_records(harness, a=GUEST + DAY, b=GUEST + ms, c=GUEST, d=GUEST - ms, e=timedelta(0))
    purge(harness)
    assert remaining_names(harness) == "cde"
    harness.now += 2 * ms
    purge(harness)
    assert remaining_names(harness) == "e"


def test_nothing_is_deleted_while_the_wall_clock_may_be_wrong(harness: StoreHarness) -> None:
    store_records(harness, a=GUEST + DAY, b=timedelta(0))
    harness.is_clock_settled = False
    purge(harness)
    assert remaining_names(harness) == "ab"
    harness.is_clock_settled = True
    purge(harness)
    assert remaining_names(harness) == "b"


def store_stays(harness: StoreHarness, **stays: tuple[timedelta, timedelta | None]) -> None:
    """Store stays of these guests, with the ages of their begin and of their end at START_TIME."""

    def store(transaction: Transaction, guests: Sequence[str]) -> Sequence[None]:
        rows = [
            Stay(
                transaction.next_seq(),
                LINK_NAME,
                "101",
                guest,
                guest,
                to_ms(START_TIME - stays[guest][0]),
                None if (ended := stays[guest][1]) is None else to_ms(START_TIME - ended),
            )
            for guest in guests
        ]
        insert_many(transaction.connection, schema.STAYS, rows)
        return [None] * len(guests)

    harness.submit_all(store, *stays)


def remaining_stays(harness: StoreHarness) -> str:
    query = select(schema.STAYS.c.guest).order_by(schema.STAYS.c.id)
    return "".join(harness.read(lambda connection: connection.execute(query).scalars().all()))


def test_a_stay_is_deleted_when_its_end_is_older_than_guest_data_may_be(harness: StoreHarness) -> None:
    store_stays(
        harness,
        a=(GUEST + 9 * DAY, GUEST - DAY),  # began before the others and ended after them
        b=(GUEST + 8 * DAY, GUEST + DAY),
        c=(GUEST + 7 * DAY, None),  # still in the hotel
        d=(DAY, timedelta(0)),
    )
    purge(harness)
    assert remaining_stays(harness) == "acd"
    harness.now += 2 * DAY
    purge(harness, times=20)
    assert remaining_stays(harness) == "cd"


def test_a_stay_whose_end_lies_in_the_future_is_deleted_with_its_neighbours(harness: StoreHarness) -> None:
    store_stays(harness, a=(GUEST + 2 * DAY, -400 * DAY), b=(GUEST + DAY, GUEST + DAY), c=(DAY, -400 * DAY))
    purge(harness)
    assert remaining_stays(harness) == "c"


def test_problems_of_records_are_guest_data(harness: StoreHarness) -> None:
    def store(transaction: Transaction, ages: Sequence[timedelta]) -> Sequence[None]:
        rows = [(transaction.next_seq(), LINK_NAME, to_ms(START_TIME - age), f"{age.days}") for age in ages]
        insert_many(transaction.connection, schema.RECORD_PROBLEMS, rows)
        return [None] * len(ages)

    harness.submit_all(store, GUEST + DAY, GUEST - DAY)
    purge(harness)
    query = select(schema.RECORD_PROBLEMS.c.problem)
    assert harness.read(lambda connection: connection.execute(query).scalars().all()) == ["29"]


def test_history_without_guest_data_stays_longer(harness: StoreHarness) -> None:
    for id, age in enumerate([HISTORY + DAY, HISTORY - DAY, GUEST + DAY]):
        change = make_transition(id)
        change.at = START_TIME - age
        harness.submit(append_transitions, change)
        harness.insert_rows(make_row(id + 1, "done", created=to_ms(START_TIME - age)))
    store_records(harness, a=GUEST + DAY)
    purge(harness)
    assert [change.id for change in harness.read(newest_transitions, LINK_NAME, None, 9)] == [2, 1]
    assert [row.id for row in harness.read(newest_rows, LINK_NAME, None, None, 9)] == [3, 2]
    assert remaining_names(harness) == ""


def test_sync_changes_and_runs_stay_as_long_as_transitions(
    harness: StoreHarness,
) -> None:
    for id, age in enumerate([HISTORY + DAY, HISTORY - DAY]):
        harness.submit(append_sync_changes, SyncChanged(id, LINK_NAME, START_TIME - age, in_sync=True))
        harness.submit(store_runs, Run(id, START_TIME - 2 * HISTORY, START_TIME - age))
    purge(harness)
    assert harness.read(ids, schema.SYNC_CHANGES) == [1]
    assert harness.read(ids, schema.RUNS) == [1, harness.store.run_id]


def ids(connection: Connection, table: Any) -> list[int]:
    return list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())


def test_the_audit_trail_stays_as_long_as_transitions(harness: StoreHarness) -> None:
    ages = (HISTORY + DAY, HISTORY - DAY, timedelta(0))
    entries = [AuditEntry(to_ms(START_TIME - age), "front-desk", "control", f"{age.days}") for age in ages]
    harness.submit_all(append_audit_entries, *entries)
    purge(harness)
    remaining = harness.read(newest_audit_entries, AuditQuery(limit=9))
    assert [one.entry for one in remaining] == entries[:0:-1]


def test_a_notice_is_deleted_when_it_has_been_over_as_long_as_transitions_stay(harness: StoreHarness) -> None:
    old, ago = to_ms(START_TIME - 2 * HISTORY), to_ms(START_TIME - HISTORY)
    ends = {1: ago - 1, 2: ago, 3: None, 4: to_ms(START_TIME)}

    def store(transaction: Transaction, ids: Sequence[int]) -> Sequence[None]:
        rows = [(one, LINK_NAME, "down", "", old, one, ends[one], "{}", None, None) for one in ids]
        insert_many(transaction.connection, schema.NOTICES, rows)
        return [None] * len(ids)

    harness.submit_all(store, *ends)
    purge(harness)
    assert harness.read(ids, schema.NOTICES) == [2, 3, 4]


def test_the_current_run_is_not_deleted_however_old_it_is(harness: StoreHarness) -> None:
    harness.now += 2 * HISTORY
    harness.advance(RUN_UPDATE_INTERVAL_S)
    harness.advance(1)
    purge(harness)
    assert harness.read(ids, schema.RUNS) == [harness.store.run_id]


@pytest.mark.parametrize("state", STATES)
def test_an_open_posting_stays_however_old_and_does_not_block_others(
    harness: StoreHarness, state: RowState
) -> None:
    old = to_ms(START_TIME - 2 * HISTORY)
    harness.insert_rows(
        make_row(1, state, created=old), make_row(2, "done", created=old), make_row(3, "done")
    )
    purge(harness)
    ids = [row.id for row in harness.read(newest_rows, LINK_NAME, None, None, 9)]
    assert ids == ([3, 1] if state in OPEN_STATES else [3])


def test_all_links_are_purged_alike(harness: StoreHarness) -> None:
    harness.submit_all(
        append_records,
        make_record(at=START_TIME - 2 * GUEST, link="annexe"),
        make_record(at=START_TIME - 2 * GUEST),
    )
    purge(harness)
    assert harness.read(count, schema.RECORDS) == 0


def count(connection: Connection, table: Any) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_link_snapshots_are_limited_by_their_number(harness: StoreHarness) -> None:
    news = [LinkSnapshotLogged(START_TIME, str(number)) for number in range(LINK_SNAPSHOT_MAX_ROWS + 5)]
    harness.submit_all(append_link_snapshots, *news)
    purge(harness)
    assert harness.read(count, schema.LINK_SNAPSHOTS) == LINK_SNAPSHOT_MAX_ROWS
    oldest = schema.LINK_SNAPSHOTS.c.seq
    assert harness.read(lambda c: c.execute(select(func.min(oldest))).scalar_one()) == news[5].seq


def test_a_large_purge_takes_several_commits(harness: StoreHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PURGE_STEP_S", 0.0)  # each commit does one batch
    amount = 2 * PURGE_BATCH_ROWS + 1
    old = to_ms(START_TIME - 2 * HISTORY)
    harness.submit_all(append_records, *(make_record(at=START_TIME - 2 * GUEST) for _ in range(amount)))
    harness.insert_rows(*(make_row(id + 1, "done", created=old) for id in range(amount)))
    before = harness.database.commit_count
    purge(harness)
    assert harness.read(count, schema.RECORDS) == harness.read(count, schema.POSTINGS) == 0
    batches = 2 * 3 + (len(retention.TABLE_PURGES) - 2) + 2  # the last ones find nothing
    assert harness.database.commit_count == before + 1 + batches


def test_a_step_ends_after_its_time(harness: StoreHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit of a purge holds up all others, so it is limited by time: each table may be slow."""
    seconds = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds) * 0.01)
    monkeypatch.setattr(retention, "PURGE_STEP_S", 0.025)
    old = START_TIME - 2 * GUEST
    harness.submit_all(append_records, *(make_record(at=old) for _ in range(6 * PURGE_BATCH_ROWS)))
    step = PurgeStep(Purge(START_TIME - GUEST, START_TIME - HISTORY, START_TIME))
    done = harness.submit(retention.purge, step)
    assert done.deleted == 3 * PURGE_BATCH_ROWS
    assert done.next_step == step
    done = harness.submit(retention.purge, step)
    assert done.deleted == 3 * PURGE_BATCH_ROWS


def test_a_step_ends_after_its_number_of_rows(harness: StoreHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commit writes all pages that have changed, and takes the longer the more there are."""
    monkeypatch.setattr(retention, "PURGE_STEP_S", 600.0)
    old = START_TIME - 2 * GUEST
    harness.submit_all(append_records, *(make_record(at=old) for _ in range(PURGE_STEP_ROWS + 1)))
    step = PurgeStep(Purge(START_TIME - GUEST, START_TIME - HISTORY, START_TIME))
    assert harness.submit(retention.purge, step).deleted == PURGE_STEP_ROWS
    assert harness.submit(retention.purge, step).deleted == 1


def test_many_old_open_rows_do_not_hide_an_expired_one(harness: StoreHarness) -> None:
    old = to_ms(START_TIME - 2 * HISTORY)
    states = [*["unknown"] * 2500, "done"]
    harness.insert_rows(*(make_row(id + 1, state, created=old) for id, state in enumerate(states)))
    purge(harness)
    assert harness.read(count, schema.POSTINGS) == 2500


def test_each_refused_row_that_is_deleted_is_published(harness: StoreHarness) -> None:
    old = to_ms(START_TIME - 2 * HISTORY)
    harness.insert_rows(
        make_row(1, "refused", created=old), make_row(2, "done", created=old), make_row(3, "refused")
    )
    harness.published.clear()
    purge(harness)
    (entry,) = harness.published
    assert isinstance(entry, RefusedRowPurged)
    assert (entry.link, entry.row_id) == (LINK_NAME, 1)


# Wrong clocks.


def test_entries_dated_too_early_stay_as_long_as_their_neighbours(
    harness: StoreHarness,
) -> None:
    store_records(harness, a=2 * GUEST, b=DAY, c=20 * 365 * DAY, d=20 * 365 * DAY, e=timedelta(0))
    purge(harness)
    assert remaining_names(harness) == "bcde"
    harness.now += GUEST
    purge(harness, 35 * (DAY // PURGE_CLOCK_MAX_STEP))
    assert remaining_names(harness) == "e"


def test_entries_dated_too_late_are_deleted_with_their_successors(harness: StoreHarness) -> None:
    store_records(harness, a=2 * GUEST, b=-365 * DAY, c=2 * GUEST, d=-365 * DAY, e=DAY)
    purge(harness)
    assert remaining_names(harness) == "de"
    harness.now += GUEST
    purge(harness, 35 * (DAY // PURGE_CLOCK_MAX_STEP))
    assert remaining_names(harness) == ""


def test_a_wall_clock_a_year_ahead_advances_each_purge_by_one_step_only(harness: StoreHarness) -> None:
    ages = {name: GUEST - (step + 0.5) * PURGE_CLOCK_MAX_STEP for step, name in enumerate("abc")}
    store_records(harness, **ages, d=timedelta(0))
    purge(harness)
    assert remaining_names(harness) == "abcd"
    harness.now += 365 * DAY
    seen = []
    for _ in range(3):
        purge(harness)
        seen.append(remaining_names(harness))
    assert seen == ["bcd", "cd", "d"]
    harness.now = START_TIME
    purge(harness)
    harness.now += 365 * DAY
    purge(harness)
    assert remaining_names(harness) == "d"  # the clock was corrected, so the purge continues from there


def test_after_a_long_downtime_the_purge_clock_catches_up_over_restarts(harness: StoreHarness) -> None:
    store_records(harness, a=timedelta(0))
    purge(harness)
    harness.stop()
    harness.now += GUEST + 5 * DAY
    harness.start()
    purge(harness, GUEST // PURGE_CLOCK_MAX_STEP)
    assert remaining_names(harness) == "a"
    harness.crash()
    harness.start()
    purge(harness)
    assert remaining_names(harness) == ""


# the purge in the service


def test_the_purge_repeats(harness: StoreHarness) -> None:
    store_records(harness, a=2 * GUEST)
    harness.advance(PURGE_INTERVAL_S - 1)
    assert remaining_names(harness) == "a"
    harness.advance(1)
    assert remaining_names(harness) == ""
    store_records(harness, b=2 * GUEST)
    harness.advance(PURGE_INTERVAL_S)
    assert remaining_names(harness) == ""


def test_subscribers_get_the_time_limits_of_a_purge(harness: StoreHarness) -> None:
    purges: list[Purge] = []
    harness.store.on_purge.append(purges.append)
    purge(harness)
    assert purges == [Purge(START_TIME - GUEST, START_TIME - HISTORY, START_TIME)]


def test_a_failing_disk_postpones_the_purge(harness: StoreHarness) -> None:
    store_records(harness, a=2 * GUEST)
    harness.database.start_failing()
    harness.advance(PURGE_INTERVAL_S)
    harness.database.stop_failing()
    harness.advance(60)
    assert remaining_names(harness) == "a"
    harness.advance(PURGE_INTERVAL_S)
    assert remaining_names(harness) == ""


def test_a_failed_reclaim_does_not_end_the_purge_loop(harness: StoreHarness) -> None:
    purges: list[Purge] = []
    harness.store.on_purge.append(purges.append)
    store_records(harness, a=2 * GUEST)
    harness.database.reclaim_fails = True
    harness.advance(PURGE_INTERVAL_S)
    assert remaining_names(harness) == ""
    assert len(purges) == 1
    harness.database.reclaim_fails = False
    store_records(harness, b=2 * GUEST)
    harness.advance(PURGE_INTERVAL_S)
    assert remaining_names(harness) == ""
    assert len(purges) == 2


def test_an_unexpected_error_of_the_purge_is_logged(
    harness: StoreHarness, leak_check: list[LogEvent]
) -> None:
    def broken(step: Purge) -> None:
        raise RuntimeError

    harness.store.on_purge.append(broken)
    harness.advance(PURGE_INTERVAL_S)
    (event,) = leak_check
    assert event["log_failure"].type is RuntimeError
    leak_check.clear()


def test_stopping_does_not_wait_for_the_rest_of_a_large_purge(
    harness: StoreHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PURGE_STEP_S", 0.0)
    store_many_records = [make_record(at=START_TIME - 2 * GUEST) for _ in range(5 * PURGE_BATCH_ROWS)]
    harness.submit_all(append_records, *store_many_records)
    stopped: list[object] = []

    def stop(entries: object = None) -> None:
        if not stopped:
            stopped.append(harness.store.stopService())

    harness.journal.submit(lambda transaction, arguments: arguments, None)  # the purge's first commit …
    purging = Deferred.fromCoroutine(harness.store.purge())
    stop()  # … and the end, in one turn
    harness.advance()
    assert purging.called
    assert isinstance(stopped[0], Deferred)
    assert stopped[0].called
    harness.start()
    assert harness.read(count, schema.RECORDS) >= 3 * PURGE_BATCH_ROWS
    assert not harness.store.startup_snapshot.unclean_shutdown
