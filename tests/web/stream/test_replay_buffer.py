"""Tests of the replay buffer: order, resume, limits and eviction of guest data."""

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
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, UnresolvedRowsRead
from pmslink.web.stream.link_snapshots import make_removal, parse_link_snapshot, published_link_names
from pmslink.web.stream.replay_buffer import ReplayBuffer, estimate_size_bytes
from pmslink.web.stream.sse_events import entry_kind
from tests.web.served_api import START_TIME


def with_seq(seq: int, entry: Entry) -> Entry:
    entry.seq = seq
    return entry


def hotel_event(seq: int, second: int = 0) -> Entry:
    at = START_TIME + timedelta(seconds=second)
    return with_seq(seq, HotelEventLogged("grand", at, "room.message_light", "101", '{"value": true}'))


def seqs_after(buffer: ReplayBuffer, after: int) -> Iterable[int]:
    while (buffered := buffer.first_after(after)) is not None:
        after = buffered.seq
        yield after


@given(
    st.lists(st.lists(st.integers(1, 5), max_size=8), max_size=20),
    st.integers(1, 20),
    st.integers(500, 5000),
)
def test_it_holds_the_newest_of_a_sequence_with_gaps(
    batches: list[list[int]], max_events: int, max_bytes: int
) -> None:
    buffer = ReplayBuffer(100, max_events, max_bytes)
    added: list[int] = []
    for batch in batches:
        entries = []
        for step in batch:
            added.append((added[-1] if added else 100) + step)
            entries.append(hotel_event(added[-1]))
        buffer.add(entries, START_TIME)
        assert buffer.last_seq == (added[-1] if added else 100)
        buffered = [seq for seq in added if seq > buffer.last_evicted_seq]
        assert list(seqs_after(buffer, buffer.last_evicted_seq)) == buffered
        for seq in buffered:
            assert list(seqs_after(buffer, seq - 1)) == [later for later in added if later >= seq]
            if (first := buffer.first_after(seq - 1)) is not None:
                buffer.render(first)
        assert len(buffered) <= max_events
        assert buffer._size_bytes <= max_bytes
        expected = sum(
            estimate_size_bytes(buffered.entry) + len(buffered.sse or b"")
            for buffered in buffer._events[buffer._first_index :]
        )
        assert buffer._size_bytes == expected


def test_an_event_evicted_while_it_is_read_is_still_rendered() -> None:
    buffer = ReplayBuffer(0)
    buffer.add([hotel_event(1), hotel_event(2)], START_TIME)
    buffered = buffer.first_after(0)
    assert buffered is not None
    buffer._max_events = 1
    buffer.add([hotel_event(3)], START_TIME)
    assert buffer.render(buffered).startswith(b"id: 1\nevent: event\n")
    assert buffer._size_bytes == estimate_size_bytes(hotel_event(3))


def test_guest_events_are_evicted_in_the_order_of_the_sequence() -> None:
    buffer = ReplayBuffer(0)
    snapshot = with_seq(2, LinkSnapshotLogged(START_TIME, "{}"))
    buffer.add([hotel_event(1, 0), snapshot, hotel_event(3, 5), hotel_event(4, 0)], START_TIME)
    buffer.evict_guest_events(START_TIME + timedelta(seconds=3))
    assert list(seqs_after(buffer, 0)) == [2, 3, 4]  # the clock had been set back before the last
    assert buffer.last_evicted_seq == 1
    buffer.evict_guest_events(START_TIME + timedelta(seconds=9))
    assert list(seqs_after(buffer, 0)) == []
    assert (buffer.last_evicted_seq, buffer.last_seq, buffer._size_bytes) == (4, 4, 0)
    buffer.evict_guest_events(START_TIME + timedelta(seconds=9))


def test_stored_snapshots_name_their_links() -> None:
    def snapshot(text: str) -> Entry:
        return parse_link_snapshot(LinkSnapshotLogged(START_TIME, text))

    entries = [
        snapshot('{"link":{"name":"a","state":"CLOSED"},"transition":null}'),
        snapshot('{ "transition": null, "link": {"state": "CLOSED", "name": "b"}}'),
        hotel_event(1),
        snapshot('{"removed":["a", "c"]}'),
        snapshot('{"link":{"name":"d"},"transition":null}'),
    ]
    assert published_link_names(entries) == {"b", "d"}
    assert [entry_kind(entry) for entry in entries] == ["link", "link", "event", "removal", "link"]


def test_a_stored_snapshot_keeps_its_number_and_text() -> None:
    stored = with_seq(7, LinkSnapshotLogged(START_TIME, '{"removed":["a"]}'))
    parsed = parse_link_snapshot(stored)
    assert (parsed.seq, parsed.published) == (7, stored.published)
    assert parse_link_snapshot(parsed) is parsed
    created = make_removal(["a"], START_TIME)
    assert isinstance(parsed, LinkSnapshotLogged)
    assert (created.text, created.is_removal) == (parsed.text, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "null",
        "5",
        "[]",
        '"removed"',
        "{}",
        '{"removed":null}',
        '{"removed":"a"}',
        '{"link":null}',
        '{"link":"a"}',
        '{"link":{"state":"CLOSED"}}',
        '{"link":{"name":5}}',
    ],
)
def test_a_stored_snapshot_of_another_shape_names_no_link(text: str) -> None:
    stored = with_seq(7, LinkSnapshotLogged(START_TIME, text))
    parsed = parse_link_snapshot(stored)
    assert published_link_names([parsed]) == set()
    assert (parsed.seq, entry_kind(parsed)) == (7, "link")


def test_a_stored_removal_may_contain_other_values() -> None:
    entries = [
        parse_link_snapshot(LinkSnapshotLogged(START_TIME, text))
        for text in ('{"link":{"name":"a"}}', '{"removed":[{},["b"],"a"]}')
    ]
    assert published_link_names(entries) == set()
    assert [entry_kind(entry) for entry in entries] == ["link", "removal"]


def test_a_row_published_by_an_earlier_run_has_the_time_of_its_last_change() -> None:
    row = OutboxRow(
        5, "grand", "PS", "minibar", "1", "{}", "PS|", None, None, None, None, 1, 1000, 6, sent=2000
    )
    buffer = ReplayBuffer(0)
    buffer.add([with_seq(6, OutboxRowChanged(row))], None)
    buffered = buffer.first_after(0)
    assert buffered is not None
    assert b'"at":"1970-01-01T00:00:02.000Z"' in buffer.render(buffered)


def test_the_size_of_every_streamed_entry_is_estimated() -> None:
    changed = TransitionLogged(1, "grand", START_TIME, None, "CLOSED", "why", "{}")
    assert entry_kind(changed) == "event"
    assert estimate_size_bytes(changed) > 600
    assert entry_kind(hotel_event(1)) == "event"
    assert estimate_size_bytes(hotel_event(1)) > 400
    record = RecordLogged("grand", START_TIME, "in", "GI", "GI|")
    for internal in (record, NextDueChanged("grand", 1), UnresolvedRowsRead([])):
        assert entry_kind(internal) is None
    with pytest.raises(TypeError):
        estimate_size_bytes(Entry())
