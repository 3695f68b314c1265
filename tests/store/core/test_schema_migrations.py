"""A store of an older version is migrated at the start, and loses nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text

from pmslink.store.core import schema
from pmslink.store.core.row_checksum import verify_checksums
from pmslink.store.core.store_errors import StoreError
from pmslink.store.store_service import open_store
from pmslink.store.tables.history_queries import newest_records, newest_transitions
from pmslink.store.tables.outbox_rows import newest_rows
from pmslink.store.tables.stays import Occupant, occupants_at
from pmslink.store.tables.timeline_query import read_timeline
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import DAY, LINK_NAME, START_MS, START_TIME, FaultyDatabase, StoreHarness
from tests.store.test_store_service import opening, version

OLD_VERSIONS = range(1, schema.SCHEMA_VERSION)


def put_version(number: int, database: FaultyDatabase) -> None:
    """Fill a database with a store that a release of this schema version wrote; the file never changes."""
    load_dump(f"version_{number}.sql", database)


def load_dump(file_name: str, database: FaultyDatabase) -> None:
    """Fill an empty database with a dumped store."""
    database.create()
    statements = (Path(__file__).parent / file_name).read_text("utf-8").split(";\n")
    with database.writer() as connection, connection.begin():
        for statement in filter(None, statements):
            connection.exec_driver_sql(statement)


@pytest.fixture(params=OLD_VERSIONS)
def old_version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def old(database: FaultyDatabase, old_version: int) -> FaultyDatabase:
    put_version(old_version, database)
    return database


def test_a_migration_preserves_the_content_of_the_store(old: FaultyDatabase) -> None:
    harness = StoreHarness(old)
    try:
        assert version(old) == schema.SCHEMA_VERSION
        harness.read(verify_checksums)
        (link,) = harness.store.startup_snapshot.links
        assert (link.name, link.intent, link.resync_records) == (LINK_NAME, "enabled", 2)
        states = [one.new for one in harness.read(newest_transitions, LINK_NAME, None, 9)]
        assert states == ["ESTABLISHED", "WAIT_LS", "CLOSED"]
        assert [one.type for one in harness.read(newest_records, LINK_NAME, None, None, None, 9)] == [
            "GO",
            "GI",
        ]
        assert [row.state for row in harness.read(newest_rows, LINK_NAME, None, None, 9)] == [
            "pending",
            "done",
        ]
    finally:
        harness.crash()


@pytest.mark.parametrize("before_version_3", [1, 2])
def test_a_store_from_before_version_3_requests_one_resync(
    database: FaultyDatabase, before_version_3: int
) -> None:
    """Versions before 3 do not store rooms."""
    put_version(before_version_3, database)
    harness = StoreHarness(database)
    assert harness.store.startup_snapshot.unclean_shutdown
    harness.stop()
    harness.start()
    assert not harness.store.startup_snapshot.unclean_shutdown
    harness.crash()


def test_before_version_2_the_timeline_is_unknown(database: FaultyDatabase) -> None:
    put_version(1, database)
    harness = StoreHarness(database)
    try:
        timeline = harness.read(
            read_timeline, LINK_NAME, START_TIME - DAY, START_TIME + DAY, harness.store.run_id
        )
        assert [span.transition for span in timeline.spans] == [None]
        assert timeline.in_sync_ratio is None
    finally:
        harness.crash()


@pytest.mark.parametrize("from_version_2", range(2, schema.SCHEMA_VERSION))
def test_from_version_2_on_the_timeline_is_known(database: FaultyDatabase, from_version_2: int) -> None:
    put_version(from_version_2, database)
    harness = StoreHarness(database)
    try:
        timeline = harness.read(
            read_timeline, LINK_NAME, START_TIME - DAY, START_TIME + DAY, harness.store.run_id
        )
        known_states = [span.state for span in timeline.spans if span.state is not None]
        assert known_states == ["CLOSED", "WAIT_LS", "ESTABLISHED"]
        assert timeline.in_sync_time > 0 * DAY
    finally:
        harness.crash()


def tables(database: FaultyDatabase) -> dict[str, Any]:
    """Return the columns and indexes of the tables."""
    with database.reader() as connection, connection.begin():
        inspector = inspect(connection)
        return {
            name: (
                [(one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns(name)],
                inspector.get_pk_constraint(name)["constrained_columns"],
                sorted(
                    (str(one["name"]), one["column_names"], one["unique"])
                    for one in inspector.get_indexes(name)
                ),
            )
            for name in inspector.get_table_names()
        }


def test_a_migrated_store_has_the_tables_of_a_new_one(old: FaultyDatabase) -> None:
    new = FaultyDatabase(MemoryDatabase())
    opening(new)
    assert tables(old) != tables(new)
    opening(old)
    assert tables(old) == tables(new)


def test_a_damaged_store_is_not_migrated(old: FaultyDatabase, old_version: int) -> None:
    before = tables(old)
    with old.writer() as connection, connection.begin():
        connection.execute(text("UPDATE records SET text = 'altered'"))
    with pytest.raises(StoreError, match="a row of records does not match its checksum"):
        open_store(old, START_TIME, replay_limit=10)
    assert version(old) == old_version
    assert tables(old) == before


def test_a_store_is_migrated_once(old: FaultyDatabase) -> None:
    for _ in range(2):
        opening(old)
        assert version(old) == schema.SCHEMA_VERSION


def test_tables_that_a_migration_adds_are_empty_but_for_the_stays(old: FaultyDatabase) -> None:
    before = tables(old)
    opening(old)
    with old.reader() as connection, connection.begin():
        for table in schema.METADATA.sorted_tables:
            if table.name not in before and table.name != "stays":
                assert connection.execute(select(table)).all() == []


def test_from_version_3_on_the_guests_in_the_rooms_stay_there(database: FaultyDatabase) -> None:
    put_version(3, database)
    harness = StoreHarness(database)
    try:
        in_room = partial(harness.read, occupants_at, LINK_NAME)
        assert in_room("101", START_MS - 5000) == [Occupant("7", "7"), Occupant("8", "8")]
        (other,) = in_room("102", START_MS) or [Occupant("", "")]
        assert other.guest.startswith("stay ")
        assert other.reservation is None
        assert in_room("101", START_MS - 5001) is None  # the store does not say since when they are there
        assert in_room("103", START_MS) is None  # nor whether a room is vacant
    finally:
        harness.crash()


def test_the_numbers_of_the_stays_are_never_used_again(database: FaultyDatabase) -> None:
    put_version(3, database)
    harness = StoreHarness(database)
    try:
        with database.reader() as connection, connection.begin():
            last_id = connection.execute(select(func.max(schema.STAYS.c.id))).scalar_one()
        assert harness.store.startup_snapshot.first_seq > last_id
    finally:
        harness.crash()


@pytest.mark.parametrize("table", ["links", "postings"])
def test_a_damaged_row_is_not_given_a_new_checksum(database: FaultyDatabase, table: str) -> None:
    put_version(3, database)
    with database.writer() as connection, connection.begin():
        connection.execute(text(f"UPDATE {table} SET checksum = checksum + 1"))
    with pytest.raises(StoreError, match=f"a row of {table} does not match its checksum"):
        open_store(database, START_TIME, replay_limit=10)
    assert version(database) == 3


def test_a_refused_and_an_unknown_posting_get_their_reasons(database: FaultyDatabase) -> None:
    load_dump("version_3_store.sql", database)
    harness = StoreHarness(database)
    try:
        reasons = {row.state: row.reason for row in harness.read(newest_rows, LINK_NAME, None, None, 99)}
        assert reasons == {
            "pending": None,
            "sent": None,
            "discarded": None,
            "done": None,
            "refused": "pms",
            "unknown": "unanswered",
        }
    finally:
        harness.crash()
