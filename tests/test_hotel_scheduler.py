"""The hours of a hotel: what is due happens by the wall clock, whatever that and the store do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.config.link_settings import LinkSettings
from pmslink.hotel.extensions import ExtensionMapping
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel_scheduler import CHECK_INTERVAL_S, MAX_LOGGED_ROOMS, HotelScheduler, build_policy
from pmslink.store.operations.hotel_updates import run_due
from pmslink.store.tables.link_rows import RemoveLink, remove_links
from pmslink.store.tables.log_entries import NextDueChanged
from pmslink.timestamps import to_ms
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import LINK_NAME, START_TIME, FaultyDatabase, StoreHarness

SEVEN = START_TIME + timedelta(hours=7)
MINUTE = timedelta(minutes=1)


class Day:
    """A day in a hotel: a store, its hours, and a wall clock beside the one that runs evenly."""

    def __init__(self) -> None:
        self.rules: HotelPolicy | None = HotelPolicy(timezone=ZoneInfo("UTC"))
        self.playing = StoreHarness(FaultyDatabase(MemoryDatabase()))
        self._begin()

    def _begin(self) -> None:
        playing = self.playing
        store = playing.store
        if self.rules is not None:
            store.hotels.set_policy(LINK_NAME, self.rules)
        self.hours = HotelScheduler(
            playing.clock, playing.journal, playing.wall, store.startup_snapshot.next_due_times, store.hotels
        )
        self.hours.start()

    def restart(self, after: timedelta = timedelta(0)) -> None:
        """The service ends, and begins again so much later."""
        self.hours.stop()
        self.playing.crash()
        self.playing.now += after
        self.playing.start()
        self._begin()

    def live_by(self, rules: HotelPolicy) -> None:
        """The link has other settings, or runs again."""
        self.playing.store.hotels.set_policy(LINK_NAME, rules)
        self.hours.on_policy_changed(LINK_NAME)

    def end(self) -> None:
        self.hours.stop()
        self.playing.database.stop_failing()
        self.playing.crash()

    def say(self, *texts: str) -> None:
        self.playing.receive_records(*texts)

    def come(self, at: datetime) -> None:
        """The wall clock says so, and the hours have looked at it."""
        self.playing.now = at
        for _ in range(3):
            self.playing.advance(CHECK_INTERVAL_S)

    def pass_by(self, seconds: int) -> None:
        for _ in range(seconds):
            self.playing.now += timedelta(seconds=1)
            self.playing.advance(1)

    def looks(self) -> int:
        """How often the store was asked so far."""
        return self.playing.database.commit_count

    @property
    def told(self) -> list[str]:
        return self.playing.event_types()


@pytest.fixture
def day() -> Iterator[Day]:
    one = Day()
    yield one
    one.end()


@pytest.fixture
def ordered(day: Day) -> Day:
    """A guest of room 101 is to be woken at seven."""
    day.say("GI|RN101|G#7|", "WR|RN101|DA260101|TI0700|")
    day.playing.published.clear()
    return day


def test_a_wake_up_is_due_at_its_moment_and_not_before(ordered: Day) -> None:
    ordered.come(SEVEN - timedelta(milliseconds=1))
    assert ordered.told == []
    ordered.come(SEVEN)
    assert ordered.told == ["wake_up.due"]


def test_it_is_told_within_two_seconds(ordered: Day) -> None:
    ordered.come(SEVEN - timedelta(seconds=5))
    ordered.pass_by(4)
    assert ordered.told == []
    ordered.pass_by(3)
    assert ordered.told == ["wake_up.due"]
    (due,) = ordered.playing.events()
    assert timedelta(0) <= due.at - SEVEN <= timedelta(seconds=2)


def test_nobody_is_asked_while_nothing_is_due(ordered: Day) -> None:
    before = ordered.looks()
    ordered.pass_by(30)
    assert ordered.looks() == before


def test_attempts_follow_each_other_until_there_were_enough(ordered: Day) -> None:
    ordered.come(SEVEN)
    ordered.pass_by(600)
    assert ordered.told == ["wake_up.due"] * 3 + ["wake_up.done"]
    attempts = [json.loads(one.text).get("attempt") for one in ordered.playing.events()]
    assert attempts == [1, 2, 3, None]


def test_a_guest_who_leaves_has_left_after_two_seconds(ordered: Day) -> None:
    ordered.say("GO|RN101|G#7|")
    ordered.pass_by(1)
    assert ordered.told == []
    ordered.pass_by(2)
    assert ordered.told == ["wake_up.cancelled", "guest.checked_out"]


def test_other_hotels_have_their_own_hours(ordered: Day) -> None:
    ordered.playing.receive_records("WR|RN7|DA260101|TI0800|", link="annexe")
    ordered.come(SEVEN)
    assert ordered.told == ["wake_up.due"]
    assert ordered.playing.event_types("annexe") == ["wake_up.set"]


def test_of_a_link_that_is_removed_nothing_is_due(ordered: Day) -> None:
    ordered.playing.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    before = ordered.looks()
    ordered.come(SEVEN)
    assert ordered.looks() == before
    assert ordered.told == []


# the wall clock


def test_a_clock_that_is_set_forward_past_it_lets_it_ring_at_once(ordered: Day) -> None:
    ordered.come(SEVEN + 5 * MINUTE)
    assert ordered.told == ["wake_up.due"]


def test_a_clock_that_is_set_forward_too_far_lets_it_be_missed(ordered: Day) -> None:
    ordered.come(SEVEN + 11 * MINUTE)
    assert ordered.told == ["wake_up.done"]


def test_a_clock_that_is_set_back_before_it_puts_it_off_to_its_moment(ordered: Day) -> None:
    ordered.come(SEVEN - MINUTE)
    ordered.come(SEVEN - 60 * MINUTE)
    ordered.pass_by(120)
    assert ordered.told == []
    ordered.come(SEVEN)
    assert ordered.told == ["wake_up.due"]


def test_a_clock_that_is_set_back_after_it_lets_nothing_ring_twice(ordered: Day) -> None:
    ordered.come(SEVEN)
    ordered.come(SEVEN - 60 * MINUTE)
    ordered.come(SEVEN)
    assert ordered.told == ["wake_up.due", "wake_up.done"]  # nobody has told how it went for so long


def test_a_clock_that_is_set_back_keeps_no_guest_who_has_left(ordered: Day) -> None:
    ordered.pass_by(1)
    ordered.say("GO|RN101|G#7|")
    ordered.come(ordered.playing.now - 60 * MINUTE)
    assert ordered.told == ["wake_up.cancelled", "guest.checked_out"]


# the store


def test_what_is_due_while_nothing_can_be_kept_is_told_once_it_can(ordered: Day) -> None:
    ordered.playing.database.start_failing()
    ordered.come(SEVEN)
    ordered.pass_by(120)
    assert ordered.told == []
    ordered.playing.database.stop_failing()
    ordered.pass_by(3)
    assert ordered.told == ["wake_up.due"]


def test_what_nothing_could_be_kept_of_for_too_long_is_missed(ordered: Day) -> None:
    ordered.playing.database.start_failing()
    ordered.come(SEVEN)
    ordered.pass_by(601)
    ordered.playing.database.stop_failing()
    ordered.pass_by(3)
    assert ordered.told == ["wake_up.done"]
    assert json.loads(ordered.playing.events()[0].text)["result"] == "missed"


def test_while_nothing_can_be_kept_each_link_waits_once(ordered: Day) -> None:
    ordered.playing.database.start_failing()
    ordered.come(SEVEN)
    ordered.pass_by(60)
    waiting = [one for one in ordered.playing.journal._queue if one.operation is run_due]
    assert len(waiting) == 1


def test_hours_that_fail_are_told_in_the_log_and_go_on(
    ordered: Day, monkeypatch: pytest.MonkeyPatch, leak_check: list[LogEvent]
) -> None:
    monkeypatch.setattr("pmslink.hotel.wake_up_attempts._start_attempt", None)
    ordered.come(SEVEN)
    assert leak_check
    assert "wake-ups and check-outs that are due failed" in str(leak_check[0]["log_format"])
    leak_check.clear()
    monkeypatch.undo()
    ordered.come(SEVEN + timedelta(seconds=9))
    assert ordered.told == ["wake_up.due"]


# settings


def test_another_time_zone_makes_another_moment_of_the_same_local_time(ordered: Day) -> None:
    ordered.live_by(HotelPolicy(timezone=ZoneInfo("Europe/Vienna")))
    ordered.playing.advance()
    (planned,) = (one.next_at for one in ordered.playing.published if isinstance(one, NextDueChanged))
    assert planned == to_ms(SEVEN - timedelta(hours=1))
    ordered.come(SEVEN - timedelta(hours=1))
    assert ordered.told == ["wake_up.due"]


def test_a_time_zone_in_which_it_was_due_last_night_lets_it_be_missed(ordered: Day) -> None:
    ordered.live_by(HotelPolicy(timezone=ZoneInfo("Asia/Shanghai")))
    ordered.playing.advance()
    assert ordered.told == ["wake_up.done"]


def test_a_time_zone_further_west_puts_it_off(ordered: Day) -> None:
    ordered.live_by(HotelPolicy(timezone=ZoneInfo("America/New_York")))
    ordered.come(SEVEN)
    assert ordered.told == []
    ordered.come(SEVEN + timedelta(hours=5))
    assert ordered.told == ["wake_up.due"]


def test_a_look_at_a_link_without_plans_asks_nobody(day: Day) -> None:
    before = day.looks()
    day.hours.on_policy_changed(LINK_NAME)
    day.playing.advance()
    assert day.looks() == before


def test_rules_are_made_of_settings() -> None:
    settings = LinkSettings(
        timezone="Europe/Vienna",
        wake_up_attempts=2,
        wake_up_interval=90.5,
        wake_up_late=300,
        extensions="prefix",
        extension_prefix="7",
    )
    rules = build_policy(LINK_NAME, settings)
    assert (rules.timezone, rules.wake_up_attempts) == (ZoneInfo("Europe/Vienna"), 2)
    assert (rules.wake_up_interval_ms, rules.wake_up_late_ms) == (90_500, 300_000)
    assert (rules.extensions_of_room("101"), rules.rooms_of_extension("7101")) == (("7101",), ("101",))


def logged(call: Callable[[], object]) -> list[str]:
    """What of it the log tells."""
    lines: list[str] = []
    publisher: Any = globalLogPublisher  # which mypy lets no plain function observe

    def note(event: LogEvent) -> None:
        lines.append(str(formatEvent(event)))

    publisher.addObserver(note)
    try:
        call()
    finally:
        publisher.removeObserver(note)
    return lines


def test_a_table_of_extensions_that_is_gone_is_told_and_no_room_has_any(tmp_path: Path) -> None:
    settings = LinkSettings(extensions="table", extension_table=str(tmp_path / "gone.csv"))
    found: list[HotelPolicy] = []
    (line,) = logged(lambda: found.append(build_policy(LINK_NAME, settings)))
    assert line.startswith("grand: extension table not loaded; events list no extensions: ")
    assert "gone.csv: no such file" in line
    assert found[0].extensions_of_room("101") == found[0].rooms_of_extension("101") == ()


PHONES = HotelPolicy(extensions_of_room=ExtensionMapping("table", table={"101": ["7101"]}).extensions_of_room)


def test_a_room_without_an_extension_is_told_once(day: Day) -> None:
    day.live_by(PHONES)
    lines = logged(lambda: day.say("RE|RN102|MLY|", "RE|RN101|MLY|", "RE|RN102|MLN|", "NS|", "RE|RN103|MLY|"))
    assert lines == [f"grand: room {room} has no extension; its events list none" for room in ("102", "103")]
    assert logged(lambda: day.say("RE|RN102|MLY|")) == []
    assert logged(lambda: day.say("RE|RN101|MLN|")) == []


def test_it_is_told_once_more_by_other_settings(day: Day) -> None:
    day.live_by(PHONES)
    assert len(logged(lambda: day.say("RE|RN102|MLY|"))) == 1
    day.live_by(PHONES)
    assert len(logged(lambda: day.say("RE|RN102|MLN|"))) == 1


def test_each_link_has_its_own_rooms_without_extension(day: Day) -> None:
    day.live_by(PHONES)
    day.playing.store.hotels.set_policy("annexe", PHONES)
    assert len(logged(lambda: day.say("RE|RN102|MLY|"))) == 1
    assert logged(lambda: day.playing.receive_records("RE|RN102|MLY|", link="annexe")) == [
        "annexe: room 102 has no extension; its events list none"
    ]


def test_a_pms_that_names_rooms_without_end_does_not_fill_the_log(day: Day) -> None:
    day.live_by(PHONES)
    rooms = [f"RE|RN{room}|MLY|" for room in range(1000, 1000 + MAX_LOGGED_ROOMS + 5)]
    assert len(logged(lambda: day.say(*rooms))) == MAX_LOGGED_ROOMS


def test_hours_that_never_began_can_be_ended(day: Day) -> None:
    playing = day.playing
    hours = HotelScheduler(playing.clock, playing.journal, playing.wall, {}, playing.store.hotels)
    hours.stop()


# restarts


def test_what_was_ordered_is_due_after_a_restart(ordered: Day) -> None:
    ordered.restart()
    ordered.come(SEVEN)
    assert ordered.told == ["wake_up.due"]


def test_a_standstill_that_was_short_lets_it_ring_late(ordered: Day) -> None:
    ordered.restart(after=timedelta(hours=7) + 9 * MINUTE)
    ordered.pass_by(3)
    assert ordered.told == ["wake_up.due"]


def test_a_standstill_that_was_long_lets_it_be_missed(ordered: Day) -> None:
    ordered.restart(after=timedelta(hours=7) + 11 * MINUTE)
    ordered.pass_by(3)
    assert ordered.told == ["wake_up.done"]


def test_a_restart_while_it_rings_goes_on_with_the_attempts(ordered: Day) -> None:
    ordered.come(SEVEN)
    ordered.restart(after=MINUTE)
    ordered.pass_by(600)
    assert ordered.told == ["wake_up.due"] * 3 + ["wake_up.done"]


def test_a_long_standstill_while_it_rang_ends_it_unreported(ordered: Day) -> None:
    ordered.come(SEVEN)
    ordered.restart(after=timedelta(hours=1))
    ordered.pass_by(3)
    assert ordered.told == ["wake_up.due", "wake_up.done"]
    assert json.loads(ordered.playing.events()[-1].text)["result"] == "unreported"


def test_who_was_leaving_before_the_restart_has_left_after_it(ordered: Day) -> None:
    ordered.say("GO|RN101|G#7|")
    ordered.restart(after=MINUTE)
    ordered.pass_by(2)
    assert ordered.told == ["wake_up.cancelled", "guest.checked_out"]


# a link that does not run: its settings are wrong, or the configuration has it no more


@pytest.fixture
def closed(ordered: Day) -> Day:
    """The service is there again, without the link."""
    ordered.rules = None
    ordered.restart()
    return ordered


def test_nothing_is_due_at_a_link_that_does_not_run(closed: Day) -> None:
    before = closed.looks()
    closed.come(SEVEN)
    closed.come(SEVEN - 60 * MINUTE)  # a clock that is set back is no reason either
    closed.come(SEVEN + 20 * MINUTE)
    assert closed.looks() == before
    assert closed.told == []
    room = closed.playing.room()
    assert room is not None
    assert [one.attempts for one in room.wake_ups] == [0]


def test_it_rings_by_the_time_of_the_hotel_once_the_link_runs_again(closed: Day) -> None:
    closed.come(SEVEN)
    closed.live_by(HotelPolicy(timezone=ZoneInfo("America/New_York")))
    closed.pass_by(2)
    assert closed.told == []
    closed.come(SEVEN + timedelta(hours=5))
    assert closed.told == ["wake_up.due"]


def test_what_was_due_meanwhile_is_missed_once_the_link_runs_again(closed: Day) -> None:
    closed.come(SEVEN + 20 * MINUTE)
    closed.live_by(HotelPolicy(timezone=ZoneInfo("UTC")))
    closed.pass_by(2)
    assert closed.told == ["wake_up.done"]
    assert json.loads(closed.playing.events()[0].text)["result"] == "missed"


def test_who_was_leaving_has_left_once_the_link_runs_again(ordered: Day) -> None:
    ordered.say("GO|RN101|G#7|")
    ordered.rules = None
    ordered.restart(after=MINUTE)
    ordered.pass_by(3)
    assert ordered.told == []
    ordered.live_by(HotelPolicy(timezone=ZoneInfo("UTC")))
    ordered.pass_by(2)
    assert ordered.told == ["wake_up.cancelled", "guest.checked_out"]
