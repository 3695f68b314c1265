"""What a house forgets: all of a link that is removed, and after their time who the guests were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pmslink.hotel.rooms import Room
from pmslink.store.core.journal import RETRY_DELAY_S
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.retention import Purge, purge
from pmslink.store.tables.hotel_states import next_due_times, rooms_of
from pmslink.store.tables.link_rows import RemoveLink, remove_links
from tests.store.store_harness import DAY, LINK_NAME, RETENTION, START_TIME, StoreHarness, make_record
from tests.store.tables.test_hotel_states import ARRIVES, house_of, kept_events, planned, seen, told

GUEST = RETENTION.guest


def test_a_link_that_is_removed_leaves_no_house_behind(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES, "WR|RN101|DA260102|TI0700|")
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert planned(harness)[-1] is None
    assert (harness.read(rooms_of, LINK_NAME), harness.read(next_due_times), kept_events(harness)) == (
        [],
        {},
        [],
    )
    harness.receive_records(ARRIVES)
    assert harness.event_types()[-1] == "guest.checked_in"
    assert [room.wake_ups for room in harness.read(rooms_of, LINK_NAME)] == [()]


def test_what_is_said_after_the_removal_in_the_same_commit_begins_an_empty_house(
    harness: StoreHarness,
) -> None:
    harness.receive_records(ARRIVES, "WR|RN101|DA260102|TI0700|")
    harness.journal.submit_nowait(append_records, make_record("RE|RN101|MLY|"))
    harness.journal.submit_nowait(remove_links, RemoveLink(LINK_NAME, discard=True))
    harness.submit(append_records, make_record("GI|RN102|G#8|GNBaker|"))
    assert [room.room for room in harness.read(rooms_of, LINK_NAME)] == ["102"]
    assert [type for _, type in kept_events(harness)] == ["guest.checked_in"]
    assert seen(house_of(harness))["room_by_guest"] == {"8": "102"}
    assert harness.read(next_due_times) == {}


def test_a_removal_that_fails_forgets_nothing(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    harness.database.start_failing()
    harness.submit_all(remove_links, RemoveLink(LINK_NAME, discard=True))
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    harness.receive_records(ARRIVES)
    assert harness.event_types() == ["guest.checked_in"]


def purge_all(playing: StoreHarness) -> None:
    playing.submit(purge, Purge(playing.now - GUEST, START_TIME, playing.now))


def guest_of(playing: StoreHarness, room: str = "101") -> dict[str, Any]:
    found = playing.room(room)
    assert isinstance(found, Room)
    (guest,) = found.guests
    return {name: getattr(guest, name) for name in ("number", "name", "first_name", "title", "group")}


NOBODY = {"number": "7", "name": None, "first_name": None, "title": None, "group": None}


@pytest.mark.parametrize(
    ("departure", "goes"),
    [("GD260101|", True), ("GD260131|", True), ("GD260201|", False), ("", True)],
    ids=["long gone", "today", "tomorrow", "unknown"],
)
def test_names_go_after_their_time_unless_a_departure_lies_ahead(
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


def test_names_that_are_gone_are_gone_from_the_house_too_and_nobody_is_told(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|G#7|GNAdams|")
    harness.published.clear()
    later = START_TIME + GUEST + DAY
    harness.submit(purge, Purge(START_TIME + DAY, START_TIME, later))
    assert harness.published == []
    assert seen(house_of(harness))["rooms"]["101"].guests[0].name is None
    assert kept_events(harness) == []
    harness.receive_records("GC|RN101|G#7|VIPA|GV1|")
    assert told(harness.events()[-1])["guest"]["name"] is None


def test_a_guest_of_whom_the_very_commit_speaks_keeps_his_name(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|GNAdams|")
    harness.now += GUEST + DAY
    harness.journal.submit_nowait(append_records, make_record("GI|RN101|GNBaker|", harness.now))
    purge_all(harness)
    room = harness.room()
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Baker"]


def test_events_go_with_the_guest_data_that_they_tell(harness: StoreHarness) -> None:
    harness.receive_records(ARRIVES)
    harness.now += DAY
    harness.receive_records("RE|RN101|MLY|")
    purge_all(harness)
    assert len(kept_events(harness)) == 2
    harness.submit(purge, Purge(START_TIME + DAY, START_TIME, harness.now))
    assert [type for _, type in kept_events(harness)] == ["room.message_light"]
