"""A wake-up has one final result: event, row for the PMS and hotel are one commit."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from attrs import evolve

from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.phone_update_records import ReportedResult
from pmslink.hotel.rooms import WakeUp
from pmslink.hotel.wake_up_attempts import UnknownWakeUpError, WakeUpNotDueError
from pmslink.store.core.journal import RETRY_DELAY_S
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.operations.hotel_updates import (
    WakeUpReport,
    append_records,
    run_due,
    store_wake_up_results,
)
from pmslink.store.operations.outbox_answers import MarkUnknown, mark_unknown
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, newest_rows
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, StoreHarness, make_record
from tests.store.tables.test_hotel_states import event_body

RULES = HotelPolicy(
    timezone=START_TIME.tzinfo, wake_up_attempts=2, wake_up_interval_ms=180_000, wake_up_late_ms=600_000
)
SEVEN = START_TIME + timedelta(hours=7)


@pytest.fixture
def requested_wake_up(harness: StoreHarness) -> StoreHarness:
    """A store with a wake-up of room 101 at seven, with at most two attempts."""
    harness.store.hotels.set_policy(LINK_NAME, RULES)
    harness.receive_records("GI|RN101|G#7|", "WR|RN101|DA260101|TI0700|")
    return harness


@pytest.fixture
def ringing(requested_wake_up: StoreHarness) -> StoreHarness:
    """The same store at seven, when the first attempt has begun."""
    requested_wake_up.now = SEVEN
    requested_wake_up.submit(run_due, LINK_NAME)
    assert requested_wake_up.event_types()[-1] == "wake_up.due"
    return requested_wake_up


def wake_up(harness: StoreHarness) -> WakeUp:
    room = harness.room()
    assert room is not None
    (found_wake_up,) = room.wake_ups
    return found_wake_up


def reported(
    harness: StoreHarness, result: ReportedResult = "answered", attempt: int | None = None
) -> WakeUpReport:
    return WakeUpReport(LINK_NAME, "101", wake_up(harness).id, attempt, result)


def results(harness: StoreHarness) -> list[OutboxRow]:
    """Return the rows of wake-up results, newest first."""
    return [row for row in harness.read(newest_rows, LINK_NAME, None, None, 100) if row.record == "WA"]


def test_a_wake_up_result_is_a_row_in_the_commit_of_its_event(ringing: StoreHarness) -> None:
    before = ringing.database.commit_count
    report = reported(ringing)
    ringing.published.clear()
    ended = ringing.submit(store_wake_up_results, report)
    assert ringing.database.commit_count == before + 1
    (row,) = results(ringing)
    assert (row.type, row.room, row.text) == ("wake_up_result", "101", "WA|RN101|DA260101|TI0700|ASOK|")
    assert json.loads(row.body) == {"at": "2026-01-01T07:00:00", "result": "answered"}
    assert (row.state, row.number, row.created) == ("pending", None, START_MS + 7 * 3600 * 1000)
    assert [type(one) for one in ringing.published[:1]] == [type(ringing.events()[0])]
    assert [one.row for one in ringing.published if isinstance(one, OutboxRowChanged)] == [row]
    assert ringing.event_types() == ["wake_up.done"]
    assert event_body(ringing.events()[0]) == {
        "extensions": ["101"],
        "resync": False,
        "wake_up": {"id": report.wake_up_id, "at": "2026-01-01T07:00:00"},
        "result": "answered",
        "attempts": 1,
    }
    assert (ended.id, ended.result, ended.again) == (report.wake_up_id, "answered", None)
    room = ringing.room()
    assert room is not None
    assert room.wake_ups == ()


def test_a_result_that_cannot_be_stored_is_rejected(ringing: StoreHarness) -> None:
    report = reported(ringing)
    ringing.database.start_failing()
    (outcome,) = ringing.submit_all(store_wake_up_results, report)
    assert isinstance(outcome, StoreUnavailableError)
    assert results(ringing) == []
    assert ringing.event_types()[-1] == "wake_up.due"
    ringing.database.stop_failing()
    ringing.advance(RETRY_DELAY_S)
    ringing.submit(store_wake_up_results, report)
    assert len(results(ringing)) == 1
    assert ringing.event_types().count("wake_up.done") == 1


def test_of_several_results_the_first_final_one_counts(ringing: StoreHarness) -> None:
    report = reported(ringing)
    outcomes = ringing.submit_all(store_wake_up_results, report, evolve(report, result="busy"), report)
    assert [type(one) for one in outcomes] == [WakeUp, UnknownWakeUpError, UnknownWakeUpError]
    assert [row.text for row in results(ringing)] == ["WA|RN101|DA260101|TI0700|ASOK|"]


@pytest.mark.parametrize(("last", "status"), [("busy", "BY"), ("no_answer", "NR"), ("answered", "OK")])
def test_only_the_last_attempt_is_reported_to_the_pms(
    ringing: StoreHarness, last: ReportedResult, status: str
) -> None:
    stored = ringing.submit(store_wake_up_results, reported(ringing, "no_answer", 1))
    assert stored.again == wake_up(ringing).again == START_MS + 7 * 3600 * 1000 + RULES.wake_up_interval_ms
    assert results(ringing) == []
    ringing.now += timedelta(minutes=3)
    ringing.submit(run_due, LINK_NAME)
    assert event_body(ringing.events()[-1])["attempt"] == 2
    ringing.submit(store_wake_up_results, reported(ringing, last, 2))
    assert [row.text for row in results(ringing)] == [f"WA|RN101|DA260101|TI0700|AS{status}|"]


def test_attempts_without_a_result_end_as_unanswered(ringing: StoreHarness) -> None:
    for _ in range(5):
        ringing.now += timedelta(minutes=3)
        ringing.submit(run_due, LINK_NAME)
    assert ringing.event_types().count("wake_up.due") == 2
    assert event_body(ringing.events()[-1])["result"] == "unreported"
    assert [row.text for row in results(ringing)] == ["WA|RN101|DA260101|TI0700|ASNR|"]


def test_a_wake_up_that_was_not_emitted_in_time_is_missed_and_reported(
    requested_wake_up: StoreHarness,
) -> None:
    requested_wake_up.now = SEVEN + timedelta(minutes=10, milliseconds=1)
    requested_wake_up.submit(run_due, LINK_NAME)
    assert "wake_up.due" not in requested_wake_up.event_types()
    done = event_body(requested_wake_up.events()[-1])
    assert (done["result"], done["attempts"]) == ("missed", 0)
    assert [row.text for row in results(requested_wake_up)] == ["WA|RN101|DA260101|TI0700|ASNR|"]


def test_a_result_has_date_and_time_as_the_pms_wrote_them(harness: StoreHarness) -> None:
    harness.store.hotels.set_policy(LINK_NAME, RULES)
    harness.receive_records("WR|RN101|DA260101|TI070030|")
    harness.now = SEVEN + timedelta(seconds=30)
    harness.submit(run_due, LINK_NAME)
    harness.submit(store_wake_up_results, reported(harness))
    assert [row.text for row in results(harness)] == ["WA|RN101|DA260101|TI070030|ASOK|"]


@pytest.mark.parametrize("attempt", [None, 1])
def test_before_the_first_attempt_a_result_is_rejected(
    requested_wake_up: StoreHarness, attempt: int | None
) -> None:
    (outcome,) = requested_wake_up.submit_all(
        store_wake_up_results, reported(requested_wake_up, attempt=attempt)
    )
    assert isinstance(outcome, WakeUpNotDueError)
    assert "2026-01-01T07:00:00; it has no attempt yet" in str(outcome)
    assert requested_wake_up.event_types()[-1] == "wake_up.set"


def test_the_result_of_an_attempt_that_was_not_made_is_rejected(ringing: StoreHarness) -> None:
    (outcome,) = ringing.submit_all(store_wake_up_results, reported(ringing, attempt=2))
    assert isinstance(outcome, WakeUpNotDueError)
    assert "has 1 attempts; there is no attempt 2" in str(outcome)


def test_the_result_of_an_unknown_wake_up_is_rejected(ringing: StoreHarness) -> None:
    report = reported(ringing)
    invalid_reports = [evolve(report, wake_up_id=1), evolve(report, link="annexe")]
    outcomes = ringing.submit_all(store_wake_up_results, *invalid_reports)
    assert [type(one) for one in outcomes] == [UnknownWakeUpError, UnknownWakeUpError]
    assert results(ringing) == []


def test_the_result_counts_for_a_guest_who_moved_during_the_attempt(ringing: StoreHarness) -> None:
    report = reported(ringing)
    ringing.receive_records("GC|RN102|RO101|G#7|")
    ringing.submit(store_wake_up_results, report)
    assert [row.text for row in results(ringing)] == ["WA|RN102|DA260101|TI0700|ASOK|"]


def test_a_late_result_of_an_earlier_attempt_counts_only_if_answered(
    ringing: StoreHarness,
) -> None:
    ringing.now += timedelta(minutes=3)
    ringing.submit(run_due, LINK_NAME)
    ringing.submit(store_wake_up_results, reported(ringing, "busy", 1))
    assert wake_up(ringing).result is None
    ringing.submit(store_wake_up_results, reported(ringing, "answered", 1))
    assert [row.text for row in results(ringing)] == ["WA|RN101|DA260101|TI0700|ASOK|"]


def test_a_repeated_request_for_a_finished_wake_up_is_ignored(ringing: StoreHarness) -> None:
    ringing.submit(store_wake_up_results, reported(ringing))
    ringing.crash()
    ringing.start()
    ringing.store.hotels.set_policy(LINK_NAME, RULES)
    ringing.receive_records("WR|RN101|DA260101|TI0700|")
    assert ringing.event_types()[-1] == "wake_up.done"
    assert len(results(ringing)) == 1


def test_a_result_in_state_unknown_is_not_sent_again(ringing: StoreHarness) -> None:
    ringing.submit(store_wake_up_results, reported(ringing))
    sent = ringing.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert isinstance(sent, OutboxRow)
    ringing.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3, None))
    assert ringing.submit(claim_next, ClaimNext(LINK_NAME, START_MS)) is None
    assert ringing.event_types()[-1] == "posting.unknown"


def test_a_crash_between_attempts_repeats_no_attempt(ringing: StoreHarness) -> None:
    ringing.crash()
    ringing.start()
    ringing.store.hotels.set_policy(LINK_NAME, RULES)
    ringing.now += timedelta(minutes=2)
    ringing.submit(run_due, LINK_NAME)
    assert ringing.event_types().count("wake_up.due") == 1
    ringing.now += timedelta(minutes=1)
    ringing.submit(run_due, LINK_NAME)
    assert ringing.event_types().count("wake_up.due") == 2


def test_a_wake_up_that_is_due_at_once_rings_in_the_commit_that_stores_it(harness: StoreHarness) -> None:
    harness.store.hotels.set_policy(LINK_NAME, RULES)
    harness.now = SEVEN + timedelta(seconds=20)
    harness.submit(append_records, make_record("WR|RN101|DA260101|TI0700|", harness.now))
    assert harness.event_types() == ["wake_up.set", "wake_up.due"]


def test_c2_a_wake_up_is_not_missed_while_the_wall_clock_may_be_wrong(
    requested_wake_up: StoreHarness,
) -> None:
    requested_wake_up.is_clock_settled = False
    requested_wake_up.now = SEVEN + timedelta(days=2)
    requested_wake_up.submit(run_due, LINK_NAME)
    assert wake_up(requested_wake_up).attempts == 0
    requested_wake_up.is_clock_settled = True
    requested_wake_up.submit(run_due, LINK_NAME)
    (row,) = results(requested_wake_up)
    assert row.text == "WA|RN101|DA260101|TI0700|ASNR|"
