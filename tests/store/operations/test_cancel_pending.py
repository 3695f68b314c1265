"""What the PMS has not heard from a room yet when its guest leaves; and what it says meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pmslink.hotel.phone_updates import (
    Told,
    told_dnd,
    told_make_up_room,
    told_status,
    told_voicemail,
    told_wake_up,
    told_wake_up_cancel,
)
from pmslink.hotel.wake_ups import MOST_WAKE_UPS
from pmslink.store.operations.hotel_updates import Reported, keep_records, let_time_pass, take_results
from pmslink.store.operations.outbox_delivery import Later, Leave, Take, leave, take
from pmslink.store.operations.outbox_enqueue import accept
from pmslink.store.tables.outbox_rows import Row, newest_rows
from tests.store.operations.test_hotel_updates import A_WAKE_UP, RULES, from_phone
from tests.store.store_harness import LINK, NOW, START, Playing, a_record, offer

HERE = "GI|RN101|G#1|GSN|GNAdams|DA260101|TI000000|"
GONE = "GO|RN101|GSN|"
MOVED = "GC|RN202|GSN|G#1|RO101|GSN|DA260101|TI000010|"


def say(playing: Playing, *texts: str) -> None:
    playing.do_all(keep_records, *map(a_record, texts))


def rows(playing: Playing) -> list[tuple[str, str, str | None]]:
    """Text, state and word of all, oldest first."""
    found = playing.read(newest_rows, LINK, None, None, 99)
    return [(row.text, row.state, row.text_answer) for row in reversed(found)]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (A_WAKE_UP, "WR|RN101|DA260102|TI070000|"),
        (told_wake_up_cancel("101", None, RULES), "WC|RN101|DA|TI|"),
        (told_dnd("101", {"on": True}), "RE|RN101|RS8|"),
        (told_make_up_room("101", {"on": True}), "RE|RN101|RS9|"),
        (told_voicemail("101", {"unread": 1}), "RE|RN101|VM0100|"),
    ],
)
def test_what_a_guest_ordered_by_phone_does_not_outlast_the_stay(
    playing: Playing, told: Told, text: str
) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told))
    say(playing, GONE)
    assert rows(playing) == [(text, "discarded", "the guest has left the room")]


def test_the_status_of_the_room_is_told_all_the_same(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told_status("101", {"status": 3}, {})))
    say(playing, GONE)
    assert [state for _, state, _ in rows(playing)] == ["pending"]


def test_what_a_guest_ordered_whose_check_in_was_missed_does_not_outlast_the_stay_either(
    playing: Playing,
) -> None:
    playing.do_all(accept, from_phone(A_WAKE_UP))
    say(playing, "GO|RN101|G#1|GSN|")
    assert [state for _, state, _ in rows(playing)] == ["discarded"]


def test_what_another_room_told_is_told_all_the_same(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told_dnd("102", {"on": True})), offer())
    playing.do_all(accept, from_phone(A_WAKE_UP, link="annexe"))
    say(playing, GONE)
    assert [state for _, state, _ in rows(playing)] == ["pending", "pending"]


def test_what_is_in_doubt_is_not_sent_again_either(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told_dnd("101", {"on": True})))
    playing.do_all(take, Take(LINK, NOW))
    playing.do_all(leave, Leave(LINK, True, 3))
    say(playing, GONE)
    assert [state for _, state, _ in rows(playing)] == ["discarded"]


def test_a_guest_s_own_goes_in_a_resync_too_though_the_room_has_its_next_guest(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(A_WAKE_UP))
    say(playing, "DS|", "GI|RN101|G#2|GSN|SF|", "GI|RN202|G#1|GSN|SF|", "DE|")
    assert [(text, state) for text, state, _ in rows(playing)] == [
        ("WR|RN101|DA260102|TI070000|", "discarded"),
        ("WR|RN202|DA260102|TI070000|", "pending"),
    ]


@pytest.mark.parametrize("after", ["GI|RN202|G#1|GSN|GNAdams|", None])
def test_while_a_room_is_being_left_what_its_phone_told_waits(playing: Playing, after: str | None) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(A_WAKE_UP))
    say(playing, "GO|RN101|G#1|GSN|")
    assert playing.do(take, Take(LINK, NOW)) == Later(NOW + 2000)
    assert _room(playing, "101").guests != ()
    if after is not None:
        say(playing, after)
    playing.now += timedelta(seconds=2)
    playing.do(let_time_pass, LINK)
    taken = playing.do(take, Take(LINK, NOW + 2000))
    assert getattr(taken, "text", None) == ("WR|RN202|DA260102|TI070000|" if after else None)


def test_while_a_room_is_being_left_postings_go_on(playing: Playing) -> None:
    say(playing, HERE, "GO|RN101|G#1|GSN|")
    playing.do_all(accept, offer())
    assert isinstance(playing.do(take, Take(LINK, NOW)), Row)


def test_while_others_stay_all_is_told(playing: Playing) -> None:
    say(playing, HERE, "GI|RN101|G#2|GSY|GNBauer|")
    playing.do_all(accept, from_phone(A_WAKE_UP))
    say(playing, MOVED.replace("RO101|GSN", "RO101|GSY"))
    assert [state for _, state, _ in rows(playing)] == ["pending"]


def test_wake_ups_follow_a_guest_who_moves(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(A_WAKE_UP), from_phone(told_dnd("101", {"on": True})))
    say(playing, MOVED)
    assert rows(playing) == [
        ("WR|RN101|DA260102|TI070000|", "discarded", "the guest has moved to room 202"),
        ("RE|RN101|RS8|", "discarded", "the guest has left the room"),
        ("WR|RN202|DA260102|TI070000|", "pending", None),
    ]


def _woken(playing: Playing) -> None:
    """A guest was woken, and the PMS has not heard of it."""
    say(playing, HERE, "WR|RN101|DA260101|TI000000|")
    playing.do_all(let_time_pass, LINK)
    (wake_up,) = _room(playing, "101").wake_ups
    playing.do_all(take_results, Reported(LINK, "101", wake_up.id, None, "answered"))


def _room(playing: Playing, name: str) -> Any:
    room = playing.room(name)
    assert room is not None
    return room


def test_how_a_wake_up_ended_is_told_of_the_new_room(playing: Playing) -> None:
    _woken(playing)
    say(playing, MOVED)
    assert [(text, state) for text, state, _ in rows(playing)] == [
        ("WA|RN101|DA260101|TI000000|ASOK|", "discarded"),
        ("WA|RN202|DA260101|TI000000|ASOK|", "pending"),
    ]


def test_how_a_wake_up_ended_is_told_of_a_guest_who_has_left(playing: Playing) -> None:
    _woken(playing)
    say(playing, GONE)
    assert [(text, state) for text, state, _ in rows(playing)] == [
        ("WA|RN101|DA260101|TI000000|ASOK|", "pending")
    ]


# What the PMS says while a phone's word waits is older for the PMS, which hears that word last.


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (told_dnd("101", {"on": True}), "RE|RN101|DNN|"),
        (told_status("101", {"status": 3}, {}), "RE|RN101|RS1|"),
        (told_wake_up("101", {"at": "2026-01-02T07:00"}, START, RULES), "WC|RN101|DA|TI|"),
    ],
)
def test_what_is_sent_later_is_so_in_the_house_again(playing: Playing, told: Told, said: str) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told))
    ordered = _look(playing)
    say(playing, said)
    assert _look(playing) != ordered
    playing.do_all(take, Take(LINK, NOW))
    assert _look(playing) == ordered


def test_a_wake_up_that_is_cancelled_later_is_cancelled_again(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told_wake_up_cancel("101", "2026-01-02T07:00", RULES)))
    say(playing, "WR|RN101|DA260102|TI070000|")
    playing.do_all(take, Take(LINK, NOW))
    assert _room(playing, "101").wake_ups == ()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (told_dnd("101", {"on": True}), told_make_up_room("101", {"on": True}), "RE|RN101|DNN|"),
        (told_status("101", {"status": 3}, {}), told_status("101", {"status": 4}, {}), "RE|RN101|RS4|"),
        (A_WAKE_UP, told_wake_up_cancel("101", "2026-01-02T07:00", RULES), "RE|RN101|RS4|"),
        (A_WAKE_UP, told_wake_up_cancel("101", None, RULES), "RE|RN101|RS4|"),
        (told_wake_up_cancel("101", "2026-01-02T07:00", RULES), A_WAKE_UP, "RE|RN101|RS4|"),
        (told_wake_up_cancel("101", None, RULES), A_WAKE_UP, "RE|RN101|RS4|"),
        (told_wake_up_cancel("101", None, RULES), told_wake_up_cancel("101", None, RULES), "RE|RN101|RS4|"),
    ],
)
def test_what_the_phone_has_told_otherwise_since_is_not_so_again(
    playing: Playing, first: Told, second: Told, said: str
) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(first), from_phone(second))
    say(playing, said)
    before, events = _look(playing), len(playing.events())
    taken = playing.do(take, Take(LINK, NOW))
    assert isinstance(taken, Row)
    assert taken.text == first.record.text
    assert (_look(playing), len(playing.events())) == (before, events)


@pytest.mark.parametrize(
    "other",
    [
        told_dnd("101", {"on": True}),
        told_dnd("102", {"on": True}),
        told_status("101", {"status": 3}, {}),
        told_wake_up("101", {"at": "2026-01-02T08:00"}, START, RULES),
        told_wake_up_cancel("101", "2026-01-02T08:00", RULES),
        told_wake_up_cancel("102", None, RULES),
    ],
)
def test_what_it_has_told_about_something_else_changes_nothing_of_that(playing: Playing, other: Told) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(A_WAKE_UP), from_phone(other))
    say(playing, "WC|RN101|DA260102|TI070000|")
    playing.do(take, Take(LINK, NOW))
    assert A_WAKE_UP.change is not None
    assert A_WAKE_UP.change.value in [one.at for one in _room(playing, "101").wake_ups]


def test_a_sign_and_a_status_are_two_things(playing: Playing) -> None:
    say(playing, HERE)
    calls = [told_dnd("101", {"on": True}), told_status("101", {"status": 3}, {})]
    playing.do_all(accept, *map(from_phone, calls))
    say(playing, "RE|RN101|DNN|")
    playing.do(take, Take(LINK, NOW))
    assert _room(playing, "101").do_not_disturb


def test_of_all_that_a_phone_cancels_what_it_has_ordered_since_stays(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told_wake_up_cancel("101", None, RULES)), from_phone(A_WAKE_UP))
    say(playing, "WR|RN101|DA260102|TI080000|")
    playing.do(take, Take(LINK, NOW))
    assert A_WAKE_UP.change is not None
    assert [one.at for one in _room(playing, "101").wake_ups] == [A_WAKE_UP.change.value]


def test_of_a_room_that_nobody_knows_there_is_nothing_to_cancel(playing: Playing) -> None:
    late = told_wake_up("101", {"at": "2026-01-01T00:00"}, START, RULES)
    playing.store.houses.live_by("grand", RULES)
    cancel = from_phone(told_wake_up_cancel("101", None, RULES))
    playing.do_all(accept, cancel, from_phone(late, change=None))
    assert isinstance(playing.do(take, Take(LINK, NOW)), Row)
    assert playing.room() is None


def test_a_wake_up_whose_moment_has_passed_is_not_ordered_again(playing: Playing) -> None:
    say(playing, HERE)
    soon = told_wake_up("101", {"at": "2026-01-01T00:01"}, START, RULES)
    playing.do_all(accept, from_phone(soon))
    say(playing, "WC|RN101|DA|TI|")
    assert isinstance(playing.do(take, Take(LINK, NOW + 60_000)), Row)
    assert _room(playing, "101").wake_ups == ()


def test_what_was_sent_before_is_not_so_once_more(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(told_dnd("101", {"on": True})))
    playing.do_all(take, Take(LINK, NOW))
    playing.do_all(leave, Leave(LINK, True, 3))
    say(playing, "RE|RN101|DNN|")
    assert isinstance(playing.do(take, Take(LINK, NOW)), Row)
    assert not _room(playing, "101").do_not_disturb


def test_a_wake_up_for_which_there_is_no_room_any_more_is_sent_all_the_same(playing: Playing) -> None:
    say(playing, HERE)
    playing.do_all(accept, from_phone(A_WAKE_UP))
    say(playing, "WC|RN101|DA|TI|")
    say(
        playing,
        *(f"WR|RN101|DA260103|TI{number // 60:02}{number % 60:02}|" for number in range(MOST_WAKE_UPS)),
    )
    assert isinstance(playing.do(take, Take(LINK, NOW)), Row)
    assert len(_room(playing, "101").wake_ups) == MOST_WAKE_UPS


def _look(playing: Playing) -> tuple[object, ...]:
    room = _room(playing, "101")
    return room.do_not_disturb, room.status, [one.at for one in room.wake_ups]
