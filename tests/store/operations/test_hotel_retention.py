"""What a house forgets: all of a link that is removed, and after their time who the guests were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pmslink.hotel.rooms import Room
from pmslink.store.core.journal import RETRY
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.retention import Purge, purge
from pmslink.store.tables.hotel_states import plans, rooms_of
from pmslink.store.tables.link_rows import Remove, remove_links
from tests.store.store_harness import DAY, LINK, RETENTION, START, Playing, a_record
from tests.store.tables.test_hotel_states import ARRIVES, house_of, kept_events, planned, seen, told

GUEST = RETENTION.guest


def test_a_link_that_is_removed_leaves_no_house_behind(playing: Playing) -> None:
    playing.say(ARRIVES, "WR|RN101|DA260102|TI0700|")
    playing.do(remove_links, Remove(LINK, discard=True))
    assert planned(playing)[-1] is None
    assert (playing.read(rooms_of, LINK), playing.read(plans), kept_events(playing)) == ([], {}, [])
    playing.say(ARRIVES)
    assert playing.types()[-1] == "guest.checked_in"
    assert [room.wake_ups for room in playing.read(rooms_of, LINK)] == [()]


def test_what_is_said_after_the_removal_in_the_same_commit_begins_an_empty_house(playing: Playing) -> None:
    playing.say(ARRIVES, "WR|RN101|DA260102|TI0700|")
    playing.journal.append(keep_records, a_record("RE|RN101|MLY|"))
    playing.journal.append(remove_links, Remove(LINK, discard=True))
    playing.do(keep_records, a_record("GI|RN102|G#8|GNBaker|"))
    assert [room.room for room in playing.read(rooms_of, LINK)] == ["102"]
    assert [type for _, type in kept_events(playing)] == ["guest.checked_in"]
    assert seen(house_of(playing))["whereabouts"] == {"8": "102"}
    assert playing.read(plans) == {}


def test_a_removal_that_fails_forgets_nothing(playing: Playing) -> None:
    playing.say(ARRIVES)
    playing.database.fail()
    playing.do_all(remove_links, Remove(LINK, discard=True))
    playing.database.mend()
    playing.turn(RETRY)
    playing.say(ARRIVES)
    assert playing.types() == ["guest.checked_in"]


def purge_all(playing: Playing) -> None:
    playing.do(purge, Purge(playing.now - GUEST, START, playing.now))


def guest_of(playing: Playing, room: str = "101") -> dict[str, Any]:
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
    playing: Playing, departure: str, goes: bool
) -> None:
    playing.say(f"GI|RN101|G#7|GNAdams|GFAnn|GTDr|GGTour|{departure}")
    purge_all(playing)
    playing.now += GUEST  # to 31 January
    purge_all(playing)
    assert guest_of(playing)["name"] == "Adams"
    playing.now += timedelta(milliseconds=1)
    purge_all(playing)
    assert (guest_of(playing) == NOBODY) is goes
    playing.crash()
    playing.start()
    assert (guest_of(playing) == NOBODY) is goes


def test_names_that_are_gone_are_gone_from_the_house_too_and_nobody_is_told(playing: Playing) -> None:
    playing.say("GI|RN101|G#7|GNAdams|")
    playing.told.clear()
    later = START + GUEST + DAY
    playing.do(purge, Purge(START + DAY, START, later))
    assert playing.told == []
    assert seen(house_of(playing))["rooms"]["101"].guests[0].name is None
    assert kept_events(playing) == []
    playing.say("GC|RN101|G#7|VIPA|GV1|")
    assert told(playing.events()[-1])["guest"]["name"] is None


def test_a_guest_of_whom_the_very_commit_speaks_keeps_his_name(playing: Playing) -> None:
    playing.say("GI|RN101|GNAdams|")
    playing.now += GUEST + DAY
    playing.journal.append(keep_records, a_record("GI|RN101|GNBaker|", playing.now))
    purge_all(playing)
    room = playing.room()
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Baker"]


def test_events_go_with_the_guest_data_that_they_tell(playing: Playing) -> None:
    playing.say(ARRIVES)
    playing.now += DAY
    playing.say("RE|RN101|MLY|")
    purge_all(playing)
    assert len(kept_events(playing)) == 2
    playing.do(purge, Purge(START + DAY, START, playing.now))
    assert [type for _, type in kept_events(playing)] == ["room.message_light"]
