"""What is sent next, and what becomes of a row that is not answered."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.operator_actions import Decide, resend
from pmslink.store.operations.outbox_delivery import (
    Later,
    Leave,
    PutBack,
    Refuse,
    Take,
    leave,
    put_back,
    refuse,
    take,
)
from pmslink.store.operations.outbox_enqueue import accept
from pmslink.store.tables.outbox_rows import Moved, Row
from tests.store.store_harness import LINK, NOW, Playing, a_record, a_row, offer


def take_one(playing: Playing, now: int = NOW) -> Row | Later | None:
    return playing.do(take, Take(LINK, now))


def taken_ids(playing: Playing, now: int = NOW) -> list[int]:
    """All that is to be sent, in order."""
    ids = []
    while isinstance(row := take_one(playing, now), Row):
        ids.append(row.id)
    return ids


# sending


def test_a_row_that_is_taken_is_counted_as_sent_before_it_is_given(playing: Playing) -> None:
    row = playing.accept()
    taken = take_one(playing, NOW + 7)
    assert taken == playing.row(row.id)
    assert isinstance(taken, Row)
    assert (taken.state, taken.queued, taken.attempts, taken.sent) == ("sent", 0, 1, NOW + 7)
    assert taken.sent_seq is not None
    assert row.changed < taken.sent_seq < taken.changed
    assert isinstance(playing.told[-1], Moved)
    assert playing.told[-1].row == taken


def test_the_oldest_goes_first_whether_new_or_again(playing: Playing) -> None:
    playing.have(
        a_row(5),
        a_row(2, "unknown", queued=1),
        a_row(3),
        a_row(1, "unknown", queued=0),
        a_row(4, "unknown", queued=1),
        *(a_row(id, state) for id, state in [(6, "sent"), (7, "done"), (8, "refused"), (9, "discarded")]),
        a_row(10, link="annexe"),
    )
    assert taken_ids(playing) == [2, 3, 4, 5]


def test_several_who_ask_at_once_get_different_rows(playing: Playing) -> None:
    playing.do_all(accept, *(offer() for _ in range(3)))
    rows = playing.do_all(take, *[Take(LINK, NOW)] * 4)
    assert [row.number if isinstance(row, Row) else row for row in rows] == [1, 2, 3, None]


def test_a_row_of_which_nothing_was_written_is_put_back(playing: Playing) -> None:
    row = playing.accept()
    take_one(playing)
    playing.do(put_back, PutBack(row.id))
    back = playing.row(row.id)
    assert (back.state, back.queued, back.attempts) == ("pending", 1, 0)
    assert taken_ids(playing) == [row.id]
    assert playing.row(row.id).attempts == 1


def test_a_row_that_cannot_be_sent_is_refused_with_the_reason(playing: Playing) -> None:
    row = playing.accept()
    take_one(playing)
    playing.do(refuse, Refuse(row.id, NOW + 1, "no ü in ascii"))
    refused = playing.row(row.id)
    assert (refused.state, refused.queued, refused.attempts) == ("refused", 0, 0)
    assert (refused.answered, refused.answer, refused.text_answer) == (NOW + 1, None, "no ü in ascii")
    assert taken_ids(playing) == []


# not answered


@pytest.mark.parametrize(
    ("record", "resend", "limit", "lost", "queued"),
    [
        ("PS", True, 3, 0, 1),
        ("PS", True, 3, 1, 1),
        ("PS", True, 3, 2, 0),
        ("PS", True, 1, 0, 0),
        ("PS", False, 3, 0, 0),
        *((record, resend, 1, 7, 1) for record in ("RE", "WR", "WC") for resend in (True, False)),
        ("WA", True, 3, 0, 0),
        ("WA", False, 3, 0, 0),
    ],
)
def test_what_is_not_answered_is_unknown_and_perhaps_sent_again(
    playing: Playing, record: str, resend: bool, limit: int, lost: int, queued: int
) -> None:
    playing.have(a_row(1, "sent", record=record, lost=lost))
    (left,) = playing.do(leave, Leave(LINK, resend, limit, (1,)))
    assert left == playing.row(1)
    assert (left.state, left.queued, left.lost, left.number) == ("unknown", queued, lost + 1, 1)
    assert taken_ids(playing) == [1] * queued


def test_so_many_attempts_are_made_in_all(playing: Playing) -> None:
    row = playing.accept()
    attempts = 0
    while isinstance(taken := take_one(playing), Row):
        assert taken.number == row.number
        attempts += 1
        playing.do(leave, Leave(LINK, True, 4, None))
    assert attempts == 4
    assert (playing.row(row.id).state, playing.row(row.id).attempts) == ("unknown", 4)


@pytest.mark.parametrize(("ids", "left"), [(None, [2, 3]), ((), []), ((3,), [3]), ((1, 2, 4, 5, 99), [2])])
def test_only_what_is_on_its_way_is_left(
    playing: Playing, ids: tuple[int, ...] | None, left: list[int]
) -> None:
    playing.have(
        a_row(1), a_row(2, "sent"), a_row(3, "sent"), a_row(4, "done"), a_row(5, "sent", link="annexe")
    )
    rows = playing.do(leave, Leave(LINK, True, 3, ids))
    assert [row.id for row in rows] == left


def test_more_is_left_than_a_statement_takes(playing: Playing) -> None:
    playing.have(a_row(1, "sent"), a_row(39_000, "sent"))
    rows = playing.do(leave, Leave(LINK, True, 3, tuple(range(1, 40_000))))
    assert [row.id for row in rows] == [1, 39_000]


# sent again, or not


def an_re(id: int, state: str = "unknown", **changes: Any) -> Row:
    queued = int(state in ("pending", "unknown"))
    usual = {"record": "RE", "type": "room", "subject": "RS", "number": None, "queued": queued}
    return a_row(id, state, **usual | changes)


@pytest.mark.parametrize(
    ("newer", "superseded"),
    [
        (an_re(2, "pending"), True),
        (an_re(2, "sent"), True),
        (an_re(2, "done"), True),
        (an_re(2, "discarded"), False),
        (an_re(2, "done", room="102"), False),
        (an_re(2, "done", subject="CS"), False),
        (an_re(2, "done", link="annexe"), False),
    ],
)
def test_of_a_room_and_field_only_the_newest_value_is_sent_again(
    playing: Playing, newer: Row, superseded: bool
) -> None:
    playing.have(an_re(1), newer)
    assert (1 in taken_ids(playing)) is not superseded
    old = playing.row(1)
    assert old.state == ("discarded" if superseded else "sent")
    assert old.text_answer == ("a newer value is sent instead" if superseded else None)


def test_a_value_that_was_never_sent_is_sent_although_there_is_a_newer(playing: Playing) -> None:
    playing.have(an_re(1, "pending"), an_re(2, "pending"))
    assert taken_ids(playing) == [1, 2]


def a_wakeup(record: str = "WR", **changes: Any) -> Row:
    usual: dict[str, Any] = {"record": record, "queued": 1, "until": NOW + 1000, "number": None}
    return a_row(1, **{"state": "unknown", **usual, **changes})


@pytest.mark.parametrize("record", ["WR", "WC"])
@pytest.mark.parametrize(
    ("text", "direction", "link", "superseded"),
    [
        ("WR|RN101|TI0700|", "in", LINK, True),
        ("WC|RN101|TI0700|", "in", LINK, True),
        ("WR|RN102|TI0700|", "in", LINK, False),
        ("WR|RN101|TI0700|", "out", LINK, False),
        ("WR|RN101|TI0700|", "in", "annexe", False),
        ("WA|RN101|ASOK|", "in", LINK, False),
        ("WR|", "in", LINK, False),
        ("GO|RN101|G#1|GSN|", "in", LINK, True),
        ("GO|RN101|", "in", LINK, True),
        ("GO|RN101|G#1|GSY|", "in", LINK, False),
        ("GO|RN102|G#1|GSN|", "in", LINK, False),
        ("GC|RN102|GSN|G#1|RO101|GSN|", "in", LINK, True),
        ("GC|RN102|GSN|G#1|RO101|", "in", LINK, True),
        ("GC|RO101|GSN|G#1|RN102|GSY|", "in", LINK, True),
        ("GC|RN102|GSN|G#1|RO101|GSY|", "in", LINK, False),
        ("GC|RN101|GSN|G#1|RO102|GSN|", "in", LINK, False),
        ("GC|RN101|G#1|GNDay|", "in", LINK, False),
        ("GI|RN101|G#1|GSN|", "in", LINK, False),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_wake_up_is_not_sent_again_once_the_pms_has_spoken_of_it(
    playing: Playing, record: str, text: str, direction: str, link: str, superseded: bool, when: str
) -> None:
    spoken = a_record(text, direction=direction, link=link)
    if when == "before":
        playing.do(keep_records, spoken)
    playing.have(a_wakeup(record, state="sent", queued=0, sent_seq=playing.journal.number()))
    if when == "after":
        playing.do(keep_records, spoken)
    playing.do(leave, Leave(LINK, True, 3))
    gone = superseded and when == "after"
    assert taken_ids(playing) == ([] if gone else [1])
    row = playing.row(1)
    assert row.state == ("discarded" if gone else "sent")
    if gone:
        assert row.text_answer == "the PMS has spoken of this room's wake-up since"


@pytest.mark.parametrize(("now", "sent"), [(NOW + 1000, True), (NOW + 1001, False)])
def test_a_wake_up_whose_time_has_passed_is_not_sent_again(playing: Playing, now: int, sent: bool) -> None:
    playing.have(a_wakeup())
    assert taken_ids(playing, now) == ([1] if sent else [])
    row = playing.row(1)
    assert (row.state, row.queued) == ("sent" if sent else "unknown", 0)


def test_a_wake_up_that_was_never_sent_is_sent_however_late(playing: Playing) -> None:
    playing.have(a_row(1, record="WR", until=NOW))
    assert taken_ids(playing, NOW + 5000) == [1]


def test_a_late_wake_up_that_was_put_back_keeps_nobody_waiting(playing: Playing) -> None:
    playing.have(a_wakeup(), a_row(2))
    assert isinstance(take_one(playing, NOW), Row)
    playing.do(put_back, PutBack(1))
    assert taken_ids(playing, NOW + 5000) == [2]
    assert (playing.row(1).state, playing.row(1).queued) == ("unknown", 0)


def test_a_late_wake_up_that_a_person_wants_sent_again_keeps_nobody_waiting(playing: Playing) -> None:
    playing.have(a_wakeup(queued=0), a_row(2))
    playing.do(resend, Decide(LINK, 1, 4))
    assert taken_ids(playing, NOW + 5000) == [2]
    assert (playing.row(1).state, playing.row(1).queued) == ("unknown", 0)
