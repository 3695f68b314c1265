"""Phone updates: each row is stored in one commit with its change of the hotel, or with its event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.phone_update_records import (
    OutboundUpdate,
    dnd_update,
    make_up_room_update,
    serialize_update_body,
    status_update,
    wake_up_cancel_update,
    wake_up_update,
)
from pmslink.hotel.rooms import MAX_WAKE_UPS
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.store.core.journal import RETRY_DELAY_S
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.operations.operator_actions import OperatorAction, discard, resend
from pmslink.store.operations.outbox_answers import (
    ConfirmDelivered,
    MarkRefused,
    MarkUnknown,
    PostingAnswer,
    confirm_delivered,
    mark_refused,
    mark_unknown,
    store_answers,
)
from pmslink.store.operations.outbox_delivery import ClaimNext, Release, claim_next, release
from pmslink.store.operations.outbox_enqueue import Enqueued, NewRow, OutboxFullError, enqueue
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.store.tables.outbox_rows import (
    OutboxRow,
    OutboxRowChanged,
    newest_rows,
    row_from_event,
    row_to_event,
)
from pmslink.validation.json_body import BodyError
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, StoreHarness, make_row
from tests.store.tables.test_hotel_states import event_body

RULES = HotelPolicy(timezone=START_TIME.tzinfo)


def from_phone(update: OutboundUpdate, **changes: Any) -> NewRow:
    new_row = NewRow(
        LINK_NAME,
        update.record.id,
        update.type,
        update.room,
        serialize_update_body(update),
        update.record.text,
        START_MS,
        subject=update.subject,
        until=update.until,
        phone_update=update.phone_update,
    )
    return new_row._replace(**changes)


A_WAKE_UP = wake_up_update("101", {"at": "2026-01-02T07:00"}, START_TIME, RULES)
UPDATES = {
    "status": (status_update("101", {"status": 3}, {}), "RE|RN101|RS3|"),
    "dnd": (dnd_update("101", {"on": True}), "RE|RN101|RS8|"),
    "wake-up": (A_WAKE_UP, "WR|RN101|DA260102|TI070000|"),
}


@pytest.fixture(params=UPDATES)
def sent_update(request: pytest.FixtureRequest) -> OutboundUpdate:
    return UPDATES[request.param][0]


@pytest.mark.parametrize(("sent_update", "text"), UPDATES.values(), ids=UPDATES)
def test_a_row_and_its_change_of_the_hotel_are_one_commit(
    harness: StoreHarness, sent_update: OutboundUpdate, text: str
) -> None:
    harness.receive_records("GO|RN101|")
    before = harness.database.commit_count
    (accepted,) = harness.submit_all(enqueue, from_phone(sent_update))
    assert harness.database.commit_count == before + 1
    assert isinstance(accepted, Enqueued)
    assert (accepted.row.text, accepted.row.number, accepted.row.state) == (text, None, "pending")
    room = harness.room()
    assert room is not None
    assert (room.status, room.do_not_disturb, len(room.wake_ups)) in [
        (3, False, 0),
        (None, True, 0),
        (None, False, 1),
    ]


def test_the_event_of_a_phone_update_names_the_pbx(harness: StoreHarness) -> None:
    harness.submit_all(enqueue, from_phone(UPDATES["dnd"][0]), from_phone(A_WAKE_UP))
    assert [(one.type, event_body(one)["by"]) for one in harness.events()] == [
        ("room.do_not_disturb", "pbx"),
        ("wake_up.set", "pbx"),
    ]


def test_the_make_up_room_sign_leaves_do_not_disturb(harness: StoreHarness) -> None:
    """Case A8."""
    harness.submit(enqueue, from_phone(UPDATES["dnd"][0]))
    harness.submit(enqueue, from_phone(make_up_room_update("101", {"on": True})))
    room = harness.room()
    assert room is not None
    assert (room.do_not_disturb, room.make_up_room) == (True, True)
    assert [event_body(one)["value"] for one in harness.events()] == [True]


def test_a_full_outbox_rejects_the_row_and_does_not_change_the_hotel(
    harness: StoreHarness, sent_update: OutboundUpdate
) -> None:
    (refused,) = harness.submit_all(enqueue, from_phone(sent_update, outbox_full=True))
    assert isinstance(refused, OutboxFullError)
    assert harness.room() is None
    assert harness.published == []
    assert harness.read(newest_rows, LINK_NAME, None, None, 10) == []


def test_a_failing_disk_rejects_the_row_and_does_not_change_the_hotel(
    harness: StoreHarness, sent_update: OutboundUpdate
) -> None:
    harness.database.start_failing()
    (refused,) = harness.submit_all(enqueue, from_phone(sent_update))
    assert isinstance(refused, StoreUnavailableError)
    harness.database.stop_failing()
    harness.advance(RETRY_DELAY_S)
    assert harness.room() is None
    harness.submit(enqueue, from_phone(sent_update))
    assert len(harness.events()) == (sent_update.type != "status")


def test_the_same_key_changes_the_hotel_once(harness: StoreHarness) -> None:
    offer = from_phone(UPDATES["dnd"][0], key="k", asked="a")
    harness.submit(enqueue, offer)
    harness.receive_records("RE|RN101|DNN|")
    again = harness.submit(enqueue, offer)
    assert isinstance(again, Enqueued)
    assert not again.is_new
    room = harness.room()
    assert room is not None
    assert not room.do_not_disturb


def test_a_key_twice_in_one_commit_is_one_request(harness: StoreHarness) -> None:
    orders = [
        from_phone(A_WAKE_UP, key="k", asked="a"),
        from_phone(wake_up_cancel_update("101", None, RULES)),
    ]
    first, _, again = harness.submit_all(enqueue, *orders, orders[0])
    assert isinstance(first, Enqueued)
    assert again == Enqueued(first.row, is_new=False)
    assert harness.event_types() == ["wake_up.set", "wake_up.cancelled"]


# The maximum number of wake-ups.

LATER = wake_up_update("101", {"at": "2026-01-03T07:00"}, START_TIME, RULES)


@pytest.fixture
def crowded(harness: StoreHarness) -> StoreHarness:
    """A store whose room 101 has the maximum number of wake-ups, and two guests."""
    harness.receive_records("GI|RN101|G#1|GSN|", "GI|RN101|G#2|GSY|")
    harness.receive_records(
        *(f"WR|RN101|DA260102|TI{number // 60:02}{number % 60:02}|" for number in range(MAX_WAKE_UPS))
    )
    harness.published.clear()
    return harness


def test_a_wake_up_above_the_limit_is_rejected_and_does_not_change_the_hotel(crowded: StoreHarness) -> None:
    before = crowded.room()
    refused, accepted = crowded.submit_all(enqueue, from_phone(LATER), from_phone(UPDATES["dnd"][0]))
    assert isinstance(refused, TooManyWakeUpsError)
    assert isinstance(accepted, Enqueued)
    assert [row.type for row in crowded.read(newest_rows, LINK_NAME, None, None, 10)] == ["dnd"]
    assert crowded.event_types() == ["room.do_not_disturb"]
    assert before is not None
    assert crowded.room() == evolve(before, do_not_disturb=True)


def test_a_rejected_request_may_be_repeated_with_the_same_key(crowded: StoreHarness) -> None:
    order = from_phone(LATER, key="k", asked="a")
    cancel = from_phone(wake_up_cancel_update("101", None, RULES))
    refused, _, accepted = crowded.submit_all(enqueue, order, cancel, order)
    assert isinstance(refused, TooManyWakeUpsError)
    assert isinstance(accepted, Enqueued)
    assert accepted.is_new
    assert crowded.event_types()[-1] == "wake_up.set"


def test_a_rejected_wake_up_leaves_a_check_out_pending(crowded: StoreHarness) -> None:
    crowded.receive_records("GO|RN101|G#1|GSY|")
    (refused,) = crowded.submit_all(enqueue, from_phone(LATER))
    assert isinstance(refused, TooManyWakeUpsError)
    assert crowded.event_types() == []
    room = crowded.room()
    assert room is not None
    assert [guest.number for guest in room.guests] == ["1", "2"]


@pytest.mark.parametrize("body", [{}, {"status": 0}, {"status": 7}, {"status": "3"}, {"status": True}])
def test_a_status_is_one_of_six(body: dict[str, Any]) -> None:
    with pytest.raises(BodyError, match="from 1 to 6"):
        status_update("101", body, {})


def test_sent_rows_are_not_changed(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|")
    harness.submit(enqueue, from_phone(A_WAKE_UP))
    sent = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
    assert isinstance(sent, OutboxRow)
    harness.receive_records("GO|RN101|")
    assert harness.row(sent.id).state == "sent"


# Events about rows.


def test_an_event_has_the_row_by_the_names_of_its_columns() -> None:
    row = make_row(1, "sent", key="k", asked="a", text_answer="später")
    content = json.loads(json.dumps(row_to_event(row)))
    assert "key" not in content
    assert row_from_event(content) == row._replace(key=None, asked=None)
    assert row_from_event({**content, "colour": "red"}) == row_from_event(
        content
    )  # written by a version with such a column
    for name in ("held_since", "lost", "text_answer"):
        del content[name]  # written by a version without these columns
    assert row_from_event(content) == row._replace(key=None, asked=None, text_answer=None)


def posting_events(harness: StoreHarness) -> list[tuple[str, int]]:
    """Return the type and row id of each event about a row."""
    return [
        (one.type, event_body(one)["posting"]["id"])
        for one in harness.events()
        if one.type.startswith("posting.")
    ]


REFUSED, UNKNOWN = [("posting.refused", 1)], [("posting.unknown", 1)]


@pytest.mark.parametrize(
    ("row", "operation", "argument", "expected"),
    [
        (make_row(1, "sent"), store_answers, PostingAnswer(LINK_NAME, START_MS, "OK", None, number=1), []),
        (
            make_row(1, "sent"),
            store_answers,
            PostingAnswer(LINK_NAME, START_MS, "NG", "no such room", number=1),
            REFUSED,
        ),
        (make_row(1, "sent"), store_answers, PostingAnswer(LINK_NAME, START_MS, "RY", None, number=1), []),
        (make_row(1, "sent"), store_answers, PostingAnswer(LINK_NAME, START_MS, "NA", None, number=1), []),
        (
            make_row(1, "unknown"),
            store_answers,
            PostingAnswer(LINK_NAME, START_MS, "NG", None, number=1),
            REFUSED,
        ),
        (make_row(1, "refused"), store_answers, PostingAnswer(LINK_NAME, START_MS, "NG", None, number=1), []),
        (make_row(1, "sent"), mark_unknown, MarkUnknown(LINK_NAME, True, 3, None), []),
        (make_row(1, "sent", lost=2), mark_unknown, MarkUnknown(LINK_NAME, True, 3, None), UNKNOWN),
        (make_row(1, "sent"), mark_unknown, MarkUnknown(LINK_NAME, False, 3, None), UNKNOWN),
        (make_row(1, "sent", record="WA"), mark_unknown, MarkUnknown(LINK_NAME, True, 3, None), UNKNOWN),
        (make_row(1, "sent", record="RE", lost=1), mark_unknown, MarkUnknown(LINK_NAME, False, 3, None), []),
        (
            make_row(1, "sent", record="RE", lost=2),
            mark_unknown,
            MarkUnknown(LINK_NAME, True, 3, None),
            UNKNOWN,
        ),
        (make_row(1, "unknown", queued=1), claim_next, ClaimNext(LINK_NAME, START_MS), []),
        (make_row(1, "unknown", queued=1), claim_next, ClaimNext(LINK_NAME, START_MS, resend=False), UNKNOWN),
        (
            make_row(1, "unknown", queued=1, record="WR", until=START_MS - 1),
            claim_next,
            ClaimNext(LINK_NAME, START_MS),
            UNKNOWN,
        ),
        (make_row(1, "unknown", queued=0), claim_next, ClaimNext(LINK_NAME, START_MS), []),
        (make_row(1), claim_next, ClaimNext(LINK_NAME, START_MS), []),
        (make_row(1, "sent"), mark_refused, MarkRefused(1, START_MS, "no ü in ascii"), REFUSED),
        (make_row(1, "sent", lost=1), mark_refused, MarkRefused(1, START_MS, "no ü in ascii"), UNKNOWN),
        (make_row(1, "sent"), release, Release(1), []),
        (make_row(1, "sent", lost=1), release, Release(1), []),
        (make_row(1, "sent"), confirm_delivered, ConfirmDelivered(LINK_NAME, START_MS, (1,)), []),
        (make_row(1, "unknown"), resend, OperatorAction(LINK_NAME, 1, 4), []),
        (make_row(1, "refused"), resend, OperatorAction(LINK_NAME, 1, 4), []),
        (make_row(1, "unknown"), discard, OperatorAction(LINK_NAME, 1, 4), []),
        (make_row(1), discard, OperatorAction(LINK_NAME, 1, 4), []),
    ],
)
def test_an_event_is_emitted_exactly_when_a_row_needs_an_operator(
    harness: StoreHarness, row: OutboxRow, operation: Any, argument: Any, expected: list[tuple[str, int]]
) -> None:
    harness.insert_rows(row)
    harness.submit(operation, argument)
    assert posting_events(harness) == expected
    for event in harness.events():
        assert event_body(event)["posting"] == row_to_event(harness.row(1))
        assert event.room == "101"


def test_the_event_is_published_after_the_row_in_the_same_commit(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"))
    harness.published.clear()
    before = harness.database.commit_count
    harness.submit(store_answers, PostingAnswer(LINK_NAME, START_MS, "NG", None, number=1))
    assert harness.database.commit_count == before + 1
    assert [type(one) for one in harness.published] == [OutboxRowChanged, HotelEventLogged]
    harness.submit(store_answers, PostingAnswer(LINK_NAME, START_MS, "NG", None, number=1))
    assert posting_events(harness) == REFUSED


def test_a_row_that_needs_an_operator_again_is_another_event(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "unknown", queued=0))
    for _ in range(2):
        harness.submit(resend, OperatorAction(LINK_NAME, 1, 4))
        harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
        harness.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 1, None))
    assert posting_events(harness) == UNKNOWN * 2
