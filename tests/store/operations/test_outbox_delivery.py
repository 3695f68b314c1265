"""Which row is sent next, and what happens to a row without an answer."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.operator_actions import OperatorAction, resend
from pmslink.store.operations.outbox_answers import MarkRefused, MarkUnknown, mark_refused, mark_unknown
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore, Release, claim_next, release
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness, make_new_row, make_record, make_row


def claim_one(harness: StoreHarness, now: int = START_MS) -> OutboxRow | NotBefore | None:
    return harness.submit(claim_next, ClaimNext(LINK_NAME, now))


def claim_all_ids(harness: StoreHarness, now: int = START_MS) -> list[int]:
    """Claim all rows that can be sent, and return their ids in order."""
    ids = []
    while isinstance(row := claim_one(harness, now), OutboxRow):
        ids.append(row.id)
    return ids


# Sending.


def test_a_claimed_row_is_counted_as_sent_before_it_is_returned(harness: StoreHarness) -> None:
    row = harness.enqueue()
    claimed = claim_one(harness, START_MS + 7)
    assert claimed == harness.row(row.id)
    assert isinstance(claimed, OutboxRow)
    assert (claimed.state, claimed.queued, claimed.attempts, claimed.sent) == ("sent", 0, 1, START_MS + 7)
    assert claimed.sent_seq is not None
    assert row.changed < claimed.sent_seq < claimed.changed
    assert isinstance(harness.published[-1], OutboxRowChanged)
    assert harness.published[-1].row == claimed


def test_the_oldest_row_is_claimed_first_whether_new_or_resent(harness: StoreHarness) -> None:
    harness.insert_rows(
        make_row(5),
        make_row(2, "unknown", queued=1),
        make_row(3),
        make_row(1, "unknown", queued=0),
        make_row(4, "unknown", queued=1),
        *(make_row(id, state) for id, state in [(6, "sent"), (7, "done"), (8, "refused"), (9, "discarded")]),
        make_row(10, link="annexe"),
    )
    assert claim_all_ids(harness) == [2, 3, 4, 5]


def test_claims_in_one_commit_get_different_rows(harness: StoreHarness) -> None:
    harness.submit_all(enqueue, *(make_new_row() for _ in range(3)))
    rows = harness.submit_all(claim_next, *[ClaimNext(LINK_NAME, START_MS)] * 4)
    assert [row.number if isinstance(row, OutboxRow) else row for row in rows] == [1, 2, 3, None]


def test_a_claimed_row_that_was_not_written_is_released(harness: StoreHarness) -> None:
    row = harness.enqueue()
    claim_one(harness)
    harness.submit(release, Release(row.id))
    back = harness.row(row.id)
    assert (back.state, back.queued, back.attempts) == ("pending", 1, 0)
    assert claim_all_ids(harness) == [row.id]
    assert harness.row(row.id).attempts == 1


def test_a_row_that_cannot_be_sent_is_refused_with_the_reason(harness: StoreHarness) -> None:
    row = harness.enqueue()
    claim_one(harness)
    harness.submit(mark_refused, MarkRefused(row.id, START_MS + 1, "no ü in ascii"))
    refused = harness.row(row.id)
    assert (refused.state, refused.queued, refused.attempts, refused.reason) == ("refused", 0, 0, "charset")
    assert (refused.answered, refused.answer, refused.text_answer) == (START_MS + 1, None, "no ü in ascii")
    assert claim_all_ids(harness) == []


# Rows without an answer.


@pytest.mark.parametrize(
    ("record", "resend", "limit", "lost", "queued"),
    [
        ("PS", True, 3, 0, 1),
        ("PS", True, 3, 1, 1),
        ("PS", True, 3, 2, 0),
        ("PS", True, 1, 0, 0),
        ("PS", False, 3, 0, 0),
        *((record, resend, 3, 1, 1) for record in ("RE", "WR", "WC") for resend in (True, False)),
        *((record, resend, 3, 2, 0) for record in ("RE", "WR", "WC") for resend in (True, False)),
        ("WA", True, 3, 0, 0),
        ("WA", False, 3, 0, 0),
    ],
)
def test_a_row_without_an_answer_is_unknown_and_perhaps_queued_again(
    harness: StoreHarness, record: str, resend: bool, limit: int, lost: int, queued: int
) -> None:
    harness.insert_rows(make_row(1, "sent", record=record, lost=lost))
    (left,) = harness.submit(mark_unknown, MarkUnknown(LINK_NAME, resend, limit, (1,)))
    assert left == harness.row(1)
    assert (left.state, left.queued, left.lost, left.number) == ("unknown", queued, lost + 1, 1)
    assert left.reason == "unanswered"
    assert claim_all_ids(harness) == [1] * queued


def test_a_posting_is_sent_up_to_the_maximum_of_attempts(harness: StoreHarness) -> None:
    row = harness.enqueue()
    attempts = 0
    while isinstance(
        claimed := harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS, send_limit=4)), OutboxRow
    ):
        assert claimed.number == row.number
        attempts += 1
        harness.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 4, None))
    assert attempts == 4
    assert (harness.row(row.id).state, harness.row(row.id).attempts) == ("unknown", 4)


@pytest.mark.parametrize(("ids", "left"), [(None, [2, 3]), ((), []), ((3,), [3]), ((1, 2, 4, 5, 99), [2])])
def test_only_sent_rows_are_marked_unknown(
    harness: StoreHarness, ids: tuple[int, ...] | None, left: list[int]
) -> None:
    harness.insert_rows(
        make_row(1),
        make_row(2, "sent"),
        make_row(3, "sent"),
        make_row(4, "done"),
        make_row(5, "sent", link="annexe"),
    )
    rows = harness.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3, ids))
    assert [row.id for row in rows] == left


def test_more_rows_than_one_statement_takes_are_marked_unknown(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, "sent"), make_row(39_000, "sent"))
    rows = harness.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3, tuple(range(1, 40_000))))
    assert [row.id for row in rows] == [1, 39_000]


# Resending.


def make_status_row(id: int, state: str = "unknown", **changes: Any) -> OutboxRow:
    queued = int(state in ("pending", "unknown"))
    usual = {"record": "RE", "type": "room", "subject": "RS", "number": None, "queued": queued}
    return make_row(id, state, **usual | changes)


@pytest.mark.parametrize(
    ("newer", "superseded"),
    [
        (make_status_row(2, "pending"), True),
        (make_status_row(2, "sent"), True),
        (make_status_row(2, "done"), True),
        (make_status_row(2, "discarded"), False),
        (make_status_row(2, "done", room="102"), False),
        (make_status_row(2, "done", subject="CS"), False),
        (make_status_row(2, "done", link="annexe"), False),
    ],
)
def test_of_a_room_and_field_only_the_newest_value_is_sent_again(
    harness: StoreHarness, newer: OutboxRow, superseded: bool
) -> None:
    harness.insert_rows(make_status_row(1), newer)
    assert (1 in claim_all_ids(harness)) is not superseded
    old = harness.row(1)
    assert old.state == ("discarded" if superseded else "sent")
    assert old.text_answer == ("a newer value is sent instead" if superseded else None)


def test_an_unsent_value_is_sent_even_if_there_is_a_newer_one(harness: StoreHarness) -> None:
    harness.insert_rows(make_status_row(1, "pending"), make_status_row(2, "pending"))
    assert claim_all_ids(harness) == [1, 2]


def make_wake_up_row(record: str = "WR", **changes: Any) -> OutboxRow:
    usual: dict[str, Any] = {"record": record, "queued": 1, "until": START_MS + 1000, "number": None}
    return make_row(1, **{"state": "unknown", **usual, **changes})


@pytest.mark.parametrize("record", ["WR", "WC"])
@pytest.mark.parametrize(
    ("text", "direction", "link", "superseded"),
    [
        ("WR|RN101|TI0700|", "in", LINK_NAME, True),
        ("WC|RN101|TI0700|", "in", LINK_NAME, True),
        ("WR|RN102|TI0700|", "in", LINK_NAME, False),
        ("WR|RN101|TI0700|", "out", LINK_NAME, False),
        ("WR|RN101|TI0700|", "in", "annexe", False),
        ("WA|RN101|ASOK|", "in", LINK_NAME, False),
        ("WR|", "in", LINK_NAME, False),
        ("GO|RN101|G#1|GSN|", "in", LINK_NAME, True),
        ("GO|RN101|", "in", LINK_NAME, True),
        ("GO|RN101|G#1|GSY|", "in", LINK_NAME, False),
        ("GO|RN102|G#1|GSN|", "in", LINK_NAME, False),
        ("GC|RN102|GSN|G#1|RO101|GSN|", "in", LINK_NAME, True),
        ("GC|RN102|GSN|G#1|RO101|", "in", LINK_NAME, True),
        ("GC|RO101|GSN|G#1|RN102|GSY|", "in", LINK_NAME, True),
        ("GC|RN102|GSN|G#1|RO101|GSY|", "in", LINK_NAME, False),
        ("GC|RN101|GSN|G#1|RO102|GSN|", "in", LINK_NAME, False),
        ("GC|RN101|G#1|GNDay|", "in", LINK_NAME, False),
        ("GI|RN101|G#1|GSN|", "in", LINK_NAME, False),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_wake_up_is_not_sent_again_after_the_pms_changed_it(
    harness: StoreHarness, record: str, text: str, direction: str, link: str, superseded: bool, when: str
) -> None:
    spoken = make_record(text, direction=direction, link=link)
    if when == "before":
        harness.submit(append_records, spoken)
    harness.insert_rows(make_wake_up_row(record, state="sent", queued=0, sent_seq=harness.journal.next_seq()))
    if when == "after":
        harness.submit(append_records, spoken)
    harness.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    gone = superseded and when == "after"
    assert claim_all_ids(harness) == ([] if gone else [1])
    row = harness.row(1)
    assert row.state == ("discarded" if gone else "sent")
    if gone:
        assert row.text_answer == "the PMS has spoken of this room's wake-up since"


@pytest.mark.parametrize(("now", "sent"), [(START_MS + 1000, True), (START_MS + 1001, False)])
def test_a_wake_up_whose_time_has_passed_is_not_sent_again(
    harness: StoreHarness, now: int, sent: bool
) -> None:
    harness.insert_rows(make_wake_up_row())
    assert claim_all_ids(harness, now) == ([1] if sent else [])
    row = harness.row(1)
    assert (row.state, row.queued) == ("sent" if sent else "unknown", 0)


def test_a_wake_up_is_sent_again_while_the_clock_may_be_ahead(harness: StoreHarness) -> None:
    harness.insert_rows(make_wake_up_row())
    harness.is_clock_settled = False
    assert claim_all_ids(harness, START_MS + 5000) == [1]


def test_a_wake_up_that_was_never_sent_is_sent_after_its_time(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1, record="WR", until=START_MS))
    assert claim_all_ids(harness, START_MS + 5000) == [1]


def test_a_late_wake_up_that_was_released_does_not_block_the_queue(harness: StoreHarness) -> None:
    harness.insert_rows(make_wake_up_row(), make_row(2))
    assert isinstance(claim_one(harness, START_MS), OutboxRow)
    harness.submit(release, Release(1))
    assert claim_all_ids(harness, START_MS + 5000) == [2]
    assert (harness.row(1).state, harness.row(1).queued) == ("unknown", 0)


def test_a_late_wake_up_that_an_operator_resends_does_not_block_the_queue(harness: StoreHarness) -> None:
    harness.insert_rows(make_wake_up_row(queued=0), make_row(2))
    harness.submit(resend, OperatorAction(LINK_NAME, 1, 4))
    assert claim_all_ids(harness, START_MS + 5000) == [2]
    assert (harness.row(1).state, harness.row(1).queued) == ("unknown", 0)


@pytest.mark.parametrize("created", [START_MS - 1, START_MS, START_MS + 3600_000])
def test_a_hold_for_older_postings_goes_by_their_order_and_not_by_the_clock(
    harness: StoreHarness, created: int
) -> None:
    harness.insert_rows(make_row(5, created=created))
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS, sync_hold=6)) is None
    assert isinstance(harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS, sync_hold=5)), OutboxRow)


def test_a_newer_posting_does_not_pass_an_older_one_that_waits(harness: StoreHarness) -> None:
    harness.insert_rows(make_row(1), make_row(3))
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 1000, sync_hold=2)) is None
    first = harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS + 2000))
    assert isinstance(first, OutboxRow)
    assert first.id == 1
