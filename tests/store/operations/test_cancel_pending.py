"""Updates that are queued for the PMS when the guest leaves the room, or when the PMS sends other values."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from pmslink.hotel.phone_update_records import (
    OutboundUpdate,
    dnd_update,
    make_up_room_update,
    status_update,
    voicemail_update,
    wake_up_cancel_update,
    wake_up_update,
)
from pmslink.hotel.rooms import MAX_WAKE_UPS
from pmslink.store.operations.hotel_updates import (
    WakeUpReport,
    append_records,
    run_due,
    store_wake_up_results,
)
from pmslink.store.operations.outbox_answers import MarkUnknown, mark_unknown
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore, claim_next
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.tables.outbox_rows import OutboxRow, newest_rows
from tests.store.operations.test_hotel_updates import A_WAKE_UP, RULES, from_phone
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, StoreHarness, make_new_row, make_record

CHECK_IN = "GI|RN101|G#1|GSN|GNAdams|DA260101|TI000000|"
CHECK_OUT = "GO|RN101|GSN|"
MOVE = "GC|RN202|GSN|G#1|RO101|GSN|DA260101|TI000010|"


def receive(harness: StoreHarness, *texts: str) -> None:
    harness.submit_all(append_records, *map(make_record, texts))


def check_out(harness: StoreHarness) -> None:
    """Receive the check-out, and let its move window end."""
    receive(harness, CHECK_OUT)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)


def rows(harness: StoreHarness) -> list[tuple[str, str, str | None]]:
    """Return text, state and text_answer of all rows, oldest first."""
    all_rows = harness.read(newest_rows, LINK_NAME, None, None, 99)
    return [(row.text, row.state, row.text_answer) for row in reversed(all_rows)]


@pytest.mark.parametrize(
    ("update", "text"),
    [
        (A_WAKE_UP, "WR|RN101|DA260102|TI070000|"),
        (wake_up_cancel_update("101", None, RULES), "WC|RN101|DA|TI|"),
        (dnd_update("101", {"on": True}), "RE|RN101|RS8|"),
        (make_up_room_update("101", {"on": True}), "RE|RN101|RS9|"),
        (voicemail_update("101", {"unread": 1}), "RE|RN101|VM0100|"),
    ],
)
def test_queued_updates_of_a_guest_are_discarded_at_check_out(
    harness: StoreHarness, update: OutboundUpdate, text: str
) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(update))
    check_out(harness)
    assert rows(harness) == [(text, "discarded", "the guest has left the room")]


def test_the_status_of_the_room_is_sent_after_the_check_out(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(status_update("101", {"status": 3}, {})))
    check_out(harness)
    assert [state for _, state, _ in rows(harness)] == ["pending"]


def test_queued_updates_of_a_guest_whose_check_in_was_missed_are_discarded_too(
    harness: StoreHarness,
) -> None:
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    receive(harness, "GO|RN101|G#1|GSN|")
    assert [state for _, state, _ in rows(harness)] == ["discarded"]


def test_queued_updates_of_another_room_are_sent(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(dnd_update("102", {"on": True})), make_new_row())
    harness.submit_all(enqueue, from_phone(A_WAKE_UP, link="annexe"))
    check_out(harness)
    assert [state for _, state, _ in rows(harness)] == ["pending", "pending"]


def test_unknown_updates_of_a_guest_who_left_are_not_sent_again(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(dnd_update("101", {"on": True})))
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    harness.submit_all(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    check_out(harness)
    assert [state for _, state, _ in rows(harness)] == ["discarded"]


def test_a_resync_discards_the_updates_of_the_previous_guest(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    receive(harness, "DS|", "GI|RN101|G#2|GSN|SF|", "GI|RN202|G#1|GSN|SF|", "DE|")
    assert [(text, state) for text, state, _ in rows(harness)] == [
        ("WR|RN101|DA260102|TI070000|", "discarded"),
        ("WR|RN202|DA260102|TI070000|", "pending"),
    ]


@pytest.mark.parametrize("after", ["GI|RN202|G#1|GSN|GNAdams|", None])
def test_updates_of_a_room_wait_for_its_pending_check_out(harness: StoreHarness, after: str | None) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    receive(harness, "GO|RN101|G#1|GSN|")
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)) == NotBefore(START_MS + 2000)
    assert _room(harness, "101").guests != ()
    if after is not None:
        receive(harness, after)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    claimed = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 2000))
    assert getattr(claimed, "text", None) == ("WR|RN202|DA260102|TI070000|" if after else None)


def test_postings_wait_until_it_is_known_where_their_guest_goes(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN, "GO|RN101|G#1|GSN|")
    harness.submit_all(enqueue, make_new_row())
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), NotBefore)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 2000)), OutboxRow)


def test_updates_are_sent_while_other_guests_stay(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN, "GI|RN101|G#2|GSY|GNBauer|")
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    receive(harness, MOVE.replace("RO101|GSN", "RO101|GSY"))
    assert [state for _, state, _ in rows(harness)] == ["pending"]


def test_wake_ups_follow_a_guest_who_moves(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP), from_phone(dnd_update("101", {"on": True})))
    receive(harness, MOVE)
    assert rows(harness) == [
        ("WR|RN101|DA260102|TI070000|", "discarded", "the guest has moved to room 202"),
        ("RE|RN101|RS8|", "discarded", "the guest has left the room"),
        ("WR|RN202|DA260102|TI070000|", "pending", None),
    ]


@pytest.mark.parametrize("order", [*permutations(range(4))])
@pytest.mark.parametrize(
    ("update", "text"),
    [
        (A_WAKE_UP, "WR|RN202|DA260102|TI070000|"),
        (wake_up_cancel_update("101", None, RULES), "WC|RN202|DA|TI|"),
    ],
)
def test_wake_ups_follow_their_own_guest_in_a_swap(
    harness: StoreHarness, update: OutboundUpdate, text: str, order: tuple[int, ...]
) -> None:
    receive(harness, CHECK_IN, "GI|RN202|G#2|GSN|GNBauer|")
    harness.submit_all(enqueue, from_phone(update))
    swap = ("GO|RN101|G#1|GSN|", "GI|RN202|G#1|GSN|", "GO|RN202|G#2|GSN|", "GI|RN101|G#2|GSN|")
    receive(harness, *(swap[at] for at in order))
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    assert [row_text for row_text, state, _ in rows(harness) if state == "pending"] == [text]


def _report_answered_wake_up(harness: StoreHarness) -> None:
    """Report an answered wake-up; its result stays queued for the PMS."""
    receive(harness, CHECK_IN, "WR|RN101|DA260101|TI000000|")
    harness.submit_all(run_due, LINK_NAME)
    (wake_up,) = _room(harness, "101").wake_ups
    harness.submit_all(store_wake_up_results, WakeUpReport(LINK_NAME, "101", wake_up.id, None, "answered"))


def _room(harness: StoreHarness, name: str) -> Any:
    room = harness.room(name)
    assert room is not None
    return room


def test_a_wake_up_result_follows_the_guest_to_the_new_room(harness: StoreHarness) -> None:
    _report_answered_wake_up(harness)
    receive(harness, MOVE)
    assert [(text, state) for text, state, _ in rows(harness)] == [
        ("WA|RN101|DA260101|TI000000|ASOK|", "discarded"),
        ("WA|RN202|DA260101|TI000000|ASOK|", "pending"),
    ]


def test_a_wake_up_result_is_sent_after_the_guest_has_left(harness: StoreHarness) -> None:
    _report_answered_wake_up(harness)
    check_out(harness)
    assert [(text, state) for text, state, _ in rows(harness)] == [
        ("WA|RN101|DA260101|TI000000|ASOK|", "pending")
    ]


def test_c1_the_result_of_a_wake_up_is_not_followed_by_its_request(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    at = START_TIME + timedelta(hours=7)
    for minutes in (0, 1):
        body = {"at": (at + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")}
        harness.submit(enqueue, from_phone(wake_up_update("101", body, START_TIME, RULES)))
    harness.now = at
    harness.submit(run_due, LINK_NAME)
    ringing, _ = _room(harness, "101").wake_ups
    harness.submit_all(store_wake_up_results, WakeUpReport(LINK_NAME, "101", ringing.id, None, "answered"))
    assert rows(harness) == [
        ("WR|RN101|DA260101|TI070000|", "discarded", "the wake-up has ended"),
        ("WR|RN101|DA260101|TI070100|", "pending", None),
        ("WA|RN101|DA260101|TI070000|ASOK|", "pending", None),
    ]


# A record that the PMS sends while an update is queued is older for the PMS, which receives the update last.


@pytest.mark.parametrize(
    ("update", "pms_record"),
    [
        (dnd_update("101", {"on": True}), "RE|RN101|DNN|"),
        (status_update("101", {"status": 3}, {}), "RE|RN101|RS1|"),
        (wake_up_update("101", {"at": "2026-01-02T07:00"}, START_TIME, RULES), "WC|RN101|DA|TI|"),
    ],
)
def test_an_update_applies_to_the_hotel_again_when_it_is_sent(
    harness: StoreHarness, update: OutboundUpdate, pms_record: str
) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(update))
    requested = _room_values(harness)
    receive(harness, pms_record)
    assert _room_values(harness) != requested
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert _room_values(harness) == requested


def test_a_cancellation_applies_again_when_it_is_sent(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(wake_up_cancel_update("101", "2026-01-02T07:00", RULES)))
    receive(harness, "WR|RN101|DA260102|TI070000|")
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert _room(harness, "101").wake_ups == ()


@pytest.mark.parametrize(
    ("first", "second", "pms_record"),
    [
        (dnd_update("101", {"on": True}), dnd_update("101", {"on": True}), "RE|RN101|DNN|"),
        (status_update("101", {"status": 3}, {}), status_update("101", {"status": 4}, {}), "RE|RN101|RS4|"),
        (A_WAKE_UP, wake_up_cancel_update("101", "2026-01-02T07:00", RULES), "RE|RN101|RS4|"),
        (A_WAKE_UP, wake_up_cancel_update("101", None, RULES), "RE|RN101|RS4|"),
        (wake_up_cancel_update("101", "2026-01-02T07:00", RULES), A_WAKE_UP, "RE|RN101|RS4|"),
        (wake_up_cancel_update("101", None, RULES), A_WAKE_UP, "RE|RN101|RS4|"),
        (
            wake_up_cancel_update("101", None, RULES),
            wake_up_cancel_update("101", None, RULES),
            "RE|RN101|RS4|",
        ),
    ],
)
def test_an_update_that_the_phone_has_changed_since_does_not_apply_again(
    harness: StoreHarness, first: OutboundUpdate, second: OutboundUpdate, pms_record: str
) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(first), from_phone(second))
    receive(harness, pms_record)
    before, events = _room_values(harness), len(harness.events())
    claimed = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert isinstance(claimed, OutboxRow)
    assert claimed.text == first.record.text
    assert (_room_values(harness), len(harness.events())) == (before, events)


@pytest.mark.parametrize(
    "other",
    [
        dnd_update("101", {"on": True}),
        dnd_update("102", {"on": True}),
        status_update("101", {"status": 3}, {}),
        wake_up_update("101", {"at": "2026-01-02T08:00"}, START_TIME, RULES),
        wake_up_cancel_update("101", "2026-01-02T08:00", RULES),
        wake_up_cancel_update("102", None, RULES),
    ],
)
def test_a_later_update_of_another_subject_does_not_prevent_it(
    harness: StoreHarness, other: OutboundUpdate
) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP), from_phone(other))
    receive(harness, "WC|RN101|DA260102|TI070000|")
    harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert A_WAKE_UP.phone_update is not None
    assert A_WAKE_UP.phone_update.value in [one.at for one in _room(harness, "101").wake_ups]


def test_a_sign_and_a_status_are_two_subjects(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    calls = [dnd_update("101", {"on": True}), status_update("101", {"status": 3}, {})]
    harness.submit_all(enqueue, *map(from_phone, calls))
    receive(harness, "RE|RN101|DNN|")
    harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert _room(harness, "101").do_not_disturb


def test_a_cancellation_of_all_wake_ups_spares_later_requests(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(wake_up_cancel_update("101", None, RULES)), from_phone(A_WAKE_UP))
    receive(harness, "WR|RN101|DA260102|TI080000|")
    harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert A_WAKE_UP.phone_update is not None
    assert [one.at for one in _room(harness, "101").wake_ups] == [A_WAKE_UP.phone_update.value]


def test_a_cancellation_for_an_unknown_room_changes_nothing(harness: StoreHarness) -> None:
    past_request = wake_up_update("101", {"at": "2026-01-01T00:00"}, START_TIME, RULES)
    harness.store.hotels.set_policy("grand", RULES)
    cancel = from_phone(wake_up_cancel_update("101", None, RULES))
    harness.submit_all(enqueue, cancel, from_phone(past_request, phone_update=None))
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)
    assert harness.room() is None


def test_a_past_wake_up_does_not_apply_again(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    soon = wake_up_update("101", {"at": "2026-01-01T00:01"}, START_TIME, RULES)
    harness.submit_all(enqueue, from_phone(soon))
    receive(harness, "WC|RN101|DA|TI|")
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 60_000)), OutboxRow)
    assert _room(harness, "101").wake_ups == ()


def test_an_update_that_was_sent_before_does_not_apply_again(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(dnd_update("101", {"on": True})))
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    harness.submit_all(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    receive(harness, "RE|RN101|DNN|")
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)
    assert not _room(harness, "101").do_not_disturb


def test_a_wake_up_above_the_limit_of_the_room_is_still_sent(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    receive(harness, "WC|RN101|DA|TI|")
    receive(
        harness,
        *(f"WR|RN101|DA260103|TI{number // 60:02}{number % 60:02}|" for number in range(MAX_WAKE_UPS)),
    )
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)
    assert len(_room(harness, "101").wake_ups) == MAX_WAKE_UPS


def _room_values(harness: StoreHarness) -> tuple[object, ...]:
    room = _room(harness, "101")
    return room.do_not_disturb, room.status, [one.at for one in room.wake_ups]
