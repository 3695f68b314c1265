"""What is deleted of a hotel: all of a removed link, and names of guests after the retention time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pmslink.hotel.rooms import Room
from pmslink.store.core.journal import RETRY_DELAY_S
from pmslink.store.operations import retention
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.retention import Purge, PurgeStep, purge
from pmslink.store.tables.hotel_states import next_due_times, rooms_of
from pmslink.store.tables.link_rows import RemoveLink, remove_links
from tests.store.store_harness import DAY, LINK_NAME, RETENTION, START_TIME, StoreHarness, make_record
from tests.store.tables.test_hotel_states import (
    CHECK_IN,
    event_body,
    hotel_of,
    published_due_times,
    state_values,
    stored_events,
)

GUEST = RETENTION.guest


@pytest.fixture(autouse=True)
def _unlimited_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one step delete all, however slow the machine is."""
    monkeypatch.setattr(retention, "PURGE_STEP_S", 600.0)


def test_removing_a_link_deletes_its_hotel(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN, "WR|RN101|DA260102|TI0700|")
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert published_due_times(harness)[-1] is None
    assert (harness.read(rooms_of, LINK_NAME), harness.read(next_due_times), stored_events(harness)) == (
        [],
        {},
        [],
    )
    harness.receive_records(CHECK_IN)
    assert harness.event_types()[-1] == "guest.checked_in"
    assert [room.wake_ups for room in harness.read(rooms_of, LINK_NAME)] == [()]


def test_records_after_a_removal_in_the_same_commit_begin_an_empty_hotel(
    harness: StoreHarness,
) -> None:
    harness.receive_records(CHECK_IN, "WR|RN101|DA260102|TI0700|")
    harness.journal.submit_nowait(append_records, make_record("RE|RN101|MLY|"))
    harness.journal.submit_nowait(remove_links, RemoveLink(LINK_NAME, discard=True))
    harness.submit(append_records, make_record("GI|RN102|G#8|GNBaker|"))
    assert [room.room for room in harness.read(rooms_of, LINK_NAME)] == ["102"]
    assert [type for _, type in stored_events(harness)] == ["guest.checked_in"]
    assert state_values(hotel_of(harness))["room_by_guest"] == {"8": "102"}
    assert harness.read(next_due_times) == {}


def test_a_failed_removal_deletes_nothing(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    harness.database.start_failing()
    harness.submit_all(remove_links, RemoveLink(LINK_NAME, discard=True))
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    harness.receive_records(CHECK_IN)
    assert harness.event_types() == ["guest.checked_in"]


def purge_all(harness: StoreHarness) -> None:
    purge_before(harness, harness.now - GUEST)


def purge_before(harness: StoreHarness, guest_before: datetime) -> None:
    step = PurgeStep(Purge(guest_before, START_TIME, harness.now))
    done = harness.submit(purge, step)
    assert done.next_step is None


def guest_of(harness: StoreHarness, room: str = "101") -> dict[str, Any]:
    found = harness.room(room)
    assert isinstance(found, Room)
    (guest,) = found.guests
    return {name: getattr(guest, name) for name in ("number", "name", "first_name", "title", "group")}


NOBODY = {"number": "7", "name": None, "first_name": None, "title": None, "group": None}


@pytest.mark.parametrize(
    ("departure", "goes"),
    [("GD260101|", True), ("GD260131|", True), ("GD260201|", False), ("", True)],
    ids=["long gone", "today", "tomorrow", "unknown"],
)
def test_names_are_deleted_after_the_retention_time_unless_the_departure_is_ahead(
    harness: StoreHarness, departure: str, goes: bool
) -> None:
    harness.receive_records(f"GI|RN101|G#7|GNAdams|GFAnn|GTDr|GGTour|{departure}")
    purge_all(harness)
    harness.now += GUEST  # to 31 January
    purge_all(harness)
    assert guest_of(harness)["name"] == "Adams"
    harness.now += timedelta(milliseconds=1)
    purge_all(harness)
    assert (guest_of(harness) == NOBODY) is goes
    harness.crash()
    harness.start()
    assert (guest_of(harness) == NOBODY) is goes


def test_deleted_names_are_deleted_in_the_cache_too_without_an_event(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|G#7|GNAdams|")
    harness.published.clear()
    later = START_TIME + GUEST + DAY
    harness.now = later
    purge_before(harness, START_TIME + DAY)
    assert harness.published == []
    assert state_values(hotel_of(harness))["rooms"]["101"].guests[0].name is None
    assert stored_events(harness) == []
    harness.receive_records("GC|RN101|G#7|VIPA|GV1|")
    assert event_body(harness.events()[-1])["guest"]["name"] is None


def test_a_guest_of_a_record_in_the_same_commit_keeps_the_name(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|GNAdams|")
    harness.now += GUEST + DAY
    harness.journal.submit_nowait(append_records, make_record("GI|RN101|GNBaker|", harness.now))
    purge_all(harness)
    room = harness.room()
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Baker"]


def test_events_are_deleted_with_guest_data(harness: StoreHarness) -> None:
    harness.receive_records(CHECK_IN)
    harness.now += DAY
    harness.receive_records("RE|RN101|MLY|")
    purge_all(harness)
    assert len(stored_events(harness)) == 2
    purge_before(harness, START_TIME + DAY)
    assert [type for _, type in stored_events(harness)] == ["room.message_light"]
