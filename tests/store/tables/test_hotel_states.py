"""What is said of a hotel is folded into its house in the commit that keeps it: both are safe, or neither."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from twisted.logger import LogEvent

from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import House
from pmslink.store.core import schema
from pmslink.store.core.journal import RETRY
from pmslink.store.operations.hotel_updates import abandon_resyncs, keep_records, let_time_pass
from pmslink.store.tables import hotel_states
from pmslink.store.tables.history_queries import events_after, newest_records
from pmslink.store.tables.hotel_states import plans, rooms_of
from pmslink.store.tables.log_entries import (
    Changed,
    Entry,
    Happened,
    Planned,
    Recorded,
    Transaction,
    keep_transitions,
)
from pmslink.timestamps import to_ms
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import LINK, START, Playing, Watched, a_record
from tests.store.tables.test_history_queries import a_change

ARRIVES = "GI|RN101|G#7|GNAdams|GFAnn|GTDr|GLEA|GGTour|GVA|GD260131|"
LEAVES = "GO|RN101|G#7|"


def told(event: Entry) -> dict[str, Any]:
    """What an event tells beside its type and room."""
    assert isinstance(event, Happened)
    values: dict[str, Any] = json.loads(event.text)
    return values


def kept_events(playing: Playing, link: str = LINK) -> list[tuple[int, str]]:
    return [
        (one.seq, one.type) for one in playing.read(events_after, link, 0, 1000) if isinstance(one, Happened)
    ]


def record_texts(playing: Playing) -> list[str]:
    return [one.text for one in playing.read(newest_records, LINK, None, None, None, 1000)][::-1]


# one commit


def test_a_record_is_kept_with_what_came_of_it(playing: Playing) -> None:
    before = playing.database.commits
    playing.say(ARRIVES)
    assert playing.database.commits == before + 1
    assert record_texts(playing) == [ARRIVES]
    (event,) = playing.events()
    assert kept_events(playing) == [(event.seq, "guest.checked_in")]
    room = playing.room()
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Adams"]
    assert room.changed == to_ms(START)


def test_a_record_is_told_before_what_came_of_it(playing: Playing) -> None:
    playing.say(ARRIVES)
    assert [type(entry) for entry in playing.told] == [Recorded, Happened]
    assert playing.tellings() == sorted(set(playing.tellings()))


def test_what_goes_to_the_pms_and_what_means_nothing_change_no_house(playing: Playing) -> None:
    playing.do(keep_records, a_record("GI|RN101|GNAdams|", direction="out"))
    playing.say("XL|RN101|MTHello|", "GI|GNAdams|")
    assert playing.types() == []
    assert playing.read(rooms_of, LINK) == []


def test_of_a_commit_that_fails_nothing_is_there_and_nothing_is_told(playing: Playing) -> None:
    playing.say(ARRIVES)
    before = playing.room(), kept_events(playing), record_texts(playing)
    playing.told.clear()
    playing.database.fail()
    playing.say("RE|RN101|MLY|")
    assert (playing.room(), kept_events(playing), record_texts(playing)) == before
    assert playing.told == []


def test_what_failed_and_was_not_to_be_kept_leaves_no_trace_in_the_house(playing: Playing) -> None:
    playing.database.fail()
    playing.say(ARRIVES)
    playing.database.mend()
    playing.turn(RETRY)
    playing.say("GI|RN101|G#7|GNBaker|")
    assert playing.types() == ["guest.checked_in"]


def test_a_disk_that_fails_again_and_again_lets_nothing_be_told_twice(playing: Playing) -> None:
    playing.database.fail()
    waiting = [
        playing.journal.write(keep_records, a_record(text), keep=True)
        for text in (ARRIVES, "RE|RN101|MLY|", "WR|RN101|DA260102|TI0700|", "NS|")
    ]
    for _ in range(5):
        playing.turn(RETRY)
    assert playing.told == []
    playing.database.mend()
    playing.turn(RETRY)
    assert playing.outcomes(waiting) == [None] * 4
    assert playing.types() == ["guest.checked_in", "room.message_light", "wake_up.set", "night_audit.started"]
    assert kept_events(playing) == [(one.seq, one.type) for one in playing.events()]
    assert playing.tellings() == sorted(set(playing.tellings()))


def test_one_record_that_is_at_fault_spoils_no_other(
    playing: Playing, nothing_left_behind: list[LogEvent]
) -> None:
    texts = (ARRIVES, "GI|RN102|G#8|GN\ud800|", "GI|RN103|G#9|GNCole|")
    outcomes = playing.do_all(keep_records, *map(a_record, texts))
    assert [type(one) for one in outcomes] == [type(None), UnicodeEncodeError, type(None)]
    assert [room.room for room in playing.read(rooms_of, LINK)] == ["101", "103"]
    assert [event.room for event in playing.events()] == ["101", "103"]
    playing.say("GI|RN102|G#8|GNBaker|")
    assert playing.events()[-1].room == "102"


def test_each_link_has_its_own_house(playing: Playing) -> None:
    playing.say(ARRIVES)
    playing.say(ARRIVES, link="annexe")
    assert playing.types() == playing.types("annexe") == ["guest.checked_in"]
    playing.say(LEAVES.replace("G#7|", ""), link="annexe")
    room, other = playing.room(), playing.room(link="annexe")
    assert room is not None
    assert other is not None
    assert (len(room.guests), len(other.guests)) == (1, 0)


def test_events_stand_among_the_changes_of_the_link_as_they_happened(playing: Playing) -> None:
    playing.say(ARRIVES)
    playing.do(keep_transitions, a_change(1))
    playing.say("RE|RN101|MLY|")
    found = playing.read(events_after, LINK, 0, 10)
    assert [type(one) for one in found] == [Happened, Changed, Happened]
    assert [one.seq for one in playing.read(events_after, LINK, found[0].seq, 10)] == [
        one.seq for one in found[1:]
    ]


# extensions


def test_an_event_tells_the_extensions_by_the_rules_of_its_time(playing: Playing) -> None:
    houses = playing.store.houses
    houses.live_by(LINK, Rules(extensions=lambda room: (f"1{room}", f"2{room}")))
    playing.say(ARRIVES, "GC|RN102|RO101|G#7|", "NS|")
    first, moved, audit = (one for one in playing.events() if one.type != "room.class_of_service")
    assert told(first)["extensions"] == ["1101", "2101"]
    assert (told(moved)["extensions"], told(moved)["from_extensions"]) == (["1102", "2102"], ["1101", "2101"])
    assert told(audit)["extensions"] == []
    houses.live_by(LINK, Rules())
    playing.say("RE|RN102|MLY|")
    assert told(playing.events()[-1])["extensions"] == ["102"]


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


def house_of(playing: Playing) -> House:
    def take(transaction: Transaction, links: Sequence[str]) -> Sequence[House]:
        return [transaction.houses.of(transaction.connection, link) for link in links]

    return playing.do(take, LINK)


def seen(house: House) -> dict[str, Any]:
    names = ("rooms", "auditing", "resyncing", "leaving", "whereabouts", "waking", "next_at")
    return {name: getattr(house, name) for name in names}


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_a_restart_at_any_moment_loads_the_same_house_and_changes_nothing_of_what_comes(
    playing: Playing, end: str
) -> None:
    for texts in STORY:
        playing.say(*texts)
        before = seen(house_of(playing))
        getattr(playing, end)()
        playing.start()
        assert seen(house_of(playing)) == before
        playing.now += timedelta(seconds=1)
    assert len(playing.types()) == 20
    assert [(one.type, one.room) for one in playing.events()] == without_a_restart()


def test_within_a_session_the_same_record_may_be_meant_anew(playing: Playing) -> None:
    came = "GI|RN101|G#7|DA260101|TI0800|"
    for session, times in ((1, 1), (1, 2), (2, 2), (2, 2)):
        playing.say(came, "GO|RN101|", session=session)
        assert playing.types().count("guest.checked_in") == times
    playing.crash()
    playing.start()
    playing.say(came, session=1)  # the first of another service
    assert playing.types().count("guest.checked_in") == 2


def without_a_restart() -> list[tuple[str, str | None]]:
    playing = Playing(Watched(MemoryDatabase()))
    for session, texts in enumerate(STORY):
        playing.say(*texts, session=session)
        playing.now += timedelta(seconds=1)
    playing.crash()
    return [(one.type, one.room) for one in playing.events()]


def test_a_house_of_which_there_is_nothing_to_say_but_its_rooms_has_no_row(playing: Playing) -> None:
    def rows(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(schema.HOUSES)).scalar_one()

    playing.do_all(abandon_resyncs, LINK)
    playing.say(ARRIVES)
    assert playing.read(rows) == 0
    playing.say("NS|")
    assert playing.read(rows) == 1
    playing.say("NE|")
    assert playing.read(rows) == 0


def test_a_resync_that_runs_when_the_service_ends_is_given_up_by_the_next(playing: Playing) -> None:
    playing.say("DS|", "GI|RN101|G#1|SF|")
    playing.crash()
    playing.start()
    playing.do(abandon_resyncs, LINK)
    assert playing.types() == ["resync.started", "guest.checked_in", "resync.ended"]
    assert told(playing.events()[-1]) == {"extensions": [], "resync": True, "complete": False}
    playing.do(abandon_resyncs, LINK)
    assert playing.types()[-1] == "resync.ended"
    assert len(playing.types()) == 3


def test_a_resync_that_does_not_run_is_not_given_up(playing: Playing) -> None:
    playing.say(ARRIVES)
    playing.do_all(abandon_resyncs, LINK, "annexe")
    playing.crash()
    playing.start()
    playing.do_all(abandon_resyncs, LINK, "annexe")
    playing.say("NS|")
    playing.crash()
    playing.start()
    playing.do_all(abandon_resyncs, LINK, "annexe")
    assert playing.types() == ["guest.checked_in", "night_audit.started"]


def test_a_resync_is_given_up_in_the_commit_that_began_it(playing: Playing) -> None:
    playing.journal.append(keep_records, a_record("DS|"))
    playing.do(abandon_resyncs, LINK)
    assert playing.types() == ["resync.started", "resync.ended"]


def test_a_start_reads_no_rooms_to_give_up_resyncs(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    playing.say(ARRIVES)
    playing.crash()
    playing.start()
    monkeypatch.setattr(
        hotel_states, "_load", None
    )  # of a thousand hotels it would take longer than a disk may
    playing.do(abandon_resyncs, LINK)


# plans


def planned(playing: Playing) -> list[int | None]:
    return [entry.next_at for entry in playing.told if isinstance(entry, Planned)]


def test_when_something_is_due_is_told_whenever_it_is_another_moment(playing: Playing) -> None:
    at = to_ms(START)
    playing.store.houses.live_by(LINK, Rules(timezone=START.tzinfo))
    playing.say(ARRIVES, "RE|RN101|MLY|")
    assert planned(playing) == []
    playing.say("WR|RN101|DA260101|TI0700|")
    playing.say("WR|RN101|DA260101|TI0600|", "WR|RN101|DA260101|TI0800|")
    playing.say("WR|RN101|DA260101|TI0900|")
    playing.say("WC|RN101|DA260101|TI0600|")
    playing.say(LEAVES)
    playing.now += timedelta(seconds=2)
    playing.do(let_time_pass, LINK)
    hour = 3600 * 1000
    assert planned(playing) == [at + 7 * hour, at + 6 * hour, at + 7 * hour, at + 2000, None]


def test_what_is_planned_is_known_after_a_restart(playing: Playing) -> None:
    assert playing.store.opened.plans == {}
    playing.store.houses.live_by(LINK, Rules(timezone=START.tzinfo))
    playing.say(ARRIVES, "WR|RN101|DA260101|TI0700|")
    playing.say("NS|", link="annexe")
    playing.crash()
    playing.start()
    assert playing.store.opened.plans == {LINK: to_ms(START + timedelta(hours=7))}
    assert playing.read(plans) == playing.store.opened.plans
