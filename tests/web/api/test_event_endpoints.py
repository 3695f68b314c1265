"""Tests of the event list: order, paging, restarts and long polls."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.link import controls
from pmslink.web.stream import long_poll
from tests.time_limit import time_limit
from tests.web.served_api import (
    START_TIME,
    RawConnection,
    Response,
    ServedApi,
    make_link_config,
    parse_response,
    run_reactor_turns,
)

PATH = "/api/v1/links/grand/events"
FIRST = int(START_TIME.timestamp() * 1000)


async def start_long_poll(served: ServedApi, query: str = "?wait=30") -> RawConnection:
    """Start a long poll for events of `grand`."""
    return await start_request(served, f"{PATH}{query}")


async def start_request(served: ServedApi, path: str) -> RawConnection:
    head = f"GET {path} HTTP/1.1\r\nhost: localhost:{served.port}\r\nconnection: close\r\n\r\n"
    before = len(served.site.api.long_poll)
    connection = await served.connect(head.encode())
    await served.until(lambda: len(served.site.api.long_poll) > before or connection.closed.called)
    return connection


async def response_of(served: ServedApi, connection: RawConnection) -> Response:
    await served.until(lambda: connection.closed.called)
    return parse_response("GET", bytes(connection.received))


async def newest_seq(served: ServedApi) -> int:
    seq: int = (await served.get(PATH)).json()["next"]
    return seq


@time_limit(10)
async def test_events_are_hotel_events_and_transitions(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms("GI|RN101|G#1|GNSmith|SF|", "XL|MI1|MTHello|DA261120|TI070000|", "RE|RN101|MLY|")
    listed = (await served_api.get(PATH)).json()
    events = listed["events"]
    assert [event["type"] for event in events] == [
        *["link.changed"] * 3,
        "guest.checked_in",
        "room.message_light",
    ]
    transitions = (await served_api.get("/api/v1/links/grand/transitions")).json()["transitions"]
    assert [event["transition"] for event in events[:3]] == transitions[::-1]
    assert {(event["room"], event["resync"]) for event in events[:3]} == {(None, False)}
    assert events[3] == {
        "seq": events[3]["seq"],
        "at": "2026-11-20T07:00:00.000Z",
        "link": "grand",
        "type": "guest.checked_in",
        "room": "101",
        "extensions": ["101"],
        "resync": True,
        "guest": {
            "number": "1",
            "name": "Smith",
            "first_name": None,
            "title": None,
            "language": None,
            "vip": None,
            "group": None,
            "arrival": None,
            "departure": None,
            "sharer": False,
            "no_post": None,
            "fields": {},
        },
    }
    assert (events[4]["room"], events[4]["resync"], events[4]["value"]) == ("101", False, True)
    assert listed["next"] == events[4]["seq"]


@time_limit(10)
async def test_events_are_not_listed_before_they_are_published(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms("GI|RN101|G#1|GNSmith|")
    all_of_them = (await served_api.get(PATH)).json()
    journal = served_api.store.journal
    journal.last_published_seq -= 1  # the commit is readable, but not published yet
    listed = (await served_api.get(PATH)).json()
    assert listed["events"] == all_of_them["events"][:-1]
    assert (await served_api.get(f"{PATH}?after={listed['next']}")).json()["events"] == []
    journal.last_published_seq += 1
    assert (await served_api.get(f"{PATH}?after={listed['next']}")).json()["events"] == all_of_them["events"][
        -1:
    ]


@time_limit(10)
async def test_events_are_paged_without_gap_or_repeat(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms(*(f"GI|RN{room}|" for room in range(120)))
    all_events = (await served_api.get(f"{PATH}?limit=1000")).json()["events"]
    assert len(all_events) == 123
    assert len((await served_api.get(PATH)).json()["events"]) == 100
    parts: list[Any] = []
    after = 0
    while part := (await served_api.get(f"{PATH}?limit=50&after={after}")).json()["events"]:
        parts += part
        after = part[-1]["seq"]
    assert parts == all_events
    assert (await served_api.get(f"{PATH}?after={after}")).json() == {"events": [], "next": after}


@time_limit(10)
async def test_a_number_from_another_store_starts_at_the_oldest_event(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    full_list = (await served_api.get(PATH)).json()
    for after in (0, 1, FIRST - 1, FIRST + 1_000_000, 2**53 - 1):
        assert (await served_api.get(f"{PATH}?after={after}")).json() == full_list


@time_limit(20)
async def test_events_survive_a_restart(served_api: ServedApi) -> None:
    served_api.add_link()
    served_api.dock()
    served_api.send_from_pms("GI|RN101|")
    events = (await served_api.get(PATH)).json()["events"]
    await served_api.stop()
    after = ServedApi(previous=served_api, links=[make_link_config()])
    later_events = (await after.get(f"{PATH}?after={events[1]['seq']}")).json()["events"]
    assert [event["type"] for event in later_events[:2]] == ["link.changed", "guest.checked_in"]
    assert later_events[:2] == events[2:]
    assert [event["transition"]["from"] for event in later_events[2:]] == [None, "CLOSED"]
    await after.stop()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=9007199254740992", "after"),
        ("wait=61", "wait"),
        ("wait=1.5", "wait"),
        ("wait=-1", "wait"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
    ],
)
@time_limit(10)
async def test_invalid_event_parameters_are_rejected(served_api: ServedApi, query: str, field: str) -> None:
    served_api.add_link(enabled=False)
    answer = await served_api.get(f"{PATH}?{query}")
    assert answer.error == (400, "invalid")
    assert answer.json()["error"]["field"] == field


@time_limit(10)
async def test_events_of_an_unknown_link_are_not_found(served_api: ServedApi) -> None:
    assert (await served_api.get("/api/v1/links/none/events?wait=5")).error == (404, "unknown_link")


# Long polls


@time_limit(10)
async def test_a_long_poll_returns_the_first_event(served_api: ServedApi) -> None:
    link = served_api.add_link(enabled=False)
    served_api.add_link("other")
    served_api.dock()
    after = await newest_seq(served_api)
    waits = await start_long_poll(served_api, f"?after={after}&wait=60")
    served_api.send_from_pms("GI|RN5|")  # to the other
    served_api.advance(59)
    await run_reactor_turns()
    assert not waits.received
    controls.expire(link)
    listed = (await response_of(served_api, waits)).json()
    assert [event["transition"]["to"] for event in listed["events"]] == ["EXPIRED"]
    assert listed["next"] == listed["events"][-1]["seq"]
    assert len(served_api.site.api.long_poll) == 0


@time_limit(10)
async def test_a_long_poll_without_events_returns_at_the_timeout(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    after = await newest_seq(served_api)
    waits = await start_long_poll(served_api, f"?after={after}&wait=2")
    served_api.advance(2)
    assert (await response_of(served_api, waits)).json() == {"events": [], "next": after}


@time_limit(10)
async def test_a_long_poll_returns_existing_events_at_once(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    assert len((await served_api.get(f"{PATH}?wait=60")).json()["events"]) == 1


@time_limit(10)
async def test_an_event_during_the_read_is_not_missed(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = served_api.add_link()
    after = await newest_seq(served_api)
    read = served_api.store.read_live

    def slow(*arguments: Any) -> Any:
        events = read(*arguments)
        monkeypatch.undo()
        controls.disable(link)
        served_api.advance()
        return events

    monkeypatch.setattr(served_api.store, "read_live", slow)
    listed = (await served_api.get(f"{PATH}?after={after}&wait=60")).json()["events"]
    assert [event["transition"]["to"] for event in listed] == ["DISABLED"]


@time_limit(10)
async def test_too_many_long_polls_are_rejected(
    served_api: ServedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "MAX_WAITING_CALLS", 2)
    served_api.add_link(enabled=False)
    served_api.add_link("other", enabled=False)
    after = await newest_seq(served_api)
    waits = [await start_long_poll(served_api, f"?after={after}&wait=9")]
    waits.append(await start_request(served_api, f"/api/v1/links/other/events?after={after + 9}&wait=9"))
    if len(served_api.site.api.long_poll) == 1:  # the other had an event after that number
        waits.append(await start_long_poll(served_api, f"?after={after}&wait=9"))
    assert (await served_api.get(f"{PATH}?after={after}&wait=9")).error == (503, "too_many_watchers")
    assert (await served_api.get(f"{PATH}?after={after}")).status == 200
    served_api.advance(9)
    for event in waits:
        await response_of(served_api, event)
    assert len(served_api.site.api.long_poll) == 0


@time_limit(10)
async def test_a_disconnected_client_ends_its_long_poll(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    after = await newest_seq(served_api)
    waits = [await start_long_poll(served_api, f"?after={after}&wait=50") for _ in range(2)]
    waits[0].transport.abortConnection()  # type: ignore[union-attr]
    await served_api.until(lambda: len(served_api.site.api.long_poll) == 1)
    waits[1].transport.abortConnection()  # type: ignore[union-attr]
    await served_api.until(lambda: len(served_api.site.api.long_poll) == 0)
    assert served_api.clock.getDelayedCalls() == [
        call
        for call in served_api.clock.getDelayedCalls()
        if call.getTime() != served_api.clock.seconds() + 50
    ]


@time_limit(10)
async def test_stopping_the_service_ends_long_polls(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    after = await newest_seq(served_api)
    waits = await start_long_poll(served_api, f"?after={after}&wait=60")
    keep_alive = await served_api.connect(
        f"GET /healthz HTTP/1.1\r\nhost: localhost:{served_api.port}\r\n\r\n".encode()
    )
    await served_api.until(lambda: keep_alive.received)
    await served_api.listening_port.stopListening()
    assert (await response_of(served_api, waits)).json() == {"events": [], "next": after}
    keep_alive.received.clear()
    keep_alive.write(
        f"GET {PATH}?after={after}&wait=60 HTTP/1.1\r\nhost: localhost:{served_api.port}\r\n"
        "connection: close\r\n\r\n".encode()
    )
    assert (await response_of(served_api, keep_alive)).json() == {"events": [], "next": after}
    served_api._listen("127.0.0.1")


@time_limit(10)
async def test_removing_a_link_ends_its_long_polls(served_api: ServedApi) -> None:
    await served_api.post("/api/v1/links", {"name": "new", "host": "pms", "port": 1})
    after = (await served_api.get("/api/v1/links/new/events")).json()["next"]
    waits = await start_request(served_api, f"/api/v1/links/new/events?after={after}&wait=60")
    await served_api.call("DELETE", "/api/v1/links/new")
    assert (await response_of(served_api, waits)).error == (404, "unknown_link")
