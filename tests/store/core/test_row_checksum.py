"""An altered row is detected, in every table and every column."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Boolean, Column, ColumnElement, Connection, Integer, Table, literal

from pmslink.store.core.database import Database
from pmslink.store.core.row_checksum import ChecksumError, verify_checksums
from pmslink.store.core.schema import CHECKSUMMED_TABLES
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import open_store
from pmslink.store.tables.audit_log import AuditEntry, append_audit_entries
from pmslink.store.tables.link_rows import StoredLink, store_links
from pmslink.store.tables.log_entries import (
    LinkSnapshotLogged,
    SyncChanged,
    append_link_snapshots,
    append_sync_changes,
    append_transitions,
)
from pmslink.store.tables.webhook_cursors import Cursor, store_cursors
from tests.store.store_harness import (
    LINK_NAME,
    START_MS,
    START_TIME,
    FaultyDatabase,
    StoreHarness,
    make_record,
)
from tests.store.tables.test_history_queries import make_transition
from tests.store.tables.test_link_rows import insert_notices, store_stay_and_problem


@pytest.fixture
def filled(database: FaultyDatabase) -> Database:
    """A store with a row in each table, whose service has stopped."""
    harness = StoreHarness(database)
    harness.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    harness.submit(append_records, make_record("WR|RN101|DA260102|TI0700|"))  # a room, a hotel and an event
    harness.submit(store_cursors, Cursor(LINK_NAME, 5))
    harness.submit(append_transitions, make_transition(1))
    harness.submit(append_sync_changes, SyncChanged(2, LINK_NAME, START_TIME, in_sync=True))
    harness.submit(append_link_snapshots, LinkSnapshotLogged(START_TIME, "{}"))
    harness.submit(store_stay_and_problem, LINK_NAME)
    harness.submit(insert_notices, LINK_NAME)
    harness.submit(append_audit_entries, AuditEntry(START_MS, "front-desk", "control", "link.enable"))
    harness.enqueue()
    harness.crash()
    return database.inner


@pytest.mark.parametrize("table", CHECKSUMMED_TABLES, ids=lambda table: table.name)
def test_an_altered_value_is_detected(filled: Database, table: Table) -> None:
    for column in table.columns:
        with filled.writer() as connection, connection.begin() as transaction:
            verify_checksums(connection)
            connection.execute(table.update().values({column.name: _other(column)}))
            with pytest.raises(ChecksumError, match=f"a row of {table.name} does not match its checksum"):
                verify_checksums(connection)
            transaction.rollback()


def _other(column: Column[Any]) -> ColumnElement[Any]:
    """Return a value that differs from every value in these rows."""
    if isinstance(column.type, Boolean):
        return ~column
    return literal(77 if isinstance(column.type, Integer) else "?")


def test_the_startup_check_covers_the_newest_rows_only(filled: Database) -> None:
    (records,) = (table for table in CHECKSUMMED_TABLES if table.name == "records")
    with filled.writer() as connection, connection.begin():
        connection.execute(records.update().values(text="altered"))
        verify_checksums(connection, newest_rows=0)
    with pytest.raises(StoreError, match=f"{filled.name}.*: a row of records"):
        open_store(filled, START_TIME, replay_limit=10)


def test_an_empty_store_is_intact(harness: StoreHarness) -> None:
    def check(connection: Connection) -> None:
        verify_checksums(connection)

    harness.read(check)
