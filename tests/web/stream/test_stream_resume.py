"""Coming back to the stream: after a moment, after a restart, after links were removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmslink.store.operations.retention import Purge
from pmslink.web.stream.replay_buffer import Past
from tests.time_limit import within
from tests.web.served_api import START, Served, config, turns
from tests.web.stream_client import watch

FIRST = int(START.timestamp() * 1000)


@within(10)
async def test_it_resumes_without_gap_or_repeat(served: Served) -> None:
    link = served.add(enabled=False)
    watching = await watch(served)
    await watching.has(1)
    last = watching.events[-1].id
    stays = await watch(served)
    await stays.has(1)
    await watching.end()
    link.enable()
    served.run()
    resumed = await watch(served, last)
    assert await resumed.has(2) == [("link", "grand", "CLOSED"), ("link", "grand", "WAIT_LS")]
    link.disable()
    assert (await resumed.has(3))[2:] == [("link", "grand", "DISABLED")]
    await stays.has(4)
    assert resumed.events == stays.events[1:]
    await resumed.end()
    await stays.end()
    current = await watch(served, stays.events[-1].id)
    await turns()
    assert current.events == []
    await current.end()


@within(10)
async def test_every_number_can_be_resumed_from(served: Served) -> None:
    served.add()
    watching = await watch(served)
    served.dock()
    served.say("GI|RN1|", "GI|RN2|")
    await watching.has(3)
    await watching.end()
    for place, event in enumerate(watching.events, 1):
        resumed = await watch(served, event.id)
        await resumed.rest()
        assert resumed.events == watching.events[place:]
        await resumed.end()


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
    assert again.ids == [first.id, first.id, last.id]
    await again.end()


@pytest.mark.parametrize("last", [FIRST - 2, FIRST + 100, 0, "rubbish", "9" * 30])
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
    assert watching.events[0].id == FIRST - 1
    await watching.end()
    resumed = await watch(served, FIRST - 1)
    served.add(enabled=False)
    assert await resumed.has(1) == [("link", "grand", "DISABLED")]
    await resumed.end()


@within(10)
async def test_an_event_that_is_kept_no_more_begins_again(served: Served) -> None:
    served.site.api.stream.past = Past(FIRST, most=1)
    link = served.add(enabled=False)
    link.enable()
    served.run()
    watching = await watch(served, FIRST + 1)
    assert await watching.has(2) == [("reset", "", None), ("link", "grand", None)]
    await watching.end()


@within(10)
async def test_a_purge_takes_guests_out_of_what_is_resumed_from(served: Served) -> None:
    served.add()
    served.dock()
    watching = await watch(served)
    await watching.has(1)
    begin = watching.events[-1].id
    served.say("GI|RN1|GNSmith|")
    served.run(2)
    served.say("GI|RN2|GNJones|")
    await watching.rest()
    await watching.end()
    purge = Purge(START + timedelta(seconds=1), START, START)
    for watcher in served.store.purged:
        watcher(purge)
    served.run()
    again = await watch(served, begin)
    assert await again.has(2) == [("reset", "", None), ("link", "grand", None)]
    assert "Smith" not in again.text
    resumed = await watch(served, watching.of("event")[0].id)
    await resumed.rest()
    assert resumed.events == watching.of("event")[1:]
    await again.end()
    await resumed.end()


# A restart.


@within(20)
async def test_it_resumes_over_a_restart(served: Served) -> None:
    served.add()
    watching = await watch(served)
    await watching.has(1)
    begin = watching.events[-1].id
    served.dock()
    served.say("GI|RN101|GNSmith|")
    minibar = {"type": "minibar", "room": "101", "article": "7"}
    await served.post("/api/v1/links/grand/postings", minibar)
    served.say("PA|RN101|ASOK|P#1|DA261120|TI070005|")
    await watching.has(3)
    await watching.end()
    await served.stop()
    after = Served(before=served, links=[config()])
    assert not after.store.opened.last_told
    resumed = await watch(after, begin)
    await resumed.has(4)
    until_stop = [one for one in resumed.events if one.id <= watching.events[-1].id]
    # of what a posting went through, only the last is there
    done = watching.of("posting")[-1]
    assert until_stop == [one for one in watching.events[1:] if one.event != "posting" or one == done]
    later = [one.told for one in resumed.events[len(until_stop) :] if one.event == "link"]
    assert later[-2:] == [("link", "grand", "CLOSED"), ("link", "grand", "WAIT_LS")]
    at_the_end = await watch(after, resumed.events[-1].id)
    await at_the_end.rest()
    assert at_the_end.events == []
    await resumed.end()
    await at_the_end.end()
    await after.stop()


@within(20)
async def test_a_link_that_is_gone_after_a_restart_makes_all_begin_again(served: Served) -> None:
    served.add("a", enabled=False)
    served.add("b", enabled=False)
    watching = await watch(served)
    await watching.has(2)
    last = watching.events[-1].id
    await watching.end()
    await served.stop()
    second = Served(before=served, links=[config("a", enabled=False)])
    resumed = await watch(second, last)
    assert (await resumed.has(2))[:2] == [("reset", "", None), ("link", "a", None)]
    at_the_end = resumed.events[-1].id
    await resumed.end()
    await second.stop()
    third = Served(before=second, links=[config("a", enabled=False)])
    resumed = await watch(third, at_the_end)
    assert await resumed.has(1) == [("link", "a", "DISABLED")]  # which every start tells
    await resumed.end()
    await third.stop()


# Removal.


@within(10)
async def test_who_watches_begins_again_when_a_link_is_removed(served: Served) -> None:
    stays = served.add("stays", enabled=False)
    await served.post("/api/v1/links", {"name": "goes", "host": "pms", "port": 1})
    watching = await watch(served)
    await watching.has(2)
    before = watching.events[-1].id
    assert (await served.call("DELETE", "/api/v1/links/goes")).status == 200
    assert (await watching.has(4))[2:] == [("reset", "", None), ("link", "stays", None)]
    reset, beginning = watching.events[-2:]
    assert reset.id == before  # who is cut off after it is told of it again
    stays.expire()
    assert (await watching.has(5))[4:] == [("link", "stays", "EXPIRED")]
    await watching.end()
    for number, rest in ((before, 2), (beginning.id, 4)):
        resumed = await watch(served, number)
        await resumed.has(len(watching.of("link")) + 1 - rest)
        assert resumed.ids == watching.ids[rest:]
        await resumed.end()


@within(20)
async def test_a_removal_is_known_after_a_restart(served: Served) -> None:
    await served.post("/api/v1/links", {"name": "goes", "host": "pms", "port": 1})
    watching = await watch(served)
    await watching.has(1)
    last = watching.events[-1].id
    await watching.end()
    await served.call("DELETE", "/api/v1/links/goes")
    served.run()
    await served.stop()
    after = Served(before=served)
    resumed = await watch(after, last)
    assert await resumed.has(1) == [("reset", "", None)]
    again = await watch(after, resumed.events[-1].id)
    await again.rest()
    assert again.events == []
    await resumed.end()
    await again.end()
    await after.stop()
