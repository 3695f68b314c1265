"""A store that an older version made is brought up to date at the start, and loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from pmslink.store import schema
from pmslink.store.checksum import require_intact
from pmslink.store.errors import StoreError
from pmslink.store.history import newest_records, newest_transitions
from pmslink.store.rows import newest_rows
from pmslink.store.store import open_store
from pmslink.store.timeline import read_timeline
from tests.store.playing import DAY, LINK, START, Playing, Watched
from tests.store.test_opening import opening, version
from tests.stores import MemoryDatabase

VERSION_1 = (Path(__file__).parent / "version_1.sql").read_text("utf-8")
"""A whole store of version 1, as that version made and filled it; it is never brought up to date."""


def put_version_1(database: Watched) -> None:
    """Let there be such a store."""
    database.create()
    with database.writer() as connection, connection.begin():
        for statement in VERSION_1.split(";\n"):
            if statement:
                connection.exec_driver_sql(statement)


@pytest.fixture
def old(database: Watched) -> Watched:
    put_version_1(database)
    return database


def test_what_an_old_store_holds_is_there_afterwards(old: Watched) -> None:
    playing = Playing(old)
    try:
        assert version(old) == schema.VERSION
        playing.read(require_intact)
        (link,) = playing.store.opened.links
        assert (link.name, link.intent, link.resync_records) == (LINK, "enabled", 2)
        states = [one.new for one in playing.read(newest_transitions, LINK, None, 9)]
        assert states == ["ESTABLISHED", "WAIT_LS", "CLOSED"]
        assert [one.type for one in playing.read(newest_records, LINK, None, None, None, 9)] == ["GO", "GI"]
        assert [row.state for row in playing.read(newest_rows, LINK, None, None, 9)] == ["pending", "done"]
    finally:
        playing.crash()


def test_of_the_time_before_nobody_knows_when_the_service_ran(old: Watched) -> None:
    playing = Playing(old)
    try:
        found = playing.read(read_timeline, LINK, START - DAY, START + DAY, playing.store.run)
        assert [span.changed for span in found.spans] == [None]
        assert found.share is None
    finally:
        playing.crash()


def tables(database: Watched) -> dict[str, Any]:
    """What the tables are made of."""
    with database.reader() as connection, connection.begin():
        found = inspect(connection)
        return {
            name: (
                [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)],
                found.get_pk_constraint(name)["constrained_columns"],
                sorted(
                    (str(one["name"]), one["column_names"], one["unique"]) for one in found.get_indexes(name)
                ),
            )
            for name in found.get_table_names()
        }


def test_an_old_store_gets_the_tables_of_a_new_one(old: Watched) -> None:
    new = Watched(MemoryDatabase())
    opening(new)
    assert tables(old) != tables(new)
    opening(old)
    assert tables(old) == tables(new)


def test_one_that_turns_out_to_be_damaged_stays_as_it_was(old: Watched) -> None:
    before = tables(old)
    with old.writer() as connection, connection.begin():
        connection.execute(text("UPDATE records SET text = 'altered'"))
    with pytest.raises(StoreError, match="a row of records is not as it was written"):
        open_store(old, START, remembered=10)
    assert version(old) == 1
    assert tables(old) == before


def test_it_is_brought_up_to_date_once(old: Watched) -> None:
    for _ in range(2):
        opening(old)
        assert version(old) == schema.VERSION


def test_there_is_nothing_in_what_was_added(old: Watched) -> None:
    opening(old)
    with old.reader() as connection, connection.begin():
        for table in (schema.SYNCS, schema.RUNS):
            assert connection.execute(select(table)).all() == []
