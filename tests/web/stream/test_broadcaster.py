"""Tests of the stream: its content, its heartbeats, and slow or many subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.web.test.requesthelper import DummyRequest

from pmslink.hotel.events import Event
from pmslink.hotel.rooms import Guest, serialize_guest
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.hotel_events import append_event
from pmslink.web.auth.caller import Caller
from pmslink.web.stream import broadcaster, subscriber
from tests.time_limit import time_limit
from tests.turn_clock import TurnClock
from tests.web.served_api import START_TIME, ServedApi, make_link_config, run_reactor_turns
from tests.web.stream_client import open_stream

FIRST = int(START_TIME.timestamp() * 1000)


@time_limit(10)
async def test_a_stream_starts_with_all_links(served_api: ServedApi) -> None:
    served_api.add_link("a")
    served_api.add_link("b", enabled=False)
    client = await open_stream(served_api)
    assert await client.wait_for_changes(2) == [("link", "a", None), ("link", "b", None)]
    assert client.response_headers["content-type"] == "text/event-stream"
    assert client.response_headers["cache-control"] == "no-store"
    assert client.body_text.startswith("retry: 500\n\n")
    assert client.events[-1].data["link"] == (await served_api.get("/api/v1/links/b")).json()
    assert client.events[-1].id == served_api.store.journal.last_published_seq
    await client.disconnect()


@time_limit(10)
async def test_changes_of_a_link_are_streamed(served_api: ServedApi) -> None:
    link = served_api.add_link()
    client = await open_stream(served_api)
    served_api.dock()
    assert await client.wait_for_changes(3) == [
        ("link", "grand", None),
        ("link", "grand", "ESTABLISHED"),
        ("link", "grand", None),
    ]
    _, docked, in_sync = client.events_of_kind("link")
    assert client.event_ids == sorted(set(client.event_ids))
    reported = (await served_api.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert docked.data["transition"] == reported[0]
    assert [event.data["link"]["in_sync"] for event in client.events_of_kind("link")] == [
        False,
        False,
        True,
    ]
    assert in_sync.data["at"] == "2026-11-20T07:00:00.000Z"
    controls.disable(link)
    assert (await client.wait_for_changes(4))[-1] == ("link", "grand", "DISABLED")
    await client.disconnect()


@time_limit(10)
async def test_streamed_events_equal_listed_events(served_api: ServedApi) -> None:
    served_api.add_link()
    client = await open_stream(served_api)
    served_api.dock()
    served_api.send_from_pms("GI|RN101|G#1|GNSmith|SF|")
    await client.wait_for_changes(3)
    listed = (await served_api.get("/api/v1/links/grand/events")).json()["events"]
    first = client.events[0].id
    assert [event.data for event in client.events_of_kind("event")] == [
        event for event in listed if event["seq"] > first
    ]
    assert [event.data["type"] for event in client.events_of_kind("event")] == [
        "link.changed",
        "guest.checked_in",
    ]
    await client.disconnect()


@time_limit(10)
async def test_changes_of_a_posting_are_streamed(served_api: ServedApi) -> None:
    served_api.add_link()
    client = await open_stream(served_api)
    await client.wait_for_changes(1)
    minibar = {"type": "minibar", "room": "101", "article": "7"}
    accepted = await served_api.post("/api/v1/links/grand/postings", minibar)
    served_api.advance(2)
    served_api.dock()
    served_api.advance(3)
    served_api.send_from_pms("PA|RN101|ASOK|P#1|DA261120|TI070005|CTbooked|")
    await client.wait_for_changes(3)
    reported = client.events_of_kind("posting")
    assert [event.data["posting"]["state"] for event in reported] == ["pending", "sent", "done"]
    assert [event.data["at"][17:23] for event in reported] == ["00.000", "04.000", "05.000"]
    assert {event.data["link"] for event in reported} == {"grand"}
    assert reported[0].data["posting"] == accepted.json()
    assert reported[0].id == accepted.json()["id"]
    last = (await served_api.get(f"/api/v1/links/grand/postings/{reported[0].id}")).json()
    assert reported[-1].data["posting"] == last
    await client.disconnect()


@time_limit(10)
async def test_changed_settings_are_streamed(served_api: ServedApi) -> None:
    await served_api.post("/api/v1/links", {"name": "new", "host": "pms", "port": 1})
    client = await open_stream(served_api)
    await served_api.post("/api/v1/links/new", {"answer_timeout": 7}, method="PATCH")
    assert await client.wait_for_changes(2) == [("link", "new", None)] * 2
    assert client.events[-1].data["link"]["settings"]["answer_timeout"] == 7
    await client.disconnect()


@time_limit(10)
async def test_links_are_streamed_while_the_store_fails(served_api: ServedApi) -> None:
    link = served_api.add_link(enabled=False)
    client = await open_stream(served_api)
    served_api.break_store()
    controls.enable(link)
    assert await client.wait_for_changes(3) == [
        ("link", "grand", None),
        ("link", "grand", "CLOSED"),
        ("link", "grand", "WAIT_LS"),
    ]
    assert not client.events_of_kind("event")
    served_api.repair_store()
    await client.drain()
    reported = [event.link_change[2] for event in client.events_of_kind("link") if event.data["transition"]]
    assert reported[:2] == ["CLOSED", "WAIT_LS"]
    assert [
        event.link_change[2] for event in client.events_of_kind("event")
    ] == reported  # once they are stored
    assert client.event_ids == sorted(set(client.event_ids))
    await client.disconnect()


@time_limit(10)
async def test_heartbeats_are_comments(served_api: ServedApi) -> None:
    client = await open_stream(served_api)
    served_api.advance(broadcaster.HEARTBEAT_INTERVAL_S - 1)
    await run_reactor_turns()
    assert ":\n\n" not in client.body_text.replace("retry:", "")
    served_api.advance(1)
    await served_api.until(lambda: client.body_text.endswith("\n\n:\n\n"))
    await client.disconnect()


@time_limit(10)
async def test_the_end_of_the_heartbeats_is_logged(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(Logger, "failure", lambda self, format, *_, **__: logged.append(format))
    monkeypatch.setattr(served_api.site.api.broadcaster, "_subscribers", None)
    served_api.advance(broadcaster.HEARTBEAT_INTERVAL_S)
    assert logged == ["Heartbeats of the stream stopped; dead connections are no longer detected"]
    monkeypatch.undo()
    await served_api.listening_port.stopListening()  # everything else stops normally
    served_api._listen("127.0.0.1")


@time_limit(10)
async def test_too_many_subscribers_are_rejected(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_SUBSCRIBERS", 2)
    clients = [await open_stream(served_api), await open_stream(served_api)]
    assert (await served_api.get("/api/v1/stream")).error == (503, "too_many_watchers")
    assert b"pmslink_watchers 2\n" in (await served_api.get("/metrics")).body
    await clients[0].disconnect()
    await served_api.until(lambda: len(served_api.site.api.broadcaster) == 1)
    clients[0] = await open_stream(served_api)
    for client in clients:
        await client.disconnect()


@time_limit(10)
async def test_streams_end_with_the_service(served_api: ServedApi) -> None:
    client = await open_stream(served_api)
    await served_api.listening_port.stopListening()
    await client.connection.closed
    await run_reactor_turns()
    served_api._listen("127.0.0.1")


# Slow subscribers, and many subscribers


@time_limit(20)
async def test_a_subscriber_that_does_not_read_is_dropped_after_two_heartbeats(served_api: ServedApi) -> None:
    link = dock_link(served_api)
    client = await open_stream(served_api)
    client.connection.transport.pauseProducing()  # type: ignore[union-attr]
    only = next(iter(served_api.site.api.broadcaster._subscribers))
    await fill_buffers(served_api)
    # the operating system may take more for its buffers at any time, and the count begins again
    while len(served_api.site.api.broadcaster) == 1:
        assert only._unread_heartbeats < subscriber.MAX_UNREAD_HEARTBEATS
        served_api.advance(broadcaster.HEARTBEAT_INTERVAL_S)
        await run_reactor_turns()
    assert only._unread_heartbeats == subscriber.MAX_UNREAD_HEARTBEATS
    controls.disable(link)
    served_api.advance()
    await client.disconnect()


@time_limit(20)
async def test_a_subscriber_behind_the_replay_buffer_is_dropped(served_api: ServedApi) -> None:
    dock_link(served_api)
    client = await open_stream(served_api)
    client.connection.transport.pauseProducing()  # type: ignore[union-attr]
    await fill_buffers(served_api)
    served_api.site.api.broadcaster.replay_buffer._max_events = 1
    served_api.send_from_pms("GI|RN1|")
    assert len(served_api.site.api.broadcaster) == 1
    client.connection.transport.resumeProducing()  # type: ignore[union-attr]
    await client.connection.closed
    await run_reactor_turns()
    assert len(served_api.site.api.broadcaster) == 0
    assert client.events[-1].id < served_api.site.api.broadcaster.replay_buffer.last_evicted_seq


@time_limit(30)
async def test_a_slow_subscriber_receives_all_events(served_api: ServedApi) -> None:
    dock_link(served_api)
    client = await open_stream(served_api)
    client.connection.transport.pauseProducing()  # type: ignore[union-attr]
    reported = await fill_buffers(served_api)
    client.connection.transport.resumeProducing()  # type: ignore[union-attr]
    last = served_api.site.api.broadcaster.replay_buffer.last_seq
    await served_api.until(lambda: b"id: %d\n" % last in client.connection.received)
    served_api.advance(broadcaster.HEARTBEAT_INTERVAL_S)
    await run_reactor_turns()
    rooms = [event.data["room"] for event in client.events_of_kind("event")]
    assert rooms == [str(room) for room in range(reported)]
    await client.disconnect()


@time_limit(20)
async def test_many_events_are_written_in_several_turns(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock_link(served_api)
    streams = [await open_stream(served_api) for _ in range(8)]
    for client in streams:
        await client.wait_for_changes(1)
    written: list[list[int]] = []  # per turn, the events of each write
    write, turn = subscriber.Subscriber.write, broadcaster.Broadcaster._write_turn

    def recording_write(self: subscriber.Subscriber) -> int:
        written[-1].append(write(self))
        return written[-1][-1]

    def recording_turn(self: broadcaster.Broadcaster) -> None:
        written.append([])
        turn(self)

    monkeypatch.setattr(subscriber.Subscriber, "write", recording_write)
    monkeypatch.setattr(broadcaster.Broadcaster, "_write_turn", recording_turn)
    served_api.send_from_pms(*(f"GI|RN{room}|" for room in range(150)))
    await served_api.until(lambda: sum(map(sum, written)) == 8 * 150)
    assert max(map(max, filter(None, written))) == subscriber.EVENTS_PER_WRITE
    assert max(map(sum, written)) == broadcaster.EVENTS_PER_TURN
    await run_reactor_turns()
    for client in streams:
        assert len(client.events_of_kind("event")) == 150
        await client.disconnect()


class EagerRequest(DummyRequest):
    """A request of a client that has read everything at once, so that it can be written to again."""

    written_events = 0

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def write(self, data: bytes) -> None:
        self.written_events += data.count(b"event: link")
        self.producer.pauseProducing()
        self.producer.resumeProducing()


@time_limit(10)
async def test_the_beginnings_of_many_streams_share_the_turns(served_api: ServedApi) -> None:
    for number in range(300):
        served_api.links.add(make_link_config(f"hotel-{number}", port=1 + number, enabled=False))
    stream, clock = served_api.site.api.broadcaster, TurnClock()
    stream._clock = clock
    requests: list[Any] = [EagerRequest([b""]) for _ in range(5)]
    for request in requests:
        stream.subscribe(request, Caller())
    totals = [0]
    while totals[-1] < 5 * 300:
        totals.append(sum(request.written_events for request in requests))
        clock.run_turn()
    limit = broadcaster.EVENTS_PER_TURN + subscriber.EVENTS_PER_WRITE  # the last write may exceed it
    assert max(after - before for before, after in pairwise(totals)) < limit
    for request in requests:
        request.finish()


@time_limit(20)
async def test_pending_writes_end_with_the_service(served_api: ServedApi) -> None:
    dock_link(served_api)
    streams = [await open_stream(served_api) for _ in range(8)]
    served_api.pms.latest_connection.send(*(f"GI|RN{room}|" for room in range(150)))
    served_api.site.api.broadcaster._clock = Clock()  # its clock never runs the next turn
    served_api.advance()
    assert served_api.site.api.broadcaster._next_turn is not None
    await served_api.listening_port.stopListening()
    for client in streams:
        await client.connection.closed
    await run_reactor_turns()
    assert served_api.site.api.broadcaster._next_turn is None
    served_api._listen("127.0.0.1")


def dock_link(served: ServedApi) -> Link:
    link = served.add_link()
    served.dock()
    return link


def append_large_events(transaction: Transaction, rooms: Sequence[str]) -> Sequence[None]:
    """Append one large event for each of these rooms; an operation of the store."""
    guest = serialize_guest(Guest("1", name="x" * 10_000))
    for room in rooms:
        append_event(transaction, "grand", START_TIME, Event("guest.changed", room, {"guest": guest}))
    return [None] * len(rooms)


async def fill_buffers(served: ServedApi) -> int:
    """Append events until the only subscriber, which does not read, is paused; return how many."""
    only = next(iter(served.site.api.broadcaster._subscribers))
    room = 0
    while not only._is_paused or only._last_seq == served.site.api.broadcaster.replay_buffer.last_seq:
        for _ in range(20):
            served.store.journal.submit_nowait(append_large_events, str(room))
            room += 1
        served.advance()
        await run_reactor_turns(20)  # the buffers of the operating system fill up first
    return room
