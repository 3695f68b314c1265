"""The stream of changes."""

from __future__ import annotations

import re

import pytest
from twisted.logger import Logger

from pmslink.web import stream, watcher
from pmslink.web.past import Past
from tests.web.served import START, Served, turns, until
from tests.web.watching import watch
from tests.within import within

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
    assert watching.events[-1].id == FIRST + 3  # each link has told its first state, and one has dialled
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
    begin, docked, in_sync = watching.events
    assert (docked.id, in_sync.id) == (begin.id + 1, begin.id + 2)
    told = (await served.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert docked.data["transition"] == told[0]
    assert [one.data["link"]["in_sync"] for one in watching.events] == [False, False, True]
    link.disable()
    assert (await watching.has(4))[-1] == ("link", "grand", "DISABLED")
    await watching.end()


@within(10)
async def test_it_resumes_without_gap_or_repeat(served: Served) -> None:
    link = served.add(enabled=False)
    watching = await watch(served)
    await watching.has(1)
    last = watching.events[-1].id
    await watching.end()
    link.enable()
    resumed = await watch(served, last)
    assert await resumed.has(2) == [("link", "grand", "CLOSED"), ("link", "grand", "WAIT_LS")]
    assert [one.id for one in resumed.events] == [last + 1, last + 2]
    link.disable()
    assert (await resumed.has(3))[2:] == [("link", "grand", "DISABLED")]
    await resumed.end()
    current = await watch(served, last + 3)
    await turns()
    assert current.told == []
    await current.end()


@within(10)
async def test_who_is_cut_off_in_the_beginning_begins_again(served: Served) -> None:
    served.add("a", enabled=False)
    served.add("b", enabled=False)
    watching = await watch(served)
    await watching.has(2)
    first, last = watching.events
    assert first.id < last.id
    await watching.end()
    again = await watch(served, first.id)
    assert await again.has(3) == [("reset", "", None), ("link", "a", None), ("link", "b", None)]
    await again.end()


@pytest.mark.parametrize("last", [FIRST - 1, FIRST + 2, 0, "rubbish", "9" * 30])
@within(10)
async def test_a_number_that_cannot_be_resumed_from_begins_again(served: Served, last: int | str) -> None:
    served.add(enabled=False)
    watching = await watch(served, last)
    assert await watching.has(2) == [("reset", "", None), ("link", "grand", None)]
    await watching.end()


@within(10)
async def test_without_links_the_reset_can_be_resumed_from(served: Served) -> None:
    watching = await watch(served, 1)
    assert await watching.has(1) == [("reset", "", None)]
    assert watching.events[0].id == FIRST
    await watching.end()


@within(10)
async def test_an_event_that_is_kept_no_more_begins_again(served: Served) -> None:
    served.site.api.stream.past = Past(FIRST, most=1)
    link = served.add(enabled=False)
    link.enable()
    watching = await watch(served, FIRST + 1)
    assert await watching.has(2) == [("reset", "", None), ("link", "grand", None)]
    await watching.end()


@within(10)
async def test_comments_show_that_it_lives(served: Served) -> None:
    watching = await watch(served)
    served.run(stream.HEARTBEAT - 1)
    await turns()
    assert ":\n\n" not in watching.text.replace("retry:", "")
    served.run(1)
    await until(lambda: watching.text.endswith("\n\n:\n\n"))
    await watching.end()


@within(10)
async def test_a_heartbeat_that_ends_is_logged(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(Logger, "failure", lambda self, format, *_, **__: logged.append(format))
    monkeypatch.setattr(served.site.api.stream, "_watchers", None)
    served.run(stream.HEARTBEAT)
    assert logged == ["the stream has no heartbeat any more"]
    monkeypatch.undo()
    await served.listening.stopListening()  # all else ends as ever
    served._listen("127.0.0.1")


@within(10)
async def test_too_many_watchers_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_WATCHERS", 2)
    watching = [await watch(served), await watch(served)]
    assert (await served.get("/api/v1/stream")).error == (503, "too_many_watchers")
    assert b"pmslink_watchers 2.0" in (await served.get("/metrics")).body
    await watching[0].end()
    await until(lambda: len(served.site.api.stream) == 1)
    watching[0] = await watch(served)
    for one in watching:
        await one.end()


@within(10)
async def test_who_does_not_read_is_dropped_after_two_heartbeats(served: Served) -> None:
    link = served.add(enabled=False)
    watching = await watch(served)
    watching.connection.transport.pauseProducing()  # type: ignore[union-attr]
    await fill(served)
    for _ in range(watcher.BEATS_UNREAD):
        assert len(served.site.api.stream) == 1
        served.run(stream.HEARTBEAT)
        await turns()
    assert len(served.site.api.stream) == 0
    link.enable()
    await watching.end()


@within(10)
async def test_who_falls_behind_what_is_kept_is_dropped(served: Served) -> None:
    served.add(enabled=False)
    watching = await watch(served)
    watching.connection.transport.pauseProducing()  # type: ignore[union-attr]
    await fill(served)
    only = next(iter(served.site.api.stream._watchers))
    link = served.links.get("grand")
    assert link is not None
    while served.site.api.stream.past.reaches_back_to(only._got):
        link.enable()
        link.disable()
    await turns()
    assert len(served.site.api.stream) == 0
    await watching.end()


@within(20)
async def test_who_reads_slowly_gets_all(served: Served) -> None:
    served.add(enabled=False)
    watching = await watch(served)
    watching.connection.transport.pauseProducing()  # type: ignore[union-attr]
    await fill(served)
    watching.connection.transport.resumeProducing()  # type: ignore[union-attr]
    last = served.site.api.stream.past.last
    await until(lambda: b"id: %d\n" % last in watching.connection.received)
    served.run(stream.HEARTBEAT)
    await turns()
    ids = [int(id) for id in re.findall(r"^id: (\d+)$", watching.text, re.MULTILINE)]
    assert ids == list(range(ids[0], last + 1))
    await watching.end()


@within(10)
async def test_it_ends_with_the_service(served: Served) -> None:
    watching = await watch(served)
    await served.listening.stopListening()
    await watching.connection.closed
    await turns()
    served._listen("127.0.0.1")


async def fill(served: Served) -> None:
    """Let so much happen that the only watcher, which does not read, has to wait."""
    only = next(iter(served.site.api.stream._watchers))
    link = served.links.get("grand")
    assert link is not None
    while not only._paused:
        for _ in range(20):
            link.enable()
            link.disable()
        await turns(20)  # the system's own buffers have taken what they can
    link.enable()
    link.disable()


def test_the_past_is_bounded_in_number_and_bytes() -> None:
    past = Past(10, most=3, most_bytes=10)
    for event in (b"1", b"2", b"3", b"4"):
        past.add(event)
    assert (past.forgotten, past.last) == (11, 14)
    assert list(past.after(12)) == [b"3", b"4"]
    past.add(b"12345678")
    assert (past.forgotten, past.last) == (12, 15)
    past.add(b"more than ten bytes")
    assert (past.forgotten, past.last) == (16, 16)
    assert past.reaches_back_to(16)
    assert not past.reaches_back_to(15)
    assert not past.reaches_back_to(17)
