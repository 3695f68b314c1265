"""What the PMS has not heard from a room yet when its guest leaves; and what it says meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pmslink.hotel.phone_updates import (
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

HERE = "GI|RN101|G#1|GSN|GNAdams|DA260101|TI000000|"
GONE = "GO|RN101|GSN|"
MOVED = "GC|RN202|GSN|G#1|RO101|GSN|DA260101|TI000010|"


def say(playing: StoreHarness, *texts: str) -> None:
    playing.submit_all(append_records, *map(make_record, texts))


def rows(playing: StoreHarness) -> list[tuple[str, str, str | None]]:
    """Text, state and word of all, oldest first."""
    found = playing.read(newest_rows, LINK_NAME, None, None, 99)
    return [(row.text, row.state, row.text_answer) for row in reversed(found)]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (A_WAKE_UP, "WR|RN101|DA260102|TI070000|"),
        (wake_up_cancel_update("101", None, RULES), "WC|RN101|DA|TI|"),
        (dnd_update("101", {"on": True}), "RE|RN101|RS8|"),
        (make_up_room_update("101", {"on": True}), "RE|RN101|RS9|"),
        (voicemail_update("101", {"unread": 1}), "RE|RN101|VM0100|"),
    ],
)
def test_what_a_guest_ordered_by_phone_does_not_outlast_the_stay(
    harness: StoreHarness, told: OutboundUpdate, text: str
) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(told))
    say(harness, GONE)
    assert rows(harness) == [(text, "discarded", "the guest has left the room")]


def test_the_status_of_the_room_is_told_all_the_same(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(status_update("101", {"status": 3}, {})))
    say(harness, GONE)
    assert [state for _, state, _ in rows(harness)] == ["pending"]


def test_what_a_guest_ordered_whose_check_in_was_missed_does_not_outlast_the_stay_either(
    harness: StoreHarness,
) -> None:
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    say(harness, "GO|RN101|G#1|GSN|")
    assert [state for _, state, _ in rows(harness)] == ["discarded"]


def test_what_another_room_told_is_told_all_the_same(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(dnd_update("102", {"on": True})), make_new_row())
    harness.submit_all(enqueue, from_phone(A_WAKE_UP, link="annexe"))
    say(harness, GONE)
    assert [state for _, state, _ in rows(harness)] == ["pending", "pending"]


def test_what_is_in_doubt_is_not_sent_again_either(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(dnd_update("101", {"on": True})))
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    harness.submit_all(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    say(harness, GONE)
    assert [state for _, state, _ in rows(harness)] == ["discarded"]


def test_a_guest_s_own_goes_in_a_resync_too_though_the_room_has_its_next_guest(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    say(harness, "DS|", "GI|RN101|G#2|GSN|SF|", "GI|RN202|G#1|GSN|SF|", "DE|")
    assert [(text, state) for text, state, _ in rows(harness)] == [
        ("WR|RN101|DA260102|TI070000|", "discarded"),
        ("WR|RN202|DA260102|TI070000|", "pending"),
    ]


@pytest.mark.parametrize("after", ["GI|RN202|G#1|GSN|GNAdams|", None])
def test_while_a_room_is_being_left_what_its_phone_told_waits(
    harness: StoreHarness, after: str | None
) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    say(harness, "GO|RN101|G#1|GSN|")
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)) == NotBefore(START_MS + 2000)
    assert _room(harness, "101").guests != ()
    if after is not None:
        say(harness, after)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    taken = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 2000))
    assert getattr(taken, "text", None) == ("WR|RN202|DA260102|TI070000|" if after else None)


def test_while_a_room_is_being_left_postings_go_on(harness: StoreHarness) -> None:
    say(harness, HERE, "GO|RN101|G#1|GSN|")
    harness.submit_all(enqueue, make_new_row())
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)


def test_while_others_stay_all_is_told(harness: StoreHarness) -> None:
    say(harness, HERE, "GI|RN101|G#2|GSY|GNBauer|")
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    say(harness, MOVED.replace("RO101|GSN", "RO101|GSY"))
    assert [state for _, state, _ in rows(harness)] == ["pending"]


def test_wake_ups_follow_a_guest_who_moves(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP), from_phone(dnd_update("101", {"on": True})))
    say(harness, MOVED)
    assert rows(harness) == [
        ("WR|RN101|DA260102|TI070000|", "discarded", "the guest has moved to room 202"),
        ("RE|RN101|RS8|", "discarded", "the guest has left the room"),
        ("WR|RN202|DA260102|TI070000|", "pending", None),
    ]


def _woken(playing: StoreHarness) -> None:
    """A guest was woken, and the PMS has not heard of it."""
    say(playing, HERE, "WR|RN101|DA260101|TI000000|")
    playing.submit_all(run_due, LINK_NAME)
    (wake_up,) = _room(playing, "101").wake_ups
    playing.submit_all(store_wake_up_results, WakeUpReport(LINK_NAME, "101", wake_up.id, None, "answered"))


def _room(playing: StoreHarness, name: str) -> Any:
    room = playing.room(name)
    assert room is not None
    return room


def test_how_a_wake_up_ended_is_told_of_the_new_room(harness: StoreHarness) -> None:
    _woken(harness)
    say(harness, MOVED)
    assert [(text, state) for text, state, _ in rows(harness)] == [
        ("WA|RN101|DA260101|TI000000|ASOK|", "discarded"),
        ("WA|RN202|DA260101|TI000000|ASOK|", "pending"),
    ]


def test_how_a_wake_up_ended_is_told_of_a_guest_who_has_left(harness: StoreHarness) -> None:
    _woken(harness)
    say(harness, GONE)
    assert [(text, state) for text, state, _ in rows(harness)] == [
        ("WA|RN101|DA260101|TI000000|ASOK|", "pending")
    ]


# What the PMS says while a phone's word waits is older for the PMS, which hears that word last.


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (dnd_update("101", {"on": True}), "RE|RN101|DNN|"),
        (status_update("101", {"status": 3}, {}), "RE|RN101|RS1|"),
        (wake_up_update("101", {"at": "2026-01-02T07:00"}, START_TIME, RULES), "WC|RN101|DA|TI|"),
    ],
)
def test_what_is_sent_later_is_so_in_the_house_again(
    harness: StoreHarness, told: OutboundUpdate, said: str
) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(told))
    ordered = _look(harness)
    say(harness, said)
    assert _look(harness) != ordered
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert _look(harness) == ordered


def test_a_wake_up_that_is_cancelled_later_is_cancelled_again(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(wake_up_cancel_update("101", "2026-01-02T07:00", RULES)))
    say(harness, "WR|RN101|DA260102|TI070000|")
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert _room(harness, "101").wake_ups == ()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (dnd_update("101", {"on": True}), make_up_room_update("101", {"on": True}), "RE|RN101|DNN|"),
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
def test_what_the_phone_has_told_otherwise_since_is_not_so_again(
    harness: StoreHarness, first: OutboundUpdate, second: OutboundUpdate, said: str
) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(first), from_phone(second))
    say(harness, said)
    before, events = _look(harness), len(harness.events())
    taken = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert isinstance(taken, OutboxRow)
    assert taken.text == first.record.text
    assert (_look(harness), len(harness.events())) == (before, events)


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
def test_what_it_has_told_about_something_else_changes_nothing_of_that(
    harness: StoreHarness, other: OutboundUpdate
) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP), from_phone(other))
    say(harness, "WC|RN101|DA260102|TI070000|")
    harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert A_WAKE_UP.phone_update is not None
    assert A_WAKE_UP.phone_update.value in [one.at for one in _room(harness, "101").wake_ups]


def test_a_sign_and_a_status_are_two_things(harness: StoreHarness) -> None:
    say(harness, HERE)
    calls = [dnd_update("101", {"on": True}), status_update("101", {"status": 3}, {})]
    harness.submit_all(enqueue, *map(from_phone, calls))
    say(harness, "RE|RN101|DNN|")
    harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert _room(harness, "101").do_not_disturb


def test_of_all_that_a_phone_cancels_what_it_has_ordered_since_stays(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(wake_up_cancel_update("101", None, RULES)), from_phone(A_WAKE_UP))
    say(harness, "WR|RN101|DA260102|TI080000|")
    harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert A_WAKE_UP.phone_update is not None
    assert [one.at for one in _room(harness, "101").wake_ups] == [A_WAKE_UP.phone_update.value]


def test_of_a_room_that_nobody_knows_there_is_nothing_to_cancel(harness: StoreHarness) -> None:
    late = wake_up_update("101", {"at": "2026-01-01T00:00"}, START_TIME, RULES)
    harness.store.hotels.set_policy("grand", RULES)
    cancel = from_phone(wake_up_cancel_update("101", None, RULES))
    harness.submit_all(enqueue, cancel, from_phone(late, phone_update=None))
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)
    assert harness.room() is None


def test_a_wake_up_whose_moment_has_passed_is_not_ordered_again(harness: StoreHarness) -> None:
    say(harness, HERE)
    soon = wake_up_update("101", {"at": "2026-01-01T00:01"}, START_TIME, RULES)
    harness.submit_all(enqueue, from_phone(soon))
    say(harness, "WC|RN101|DA|TI|")
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 60_000)), OutboxRow)
    assert _room(harness, "101").wake_ups == ()


def test_what_was_sent_before_is_not_so_once_more(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(dnd_update("101", {"on": True})))
    harness.submit_all(claim_next, ClaimNext(LINK_NAME, START_MS))
    harness.submit_all(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    say(harness, "RE|RN101|DNN|")
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)
    assert not _room(harness, "101").do_not_disturb


def test_a_wake_up_for_which_there_is_no_room_any_more_is_sent_all_the_same(harness: StoreHarness) -> None:
    say(harness, HERE)
    harness.submit_all(enqueue, from_phone(A_WAKE_UP))
    say(harness, "WC|RN101|DA|TI|")
    say(
        harness,
        *(f"WR|RN101|DA260103|TI{number // 60:02}{number % 60:02}|" for number in range(MAX_WAKE_UPS)),
    )
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow)
    assert len(_room(harness, "101").wake_ups) == MAX_WAKE_UPS


def _look(playing: StoreHarness) -> tuple[object, ...]:
    room = _room(playing, "101")
    return room.do_not_disturb, room.status, [one.at for one in room.wake_ups]
