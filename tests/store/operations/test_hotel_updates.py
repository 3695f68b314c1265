"""What a phone tells, and what comes of rows: in one commit with the change of the house, or the event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.phone_updates import (
    Told,
    body_text,
    told_dnd,
    told_make_up_room,
    told_status,
    told_wake_up,
    told_wake_up_cancel,
)
from pmslink.hotel.wake_ups import MOST_WAKE_UPS, TooManyWakeUps
from pmslink.store.core.journal import RETRY
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.operations.operator_actions import Decide, discard, resend
from pmslink.store.operations.outbox_delivery import (
    Answer,
    Leave,
    Proved,
    PutBack,
    Refuse,
    Take,
    leave,
    prove,
    put_back,
    refuse,
    settle,
    take,
)
from pmslink.store.operations.outbox_enqueue import Accepted, Offer, OutboxFull, accept
from pmslink.store.tables.log_entries import Happened
from pmslink.store.tables.outbox_rows import Moved, Row, newest_rows, row_told, told_row
from pmslink.validation.json_body import BodyError
from tests.store.store_harness import LINK, NOW, START, Playing, a_row
from tests.store.tables.test_hotel_states import told

RULES = Rules(timezone=START.tzinfo)


def from_phone(what: Told, **changes: Any) -> Offer:
    made = Offer(
        LINK,
        what.record.id,
        what.type,
        what.room,
        body_text(what),
        what.record.text,
        NOW,
        subject=what.subject,
        until=what.until,
        change=what.change,
    )
    return made._replace(**changes)


A_WAKE_UP = told_wake_up("101", {"at": "2026-01-02T07:00"}, START, RULES)
CALLS = {
    "status": (told_status("101", {"status": 3}, {}), "RE|RN101|RS3|"),
    "dnd": (told_dnd("101", {"on": True}), "RE|RN101|RS8|"),
    "wake-up": (A_WAKE_UP, "WR|RN101|DA260102|TI070000|"),
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> Told:
    return CALLS[request.param][0]


@pytest.mark.parametrize(("call", "text"), CALLS.values(), ids=CALLS)
def test_a_row_and_the_change_of_the_house_are_one_commit(playing: Playing, call: Told, text: str) -> None:
    playing.say("GO|RN101|")
    before = playing.database.commits
    (accepted,) = playing.do_all(accept, from_phone(call))
    assert playing.database.commits == before + 1
    assert isinstance(accepted, Accepted)
    assert (accepted.row.text, accepted.row.number, accepted.row.state) == (text, None, "pending")
    room = playing.room()
    assert room is not None
    assert (room.status, room.do_not_disturb, len(room.wake_ups)) in [
        (3, False, 0),
        (None, True, 0),
        (None, False, 1),
    ]


def test_the_pbx_hears_of_it_as_its_own(playing: Playing) -> None:
    playing.do_all(accept, from_phone(CALLS["dnd"][0]), from_phone(A_WAKE_UP))
    assert [(one.type, told(one)["by"]) for one in playing.events()] == [
        ("room.do_not_disturb", "pbx"),
        ("wake_up.set", "pbx"),
    ]


def test_the_sign_that_asks_for_the_room_to_be_made_up_takes_the_other_away(playing: Playing) -> None:
    playing.do(accept, from_phone(CALLS["dnd"][0]))
    playing.do(accept, from_phone(told_make_up_room("101", {"on": True})))
    assert [told(one)["value"] for one in playing.events()] == [True, False]


def test_a_full_outbox_takes_nothing_and_changes_no_house(playing: Playing, call: Told) -> None:
    (refused,) = playing.do_all(accept, from_phone(call, full=True))
    assert isinstance(refused, OutboxFull)
    assert playing.room() is None
    assert playing.told == []
    assert playing.read(newest_rows, LINK, None, None, 10) == []


def test_a_disk_that_fails_takes_nothing_and_changes_no_house(playing: Playing, call: Told) -> None:
    playing.database.fail()
    (refused,) = playing.do_all(accept, from_phone(call))
    assert isinstance(refused, StoreFailing)
    playing.database.mend()
    playing.turn(RETRY)
    assert playing.room() is None
    playing.do(accept, from_phone(call))
    assert len(playing.events()) == (call.type != "status")


def test_the_same_key_changes_the_house_once(playing: Playing) -> None:
    offer = from_phone(CALLS["dnd"][0], key="k", asked="a")
    playing.do(accept, offer)
    playing.say("RE|RN101|DNN|")
    again = playing.do(accept, offer)
    assert isinstance(again, Accepted)
    assert not again.new
    room = playing.room()
    assert room is not None
    assert not room.do_not_disturb


def test_a_key_that_comes_twice_in_one_commit_is_one_order(playing: Playing) -> None:
    orders = [from_phone(A_WAKE_UP, key="k", asked="a"), from_phone(told_wake_up_cancel("101", None, RULES))]
    first, _, again = playing.do_all(accept, *orders, orders[0])
    assert isinstance(first, Accepted)
    assert again == Accepted(first.row, new=False)
    assert playing.types() == ["wake_up.set", "wake_up.cancelled"]


# too many wake-ups

LATER = told_wake_up("101", {"at": "2026-01-03T07:00"}, START, RULES)


@pytest.fixture
def crowded(playing: Playing) -> Playing:
    """Room 101 has as many wake-ups as it may, and two guests."""
    playing.say("GI|RN101|G#1|GSN|", "GI|RN101|G#2|GSY|")
    playing.say(
        *(f"WR|RN101|DA260102|TI{number // 60:02}{number % 60:02}|" for number in range(MOST_WAKE_UPS))
    )
    playing.told.clear()
    return playing


def test_one_wake_up_too_many_is_no_row_and_changes_no_house(crowded: Playing) -> None:
    before = crowded.room()
    refused, accepted = crowded.do_all(accept, from_phone(LATER), from_phone(CALLS["dnd"][0]))
    assert isinstance(refused, TooManyWakeUps)
    assert isinstance(accepted, Accepted)
    assert [row.type for row in crowded.read(newest_rows, LINK, None, None, 10)] == ["dnd"]
    assert crowded.types() == ["room.do_not_disturb"]
    assert before is not None
    assert crowded.room() == evolve(before, do_not_disturb=True)


def test_one_that_was_refused_may_be_asked_for_again_by_the_same_key(crowded: Playing) -> None:
    order = from_phone(LATER, key="k", asked="a")
    cancel = from_phone(told_wake_up_cancel("101", None, RULES))
    refused, _, accepted = crowded.do_all(accept, order, cancel, order)
    assert isinstance(refused, TooManyWakeUps)
    assert isinstance(accepted, Accepted)
    assert accepted.new
    assert crowded.types()[-1] == "wake_up.set"


def test_a_guest_who_was_leaving_is_told_to_have_left_though_a_wake_up_is_refused(crowded: Playing) -> None:
    crowded.say("GO|RN101|G#1|GSY|")
    (refused,) = crowded.do_all(accept, from_phone(LATER))
    assert isinstance(refused, TooManyWakeUps)
    assert crowded.types() == ["guest.checked_out"]
    room = crowded.room()
    assert room is not None
    assert [guest.number for guest in room.guests] == ["2"]


@pytest.mark.parametrize("body", [{}, {"status": 0}, {"status": 7}, {"status": "3"}, {"status": True}])
def test_a_status_is_one_of_six(body: dict[str, Any]) -> None:
    with pytest.raises(BodyError, match="from 1 to 6"):
        told_status("101", body, {})


def test_what_is_on_its_way_already_is_left_alone(playing: Playing) -> None:
    playing.say("GI|RN101|")
    playing.do(accept, from_phone(A_WAKE_UP))
    sent = playing.do(take, Take(LINK, NOW))
    assert isinstance(sent, Row)
    playing.say("GO|RN101|")
    assert playing.row(sent.id).state == "sent"


# what comes of rows


def test_an_event_keeps_a_row_by_the_names_of_its_columns() -> None:
    row = a_row(1, "sent", key="k", asked="a", text_answer="später")
    kept = json.loads(json.dumps(row_told(row)))
    assert "key" not in kept
    assert told_row(kept) == row._replace(key=None, asked=None)
    assert told_row({**kept, "colour": "red"}) == told_row(kept)  # of a version that has such a column
    for name in ("held_since", "lost", "text_answer"):
        del kept[name]  # of one that had none
    assert told_row(kept) == row._replace(key=None, asked=None, text_answer=None)


def rests(playing: Playing) -> list[tuple[str, int]]:
    """The events about rows: type, and id of the row."""
    return [
        (one.type, told(one)["posting"]["id"]) for one in playing.events() if one.type.startswith("posting.")
    ]


REFUSED, UNKNOWN = [("posting.refused", 1)], [("posting.unknown", 1)]


@pytest.mark.parametrize(
    ("row", "operation", "argument", "expected"),
    [
        (a_row(1, "sent"), settle, Answer(LINK, NOW, "OK", None, number=1), []),
        (a_row(1, "sent"), settle, Answer(LINK, NOW, "NG", "no such room", number=1), REFUSED),
        (a_row(1, "sent"), settle, Answer(LINK, NOW, "RY", None, number=1), []),
        (a_row(1, "sent"), settle, Answer(LINK, NOW, "NA", None, number=1), []),
        (a_row(1, "unknown"), settle, Answer(LINK, NOW, "NG", None, number=1), REFUSED),
        (a_row(1, "refused"), settle, Answer(LINK, NOW, "NG", None, number=1), []),
        (a_row(1, "sent"), leave, Leave(LINK, True, 3, None), []),
        (a_row(1, "sent", lost=2), leave, Leave(LINK, True, 3, None), UNKNOWN),
        (a_row(1, "sent"), leave, Leave(LINK, False, 3, None), UNKNOWN),
        (a_row(1, "sent", record="WA"), leave, Leave(LINK, True, 3, None), UNKNOWN),
        (a_row(1, "sent", record="RE", lost=9), leave, Leave(LINK, True, 3, None), []),
        (a_row(1, "unknown", queued=1), take, Take(LINK, NOW), []),
        (a_row(1, "unknown", queued=1), take, Take(LINK, NOW, resend=False), UNKNOWN),
        (a_row(1, "unknown", queued=1, record="WR", until=NOW - 1), take, Take(LINK, NOW), UNKNOWN),
        (a_row(1, "unknown", queued=0), take, Take(LINK, NOW), []),
        (a_row(1), take, Take(LINK, NOW), []),
        (a_row(1, "sent"), refuse, Refuse(1, NOW, "no ü in ascii"), REFUSED),
        (a_row(1, "sent", lost=1), refuse, Refuse(1, NOW, "no ü in ascii"), UNKNOWN),
        (a_row(1, "sent"), put_back, PutBack(1), []),
        (a_row(1, "sent", lost=1), put_back, PutBack(1), []),
        (a_row(1, "sent"), prove, Proved(LINK, NOW, (1,)), []),
        (a_row(1, "unknown"), resend, Decide(LINK, 1, 4), []),
        (a_row(1, "refused"), resend, Decide(LINK, 1, 4), []),
        (a_row(1, "unknown"), discard, Decide(LINK, 1, 4), []),
        (a_row(1), discard, Decide(LINK, 1, 4), []),
    ],
)
def test_an_event_tells_exactly_when_a_row_comes_to_rest_that_wants_a_person(
    playing: Playing, row: Row, operation: Any, argument: Any, expected: list[tuple[str, int]]
) -> None:
    playing.have(row)
    playing.do(operation, argument)
    assert rests(playing) == expected
    for event in playing.events():
        assert told(event)["posting"] == row_told(playing.row(1))
        assert event.room == "101"


def test_it_is_told_in_the_commit_that_notes_it_and_after_it(playing: Playing) -> None:
    playing.have(a_row(1, "sent"))
    playing.told.clear()
    before = playing.database.commits
    playing.do(settle, Answer(LINK, NOW, "NG", None, number=1))
    assert playing.database.commits == before + 1
    assert [type(one) for one in playing.told] == [Moved, Happened]
    playing.do(settle, Answer(LINK, NOW, "NG", None, number=1))
    assert rests(playing) == REFUSED


def test_one_that_comes_to_rest_again_is_told_again(playing: Playing) -> None:
    playing.have(a_row(1, "unknown", queued=0))
    for _ in range(2):
        playing.do(resend, Decide(LINK, 1, 4))
        playing.do(take, Take(LINK, NOW))
        playing.do(leave, Leave(LINK, True, 1, None))
    assert rests(playing) == UNKNOWN * 2
