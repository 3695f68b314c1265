"""Records are applied to a hotel in the commit that stores them: both are stored, or neither."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from twisted.logger import LogEvent

from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import HotelState
from pmslink.store.core import schema
from pmslink.store.core.journal import RETRY_DELAY_S
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.operations.hotel_updates import abort_resyncs, append_records, run_due
from pmslink.store.tables import hotel_states
from pmslink.store.tables.history_queries import events_after, newest_records
from pmslink.store.tables.hotel_states import next_due_times, rooms_of
from pmslink.store.tables.log_entries import (
    HotelEventLogged,
    NextDueChanged,
    RecordLogged,
    TransitionLogged,
    append_transitions,
)
from pmslink.timestamps import to_ms
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import LINK_NAME, START_TIME, FaultyDatabase, StoreHarness, make_record
from tests.store.tables.test_history_queries import make_transition

CHECK_IN = "GI|RN101|G#7|GNAdams|GFAnn|GTDr|GLEA|GGTour|GVA|GD260131|"
CHECK_OUT = "GO|RN101|G#7|"


def event_body(event: Entry) -> dict[str, Any]:
    """Return the content of an event apart from its type and room."""
    assert isinstance(event, HotelEventLogged)
    values: dict[str, Any] = json.loads(event.text)
    return values


def stored_events(harness: StoreHarness, link: str = LINK_NAME) -> list[tuple[int, str]]:
    return [
        (one.seq, one.type)
        for one in harness.read(events_after, link, 0, 1000)
        if isinstance(one, HotelEventLogged)
    ]


def record_texts(harness: StoreHarness) -> list[str]:
    return [one.text for one in harness.read(newest_records, LINK_NAME, None, None, None, 1000)][::-1]


# One commit.


def test_a_record_is_stored_in_one_commit_with_its_events(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    harness.receive_records(CHECK_IN)
    assert harness.database.commit_count == before + 1
    assert record_texts(harness) == [CHECK_IN]
    (event,) = harness.events()
    assert stored_events(harness) == [(event.seq, "guest.checked_in")]
    room = harness.room()
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Adams"]
    assert room.changed == to_ms(START_TIME)


def test_a_record_is_published_before_its_events(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    assert [type(entry) for entry in harness.published] == [RecordLogged, HotelEventLogged]
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_sent_records_and_records_without_a_handler_change_no_hotel(harness: StoreHarness) -> None:
    harness.submit(append_records, make_record("GI|RN101|GNAdams|", direction="out"))
    harness.receive_records("XL|RN101|MTHello|", "GI|GNAdams|")
    assert harness.event_types() == []
    assert harness.read(rooms_of, LINK_NAME) == []


def test_a_failed_commit_stores_and_publishes_nothing(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    before = harness.room(), stored_events(harness), record_texts(harness)
    harness.published.clear()
    harness.database.start_failing()
    harness.receive_records("RE|RN101|MLY|")
    assert (harness.room(), stored_events(harness), record_texts(harness)) == before
    assert harness.published == []


def test_a_failed_write_without_retry_does_not_change_the_hotel(harness: StoreHarness) -> None:
    harness.database.start_failing()
    harness.receive_records(CHECK_IN)
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    harness.receive_records("GI|RN101|G#7|GNBaker|")
    assert harness.event_types() == ["guest.checked_in"]


def test_repeated_outages_publish_nothing_twice(harness: StoreHarness) -> None:
    harness.database.start_failing()
    waiting = [
        harness.journal.submit(append_records, make_record(text), retry_until_stored=True)
        for text in (CHECK_IN, "RE|RN101|MLY|", "WR|RN101|DA260102|TI0700|", "NS|")
    ]
    for _ in range(5):
        harness.advance(RETRY_DELAY_S)
    assert harness.published == []
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert harness.outcomes(waiting) == [None] * 4
    assert harness.event_types() == [
        "guest.checked_in",
        "room.message_light",
        "wake_up.set",
        "night_audit.started",
    ]
    assert stored_events(harness) == [(one.seq, one.type) for one in harness.events()]
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_a_faulty_record_does_not_affect_the_others(
    harness: StoreHarness, leak_check: list[LogEvent]
) -> None:
    texts = (CHECK_IN, "GI|RN102|G#8|GN\ud800|", "GI|RN103|G#9|GNCole|")
    outcomes = harness.submit_all(append_records, *map(make_record, texts))
    assert [type(one) for one in outcomes] == [type(None), UnicodeEncodeError, type(None)]
    assert [room.room for room in harness.read(rooms_of, LINK_NAME)] == ["101", "103"]
    assert [event.room for event in harness.events()] == ["101", "103"]
    harness.receive_records("GI|RN102|G#8|GNBaker|")
    assert harness.events()[-1].room == "102"


def test_each_link_has_its_own_hotel(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    harness.receive_records(CHECK_IN, link="annexe")
    assert harness.event_types() == harness.event_types("annexe") == ["guest.checked_in"]
    harness.receive_records(CHECK_OUT.replace("G#7|", ""), link="annexe")
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, "annexe")
    room, other = harness.room(), harness.room(link="annexe")
    assert room is not None
    assert other is not None
    assert (len(room.guests), len(other.guests)) == (1, 0)


def test_events_and_transitions_are_merged_in_order(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    harness.submit(append_transitions, make_transition(1))
    harness.receive_records("RE|RN101|MLY|")
    found = harness.read(events_after, LINK_NAME, 0, 10)
    assert [type(one) for one in found] == [HotelEventLogged, TransitionLogged, HotelEventLogged]
    assert [one.seq for one in harness.read(events_after, LINK_NAME, found[0].seq, 10)] == [
        one.seq for one in found[1:]
    ]


# Extensions.


def test_an_event_has_the_extensions_of_the_policy_at_its_time(harness: StoreHarness) -> None:
    hotel_store = harness.store.hotels
    hotel_store.set_policy(LINK_NAME, HotelPolicy(extensions_of_room=lambda room: (f"1{room}", f"2{room}")))
    harness.receive_records(CHECK_IN, "GC|RN102|RO101|G#7|", "NS|")
    first, moved, audit = (one for one in harness.events() if one.type != "room.class_of_service")
    assert event_body(first)["extensions"] == ["1101", "2101"]
    assert (event_body(moved)["extensions"], event_body(moved)["from_extensions"]) == (
        ["1102", "2102"],
        ["1101", "2101"],
    )
    assert event_body(audit)["extensions"] == []
    hotel_store.set_policy(LINK_NAME, HotelPolicy())
    harness.receive_records("RE|RN102|MLY|")
    assert event_body(harness.events()[-1])["extensions"] == ["102"]


# Restarts.

RECORD_BATCHES = (
    ("DS|", "GI|RN101|G#1|GNAdams|SF|", "GI|RN102|G#2|GNBaker|SF|", "DE|"),
    ("GI|RN103|G#3|GNCole|GS1|DA260101|TI0800|", "RE|RN103|MLY|DNY|CS2|"),
    ("WR|RN101|DA260102|TI0700|", "WR|RN103|DA260102|TI0710|"),
    ("GO|RN102|G#2|DA260101|TI0801|",),
    ("GI|RN104|G#2|GNBaker|DA260101|TI0801|",),
    ("GC|RN105|RO103|G#3|GNCole|",),
    ("WC|RN101|DA260102|TI0700|", "NS|"),
    ("NE|", "GO|RN101|G#1|DA260101|TI0900|"),
    ("GI|RN103|G#3|GNCole|GS1|DA260101|TI0800|",),  # a repetition
)


def hotel_of(harness: StoreHarness) -> HotelState:
    def read_hotel(transaction: Transaction, links: Sequence[str]) -> Sequence[HotelState]:
        return [transaction.hotels.hotel(transaction.connection, link) for link in links]

    return harness.submit(read_hotel, LINK_NAME)


def state_values(state: HotelState) -> dict[str, Any]:
    names = (
        "rooms",
        "night_audit_stamp",
        "resyncing",
        "room_by_guest",
        "rooms_with_wake_ups",
        "next_due_at",
    )
    stored_windows = {room: window for room, window in state.windows.items() if window.is_stored}
    return {"windows": stored_windows, **{name: getattr(state, name) for name in names}}


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_a_restart_at_any_time_loads_the_same_hotel_and_changes_no_later_event(
    harness: StoreHarness, end: str
) -> None:
    for texts in RECORD_BATCHES:
        harness.receive_records(*texts)
        before = state_values(hotel_of(harness))
        getattr(harness, end)()
        harness.start()
        assert state_values(hotel_of(harness)) == before
        harness.now += timedelta(seconds=1)
    assert len(harness.event_types()) == 20
    assert [(one.type, one.room) for one in harness.events()] == without_a_restart()


def test_within_a_session_a_repeated_record_is_no_replay(harness: StoreHarness) -> None:
    check_in = "GI|RN101|G#7|DA260101|TI0800|"
    for session, times in ((1, 1), (1, 2), (2, 2), (2, 2)):
        harness.receive_records(check_in, "GO|RN101|", session=session)
        harness.now += timedelta(seconds=2)
        harness.submit(run_due, LINK_NAME)
        assert harness.event_types().count("guest.checked_in") == times
    harness.crash()
    harness.start()
    harness.receive_records(check_in, session=1)  # the first session of another service
    assert harness.event_types().count("guest.checked_in") == 2


def without_a_restart() -> list[tuple[str, str | None]]:
    harness = StoreHarness(FaultyDatabase(MemoryDatabase()))
    for session, texts in enumerate(RECORD_BATCHES):
        harness.receive_records(*texts, session=session)
        harness.now += timedelta(seconds=1)
    harness.crash()
    return [(one.type, one.room) for one in harness.events()]


def test_a_hotel_without_state_apart_from_its_rooms_has_no_row(harness: StoreHarness) -> None:
    def rows(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(schema.HOTELS)).scalar_one()

    harness.submit_all(abort_resyncs, LINK_NAME)
    harness.receive_records("DS|", CHECK_IN + "SF|", "DE|")
    assert harness.read(rows) == 0
    harness.receive_records("NS|")
    assert harness.read(rows) == 1
    harness.receive_records("NE|")
    assert harness.read(rows) == 0


def test_a_restart_forgets_nothing_of_the_move_window(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|G#1|GSN|GNAnna|CS2|", "GI|RN101|G#2|GSY|GNBert|")
    harness.now += timedelta(seconds=60)
    harness.receive_records("GC|RN102|G#2|RO101|GSY|GNBert|")
    harness.crash()
    harness.start()
    harness.receive_records("GC|RN102|G#1|RO101|GSN|GNAnna|")
    room = harness.room("102")
    assert room is not None
    assert {guest.name for guest in room.guests} == {"Anna", "Bert"}
    assert room.class_of_service == 2


def test_a_resync_that_runs_at_a_shutdown_is_aborted_at_the_next_start(harness: StoreHarness) -> None:
    harness.receive_records("DS|", "GI|RN101|G#1|SF|")
    harness.crash()
    harness.start()
    harness.submit(abort_resyncs, LINK_NAME)
    assert harness.event_types() == ["resync.started", "guest.checked_in", "resync.ended"]
    assert event_body(harness.events()[-1]) == {"extensions": [], "resync": True, "complete": False}
    harness.submit(abort_resyncs, LINK_NAME)
    assert harness.event_types()[-1] == "resync.ended"
    assert len(harness.event_types()) == 3


def test_without_a_running_resync_none_is_aborted(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    harness.submit_all(abort_resyncs, LINK_NAME, "annexe")
    harness.crash()
    harness.start()
    harness.submit_all(abort_resyncs, LINK_NAME, "annexe")
    harness.receive_records("NS|")
    harness.crash()
    harness.start()
    harness.submit_all(abort_resyncs, LINK_NAME, "annexe")
    assert harness.event_types() == ["guest.checked_in", "night_audit.started"]


def test_a_resync_can_be_aborted_in_the_commit_that_began_it(harness: StoreHarness) -> None:
    harness.journal.submit_nowait(append_records, make_record("DS|"))
    harness.submit(abort_resyncs, LINK_NAME)
    assert harness.event_types() == ["resync.started", "resync.ended"]


def test_aborting_resyncs_at_the_start_reads_no_rooms(
    harness: StoreHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.receive_records(CHECK_IN)
    harness.crash()
    harness.start()
    monkeypatch.setattr(
        hotel_states, "_load_hotel", None
    )  # reading a thousand hotels would exceed the time limit of a commit
    harness.submit(abort_resyncs, LINK_NAME)


# Due times.


def published_due_times(harness: StoreHarness) -> list[int | None]:
    return [entry.next_at for entry in harness.published if isinstance(entry, NextDueChanged)]


def test_the_next_due_time_is_published_whenever_it_changes(harness: StoreHarness) -> None:
    at = to_ms(START_TIME)
    harness.store.hotels.set_policy(LINK_NAME, HotelPolicy(timezone=START_TIME.tzinfo))
    harness.receive_records(CHECK_IN, "RE|RN101|MLY|")
    assert published_due_times(harness) == []
    harness.receive_records("WR|RN101|DA260101|TI0700|")
    harness.receive_records("WR|RN101|DA260101|TI0600|", "WR|RN101|DA260101|TI0800|")
    harness.receive_records("WR|RN101|DA260101|TI0900|")
    harness.receive_records("WC|RN101|DA260101|TI0600|")
    harness.receive_records(CHECK_OUT)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    hour_ms = 3600 * 1000
    assert published_due_times(harness) == [
        at + 7 * hour_ms,
        at + 6 * hour_ms,
        at + 7 * hour_ms,
        at + 2000,
        None,
    ]


def test_the_next_due_time_is_stored_over_a_restart(harness: StoreHarness) -> None:
    assert harness.store.startup_snapshot.next_due_times == {}
    harness.store.hotels.set_policy(LINK_NAME, HotelPolicy(timezone=START_TIME.tzinfo))
    harness.receive_records(CHECK_IN, "WR|RN101|DA260101|TI0700|")
    harness.receive_records("NS|", link="annexe")
    harness.crash()
    harness.start()
    assert harness.store.startup_snapshot.next_due_times == {
        LINK_NAME: to_ms(START_TIME + timedelta(hours=7))
    }
    assert harness.read(next_due_times) == harness.store.startup_snapshot.next_due_times
