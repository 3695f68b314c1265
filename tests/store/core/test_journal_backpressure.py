"""How much may wait for the journal, and who waits for it to rest; and what a query sees."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, select
from twisted.internet.defer import Deferred

from pmslink.store.core.journal import CROWDED, MOST_WAITING
from pmslink.store.core.schema import RECORDS
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.core.store_metadata import nothing
from pmslink.store.operations.hotel_updates import keep_records
from tests.store.store_harness import Outage, Playing, Slow, a_record, echo


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(RECORDS)).scalar_one()


def test_crowded_is_over_once_it_is_written(playing: Playing, slow: Slow) -> None:
    journal = playing.journal
    called: list[str] = []
    for _ in range(CROWDED):
        journal.append(nothing, None)
    assert not journal.crowded
    journal.append(nothing, None)
    assert journal.crowded
    journal.when_roomy(lambda: called.append("roomy"))
    playing.turn()
    assert journal.crowded  # what is being written has not yet been written
    assert called == []
    slow.work()
    assert not journal.crowded
    assert called == ["roomy"]
    journal.append(nothing, None)
    playing.turn()
    slow.work()
    assert called == ["roomy"]


def test_who_waits_for_room_may_ask_again(playing: Playing) -> None:
    called: list[int] = []

    def again() -> None:
        called.append(1)
        if len(called) < 3:
            playing.journal.when_roomy(again)

    playing.journal.when_roomy(again)
    for _ in range(5):
        playing.do(echo, 1)
    assert len(called) == 3


def test_room_is_told_only_when_nothing_fails(playing: Playing) -> None:
    called: list[str] = []
    playing.database.fail()
    playing.do_all(echo, 1)
    playing.journal.when_roomy(lambda: called.append("roomy"))
    playing.turn(1)
    assert called == []
    playing.database.mend()
    playing.turn(1)
    assert called == ["roomy"]


def test_new_work_is_refused_while_too_much_waits_but_what_must_be_kept_is_not(playing: Playing) -> None:
    journal = playing.journal
    for _ in range(MOST_WAITING):
        journal.append(nothing, None)
    refused = journal.write(echo, 1)
    kept = journal.write(echo, 2, keep=True)
    first, second = playing.outcomes([refused, kept])
    assert isinstance(first, StoreFailing)
    assert "cannot keep up" in str(first)
    assert second == 2
    assert playing.do(echo, 3) == 3


def test_idle_fires_once_nothing_waits(playing: Playing, slow: Slow) -> None:
    fired: list[str] = []

    def watch(idle: Deferred[None], name: str) -> None:
        idle.addCallback(lambda _: fired.append(name))

    watch(playing.journal.idle(), "at rest")
    playing.turn()
    assert fired == ["at rest"]
    playing.journal.append(nothing, None)
    watch(playing.journal.idle(), "after the commit")
    playing.turn()
    playing.journal.append(nothing, None)
    slow.work()
    assert fired == ["at rest"]
    playing.turn()
    slow.work()
    assert fired == ["at rest", "after the commit"]


def test_a_query_that_is_wrong_says_so_and_the_next_is_answered(playing: Playing) -> None:
    def wrong(connection: Connection) -> None:
        raise LookupError

    def gone(connection: Connection) -> None:
        raise Outage("the disk is gone")

    with pytest.raises(LookupError):
        playing.read(wrong)
    with pytest.raises(StoreFailing, match="the disk is gone"):
        playing.read(gone)
    assert playing.read(count) == 0


def test_a_query_sees_what_is_committed_and_only_that(playing: Playing, slow: Slow) -> None:
    playing.journal.append(keep_records, a_record())
    playing.turn()
    assert playing.read(count) == 0
    slow.work()
    assert playing.read(count) == 1
