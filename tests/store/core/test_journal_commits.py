"""The journal: one commit for what waits, results in order, neighbours spared, told when it is safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select
from twisted.logger import LogEvent

from pmslink.store.core.schema import RECORDS
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.store_service import PURGE_INTERVAL
from pmslink.store.tables.history_queries import newest_records
from pmslink.store.tables.log_entries import Entry, Transaction
from tests.store.store_harness import LINK, Playing, Slow, a_record, echo

BAD = "GI|GN\ud800|"
"""A lone surrogate, which no database takes as text."""


def texts(connection: Connection) -> list[str]:
    return [record.text for record in newest_records(connection, LINK, None, None, None, 100)][::-1]


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(RECORDS)).scalar_one()


def test_what_one_turn_hands_over_is_one_commit(playing: Playing) -> None:
    before = playing.database.commits
    results = playing.do_all(echo, *range(100))
    assert playing.database.commits == before + 1
    assert results == list(range(100))


def test_a_second_turn_is_a_second_commit(playing: Playing) -> None:
    before = playing.database.commits
    playing.do(echo, 1)
    playing.do(echo, 2)
    assert playing.database.commits == before + 2


def test_nothing_is_committed_while_nothing_is_to_be_kept(playing: Playing) -> None:
    before = playing.database.commits
    playing.turn(PURGE_INTERVAL - 1)
    assert playing.database.commits == before


def test_what_arrives_meanwhile_goes_into_the_next_commit(playing: Playing, slow: Slow) -> None:
    before = playing.database.commits
    fired: list[int] = []
    for number in range(5):
        playing.journal.write(echo, number).addCallback(fired.append)
        playing.turn()  # the first begins a commit, which lasts
    assert fired == []
    slow.work()
    assert (fired, playing.database.commits) == ([0], before + 1)
    playing.turn()
    slow.work()
    assert (fired, playing.database.commits) == ([0, 1, 2, 3, 4], before + 2)


def test_neighbours_with_one_operation_are_one_call_and_all_stay_in_order(playing: Playing) -> None:
    calls: list[tuple[str, list[int]]] = []

    def odd(transaction: Transaction, arguments: Sequence[int]) -> Sequence[None]:
        calls.append(("odd", list(arguments)))
        return [None] * len(arguments)

    def even(transaction: Transaction, arguments: Sequence[int]) -> Sequence[None]:
        calls.append(("even", list(arguments)))
        return [None] * len(arguments)

    for number in (1, 3, 2, 5, 7):
        playing.journal.append(odd if number % 2 else even, number)
    playing.turn()
    assert calls == [("odd", [1, 3]), ("even", [2]), ("odd", [5, 7])]


def test_an_operation_gives_some_a_result_and_others_an_error(playing: Playing) -> None:
    def judge(transaction: Transaction, numbers: Sequence[int]) -> Sequence[int | Exception]:
        return [KeyError(number) if number % 2 else number for number in numbers]

    two, three = playing.do_all(judge, 2, 3)
    assert two == 2
    assert isinstance(three, KeyError)


def test_what_is_at_fault_itself_does_not_spoil_its_neighbours(playing: Playing) -> None:
    results = playing.do_all(keep_records, *map(a_record, ["GI|1|", BAD, "GI|2|"]))
    assert [type(result) for result in results] == [type(None), UnicodeEncodeError, type(None)]
    assert playing.read(texts) == ["GI|1|", "GI|2|"]
    assert not playing.journal.failing
    assert len(playing.told) == 2
    assert playing.tellings() == sorted(set(playing.tellings()))


def test_what_nobody_waits_for_and_is_at_fault_is_logged(
    playing: Playing, nothing_left_behind: list[LogEvent]
) -> None:
    playing.journal.append(keep_records, a_record(BAD))
    playing.journal.append(keep_records, a_record("GI|1|"))
    playing.turn()
    assert playing.read(texts) == ["GI|1|"]
    (event,) = nothing_left_behind
    assert "something could not be kept" in str(event["log_format"])
    nothing_left_behind.clear()


def test_an_outage_among_neighbours_that_are_tried_alone_repeats_nothing(playing: Playing) -> None:
    """The first is at fault, the second is committed alone, then the disk goes."""
    begun = playing.database.commits
    playing.database.fail_at = lambda commit: commit > begun + 1
    journal = playing.journal
    outcomes: list[Any] = []
    for text, keep in [(BAD, False), ("GI|1|", True), ("GI|2|", True), ("GI|3|", False)]:
        journal.write(keep_records, a_record(text), keep).addBoth(lambda outcome: outcomes.append(outcome))
    playing.turn()
    assert [getattr(one, "type", None) for one in outcomes] == [UnicodeEncodeError, None, StoreFailing]
    assert [entry.text for entry in playing.told] == ["GI|1|"]  # type: ignore[attr-defined]
    playing.database.mend()
    playing.turn(1)
    assert playing.read(texts) == ["GI|1|", "GI|2|"]
    assert playing.tellings() == sorted(set(playing.tellings()))


# what is told


def test_an_entry_gets_its_number_and_is_told_once_it_is_safe(playing: Playing, slow: Slow) -> None:
    record = a_record()
    seen: list[tuple[int, bool]] = []
    playing.journal.told.append(lambda entries: seen.append((playing.read(count), record.told)))
    playing.journal.append(keep_records, record)
    playing.turn()
    assert (record.seq, record.told, seen) == (0, False, [])
    slow.work()
    assert (seen, record.told) == ([(1, True)], True)
    assert playing.journal.told_up_to == record.seq > 0


def test_all_is_told_before_whoever_wrote_it_hears(playing: Playing) -> None:
    order: list[str] = []
    playing.journal.told.append(lambda entries: order.append("told"))
    done = playing.journal.write(keep_records, a_record())
    done.addCallback(lambda _: order.append("done"))
    playing.turn()
    assert order == ["told", "done"]


def test_all_is_told_in_growing_order(playing: Playing) -> None:
    for _ in range(3):
        playing.do_all(keep_records, *(a_record() for _ in range(50)))
        playing.accept()
    assert len(playing.told) == 153
    assert playing.tellings() == sorted(set(playing.tellings()))


def test_nothing_is_told_of_a_commit_without_entries(playing: Playing) -> None:
    tellings: list[Sequence[Entry]] = []
    playing.journal.told.append(tellings.append)
    playing.do(echo, 1)
    assert tellings == []


def test_one_who_is_told_and_fails_does_not_keep_it_from_the_others(
    playing: Playing, nothing_left_behind: list[LogEvent]
) -> None:
    def broken(entries: Sequence[Entry]) -> None:
        raise RuntimeError

    playing.journal.told.insert(0, broken)
    playing.do(keep_records, a_record())
    assert len(playing.told) == 1
    (event,) = nothing_left_behind
    assert event["log_failure"].type is RuntimeError
    nothing_left_behind.clear()


def test_one_who_hears_of_health_and_fails_leaves_nobody_without_an_answer(
    playing: Playing, nothing_left_behind: list[LogEvent]
) -> None:
    def broken() -> None:
        raise RuntimeError

    playing.journal.health.append(broken)
    playing.database.fail()
    (refused,) = playing.do_all(echo, 1)
    assert isinstance(refused, StoreFailing)
    kept = playing.journal.write(echo, 2, keep=True)
    playing.database.mend()
    playing.turn(1)
    assert playing.result(kept) == 2
    assert [event["log_failure"].type for event in nothing_left_behind] == [RuntimeError] * 2
    nothing_left_behind.clear()
