"""The stream of changes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from pmslink.hotel.events import Event
from pmslink.hotel.rooms import Guest, guest_json
from pmslink.link.link import Link
from pmslink.store.tables.hotel_events import happened
from pmslink.store.tables.log_entries import Transaction
from pmslink.web.stream import broadcaster, subscriber
from tests.time_limit import within
from tests.web.served_api import START, Served, turns
from tests.web.stream_client import watch

FIRST = int(START.timestamp() * 1000)


@within(10)
async def test_it_begins_with_every_link(served: Served) -> None:
    served.add("a")
    served.add("b", enabled=False)
    watching = await watch(served)
    assert await watching.has(2) == [("link", "a", None), ("link", "b", None)]
    assert watching.head["content-type"] == "text/event-stream"
    assert watching.head["cache-control"] == "no-store"
    assert watching.text.startswith("retry: 500\n\n")
    assert watching.events[-1].data["link"] == (await served.get("/api/v1/links/b")).json()
    assert watching.events[-1].id == served.store.journal.told_up_to
    await watching.end()


@within(10)
async def test_it_tells_changes_as_they_happen(served: Served) -> None:
    link = served.add()
    watching = await watch(served)
    served.dock()
    assert await watching.has(3) == [
        ("link", "grand", None),
        ("link", "grand", "ESTABLISHED"),
        ("link", "grand", None),
    ]
    _, docked, in_sync = watching.of("link")
    assert watching.ids == sorted(set(watching.ids))
    told = (await served.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert docked.data["transition"] == told[0]
    assert [one.data["link"]["in_sync"] for one in watching.of("link")] == [False, False, True]
    assert in_sync.data["at"] == "2026-11-20T07:00:00.000Z"
    link.disable()
    assert (await watching.has(4))[-1] == ("link", "grand", "DISABLED")
    await watching.end()


@within(10)
async def test_it_tells_what_happens_as_the_events_do(served: Served) -> None:
    served.add()
    watching = await watch(served)
    served.dock()
    served.say("GI|RN101|G#1|GNSmith|SF|")
    await watching.has(3)
    listed = (await served.get("/api/v1/links/grand/events")).json()["events"]
    first = watching.events[0].id
    assert [one.data for one in watching.of("event")] == [one for one in listed if one["seq"] > first]
    assert [one.data["type"] for one in watching.of("event")] == ["link.changed", "guest.checked_in"]
    await watching.end()


@within(10)
async def test_it_tells_how_a_posting_fares(served: Served) -> None:
    served.add()
    watching = await watch(served)
    await watching.has(1)
    minibar = {"type": "minibar", "room": "101", "article": "7"}
    taken = await served.post("/api/v1/links/grand/postings", minibar)
    served.run(2)
    served.dock()
    served.run(3)
    served.say("PA|RN101|ASOK|P#1|DA261120|TI070005|CTbooked|")
    await watching.has(3)
    told = watching.of("posting")
    assert [one.data["posting"]["state"] for one in told] == ["pending", "sent", "done"]
    assert [one.data["at"][17:23] for one in told] == ["00.000", "02.000", "05.000"]
    assert {one.data["link"] for one in told} == {"grand"}
    assert told[0].data["posting"] == taken.json()
    assert told[0].id == taken.json()["id"]
    last = (await served.get(f"/api/v1/links/grand/postings/{told[0].id}")).json()
    assert told[-1].data["posting"] == last
    await watching.end()


@within(10)
async def test_changed_settings_are_told(served: Served) -> None:
    await served.post("/api/v1/links", {"name": "new", "host": "pms", "port": 1})
    watching = await watch(served)
    await served.post("/api/v1/links/new", {"answer_timeout": 7}, method="PATCH")
    assert await watching.has(2) == [("link", "new", None)] * 2
    assert watching.events[-1].data["link"]["settings"]["answer_timeout"] == 7
    await watching.end()


@within(10)
async def test_links_are_told_of_even_while_nothing_can_be_kept(served: Served) -> None:
    link = served.add(enabled=False)
    watching = await watch(served)
    served.break_store()
    link.enable()
    assert await watching.has(3) == [
        ("link", "grand", None),
        ("link", "grand", "CLOSED"),
        ("link", "grand", "WAIT_LS"),
    ]
    assert not watching.of("event")
    served.mend_store()
    await watching.rest()
    told = [one.told[2] for one in watching.of("link") if one.data["transition"]]
    assert told[:2] == ["CLOSED", "WAIT_LS"]
    assert [one.told[2] for one in watching.of("event")] == told  # now that it is kept
    assert watching.ids == sorted(set(watching.ids))
    await watching.end()


@within(10)
async def test_comments_show_that_it_lives(served: Served) -> None:
    watching = await watch(served)
    served.run(broadcaster.HEARTBEAT - 1)
    await turns()
    assert ":\n\n" not in watching.text.replace("retry:", "")
    served.run(1)
    await served.until(lambda: watching.text.endswith("\n\n:\n\n"))
    await watching.end()


@within(10)
async def test_a_heartbeat_that_ends_is_logged(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(Logger, "failure", lambda self, format, *_, **__: logged.append(format))
    monkeypatch.setattr(served.site.api.stream, "_watchers", None)
    served.run(broadcaster.HEARTBEAT)
    assert logged == ["the stream has no heartbeat any more"]
    monkeypatch.undo()
    await served.listening.stopListening()  # all else ends as ever
    served._listen("127.0.0.1")


@within(10)
async def test_too_many_watchers_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcaster, "MOST_WATCHERS", 2)
    watching = [await watch(served), await watch(served)]
    assert (await served.get("/api/v1/stream")).error == (503, "too_many_watchers")
    assert b"pmslink_watchers 2.0" in (await served.get("/metrics")).body
    await watching[0].end()
    await served.until(lambda: len(served.site.api.stream) == 1)
    watching[0] = await watch(served)
    for one in watching:
        await one.end()


@within(10)
async def test_it_ends_with_the_service(served: Served) -> None:
    watching = await watch(served)
    await served.listening.stopListening()
    await watching.connection.closed
    await turns()
    served._listen("127.0.0.1")


# Watchers that are slow, and watchers that are many.


@within(20)
async def test_who_does_not_read_is_dropped_after_two_heartbeats(served: Served) -> None:
    link = docked(served)
    watching = await watch(served)
    watching.connection.transport.pauseProducing()  # type: ignore[union-attr]
    await fill(served)
    for _ in range(subscriber.BEATS_UNREAD):
        assert len(served.site.api.stream) == 1
        served.run(broadcaster.HEARTBEAT)
        await turns()
    assert len(served.site.api.stream) == 0
    link.disable()
    served.run()
    await watching.end()


@within(20)
async def test_who_falls_behind_what_is_kept_is_dropped(served: Served) -> None:
    docked(served)
    watching = await watch(served)
    watching.connection.transport.pauseProducing()  # type: ignore[union-attr]
    await fill(served)
    served.site.api.stream.past._most = 1
    served.say("GI|RN1|")
    assert len(served.site.api.stream) == 1
    watching.connection.transport.resumeProducing()  # type: ignore[union-attr]
    await watching.connection.closed
    await turns()
    assert len(served.site.api.stream) == 0
    assert watching.events[-1].id < served.site.api.stream.past.forgotten


@within(30)
async def test_who_reads_slowly_gets_all(served: Served) -> None:
    docked(served)
    watching = await watch(served)
    watching.connection.transport.pauseProducing()  # type: ignore[union-attr]
    told = await fill(served)
    watching.connection.transport.resumeProducing()  # type: ignore[union-attr]
    last = served.site.api.stream.past.last
    await served.until(lambda: b"id: %d\n" % last in watching.connection.received)
    served.run(broadcaster.HEARTBEAT)
    await turns()
    rooms = [one.data["room"] for one in watching.of("event")]
    assert rooms == [str(room) for room in range(told)]
    await watching.end()


@within(20)
async def test_many_events_are_written_in_parts(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    docked(served)
    watchings = [await watch(served) for _ in range(8)]
    for watching in watchings:
        await watching.has(1)
    written: list[list[int]] = []  # in each turn, each time
    write, turn = subscriber.Watcher.write, broadcaster.Stream._write

    def noted_write(self: subscriber.Watcher) -> int:
        written[-1].append(write(self))
        return written[-1][-1]

    def noted_turn(self: broadcaster.Stream) -> None:
        written.append([])
        turn(self)

    monkeypatch.setattr(subscriber.Watcher, "write", noted_write)
    monkeypatch.setattr(broadcaster.Stream, "_write", noted_turn)
    served.say(*(f"GI|RN{room}|" for room in range(150)))
    await served.until(lambda: sum(map(sum, written)) == 8 * 150)
    assert max(map(max, filter(None, written))) == subscriber.AT_ONCE
    assert max(map(sum, written)) == broadcaster.EVENTS_PER_TURN
    await turns()
    for watching in watchings:
        assert len(watching.of("event")) == 150
        await watching.end()


@within(20)
async def test_writing_that_goes_on_ends_with_the_service(served: Served) -> None:
    docked(served)
    watchings = [await watch(served) for _ in range(8)]
    served.pms.latest.say(*(f"GI|RN{room}|" for room in range(150)))
    served.site.api.stream._clock = Clock()  # which has no next turn
    served.run()
    assert served.site.api.stream._going_on is not None
    await served.listening.stopListening()
    for watching in watchings:
        await watching.connection.closed
    await turns()
    assert served.site.api.stream._going_on is None
    served._listen("127.0.0.1")


def docked(served: Served) -> Link:
    link = served.add()
    served.dock()
    return link


def tell_much(transaction: Transaction, rooms: Sequence[str]) -> Sequence[None]:
    """An operation: let something happen in these rooms that takes long to tell."""
    guest = guest_json(Guest("1", name="x" * 10_000))
    for room in rooms:
        happened(transaction, "grand", START, Event("guest.changed", room, {"guest": guest}))
    return [None] * len(rooms)


async def fill(served: Served) -> int:
    """Let so much happen that the only watcher, which does not read, has to wait; gives how much."""
    only = next(iter(served.site.api.stream._watchers))
    room = 0
    while not only._paused or only._got == served.site.api.stream.past.last:
        for _ in range(20):
            served.store.journal.append(tell_much, str(room))
            room += 1
        served.run()
        await turns(20)  # the system's own buffers have taken what they can
    return room
