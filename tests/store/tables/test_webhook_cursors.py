"""How far each link's webhook has been told, and how much is left."""

from __future__ import annotations

from pmslink.store.tables.log_entries import keep_transitions
from pmslink.store.tables.webhook_cursors import Cursor, count_after, keep_cursors, kept_cursors
from tests.store.store_harness import LINK, Playing
from tests.store.tables.test_history_queries import a_change


def test_the_newest_of_each_link_is_kept_over_a_restart(playing: Playing) -> None:
    playing.do_all(keep_cursors, Cursor(LINK, 7), Cursor("annexe", 5), Cursor(LINK, 9))
    playing.do(keep_cursors, Cursor("annexe", 6))
    assert playing.read(kept_cursors) == {LINK: 9, "annexe": 6}
    playing.crash()
    playing.start()
    assert playing.store.opened.cursors == {LINK: 9, "annexe": 6}


def test_one_without_a_number_is_forgotten(playing: Playing) -> None:
    playing.do_all(keep_cursors, Cursor(LINK, 7), Cursor("annexe", 5))
    playing.do_all(keep_cursors, Cursor(LINK, 8), Cursor(LINK, None))
    assert playing.read(kept_cursors) == {"annexe": 5}


def test_events_and_changes_of_the_link_are_counted_that_come_after_a_number(playing: Playing) -> None:
    playing.say("GI|RN101|", "RE|RN101|MLY|", "XL|RN101|MTHello|")
    playing.do(keep_transitions, a_change(1))
    playing.say("GI|RN101|", link="annexe")
    first, second = playing.events()
    last = playing.tellings()[-1]

    def count(after: int, until: int) -> int:
        return playing.read(count_after, LINK, after, until)

    assert count(0, last) == 3
    assert count(first.seq, last) == 2
    assert count(first.seq - 1, second.seq) == 2
    assert count(second.seq, second.seq) == 0
