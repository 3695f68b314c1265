"""A store that an earlier release filled is read completely and can be written.

`version_3_store.sql` and `version_4_store.sql` are the dumps of such stores, with the names and texts that
the releases persisted. The service that wrote them was killed while a posting was being sent.
`version_5_store.sql` has the content of version 4 in other tables. `version_6_store.sql`, of the present
version, has an audit trail and notices as well. The files must never change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.store.core.row_checksum import verify_checksums
from pmslink.store.core.schema import (
    AUDIT,
    CHECKSUMMED_TABLES,
    NOTICES,
    RECORD_PROBLEMS,
    SCHEMA_VERSION,
    STAYS,
)
from pmslink.store.operations.hotel_updates import run_due
from pmslink.store.operations.outbox_answers import MarkUnknown, mark_unknown
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.tables.audit_log import AuditQuery, newest_audit_entries
from pmslink.store.tables.history_queries import events_after, newest_records, newest_transitions
from pmslink.store.tables.hotel_states import rooms_of
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.store.tables.outbox_rows import OutboxRow, newest_rows
from pmslink.store.tables.timeline_query import read_timeline
from pmslink.timestamps import to_ms
from tests.store.core.test_schema_migrations import load_dump
from tests.store.store_harness import DAY, LINK_NAME, START_TIME, FaultyDatabase, StoreHarness
from tests.store.test_store_service import version

DUMPED_VERSIONS = (3, 4, 5, 6)
DUMP_END = START_TIME + timedelta(hours=7, minutes=3)


@pytest.fixture(params=DUMPED_VERSIONS)
def dumped_version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def older(database: FaultyDatabase, dumped_version: int) -> Iterator[StoreHarness]:
    """A store that runs on the dump, after the last entry in it."""
    load_dump(f"version_{dumped_version}_store.sql", database)
    harness = StoreHarness(database, DUMP_END)
    harness.store.hotels.set_policy(LINK_NAME, HotelPolicy(timezone=START_TIME.tzinfo))
    yield harness
    harness.crash()
    harness.read(verify_checksums)


def newest_first(harness: StoreHarness) -> list[OutboxRow]:
    return harness.read(newest_rows, LINK_NAME, None, None, 100)


def test_the_newest_dump_is_of_the_present_version() -> None:
    assert DUMPED_VERSIONS[-1] == SCHEMA_VERSION


def test_the_dump_has_rows_in_every_table(database: FaultyDatabase, dumped_version: int) -> None:
    load_dump(f"version_{dumped_version}_store.sql", database)
    assert version(database) == dumped_version
    added = {STAYS: 4, RECORD_PROBLEMS: 4, AUDIT: 6, NOTICES: 6}
    tables = [table.name for table in CHECKSUMMED_TABLES if added.get(table, 0) <= dumped_version]
    with database.reader() as connection, connection.begin():
        assert all(connection.execute(text(f"SELECT * FROM {name}")).first() for name in tables)


def test_the_startup_snapshot_has_link_cursor_due_time_and_unresolved_rows(older: StoreHarness) -> None:
    snapshot = older.store.startup_snapshot
    (link,) = snapshot.links
    assert (link.name, link.intent, link.resync_wanted, link.resync_records) == (
        LINK_NAME,
        "enabled",
        False,
        5,
    )
    assert json.loads(link.definition or "") == {"host": "192.0.2.1", "port": 5010}
    assert snapshot.unclean_shutdown
    assert snapshot.cursors == {LINK_NAME: 1767225600088}
    assert snapshot.next_due_times == {LINK_NAME: to_ms(START_TIME + timedelta(hours=8, minutes=15))}
    states = [row.state for row in snapshot.unresolved_rows]
    assert states == ["refused", "unknown", "sent", "pending", "pending", "pending", "pending"]
    assert snapshot.first_seq == 1767251025002 + 3  # the stays of three guests began


def test_rooms_have_their_guests_lights_and_wake_ups(older: StoreHarness) -> None:
    rooms = {room.room: room for room in older.read(rooms_of, LINK_NAME)}
    assert {name: [guest.name for guest in room.guests] for name, room in rooms.items()} == {
        "101": ["Weiss"],
        "102": ["Li"],
        "205": ["Okafor"],
    }
    assert {name: room.class_of_service for name, room in rooms.items()} == {"101": 2, "102": 1, "205": None}
    assert (rooms["102"].status, rooms["102"].do_not_disturb, rooms["101"].message_light) == (3, True, True)
    assert {name: [one.at.isoformat() for one in room.wake_ups] for name, room in rooms.items()} == {
        "101": [],
        "102": ["2026-01-01T08:15:00"],
        "205": ["2026-01-02T06:30:00"],
    }
    assert rooms["101"].over == ("2026-01-01T07:00:00",)


def test_rows_have_their_states_and_answers(older: StoreHarness) -> None:
    assert [(row.record, row.room, row.state, row.number, row.answer) for row in newest_first(older)] == [
        ("PS", "205", "pending", 6, None),
        ("WA", "101", "pending", None, None),
        ("RE", "101", "pending", None, None),
        ("WR", "102", "pending", None, None),
        ("RE", "102", "done", None, None),
        ("PS", "101", "sent", 5, "RY"),
        ("PS", "101", "discarded", 4, None),
        ("PS", "205", "unknown", 3, None),
        ("PS", "102", "refused", 2, "NG"),
        ("PS", "101", "done", 1, "OK"),
    ]


def test_records_transitions_and_events_are_read_in_order(older: StoreHarness) -> None:
    records = older.read(newest_records, LINK_NAME, None, None, None, 100)
    assert [record.type for record in reversed(records)] == (
        ["DS", "GI", "GI", "GI", "RE", "RE", "DE", "GI", "WR", "WR", "GC", "XL", "PA", "PS", "GO"]
    )
    states = [one.new for one in older.read(newest_transitions, LINK_NAME, None, 10)]
    assert states == ["CLOSED", "RECONNECTING", "ESTABLISHED", "WAIT_LS", "CLOSED"]
    events = [one for one in older.read(events_after, LINK_NAME, 0, 100) if isinstance(one, HotelEventLogged)]
    assert len(events) == 19
    assert [event.type for event in events[-3:]] == ["wake_up.due", "wake_up.done", "guest.checked_out"]
    assert all({"extensions", "resync"} <= set(json.loads(event.text)) for event in events)


def test_the_timeline_shows_the_states_while_the_service_ran(older: StoreHarness) -> None:
    timeline = older.read(read_timeline, LINK_NAME, START_TIME, START_TIME + DAY, older.store.run_id)
    states = [span.state for span in timeline.spans]
    assert states == [None, "CLOSED", "WAIT_LS", "ESTABLISHED", None]
    assert timeline.in_sync_time == timedelta(hours=7, seconds=2)


def test_new_records_and_postings_are_stored_after_the_old_ones(older: StoreHarness) -> None:
    older.receive_records("GO|RN101|G#7|GSN|DA260101|TI070400|", session=2)
    older.now += timedelta(seconds=3)
    older.submit(run_due, LINK_NAME)
    assert older.event_types()[0] == "guest.checked_out"
    row = older.enqueue(room="205", key="call-3", created=to_ms(older.now))
    assert row.number == 7
    older.crash()
    older.start()
    room = older.room("101")
    assert room is not None
    assert room.guests == ()
    assert newest_first(older)[0] == row
    (record,) = older.read(newest_records, LINK_NAME, None, None, None, 1)
    assert (record.type, record.seq > older.store.startup_snapshot.cursors[LINK_NAME]) == ("GO", True)


def test_a_key_of_the_older_release_is_recognised(older: StoreHarness) -> None:
    row = older.enqueue(key="call-2", asked="digest-2")
    assert (row.number, row.room) == (6, "205")


def test_a_record_that_the_older_release_received_is_a_replay(older: StoreHarness) -> None:
    older.receive_records("GC|RN101|G#7|GNWeiss|DA260101|TI000020|", session=2)
    assert older.event_types() == []


def test_the_wake_up_result_and_then_the_posting_that_was_being_sent_are_sent_again(
    older: StoreHarness,
) -> None:
    (unknown,) = older.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    assert (unknown.state, unknown.queued, unknown.lost) == ("unknown", 1, 1)
    first, second = (
        older.submit(claim_next, ClaimNext(LINK_NAME, to_ms(older.now), resend=True)) for _ in range(2)
    )
    assert isinstance(first, OutboxRow)
    assert (first.record, first.room) == ("WA", "101")
    assert isinstance(second, OutboxRow)
    assert (second.id, second.state, second.attempts) == (unknown.id, "sent", 3)


def test_who_created_a_link_is_known_from_version_6_on(older: StoreHarness, dumped_version: int) -> None:
    (link,) = older.store.startup_snapshot.links
    expected = ("front-desk", to_ms(START_TIME) + 500) if dumped_version >= 6 else (None, None)
    assert (link.made_by, link.made_at) == expected


def test_the_audit_trail_begins_with_version_6(older: StoreHarness, dumped_version: int) -> None:
    entries = [one.entry for one in older.read(newest_audit_entries, AuditQuery(limit=10))]
    assert [(one.who, one.action, one.object, one.result) for one in entries] == (
        [
            ("night", "service.reload", None, "broken"),
            ("desk-2", "room.status", "room 102", "done"),
            ("front-desk", "link.create", None, "done"),
        ]
        if dumped_version >= 6
        else []
    )
