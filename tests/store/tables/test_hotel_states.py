"""What is said of a hotel is folded into its house in the commit that keeps it: both are safe, or neither."""

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
from tests.store.tables.test_history_queries import a_change

ARRIVES = "GI|RN101|G#7|GNAdams|GFAnn|GTDr|GLEA|GGTour|GVA|GD260131|"
LEAVES = "GO|RN101|G#7|"


def told(event: Entry) -> dict[str, Any]:
    """What an event tells beside its type and room."""
    assert isinstance(event, HotelEventLogged)
    values: dict[str, Any] = json.loads(event.text)
    return values


def kept_events(playing: StoreHarness, link: str = LINK_NAME) -> list[tuple[int, str]]:
    return [
        (one.seq, one.type)
        for one in playing.read(events_after, link, 0, 1000)
        if isinstance(one, HotelEventLogged)
    ]


def record_texts(playing: StoreHarness) -> list[str]:
    return [one.text for one in playing.read(newest_records, LINK_NAME, None, None, None, 1000)][::-1]


# one commit


def test_a_record_is_kept_with_what_came_of_it(harness: StoreHarness) -> None:
    before = harness.database.commit_count
    harness.receive_records(ARRIVES)
    assert harness.database.commit_count == before + 1
    assert record_texts(harness) == [ARRIVES]
    (event,) = harness.events()
    assert kept_events(harness) == [(event.seq, "guest.checked_in")]
    room = harness.room()
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Adams"]
    assert room.changed == to_ms(START_TIME)


def test_a_record_is_told_before_what_came_of_it(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    assert [type(entry) for entry in harness.published] == [RecordLogged, HotelEventLogged]
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_what_goes_to_the_pms_and_what_means_nothing_change_no_house(harness: StoreHarness) -> None:
    harness.submit(append_records, make_record("GI|RN101|GNAdams|", direction="out"))
    harness.receive_records("XL|RN101|MTHello|", "GI|GNAdams|")
    assert harness.event_types() == []
    assert harness.read(rooms_of, LINK_NAME) == []


def test_of_a_commit_that_fails_nothing_is_there_and_nothing_is_told(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    before = harness.room(), kept_events(harness), record_texts(harness)
    harness.published.clear()
    harness.database.start_failing()
    harness.receive_records("RE|RN101|MLY|")
    assert (harness.room(), kept_events(harness), record_texts(harness)) == before
    assert harness.published == []


def test_what_failed_and_was_not_to_be_kept_leaves_no_trace_in_the_house(harness: StoreHarness) -> None:
    harness.database.start_failing()
    harness.receive_records(ARRIVES)
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    harness.receive_records("GI|RN101|G#7|GNBaker|")
    assert harness.event_types() == ["guest.checked_in"]


def test_a_disk_that_fails_again_and_again_lets_nothing_be_told_twice(harness: StoreHarness) -> None:
    harness.database.start_failing()
    waiting = [
        harness.journal.submit(append_records, make_record(text), retry_until_stored=True)
        for text in (ARRIVES, "RE|RN101|MLY|", "WR|RN101|DA260102|TI0700|", "NS|")
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
    assert kept_events(harness) == [(one.seq, one.type) for one in harness.events()]
    assert harness.published_seqs() == sorted(set(harness.published_seqs()))


def test_one_record_that_is_at_fault_spoils_no_other(
    harness: StoreHarness, leak_check: list[LogEvent]
) -> None:
    texts = (ARRIVES, "GI|RN102|G#8|GN\ud800|", "GI|RN103|G#9|GNCole|")
    outcomes = harness.submit_all(append_records, *map(make_record, texts))
    assert [type(one) for one in outcomes] == [type(None), UnicodeEncodeError, type(None)]
    assert [room.room for room in harness.read(rooms_of, LINK_NAME)] == ["101", "103"]
    assert [event.room for event in harness.events()] == ["101", "103"]
    harness.receive_records("GI|RN102|G#8|GNBaker|")
    assert harness.events()[-1].room == "102"


def test_each_link_has_its_own_house(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    harness.receive_records(ARRIVES, link="annexe")
    assert harness.event_types() == harness.event_types("annexe") == ["guest.checked_in"]
    harness.receive_records(LEAVES.replace("G#7|", ""), link="annexe")
    room, other = harness.room(), harness.room(link="annexe")
    assert room is not None
    assert other is not None
    assert (len(room.guests), len(other.guests)) == (1, 0)


def test_events_stand_among_the_changes_of_the_link_as_they_happened(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    harness.submit(append_transitions, a_change(1))
    harness.receive_records("RE|RN101|MLY|")
    found = harness.read(events_after, LINK_NAME, 0, 10)
    assert [type(one) for one in found] == [HotelEventLogged, TransitionLogged, HotelEventLogged]
    assert [one.seq for one in harness.read(events_after, LINK_NAME, found[0].seq, 10)] == [
        one.seq for one in found[1:]
    ]


# extensions


def test_an_event_tells_the_extensions_by_the_rules_of_its_time(harness: StoreHarness) -> None:
    houses = harness.store.hotels
    houses.set_policy(LINK_NAME, HotelPolicy(extensions_of_room=lambda room: (f"1{room}", f"2{room}")))
    harness.receive_records(ARRIVES, "GC|RN102|RO101|G#7|", "NS|")
    first, moved, audit = (one for one in harness.events() if one.type != "room.class_of_service")
    assert told(first)["extensions"] == ["1101", "2101"]
    assert (told(moved)["extensions"], told(moved)["from_extensions"]) == (["1102", "2102"], ["1101", "2101"])
    assert told(audit)["extensions"] == []
    houses.set_policy(LINK_NAME, HotelPolicy())
    harness.receive_records("RE|RN102|MLY|")
    assert told(harness.events()[-1])["extensions"] == ["102"]


# restarts

STORY = (
    ("DS|", "GI|RN101|G#1|GNAdams|SF|", "GI|RN102|G#2|GNBaker|SF|", "DE|"),
    ("GI|RN103|G#3|GNCole|GS1|DA260101|TI0800|", "RE|RN103|MLY|DNY|CS2|"),
    ("WR|RN101|DA260102|TI0700|", "WR|RN103|DA260102|TI0710|"),
    ("GO|RN102|G#2|DA260101|TI0801|",),
    ("GI|RN104|G#2|GNBaker|DA260101|TI0801|",),
    ("GC|RN105|RO103|G#3|GNCole|",),
    ("WC|RN101|DA260102|TI0700|", "NS|"),
    ("NE|", "GO|RN101|G#1|DA260101|TI0900|"),
    ("GI|RN103|G#3|GNCole|GS1|DA260101|TI0800|",),  # once more
)


def house_of(playing: StoreHarness) -> HotelState:
    def take(transaction: Transaction, links: Sequence[str]) -> Sequence[HotelState]:
        return [transaction.hotels.hotel(transaction.connection, link) for link in links]

    return playing.submit(take, LINK_NAME)


def seen(house: HotelState) -> dict[str, Any]:
    names = (
        "rooms",
        "night_audit_stamp",
        "resyncing",
        "pending_check_outs",
        "room_by_guest",
        "rooms_with_wake_ups",
        "next_due_at",
    )
    return {name: getattr(house, name) for name in names}


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_a_restart_at_any_moment_loads_the_same_house_and_changes_nothing_of_what_comes(
    harness: StoreHarness, end: str
) -> None:
    for texts in STORY:
        harness.receive_records(*texts)
        before = seen(house_of(harness))
        getattr(harness, end)()
        harness.start()
        assert seen(house_of(harness)) == before
        harness.now += timedelta(seconds=1)
    assert len(harness.event_types()) == 20
    assert [(one.type, one.room) for one in harness.events()] == without_a_restart()


def test_within_a_session_the_same_record_may_be_meant_anew(harness: StoreHarness) -> None:
    came = "GI|RN101|G#7|DA260101|TI0800|"
    for session, times in ((1, 1), (1, 2), (2, 2), (2, 2)):
        harness.receive_records(came, "GO|RN101|", session=session)
        assert harness.event_types().count("guest.checked_in") == times
    harness.crash()
    harness.start()
    harness.receive_records(came, session=1)  # the first of another service
    assert harness.event_types().count("guest.checked_in") == 2


def without_a_restart() -> list[tuple[str, str | None]]:
    playing = StoreHarness(FaultyDatabase(MemoryDatabase()))
    for session, texts in enumerate(STORY):
        playing.receive_records(*texts, session=session)
        playing.now += timedelta(seconds=1)
    playing.crash()
    return [(one.type, one.room) for one in playing.events()]


def test_a_house_of_which_there_is_nothing_to_say_but_its_rooms_has_no_row(harness: StoreHarness) -> None:
    def rows(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(schema.HOTELS)).scalar_one()

    harness.submit_all(abort_resyncs, LINK_NAME)
    harness.receive_records(ARRIVES)
    assert harness.read(rows) == 0
    harness.receive_records("NS|")
    assert harness.read(rows) == 1
    harness.receive_records("NE|")
    assert harness.read(rows) == 0


def test_a_resync_that_runs_when_the_service_ends_is_given_up_by_the_next(harness: StoreHarness) -> None:
    harness.receive_records("DS|", "GI|RN101|G#1|SF|")
    harness.crash()
    harness.start()
    harness.submit(abort_resyncs, LINK_NAME)
    assert harness.event_types() == ["resync.started", "guest.checked_in", "resync.ended"]
    assert told(harness.events()[-1]) == {"extensions": [], "resync": True, "complete": False}
    harness.submit(abort_resyncs, LINK_NAME)
    assert harness.event_types()[-1] == "resync.ended"
    assert len(harness.event_types()) == 3


def test_a_resync_that_does_not_run_is_not_given_up(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    harness.submit_all(abort_resyncs, LINK_NAME, "annexe")
    harness.crash()
    harness.start()
    harness.submit_all(abort_resyncs, LINK_NAME, "annexe")
    harness.receive_records("NS|")
    harness.crash()
    harness.start()
    harness.submit_all(abort_resyncs, LINK_NAME, "annexe")
    assert harness.event_types() == ["guest.checked_in", "night_audit.started"]


def test_a_resync_is_given_up_in_the_commit_that_began_it(harness: StoreHarness) -> None:
    harness.journal.submit_nowait(append_records, make_record("DS|"))
    harness.submit(abort_resyncs, LINK_NAME)
    assert harness.event_types() == ["resync.started", "resync.ended"]


def test_a_start_reads_no_rooms_to_give_up_resyncs(
    harness: StoreHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.receive_records(ARRIVES)
    harness.crash()
    harness.start()
    monkeypatch.setattr(
        hotel_states, "_load_hotel", None
    )  # of a thousand hotels it would take longer than a disk may
    harness.submit(abort_resyncs, LINK_NAME)


# plans


def planned(playing: StoreHarness) -> list[int | None]:
    return [entry.next_at for entry in playing.published if isinstance(entry, NextDueChanged)]


def test_when_something_is_due_is_told_whenever_it_is_another_moment(harness: StoreHarness) -> None:
    at = to_ms(START_TIME)
    harness.store.hotels.set_policy(LINK_NAME, HotelPolicy(timezone=START_TIME.tzinfo))
    harness.receive_records(ARRIVES, "RE|RN101|MLY|")
    assert planned(harness) == []
    harness.receive_records("WR|RN101|DA260101|TI0700|")
    harness.receive_records("WR|RN101|DA260101|TI0600|", "WR|RN101|DA260101|TI0800|")
    harness.receive_records("WR|RN101|DA260101|TI0900|")
    harness.receive_records("WC|RN101|DA260101|TI0600|")
    harness.receive_records(LEAVES)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    hour = 3600 * 1000
    assert planned(harness) == [at + 7 * hour, at + 6 * hour, at + 7 * hour, at + 2000, None]


def test_what_is_planned_is_known_after_a_restart(harness: StoreHarness) -> None:
    assert harness.store.startup_snapshot.next_due_times == {}
    harness.store.hotels.set_policy(LINK_NAME, HotelPolicy(timezone=START_TIME.tzinfo))
    harness.receive_records(ARRIVES, "WR|RN101|DA260101|TI0700|")
    harness.receive_records("NS|", link="annexe")
    harness.crash()
    harness.start()
    assert harness.store.startup_snapshot.next_due_times == {
        LINK_NAME: to_ms(START_TIME + timedelta(hours=7))
    }
    assert harness.read(next_due_times) == harness.store.startup_snapshot.next_due_times
