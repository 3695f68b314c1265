"""A wake-up ends with one result: the event, the row for the PMS and the house are one commit."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from attrs import evolve

from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.phone_updates import Results
from pmslink.hotel.rooms import WakeUp
from pmslink.hotel.wake_ups import NotDue, UnknownWakeUp
from pmslink.store.core.journal import RETRY
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.operations.hotel_updates import Reported, keep_records, let_time_pass, take_results
from pmslink.store.operations.outbox_delivery import Leave, Take, leave, take
from pmslink.store.tables.outbox_rows import Moved, Row, newest_rows
from tests.store.store_harness import LINK, NOW, START, Playing, a_record
from tests.store.tables.test_hotel_states import told

RULES = Rules(timezone=START.tzinfo, attempts=2, interval=180_000, late=600_000)
SEVEN = START + timedelta(hours=7)


@pytest.fixture
def ordered(playing: Playing) -> Playing:
    """A guest of room 101 is to be woken at seven, by two attempts."""
    playing.store.houses.live_by(LINK, RULES)
    playing.say("GI|RN101|G#7|", "WR|RN101|DA260101|TI0700|")
    return playing


@pytest.fixture
def ringing(ordered: Playing) -> Playing:
    """It is seven."""
    ordered.now = SEVEN
    ordered.do(let_time_pass, LINK)
    assert ordered.types()[-1] == "wake_up.due"
    return ordered


def wake_up(playing: Playing) -> WakeUp:
    room = playing.room()
    assert room is not None
    (found,) = room.wake_ups
    return found


def reported(playing: Playing, result: Results = "answered", attempt: int | None = None) -> Reported:
    return Reported(LINK, "101", wake_up(playing).id, attempt, result)


def results(playing: Playing) -> list[Row]:
    """The rows that tell results, newest first."""
    return [row for row in playing.read(newest_rows, LINK, None, None, 100) if row.record == "WA"]


def test_the_result_is_a_row_for_the_pms_in_the_commit_of_its_event(ringing: Playing) -> None:
    before = ringing.database.commits
    asked = reported(ringing)
    ringing.told.clear()
    ended = ringing.do(take_results, asked)
    assert ringing.database.commits == before + 1
    (row,) = results(ringing)
    assert (row.type, row.room, row.text) == ("wake_up_result", "101", "WA|RN101|DA260101|TI0700|ASOK|")
    assert json.loads(row.body) == {"at": "2026-01-01T07:00:00", "result": "answered"}
    assert (row.state, row.number, row.created) == ("pending", None, NOW + 7 * 3600 * 1000)
    assert [type(one) for one in ringing.told[:1]] == [type(ringing.events()[0])]
    assert [one.row for one in ringing.told if isinstance(one, Moved)] == [row]
    assert ringing.types() == ["wake_up.done"]
    assert told(ringing.events()[0]) == {
        "extensions": ["101"],
        "resync": False,
        "wake_up": {"id": asked.id, "at": "2026-01-01T07:00:00"},
        "result": "answered",
        "attempts": 1,
    }
    assert (ended.id, ended.result, ended.again) == (asked.id, "answered", None)
    room = ringing.room()
    assert room is not None
    assert room.wake_ups == ()


def test_a_result_that_cannot_be_kept_is_not_taken(ringing: Playing) -> None:
    asked = reported(ringing)
    ringing.database.fail()
    (outcome,) = ringing.do_all(take_results, asked)
    assert isinstance(outcome, StoreFailing)
    assert results(ringing) == []
    assert ringing.types()[-1] == "wake_up.due"
    ringing.database.mend()
    ringing.turn(RETRY)
    ringing.do(take_results, asked)
    assert len(results(ringing)) == 1
    assert ringing.types().count("wake_up.done") == 1


def test_of_several_results_at_once_the_first_that_ends_it_is_the_only_one(ringing: Playing) -> None:
    asked = reported(ringing)
    outcomes = ringing.do_all(take_results, asked, evolve(asked, result="busy"), asked)
    assert [type(one) for one in outcomes] == [WakeUp, UnknownWakeUp, UnknownWakeUp]
    assert [row.text for row in results(ringing)] == ["WA|RN101|DA260101|TI0700|ASOK|"]


@pytest.mark.parametrize(("last", "status"), [("busy", "BY"), ("no_answer", "NR"), ("answered", "OK")])
def test_only_the_last_attempt_is_told_to_the_pms(ringing: Playing, last: Results, status: str) -> None:
    kept = ringing.do(take_results, reported(ringing, "no_answer", 1))
    assert kept.again == wake_up(ringing).again == NOW + 7 * 3600 * 1000 + RULES.interval
    assert results(ringing) == []
    ringing.now += timedelta(minutes=3)
    ringing.do(let_time_pass, LINK)
    assert told(ringing.events()[-1])["attempt"] == 2
    ringing.do(take_results, reported(ringing, last, 2))
    assert [row.text for row in results(ringing)] == [f"WA|RN101|DA260101|TI0700|AS{status}|"]


def test_attempts_of_which_nothing_is_said_end_as_unanswered(ringing: Playing) -> None:
    for _ in range(5):
        ringing.now += timedelta(minutes=3)
        ringing.do(let_time_pass, LINK)
    assert ringing.types().count("wake_up.due") == 2
    assert told(ringing.events()[-1])["result"] == "unreported"
    assert [row.text for row in results(ringing)] == ["WA|RN101|DA260101|TI0700|ASNR|"]


def test_one_that_could_not_be_told_in_time_is_missed_and_the_pms_hears_so(ordered: Playing) -> None:
    ordered.now = SEVEN + timedelta(minutes=10, milliseconds=1)
    ordered.do(let_time_pass, LINK)
    assert "wake_up.due" not in ordered.types()
    done = told(ordered.events()[-1])
    assert (done["result"], done["attempts"]) == ("missed", 0)
    assert [row.text for row in results(ordered)] == ["WA|RN101|DA260101|TI0700|ASNR|"]


def test_a_result_is_told_with_date_and_time_as_the_pms_wrote_them(playing: Playing) -> None:
    playing.store.houses.live_by(LINK, RULES)
    playing.say("WR|RN101|DA260101|TI070030|")
    playing.now = SEVEN + timedelta(seconds=30)
    playing.do(let_time_pass, LINK)
    playing.do(take_results, reported(playing))
    assert [row.text for row in results(playing)] == ["WA|RN101|DA260101|TI070030|ASOK|"]


@pytest.mark.parametrize("attempt", [None, 1])
def test_before_it_has_rung_there_is_no_result(ordered: Playing, attempt: int | None) -> None:
    (outcome,) = ordered.do_all(take_results, reported(ordered, attempt=attempt))
    assert isinstance(outcome, NotDue)
    assert "2026-01-01T07:00:00, and has not rung yet" in str(outcome)
    assert ordered.types()[-1] == "wake_up.set"


def test_an_attempt_that_was_not_made_has_no_result(ringing: Playing) -> None:
    (outcome,) = ringing.do_all(take_results, reported(ringing, attempt=2))
    assert isinstance(outcome, NotDue)
    assert "there were 1 attempts, and no number 2" in str(outcome)


def test_a_wake_up_that_nobody_knows_has_no_result(ringing: Playing) -> None:
    asked = reported(ringing)
    wrong = [evolve(asked, id=1), evolve(asked, link="annexe")]
    outcomes = ringing.do_all(take_results, *wrong)
    assert [type(one) for one in outcomes] == [UnknownWakeUp, UnknownWakeUp]
    assert results(ringing) == []


def test_a_guest_who_moved_while_it_rang_is_still_awake(ringing: Playing) -> None:
    asked = reported(ringing)
    ringing.say("GC|RN102|RO101|G#7|")
    ringing.do(take_results, asked)
    assert [row.text for row in results(ringing)] == ["WA|RN102|DA260101|TI0700|ASOK|"]


def test_a_late_word_of_an_earlier_attempt_changes_nothing_but_that_he_is_awake(ringing: Playing) -> None:
    ringing.now += timedelta(minutes=3)
    ringing.do(let_time_pass, LINK)
    ringing.do(take_results, reported(ringing, "busy", 1))
    assert wake_up(ringing).result is None
    ringing.do(take_results, reported(ringing, "answered", 1))
    assert [row.text for row in results(ringing)] == ["WA|RN101|DA260101|TI0700|ASOK|"]


def test_a_pms_that_repeats_what_is_over_orders_nothing(ringing: Playing) -> None:
    ringing.do(take_results, reported(ringing))
    ringing.crash()
    ringing.start()
    ringing.store.houses.live_by(LINK, RULES)
    ringing.say("WR|RN101|DA260101|TI0700|")
    assert ringing.types()[-1] == "wake_up.done"
    assert len(results(ringing)) == 1


def test_a_result_of_which_nobody_knows_whether_it_arrived_is_never_sent_twice(ringing: Playing) -> None:
    ringing.do(take_results, reported(ringing))
    sent = ringing.do(take, Take(LINK, NOW))
    assert isinstance(sent, Row)
    ringing.do(leave, Leave(LINK, True, 3, None))
    assert ringing.do(take, Take(LINK, NOW)) is None
    assert ringing.types()[-1] == "posting.unknown"


def test_a_crash_between_attempts_makes_no_attempt_twice(ringing: Playing) -> None:
    ringing.crash()
    ringing.start()
    ringing.store.houses.live_by(LINK, RULES)
    ringing.now += timedelta(minutes=2)
    ringing.do(let_time_pass, LINK)
    assert ringing.types().count("wake_up.due") == 1
    ringing.now += timedelta(minutes=1)
    ringing.do(let_time_pass, LINK)
    assert ringing.types().count("wake_up.due") == 2


def test_a_wake_up_of_this_very_moment_rings_in_the_commit_that_keeps_it(playing: Playing) -> None:
    playing.store.houses.live_by(LINK, RULES)
    playing.now = SEVEN + timedelta(seconds=20)
    playing.do(keep_records, a_record("WR|RN101|DA260101|TI0700|", playing.now))
    assert playing.types() == ["wake_up.set", "wake_up.due"]
