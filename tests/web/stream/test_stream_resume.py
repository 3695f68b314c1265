"""Tests of resuming the stream after a disconnect, a restart, or the removal of links."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmslink.link import controls
from pmslink.store.operations.retention import Purge
from pmslink.store.tables.log_entries import LinkSnapshotLogged, append_link_snapshots
from pmslink.web.stream.replay_buffer import ReplayBuffer
from tests.time_limit import time_limit
from tests.web.served_api import START_TIME, ServedApi, make_link_config, run_reactor_turns
from tests.web.stream_client import open_stream

FIRST = int(START_TIME.timestamp() * 1000)


@time_limit(10)
async def test_a_stream_resumes_without_gap_or_repeat(served_api: ServedApi) -> None:
    link = served_api.add_link(enabled=False)
    client = await open_stream(served_api)
    await client.wait_for_changes(1)
    last = client.events[-1].id
    other_stream = await open_stream(served_api)
    await other_stream.wait_for_changes(1)
    await client.disconnect()
    controls.enable(link)
    served_api.advance()
    resumed = await open_stream(served_api, last)
    assert await resumed.wait_for_changes(2) == [("link", "grand", "CLOSED"), ("link", "grand", "WAIT_LS")]
    controls.disable(link)
    assert (await resumed.wait_for_changes(3))[2:] == [("link", "grand", "DISABLED")]
    await other_stream.wait_for_changes(4)
    assert resumed.events == other_stream.events[1:]
    await resumed.disconnect()
    await other_stream.disconnect()
    current = await open_stream(served_api, other_stream.events[-1].id)
    await run_reactor_turns()
    assert current.events == []
    await current.disconnect()


@time_limit(10)
async def test_a_stream_resumes_from_every_number(served_api: ServedApi) -> None:
    served_api.add_link()
    client = await open_stream(served_api)
    served_api.dock()
    served_api.send_from_pms("GI|RN1|", "GI|RN2|")
    await client.wait_for_changes(3)
    await client.disconnect()
    for index, event in enumerate(client.events, 1):
        resumed = await open_stream(served_api, event.id)
        await resumed.drain()
        assert resumed.events == client.events[index:]
        await resumed.disconnect()


@time_limit(10)
async def test_a_subscriber_cut_off_in_the_snapshot_starts_again(served_api: ServedApi) -> None:
    served_api.add_link("a", enabled=False)
    served_api.add_link("b", enabled=False)
    client = await open_stream(served_api)
    await client.wait_for_changes(2)
    first, last = client.events
    assert first.id < last.id
    await client.disconnect()
    resumed_again = await open_stream(served_api, first.id)
    assert await resumed_again.wait_for_changes(3) == [
        ("reset", "", None),
        ("link", "a", None),
        ("link", "b", None),
    ]
    assert resumed_again.event_ids == [first.id, first.id, last.id]
    await resumed_again.disconnect()


@pytest.mark.parametrize("last", [FIRST - 2, FIRST + 100, 0, "rubbish", "9" * 30])
@time_limit(10)
async def test_an_unknown_number_starts_again(served_api: ServedApi, last: int | str) -> None:
    served_api.add_link(enabled=False)
    client = await open_stream(served_api, last)
    assert await client.wait_for_changes(2) == [("reset", "", None), ("link", "grand", None)]
    await client.disconnect()


@time_limit(10)
async def test_a_last_event_id_that_is_not_utf_8_starts_again(served_api: ServedApi) -> None:
    head = b"GET /api/v1/stream HTTP/1.1\r\nhost: localhost:%d\r\nlast-event-id: \xff\r\n\r\n"
    connection = await served_api.connect(head % served_api.port)
    await served_api.until(lambda: b"event: reset" in connection.received)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await connection.closed


@time_limit(10)
async def test_without_links_a_stream_resumes_from_the_reset(served_api: ServedApi) -> None:
    client = await open_stream(served_api, 1)
    assert await client.wait_for_changes(1) == [("reset", "", None)]
    assert client.events[0].id == FIRST - 1
    await client.disconnect()
    resumed = await open_stream(served_api, FIRST - 1)
    served_api.add_link(enabled=False)
    assert await resumed.wait_for_changes(1) == [("link", "grand", "DISABLED")]
    await resumed.disconnect()


@time_limit(10)
async def test_an_evicted_number_starts_again(served_api: ServedApi) -> None:
    served_api.site.api.broadcaster.replay_buffer = ReplayBuffer(FIRST, max_events=1)
    link = served_api.add_link(enabled=False)
    controls.enable(link)
    served_api.advance()
    client = await open_stream(served_api, FIRST + 1)
    assert await client.wait_for_changes(2) == [("reset", "", None), ("link", "grand", None)]
    await client.disconnect()


@time_limit(10)
async def test_a_purge_evicts_guest_events_from_the_replay_buffer(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.advance(3)  # the hold after the link start is over
    client = await open_stream(served_api)
    await client.wait_for_changes(1)
    begin = client.events[-1].id
    served_api.send_from_pms("GI|RN1|GNSmith|")
    served_api.advance(2)
    served_api.send_from_pms("GI|RN2|GNJones|")
    await client.drain()
    await client.disconnect()
    purge = Purge(START_TIME + timedelta(seconds=4), START_TIME, START_TIME)
    for callback in served_api.store.on_purge:
        callback(purge)
    served_api.advance()
    resumed_again = await open_stream(served_api, begin)
    assert await resumed_again.wait_for_changes(2) == [("reset", "", None), ("link", "grand", None)]
    assert "Smith" not in resumed_again.body_text
    resumed = await open_stream(served_api, client.events_of_kind("event")[0].id)
    await resumed.drain()
    assert resumed.events == client.events_of_kind("event")[1:]
    await resumed_again.disconnect()
    await resumed.disconnect()


# Restart


@time_limit(20)
async def test_a_stream_resumes_after_a_restart(served_api: ServedApi) -> None:
    served_api.add_link()
    client = await open_stream(served_api)
    await client.wait_for_changes(1)
    begin = client.events[-1].id
    served_api.dock()
    served_api.send_from_pms("GI|RN101|GNSmith|")
    minibar = {"type": "minibar", "room": "101", "article": "7"}
    await served_api.post("/api/v1/links/grand/postings", minibar)
    served_api.send_from_pms("PA|RN101|ASOK|P#1|DA261120|TI070005|")
    await client.wait_for_changes(3)
    await client.disconnect()
    await served_api.stop()
    after = ServedApi(previous=served_api, links=[make_link_config()])
    assert not after.store.startup_snapshot.last_published
    resumed = await open_stream(after, begin)
    await resumed.wait_for_changes(4)
    until_stop = [event for event in resumed.events if event.id <= client.events[-1].id]
    # only the last change of a posting is replayed
    done = client.events_of_kind("posting")[-1]
    assert until_stop == [event for event in client.events[1:] if event.kind != "posting" or event == done]
    later = [event.link_change for event in resumed.events[len(until_stop) :] if event.kind == "link"]
    assert later[-2:] == [("link", "grand", "CLOSED"), ("link", "grand", "WAIT_LS")]
    at_the_end = await open_stream(after, resumed.events[-1].id)
    await at_the_end.drain()
    assert at_the_end.events == []
    await resumed.disconnect()
    await at_the_end.disconnect()
    await after.stop()


@time_limit(20)
async def test_a_stored_snapshot_of_another_shape_does_not_prevent_the_start(served_api: ServedApi) -> None:
    served_api.add_link("a", enabled=False)
    for text in ("", '{"link":{}}', '{"removed":5}'):
        snapshot = LinkSnapshotLogged(served_api.now(), text)
        served_api.store.journal.submit_nowait(append_link_snapshots, snapshot)
    served_api.advance()
    await served_api.stop()
    after = ServedApi(previous=served_api, links=[make_link_config("a", enabled=False)])
    client = await open_stream(after)
    assert await client.wait_for_changes(1) == [("link", "a", None)]
    await client.disconnect()
    await after.stop()


@time_limit(20)
async def test_a_link_missing_after_a_restart_resets_all_subscribers(served_api: ServedApi) -> None:
    served_api.add_link("a", enabled=False)
    served_api.add_link("b", enabled=False)
    client = await open_stream(served_api)
    await client.wait_for_changes(2)
    last = client.events[-1].id
    await client.disconnect()
    await served_api.stop()
    second = ServedApi(previous=served_api, links=[make_link_config("a", enabled=False)])
    resumed = await open_stream(second, last)
    assert (await resumed.wait_for_changes(2))[:2] == [("reset", "", None), ("link", "a", None)]
    at_the_end = resumed.events[-1].id
    await resumed.disconnect()
    await second.stop()
    third = ServedApi(previous=second, links=[make_link_config("a", enabled=False)])
    resumed = await open_stream(third, at_the_end)
    assert await resumed.wait_for_changes(1) == [("link", "a", "DISABLED")]  # sent at every start
    await resumed.disconnect()
    await third.stop()


@time_limit(20)
async def test_a_number_that_another_run_may_use_again_does_not_resume(served_api: ServedApi) -> None:
    """A run on a full disk stores no reservation of its numbers, and the next one uses them again."""
    served_api.add_link("a", enabled=False)
    await served_api.stop()
    links = [make_link_config("b", enabled=False)]
    failing = ServedApi(previous=served_api, links=links, starts_broken=True)
    client = await open_stream(failing)
    await client.wait_for_changes(1)
    controls.expire(next(iter(failing.links)))
    failing.advance(1)  # the next attempt of a commit
    await client.wait_for_changes(2)
    await client.disconnect()
    await failing.stop()
    failing.database.commit_error = None
    after = ServedApi(previous=served_api, links=[make_link_config("c", enabled=False)])
    buffer, seqs = after.site.api.broadcaster.replay_buffer, [event.data["seq"] for event in client.events]
    while buffer.last_seq < seqs[-1]:
        after.add_link(f"d{buffer.last_seq}", enabled=False)
    assert after.store.startup_snapshot.first_seq <= seqs[0], "the number means another event now"
    for event in client.events:
        resumed = await open_stream(after, event.id)
        await resumed.drain()
        assert resumed.link_changes[:2] == [("reset", "", None), ("link", "c", None)]
        await resumed.disconnect()
    await after.stop()


# Removal


@time_limit(10)
async def test_a_removal_resets_all_subscribers(served_api: ServedApi) -> None:
    other_stream = served_api.add_link("stays", enabled=False)
    await served_api.post("/api/v1/links", {"name": "goes", "host": "pms", "port": 1})
    client = await open_stream(served_api)
    await client.wait_for_changes(2)
    before = client.events[-1].id
    assert (await served_api.call("DELETE", "/api/v1/links/goes")).status == 200
    assert (await client.wait_for_changes(4))[2:] == [("reset", "", None), ("link", "stays", None)]
    reset, beginning = client.events[-2:]
    assert reset.id == before  # a client that disconnects after the reset receives it again
    controls.expire(other_stream)
    assert (await client.wait_for_changes(5))[4:] == [("link", "stays", "EXPIRED")]
    await client.disconnect()
    for number, missed_count in ((before, 2), (beginning.id, 4)):
        resumed = await open_stream(served_api, number)
        await resumed.wait_for_changes(len(client.events_of_kind("link")) + 1 - missed_count)
        assert resumed.event_ids == client.event_ids[missed_count:]
        await resumed.disconnect()


@time_limit(20)
async def test_a_removal_is_replayed_after_a_restart(served_api: ServedApi) -> None:
    await served_api.post("/api/v1/links", {"name": "goes", "host": "pms", "port": 1})
    client = await open_stream(served_api)
    await client.wait_for_changes(1)
    last = client.events[-1].id
    await client.disconnect()
    await served_api.call("DELETE", "/api/v1/links/goes")
    served_api.advance()
    await served_api.stop()
    after = ServedApi(previous=served_api)
    resumed = await open_stream(after, last)
    assert await resumed.wait_for_changes(1) == [("reset", "", None)]
    resumed_again = await open_stream(after, resumed.events[-1].id)
    await resumed_again.drain()
    assert resumed_again.events == []
    await resumed.disconnect()
    await resumed_again.disconnect()
    await after.stop()


# Without a snapshot


@time_limit(10)
async def test_a_stream_without_snapshots_sends_resets_in_their_place(served_api: ServedApi) -> None:
    link = served_api.add_link("stays", enabled=False)
    await served_api.post("/api/v1/links", {"name": "goes", "host": "pms", "port": 1})
    client = await open_stream(served_api, query="?snapshot=none")
    assert await client.wait_for_changes(1) == [("reset", "", None)]
    controls.expire(link)
    assert (await client.wait_for_changes(2))[1:] == [("link", "stays", "EXPIRED")]
    assert (await served_api.call("DELETE", "/api/v1/links/goes")).status == 200
    assert (await client.wait_for_changes(3))[2:] == [("reset", "", None)]
    controls.disable(link)
    assert (await client.wait_for_changes(4))[3:] == [("link", "stays", "DISABLED")]
    await client.disconnect()
    for index, event in enumerate(client.events, 1):
        resumed = await open_stream(served_api, event.id, query="?snapshot=none")
        await resumed.drain()
        assert resumed.events == client.events[index:]
        await resumed.disconnect()


@time_limit(10)
async def test_a_client_without_snapshots_that_was_away_for_too_long_is_reset(served_api: ServedApi) -> None:
    served_api.add_link("a", enabled=False)
    client = await open_stream(served_api, "1", query="?snapshot=none")
    assert await client.wait_for_changes(1) == [("reset", "", None)]
    assert client.events[0].id == served_api.store.journal.last_published_seq
    await client.disconnect()


@time_limit(10)
async def test_another_kind_of_snapshot_is_refused(served_api: ServedApi) -> None:
    answer = await served_api.get("/api/v1/stream?snapshot=all")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["message"] == 'snapshot must be "links" or "none"'
