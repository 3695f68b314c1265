"""While the disk fails: what must be kept waits, the rest is refused at once, everybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher

from pmslink.store.core.journal import MOST_WAITING, RETRY
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.core.store_metadata import nothing
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.outbox_enqueue import accept
from pmslink.store.tables.history_queries import last_told, newest_records
from pmslink.store.tables.log_entries import Announced, Entry, keep_announcements
from tests.store.store_harness import LINK, START, Playing, a_record, echo, offer


def texts(connection: Connection) -> list[str]:
    return [record.text for record in newest_records(connection, LINK, None, None, None, 100)][::-1]


@pytest.fixture
def health(playing: Playing) -> list[str | None]:
    """Every reason that was told, None for an end."""
    reasons: list[str | None] = []
    playing.journal.health.append(lambda: reasons.append(playing.journal.reason))
    return reasons


def break_it(playing: Playing) -> None:
    playing.database.fail()
    playing.journal.append(nothing, None)
    playing.turn()
    assert playing.journal.failing


def test_what_need_not_be_kept_fails_with_the_reason(playing: Playing) -> None:
    playing.database.fail()
    first, second = playing.do_all(accept, offer(), offer())
    for outcome in (first, second):
        assert isinstance(outcome, StoreFailing)
        assert str(outcome) == "the disk is gone"


def test_while_it_fails_new_work_is_refused_without_being_tried(playing: Playing) -> None:
    break_it(playing)
    tried = playing.database.commits
    failed: list[object] = []
    playing.journal.write(accept, offer()).addErrback(lambda failure: failed.append(failure.type))
    assert failed == [StoreFailing]  # in the same turn
    assert playing.database.commits == tried


def test_what_must_be_kept_is_tried_each_second_and_succeeds_in_order(playing: Playing) -> None:
    playing.database.fail()
    kept = [playing.journal.write(keep_records, a_record(f"GI|{n}|"), keep=True) for n in range(3)]
    playing.turn()
    tried = playing.database.commits
    playing.turn(RETRY / 2)
    assert playing.database.commits == tried
    playing.turn(RETRY / 2)
    assert playing.database.commits == tried + 1
    kept.append(playing.journal.write(keep_records, a_record("GI|3|"), keep=True))
    playing.journal.append(keep_records, a_record("GI|4|"))
    playing.turn()
    assert playing.database.commits == tried + 1
    playing.database.mend()
    playing.turn(RETRY)
    assert playing.outcomes(kept) == [None] * 4
    assert playing.read(texts) == [f"GI|{n}|" for n in range(5)]
    assert playing.tellings() == sorted(set(playing.tellings()))
    assert len(playing.told) == 5


def test_it_finds_out_by_itself_that_the_disk_is_well(playing: Playing, health: list[str | None]) -> None:
    playing.database.fail()
    playing.do_all(echo, 1)
    playing.database.mend()
    playing.turn(RETRY)
    assert health == ["the disk is gone", None]
    assert not playing.journal.failing
    tried = playing.database.commits
    playing.turn(60)
    assert playing.database.commits == tried


def test_health_is_told_on_both_edges_only(playing: Playing, health: list[str | None]) -> None:
    break_it(playing)
    for _ in range(5):
        playing.turn(RETRY)
    assert health == ["the disk is gone"]
    playing.database.mend()
    playing.turn(RETRY)
    playing.do(echo, 1)
    assert health == ["the disk is gone", None]


def test_an_outage_is_logged_in_a_line_and_not_as_a_failure(playing: Playing) -> None:
    lines: list[object] = []
    publisher: Any = globalLogPublisher  # which mypy lets no plain function observe

    def watch(event: object) -> None:
        lines.append(event)

    publisher.addObserver(watch)
    try:
        break_it(playing)
        playing.turn(RETRY)
    finally:
        publisher.removeObserver(watch)
    levels = {event["log_level"] for event in lines if isinstance(event, dict)}
    assert levels == {LogLevel.error}


def announced(text: str = "{}") -> Announced:
    return Announced(START, text)


def test_how_the_links_are_is_told_once_although_it_cannot_be_kept(playing: Playing) -> None:
    playing.database.fail()
    news, record = announced(), a_record()
    playing.journal.append(keep_records, record)
    playing.journal.append(keep_announcements, news)
    playing.turn()
    assert playing.told == [news]
    playing.turn(RETRY)
    later = announced('{"later": true}')
    playing.journal.append(keep_announcements, later)
    playing.turn(RETRY)
    assert playing.told == [news, later]
    seqs = [news.seq, later.seq]
    playing.database.mend()
    playing.turn(RETRY)
    assert playing.told == [news, later, record]
    assert [news.seq, later.seq] == seqs
    assert playing.tellings() == sorted(set(playing.tellings()))
    kept = playing.read(last_told, 10)
    assert [(entry.seq, entry.told) for entry in kept] == [(seq, True) for seq in seqs]


def test_an_announcement_that_can_be_kept_is_told_as_any_other(playing: Playing) -> None:
    news = announced()
    playing.do(keep_announcements, news)
    assert playing.told == [news]
    (kept,) = playing.read(last_told, 10)
    assert isinstance(kept, Announced)
    assert (kept.seq, kept.at, kept.text) == (news.seq, START, "{}")


def test_too_much_is_taken_when_it_must_be_kept(playing: Playing) -> None:
    break_it(playing)
    for _ in range(MOST_WAITING + 1):
        playing.journal.append(nothing, None)
    kept = playing.journal.write(echo, 1, keep=True)
    assert playing.journal.crowded
    playing.database.mend()
    playing.turn(RETRY)
    assert playing.result(kept) == 1


def test_idle_waits_for_what_could_not_be_written(playing: Playing) -> None:
    break_it(playing)
    fired: list[str] = []
    playing.journal.idle().addCallback(lambda _: fired.append("idle"))
    playing.turn(RETRY)
    assert fired == []
    playing.database.mend()
    playing.turn(RETRY)
    assert fired == ["idle"]


def test_a_journal_that_is_stopped_tries_no_more(playing: Playing) -> None:
    break_it(playing)
    playing.journal.stop()
    tried = playing.database.commits
    playing.turn(10 * RETRY)
    playing.journal.append(nothing, None)
    playing.turn()
    assert playing.database.commits == tried


def test_a_commit_that_fails_after_the_stop_is_not_tried_again(playing: Playing) -> None:
    playing.database.fail()
    tried = playing.database.commits
    playing.journal.append(nothing, None)
    playing.journal.health.append(playing.journal.stop)
    playing.turn(10 * RETRY)
    assert playing.database.commits == tried + 1


def test_nothing_of_a_commit_that_failed_is_there(playing: Playing) -> None:
    def fail_late(transaction: object, arguments: Sequence[None]) -> Sequence[None]:
        playing.database.fail()
        return arguments

    playing.do_all(keep_records, a_record("GI|1|"))
    first = playing.journal.write(keep_records, a_record("GI|2|"))
    second = playing.journal.write(fail_late, None)
    playing.outcomes([first, second])
    assert playing.read(texts) == ["GI|1|"]
    playing.database.mend()
    playing.turn(RETRY)
    assert playing.read(texts) == ["GI|1|"]


def test_a_key_that_was_refused_is_free(playing: Playing) -> None:
    playing.database.fail()
    (refused,) = playing.do_all(accept, offer(key="k", asked="a"))
    assert isinstance(refused, StoreFailing)
    playing.database.mend()
    playing.turn(RETRY)
    (accepted,) = playing.do_all(accept, offer(key="k", asked="b"))
    assert accepted.new  # type: ignore[union-attr]


def test_the_clock_of_the_journal_is_the_one_it_was_given(playing: Playing) -> None:
    break_it(playing)
    clock = playing.clock
    assert isinstance(clock, Clock)
    assert any(call.getTime() == clock.seconds() + RETRY for call in clock.getDelayedCalls())


def test_who_is_told_gets_whole_commits(playing: Playing) -> None:
    commits: list[int] = []

    def count(entries: Sequence[Entry]) -> None:
        commits.append(len(entries))

    playing.journal.told.append(count)
    playing.do_all(keep_records, *(a_record() for _ in range(7)))
    playing.do_all(keep_records, *(a_record() for _ in range(2)))
    assert commits == [7, 2]
