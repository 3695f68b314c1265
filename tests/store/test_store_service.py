"""Starts and ends of a store: its one sequence, what an unclean end leaves, and its schema's version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from twisted.internet.task import Clock

from pmslink.store.core import schema, store_metadata
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.schema_migrations import UPGRADES, Upgrade
from pmslink.store.core.store_errors import StoreError
from pmslink.store.core.store_metadata import RESERVE
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.store_service import LAST_WORDS, Opened, open_store
from pmslink.store.tables.link_rows import KeptLink, keep_links
from pmslink.store.tables.log_entries import Announced, Transaction, keep_announcements
from pmslink.store.tables.outbox_rows import Row
from tests.memory_store import make_store
from tests.store.store_harness import DAY, LINK, NOW, START, Playing, Watched, a_record, a_row, echo

# the sequence


def test_a_new_store_begins_at_the_time_in_milliseconds(playing: Playing) -> None:
    assert playing.store.opened.first == NOW
    playing.do(keep_records, a_record())
    assert NOW <= playing.told[0].seq < NOW + 10


def test_whoever_has_seen_nothing_yet_misses_not_even_the_first(database: Watched) -> None:
    playing = Playing(database)
    record = a_record()
    try:
        playing.crash()
        playing.told.clear()
        playing.start()
        before = playing.journal.told_up_to
        playing.do(keep_records, record)
        assert record.seq > before == playing.store.opened.first - 1
    finally:
        playing.crash()


@pytest.mark.parametrize("end", ["stop", "crash"])
@pytest.mark.parametrize("passed", [-365 * DAY, timedelta(0), timedelta(seconds=1), DAY])
def test_no_number_comes_twice_over_a_restart(playing: Playing, end: str, passed: timedelta) -> None:
    for _ in range(3):
        playing.do_all(keep_records, *(a_record() for _ in range(5)))
        newest = max(playing.journal.number(), playing.told[-1].seq)
        getattr(playing, end)()
        playing.now += passed
        playing.start()
        assert playing.store.opened.first > newest
    assert playing.tellings() == sorted(set(playing.tellings()))


def test_after_a_long_time_the_sequence_goes_on_at_the_wall_clock(playing: Playing) -> None:
    playing.stop()
    playing.now += 30 * DAY
    playing.start()
    assert playing.store.opened.first == NOW + 30 * DAY // timedelta(milliseconds=1)


def reserved(connection: Connection) -> int | None:
    return store_metadata.read(connection, "sequence")


def test_more_is_reserved_before_it_runs_out(playing: Playing) -> None:
    def use(transaction: Transaction, amounts: Sequence[int]) -> list[int | Exception]:
        return [[transaction.number() for _ in range(amount)][-1] for amount in amounts]

    for _ in range(4):
        number = playing.do(use, RESERVE // 5)
        left = (playing.read(reserved) or 0) - number
        assert RESERVE // 2 <= left <= RESERVE + 1


def test_what_is_not_kept_comes_out_of_the_same_sequence(playing: Playing) -> None:
    first = playing.journal.number()
    playing.do(keep_records, a_record())
    second = playing.journal.number()
    assert first < playing.told[0].seq < second


def test_what_a_commit_that_failed_had_reserved_is_reserved_by_the_next(playing: Playing) -> None:
    playing.stop()
    opening = playing.database.commits + 1
    playing.database.fail_at = lambda commit: commit > opening
    playing.start()
    assert playing.journal.failing
    playing.database.mend()
    playing.turn(1)
    playing.do(keep_records, a_record())
    assert (playing.read(reserved) or 0) > playing.told[0].seq
    playing.crash()
    playing.start()
    assert playing.store.opened.first > playing.told[0].seq


# ends


def unclean(playing: Playing) -> bool:
    return playing.store.opened.unclean


def test_a_new_store_was_not_left_uncleanly(playing: Playing) -> None:
    assert not unclean(playing)


def test_an_end_in_good_order_is_known_from_another(playing: Playing) -> None:
    seen = []
    for end in (playing.stop, playing.crash, playing.crash, playing.stop, playing.stop):
        end()
        playing.start()
        seen.append(unclean(playing))
    assert seen == [False, True, True, False, False]


def test_a_stop_writes_what_waits(playing: Playing) -> None:
    playing.journal.append(keep_announcements, Announced(START, "{}"))
    playing.stop()
    playing.start()
    assert [entry.seq for entry in playing.store.opened.last_told] == playing.tellings()


def test_a_stop_does_not_wait_for_ever_for_a_disk_that_fails(playing: Playing) -> None:
    playing.database.fail()
    playing.do_all(echo, 1)
    playing.journal.append(keep_records, a_record())
    ended: list[str] = []
    playing.store.stopService().addCallback(lambda _: ended.append("stopped"))
    for _ in range(int(LAST_WORDS) - 1):
        playing.turn(1)
    assert ended == []
    playing.turn(1)
    assert ended == ["stopped"]
    playing.database.mend()
    playing.start()
    assert unclean(playing)


def test_a_store_that_was_opened_but_never_ran_can_be_stopped(database: Watched) -> None:
    clock = Clock()
    stopped = make_store(clock, lambda: START, database).stopService()
    clock.advance(0)
    assert stopped.called


def test_what_was_found_is_told_at_the_start(playing: Playing) -> None:
    states = ("pending", "sent", "unknown", "done", "refused", "discarded")
    playing.have(*(a_row(id, state) for id, state in enumerate(states, start=1)))
    playing.do(keep_announcements, Announced(START, "{}"))
    playing.do(keep_links, KeptLink(LINK, None, "enabled"))
    playing.crash()
    playing.start()
    opened = playing.store.opened
    assert opened.standing == [
        (LINK, id, state, NOW) for id, state in [(1, "pending"), (2, "sent"), (3, "unknown"), (5, "refused")]
    ]
    assert [link.name for link in opened.links] == [LINK]
    assert opened.last_told[-1].seq == playing.tellings()[-1]
    assert len(opened.last_told) == 7


# the schema


def test_the_columns_of_a_row_are_those_of_its_table_in_the_same_order() -> None:
    assert (*Row._fields, "checksum") == tuple(schema.POSTINGS.columns.keys())


def opening(database: Watched) -> Opened:
    return open_store(database, START, remembered=10)


def version(database: Watched) -> int:
    connection = database.reader()
    try:
        with connection.begin():
            return schema.version_of(connection)
    finally:
        connection.close()


def prepare(
    database: Watched, version: int = schema.VERSION, upgrades: Mapping[int, Upgrade] | None = None
) -> None:
    connection = database.writer()
    try:
        with connection.begin():
            schema.prepare(connection, version, upgrades or {})
    finally:
        connection.close()


def test_a_new_store_is_of_this_version(database: Watched) -> None:
    opening(database)
    assert version(database) == schema.VERSION


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(database: Watched) -> None:
    opening(database)
    newer = schema.VERSION + 4
    prepare(database, newer, dict.fromkeys(range(newer + 1), lambda connection: None))
    path = database.inner.path if isinstance(database.inner, SqliteDatabase) else None
    before = path and path.read_bytes()
    told = rf"newer pmslink \(store version {newer}, this one knows {schema.VERSION}\): install"
    with pytest.raises(StoreError, match=told):
        opening(database)
    assert version(database) == newer
    assert (path and path.read_bytes()) == before


def test_upgrades_run_one_after_the_other_and_once_only(database: Watched) -> None:
    opening(database)
    ran: list[int] = []
    first, second = schema.VERSION + 1, schema.VERSION + 2

    def add_a_column(connection: Connection) -> None:
        ran.append(first)
        connection.execute(text("ALTER TABLE links ADD COLUMN colour VARCHAR"))

    def paint(connection: Connection) -> None:
        ran.append(second)
        connection.execute(text("UPDATE links SET colour = 'red'"))

    upgrades = {second: paint, first: add_a_column}
    prepare(database, first, upgrades)
    assert (ran, version(database)) == ([first], first)
    prepare(database, second, upgrades)
    prepare(database, second, upgrades)
    assert (ran, version(database)) == ([first, second], second)


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(database: Watched) -> None:
    opening(database)
    first = schema.VERSION + 1

    def add_a_column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE links ADD COLUMN colour VARCHAR"))

    def fail(connection: Connection) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        prepare(database, first + 1, {first: add_a_column, first + 1: fail})
    assert version(database) == schema.VERSION
    prepare(database, first, {first: add_a_column})  # the column is not there yet


def test_there_is_a_way_from_every_version_to_this() -> None:
    assert set(UPGRADES) == set(range(2, schema.VERSION + 1))
