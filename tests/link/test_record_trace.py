"""The trace of a link: what it remembers, counts and shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from twisted.internet.task import Clock

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.record import Record
from pmslink.link import record_trace
from pmslink.link.record_storage import RecordStorage
from pmslink.link.record_trace import MAX_CHARACTERS, Trace
from pmslink.store.core.journal_interface import NullJournal
from tests.link.link_harness import START, LinkHarness
from tests.memory_store import make_store


def test_the_trace_remembers_the_newest_records_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    for _ in range(3):
        harness.send(*["GI|RN101|"] * 500)
    entries = list(harness.link.trace.newest(None, None, None))
    assert len(entries) == record_trace.MAX_RECORDS
    assert [entry.seq for entry in entries] == sorted((entry.seq for entry in entries), reverse=True)
    assert harness.link.trace.record_counts["in", "GI"] == 1500
    assert harness.link.trace.last_received == harness.wall_clock()


def test_the_trace_can_be_filtered_by_direction_type_and_sequence_number() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    trace: Trace = harness.link.trace
    assert [entry.text for entry in trace.newest(None, "in", None)] == ["LA|", "LS|"]
    assert {entry.direction for entry in trace.newest(None, None, "LA")} == {"in", "out"}
    newest, *older = trace.newest(None, None, None)
    assert list(trace.newest(newest.seq, None, None)) == older


def test_the_total_text_of_the_trace_is_bounded() -> None:
    trace = Trace("hotel", lambda: START)
    storage = RecordStorage(NullJournal(), LinkSettings)
    long = Record("LA|" + "A1|" * 5000)
    for _ in range(100):
        storage.store(trace.add("in", "LA", long))
    assert len(list(trace.newest(None, None, None))) == MAX_CHARACTERS // len(long.text)
    assert trace.record_counts["in", "LA"] == 100


def test_the_trace_shows_a_stored_record_only_after_its_commit() -> None:
    clock = Clock()
    store = make_store(clock, lambda: START)
    trace = Trace("hotel", lambda: START)
    storage = RecordStorage(store.journal, LinkSettings)
    storage.store(trace.add("in", "GI", Record("GI|RN101|")))
    storage.store(trace.add("in", "LA", Record("LA|")))
    assert [entry.type for entry in trace.newest(None, None, None)] == ["LA"]
    clock.advance(0)
    assert [entry.type for entry in trace.newest(None, None, None)] == ["LA", "GI"]
    trace.purge(START)
    assert len(list(trace.newest(None, None, None))) == 2
    trace.purge(START + timedelta(seconds=1))
    assert not list(trace.newest(None, None, None))
