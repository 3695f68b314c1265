"""A row that is not as it was written is noticed, in every table and every column."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Boolean, Column, ColumnElement, Connection, Integer, Table, literal

from pmslink.store.core.database import Database
from pmslink.store.core.row_checksum import Altered, require_intact
from pmslink.store.core.schema import CHECKED
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.store_service import open_store
from pmslink.store.tables.link_rows import KeptLink, keep_links
from pmslink.store.tables.log_entries import (
    Announced,
    Synced,
    keep_announcements,
    keep_syncs,
    keep_transitions,
)
from pmslink.store.tables.webhook_cursors import Cursor, keep_cursors
from tests.store.store_harness import LINK, START, Playing, Watched, a_record
from tests.store.tables.test_history_queries import a_change


@pytest.fixture
def filled(database: Watched) -> Database:
    """A store with a row in each table, whose service is gone."""
    playing = Playing(database)
    playing.do(keep_links, KeptLink(LINK, None, "enabled"))
    playing.do(keep_records, a_record("WR|RN101|DA260102|TI0700|"))  # a room, a house and an event
    playing.do(keep_cursors, Cursor(LINK, 5))
    playing.do(keep_transitions, a_change(1))
    playing.do(keep_syncs, Synced(2, LINK, START, in_sync=True))
    playing.do(keep_announcements, Announced(START, "{}"))
    playing.accept()
    playing.crash()
    return database.inner


@pytest.mark.parametrize("table", CHECKED, ids=lambda table: table.name)
def test_a_value_that_was_altered_is_noticed(filled: Database, table: Table) -> None:
    for column in table.columns:
        with filled.writer() as connection, connection.begin() as transaction:
            require_intact(connection)
            connection.execute(table.update().values({column.name: _other(column)}))
            with pytest.raises(Altered, match=f"a row of {table.name} is not as it was written"):
                require_intact(connection)
            transaction.rollback()


def _other(column: Column[Any]) -> ColumnElement[Any]:
    """What stands in no row here."""
    if isinstance(column.type, Boolean):
        return ~column
    return literal(77 if isinstance(column.type, Integer) else "?")


def test_a_start_looks_at_the_newest_rows_only(filled: Database) -> None:
    (records,) = (table for table in CHECKED if table.name == "records")
    with filled.writer() as connection, connection.begin():
        connection.execute(records.update().values(text="altered"))
        require_intact(connection, newest=0)
    with pytest.raises(StoreError, match=f"{filled.name}.*: a row of records"):
        open_store(filled, START, remembered=10)


def test_an_empty_store_is_intact(playing: Playing) -> None:
    def check(connection: Connection) -> None:
        require_intact(connection)

    playing.read(check)
