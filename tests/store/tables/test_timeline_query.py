"""Reading how a link was: what lies before the window, what is too much, and which run goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pmslink.store.tables import timeline_query
from pmslink.store.tables.availability import Timeline
from pmslink.store.tables.link_rows import KeptLink, Remove, keep_links, remove_links
from pmslink.store.tables.log_entries import Changed, Synced, keep_syncs, keep_transitions
from pmslink.store.tables.service_runs import Run, keep_runs
from pmslink.store.tables.timeline_query import read_timeline
from tests.store.store_harness import LINK, START, Playing

HOUR = timedelta(hours=1)
WINDOW = 24 * HOUR


def enters(playing: Playing, marker: str, link: str = LINK) -> None:
    number = playing.journal.number()
    playing.do(keep_transitions, Changed(number, link, playing.now, "CLOSED", marker, "because", "{}"))


def syncs(playing: Playing, in_sync: bool, link: str = LINK) -> None:
    playing.do(keep_syncs, Synced(playing.journal.number(), link, playing.now, in_sync))


def read(playing: Playing, length: timedelta = WINDOW, link: str = LINK) -> Timeline:
    """Up to now."""
    return playing.read(read_timeline, link, playing.now - length, playing.now, playing.store.run)


def told(found: Timeline) -> list[tuple[float, str | None]]:
    """Hours and state of each span."""
    return [((span.until - span.since) / HOUR, span.state) for span in found.spans]


def test_what_happened_within_the_window_and_last_before_it(playing: Playing) -> None:
    enters(playing, "WAIT_LS")
    enters(playing, "ESTABLISHED")
    syncs(playing, True)
    playing.now += 30 * HOUR
    syncs(playing, False)
    enters(playing, "EXPECTION")
    playing.now += 2 * HOUR
    found = read(playing)
    assert told(found) == [(22, "ESTABLISHED"), (2, "EXPECTION")]
    assert (found.in_sync, found.known) == (22 * HOUR, 24 * HOUR)
    assert told(read(playing, HOUR)) == [(1, "EXPECTION")]
    assert read(playing, HOUR).share == 0


def test_a_change_is_read_as_it_was_kept(playing: Playing) -> None:
    enters(playing, "WAIT_LS")
    playing.now += HOUR
    (_, span) = read(playing).spans
    assert span.changed is not None
    assert (span.changed.new, span.changed.reason, span.changed.cause) == ("WAIT_LS", "because", "{}")
    assert span.since == START


def test_of_each_link_its_own(playing: Playing) -> None:
    enters(playing, "ESTABLISHED")
    syncs(playing, True)
    enters(playing, "DISABLED", link="annexe")
    playing.now += HOUR
    assert told(read(playing, HOUR)) == [(1, "ESTABLISHED")]
    assert told(read(playing, HOUR, "annexe")) == [(1, "DISABLED")]
    assert read(playing, HOUR, "annexe").in_sync == timedelta()
    assert told(read(playing, HOUR, "nowhere")) == [(1, None)]


@pytest.mark.parametrize(("end", "noted"), [("stop", 5), ("crash", 0)])
def test_nothing_is_known_from_the_end_of_a_run_to_the_next(playing: Playing, end: str, noted: int) -> None:
    enters(playing, "ESTABLISHED")
    syncs(playing, True)
    playing.now += 5 * HOUR
    getattr(playing, end)()
    playing.now += HOUR
    playing.start()
    enters(playing, "WAIT_LS")
    playing.now += HOUR
    found = read(playing, 7 * HOUR)
    assert told(found)[-2:] == [(6 - noted, None), (1, "WAIT_LS")]
    assert (found.in_sync, found.known) == (noted * HOUR, (noted + 1) * HOUR)


def test_while_nothing_can_be_written_no_more_is_known_than_was_noted(playing: Playing) -> None:
    enters(playing, "ESTABLISHED")
    playing.now += HOUR
    playing.database.fail()
    playing.journal.append(keep_syncs, Synced(playing.journal.number(), LINK, playing.now, in_sync=True))
    playing.turn()
    assert told(read(playing, HOUR)) == [(1, None)]
    playing.database.mend()
    playing.turn(1)
    assert told(read(playing, HOUR)) == [(1, "ESTABLISHED")]


def test_a_removed_link_leaves_nothing_to_one_that_gets_its_name(playing: Playing) -> None:
    playing.do(keep_links, KeptLink(LINK, "{}", "enabled"))
    enters(playing, "ESTABLISHED")
    syncs(playing, True)
    playing.now += HOUR
    playing.do(remove_links, Remove(LINK, discard=False))
    assert told(read(playing)) == [(24, None)]
    enters(playing, "WAIT_LS")
    playing.now += HOUR
    assert told(read(playing, 2 * HOUR)) == [(1, None), (1, "WAIT_LS")]
    assert read(playing).in_sync == timedelta()


# where there is too much


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than three of a kind."""
    monkeypatch.setattr(timeline_query, "AT_MOST", 3)


def begins(found: Timeline) -> float:
    """How many hours before its end."""
    return (found.until - found.since) / HOUR


def test_after_too_many_changes_it_begins_later(few: None, playing: Playing) -> None:
    enters(playing, "CLOSED")
    for marker in ("WAIT_LS", "EXPECTION", "WAIT_LS"):
        playing.now += HOUR
        enters(playing, marker)
    assert begins(read(playing)) == 3  # there may have been more before
    playing.now += HOUR
    enters(playing, "ESTABLISHED")
    playing.now += HOUR
    found = read(playing)
    assert begins(found) == 4
    assert told(found) == [(1, "WAIT_LS"), (1, "EXPECTION"), (1, "WAIT_LS"), (1, "ESTABLISHED")]


def test_the_last_change_before_the_window_is_not_one_too_many(few: None, playing: Playing) -> None:
    for marker in ("CLOSED", "WAIT_LS", "EXPECTION", "WAIT_LS"):
        enters(playing, marker)
        playing.now += HOUR
    found = read(playing, 3.5 * HOUR)
    assert told(found) == [(0.5, "CLOSED"), (1, "WAIT_LS"), (1, "EXPECTION"), (1, "WAIT_LS")]


def test_after_too_many_changes_of_sync_it_begins_later(few: None, playing: Playing) -> None:
    enters(playing, "ESTABLISHED")
    for number in range(6):
        playing.now += HOUR
        syncs(playing, number % 2 == 0)
    playing.now += HOUR
    found = read(playing)
    assert told(found) == [(4, "ESTABLISHED")]
    assert (found.in_sync, found.known) == (2 * HOUR, 4 * HOUR)


def test_after_too_many_runs_it_begins_later(few: None, playing: Playing) -> None:
    for _ in range(6):
        playing.now += HOUR
        playing.crash()
        playing.start()
        enters(playing, "WAIT_LS")
    playing.now += HOUR
    assert begins(read(playing)) == 4


def test_a_clock_set_back_leaves_no_beginning_after_the_end(few: None, playing: Playing) -> None:
    for _ in range(9):
        playing.now += HOUR
        enters(playing, "WAIT_LS")
    playing.now = START
    found = read(playing)
    assert (found.since, found.spans) == (START, [])


def test_many_runs_of_long_ago_are_not_in_the_way(few: None, playing: Playing) -> None:
    for number in range(9):
        past: datetime = START - (9 - number) * WINDOW
        playing.do(keep_runs, Run(number, past, past + HOUR))
    enters(playing, "ESTABLISHED")
    playing.now += 2 * HOUR
    assert told(read(playing, HOUR)) == [(1, "ESTABLISHED")]
