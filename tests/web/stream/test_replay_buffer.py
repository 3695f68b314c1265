"""What was last told, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.store.tables.log_entries import Announced, Changed, Entry, Happened, Planned, Recorded
from pmslink.store.tables.outbox_rows import Moved, Row
from pmslink.web.stream.replay_buffer import Past
from pmslink.web.stream.sse_events import is_shown, names_told, size
from tests.web.served_api import START


def numbered(seq: int, entry: Entry) -> Entry:
    entry.seq = seq
    return entry


def happening(seq: int, second: int = 0) -> Entry:
    at = START + timedelta(seconds=second)
    return numbered(seq, Happened("grand", at, "room.message_light", "101", '{"value": true}'))


def numbers(past: Past, after: int) -> Iterable[int]:
    while (kept := past.after(after)) is not None:
        after = kept.seq
        yield after


@given(
    st.lists(st.lists(st.integers(1, 5), max_size=8), max_size=20),
    st.integers(1, 20),
    st.integers(500, 5000),
)
def test_it_keeps_the_last_of_a_sequence_with_holes(
    batches: list[list[int]], most: int, most_bytes: int
) -> None:
    past = Past(100, most, most_bytes)
    given: list[int] = []
    for batch in batches:
        entries = []
        for step in batch:
            given.append((given[-1] if given else 100) + step)
            entries.append(happening(given[-1]))
        past.add(entries, START)
        assert past.last == (given[-1] if given else 100)
        kept = [number for number in given if number > past.forgotten]
        assert list(numbers(past, past.forgotten)) == kept
        for number in kept:
            assert list(numbers(past, number - 1)) == [one for one in given if one >= number]
            if (first := past.after(number - 1)) is not None:
                past.event(first)
        assert len(kept) <= most
        assert past._bytes <= most_bytes
        expected = sum(size(one.entry) + len(one.event or b"") for one in past._kept[past._begin :])
        assert past._bytes == expected


def test_an_event_that_is_forgotten_while_it_is_read_is_still_told() -> None:
    past = Past(0)
    past.add([happening(1), happening(2)], START)
    kept = past.after(0)
    assert kept is not None
    past._most = 1
    past.add([happening(3)], START)
    assert past.event(kept).startswith(b"id: 1\nevent: event\n")
    assert past._bytes == size(happening(3))


def test_guests_are_forgotten_in_the_order_of_what_happened() -> None:
    past = Past(0)
    announced = numbered(2, Announced(START, "{}"))
    past.add([happening(1, 0), announced, happening(3, 5), happening(4, 0)], START)
    past.forget_guests(START + timedelta(seconds=3))
    assert list(numbers(past, 0)) == [2, 3, 4]  # the last was dated back by a clock gone wrong
    assert past.forgotten == 1
    past.forget_guests(START + timedelta(seconds=9))
    assert list(numbers(past, 0)) == []
    assert (past.forgotten, past.last, past._bytes) == (4, 4, 0)
    past.forget_guests(START + timedelta(seconds=9))


def test_who_was_told_of_which_links() -> None:
    def announced(text: str) -> Entry:
        return Announced(START, text)

    entries = [
        announced('{"link":{"name":"a","state":"CLOSED"},"transition":null}'),
        announced('{"link":{"name":"b"},"transition":null}'),
        happening(1),
        announced('{"removed":["a", "c"]}'),
        announced('{"link":{"name":"d"},"transition":null}'),
    ]
    assert names_told(entries) == {"b", "d"}


def test_what_an_earlier_service_told_has_the_time_of_its_last_change() -> None:
    row = Row(5, "grand", "PS", "minibar", "1", "{}", "PS|", None, None, None, None, 1, 1000, 6, sent=2000)
    past = Past(0)
    past.add([numbered(6, Moved(row))], None)
    kept = past.after(0)
    assert kept is not None
    assert b'"at":"1970-01-01T00:00:02.000Z"' in past.event(kept)


def test_a_size_is_known_of_all_that_is_shown() -> None:
    changed = Changed(1, "grand", START, None, "CLOSED", "why", "{}")
    assert is_shown(changed)
    assert size(changed) > 600
    assert is_shown(happening(1))
    assert size(happening(1)) > 400
    for hidden in (Recorded("grand", START, "in", "GI", "GI|"), Planned("grand", 1)):
        assert not is_shown(hidden)
    with pytest.raises(TypeError):
        size(Entry())
