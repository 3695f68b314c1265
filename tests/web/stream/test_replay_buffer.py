"""What was last told, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import (
    HotelEventLogged,
    LinkSnapshotLogged,
    NextDueChanged,
    RecordLogged,
    TransitionLogged,
)
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged
from pmslink.web.stream.replay_buffer import ReplayBuffer
from pmslink.web.stream.sse_events import estimate_size_bytes, is_streamed, published_link_names
from tests.web.served_api import START_TIME


def numbered(seq: int, entry: Entry) -> Entry:
    entry.seq = seq
    return entry


def happening(seq: int, second: int = 0) -> Entry:
    at = START_TIME + timedelta(seconds=second)
    return numbered(seq, HotelEventLogged("grand", at, "room.message_light", "101", '{"value": true}'))


def numbers(past: ReplayBuffer, after: int) -> Iterable[int]:
    while (kept := past.first_after(after)) is not None:
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
    past = ReplayBuffer(100, most, most_bytes)
    given: list[int] = []
    for batch in batches:
        entries = []
        for step in batch:
            given.append((given[-1] if given else 100) + step)
            entries.append(happening(given[-1]))
        past.add(entries, START_TIME)
        assert past.last_seq == (given[-1] if given else 100)
        kept = [number for number in given if number > past.last_evicted_seq]
        assert list(numbers(past, past.last_evicted_seq)) == kept
        for number in kept:
            assert list(numbers(past, number - 1)) == [one for one in given if one >= number]
            if (first := past.first_after(number - 1)) is not None:
                past.render(first)
        assert len(kept) <= most
        assert past._size_bytes <= most_bytes
        expected = sum(
            estimate_size_bytes(one.entry) + len(one.sse or b"") for one in past._events[past._first_index :]
        )
        assert past._size_bytes == expected


def test_an_event_that_is_forgotten_while_it_is_read_is_still_told() -> None:
    past = ReplayBuffer(0)
    past.add([happening(1), happening(2)], START_TIME)
    kept = past.first_after(0)
    assert kept is not None
    past._max_events = 1
    past.add([happening(3)], START_TIME)
    assert past.render(kept).startswith(b"id: 1\nevent: event\n")
    assert past._size_bytes == estimate_size_bytes(happening(3))


def test_guests_are_forgotten_in_the_order_of_what_happened() -> None:
    past = ReplayBuffer(0)
    announced = numbered(2, LinkSnapshotLogged(START_TIME, "{}"))
    past.add([happening(1, 0), announced, happening(3, 5), happening(4, 0)], START_TIME)
    past.evict_guest_events(START_TIME + timedelta(seconds=3))
    assert list(numbers(past, 0)) == [2, 3, 4]  # the last was dated back by a clock gone wrong
    assert past.last_evicted_seq == 1
    past.evict_guest_events(START_TIME + timedelta(seconds=9))
    assert list(numbers(past, 0)) == []
    assert (past.last_evicted_seq, past.last_seq, past._size_bytes) == (4, 4, 0)
    past.evict_guest_events(START_TIME + timedelta(seconds=9))


def test_who_was_told_of_which_links() -> None:
    def announced(text: str) -> Entry:
        return LinkSnapshotLogged(START_TIME, text)

    entries = [
        announced('{"link":{"name":"a","state":"CLOSED"},"transition":null}'),
        announced('{"link":{"name":"b"},"transition":null}'),
        happening(1),
        announced('{"removed":["a", "c"]}'),
        announced('{"link":{"name":"d"},"transition":null}'),
    ]
    assert published_link_names(entries) == {"b", "d"}


def test_what_an_earlier_service_told_has_the_time_of_its_last_change() -> None:
    row = OutboxRow(
        5, "grand", "PS", "minibar", "1", "{}", "PS|", None, None, None, None, 1, 1000, 6, sent=2000
    )
    past = ReplayBuffer(0)
    past.add([numbered(6, OutboxRowChanged(row))], None)
    kept = past.first_after(0)
    assert kept is not None
    assert b'"at":"1970-01-01T00:00:02.000Z"' in past.render(kept)


def test_a_size_is_known_of_all_that_is_shown() -> None:
    changed = TransitionLogged(1, "grand", START_TIME, None, "CLOSED", "why", "{}")
    assert is_streamed(changed)
    assert estimate_size_bytes(changed) > 600
    assert is_streamed(happening(1))
    assert estimate_size_bytes(happening(1)) > 400
    for hidden in (RecordLogged("grand", START_TIME, "in", "GI", "GI|"), NextDueChanged("grand", 1)):
        assert not is_streamed(hidden)
    with pytest.raises(TypeError):
        estimate_size_bytes(Entry())
