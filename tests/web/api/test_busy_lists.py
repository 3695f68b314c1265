"""Lists that take long hold up neither events nor the other clients for ever (case E6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmslink.store.core.reader_lane import ReaderLane, ReadLimits
from tests.store.store_harness import ManualThread
from tests.time_limit import time_limit
from tests.web.served_api import RawConnection, ServedApi, parse_response

RECORDS = "/api/v1/links/grand/records?type=ZZ"
TRANSITIONS = "/api/v1/links/grand/transitions"
EVENTS = "/api/v1/links/grand/events"


@pytest.fixture
def slow_lists(served_api: ServedApi) -> Iterator[ManualThread]:
    """The thread of all lists, which reads only when a test says so; two reads may wait for it."""
    served_api.add_link()
    thread = ManualThread()
    lists = served_api.store._lists
    served_api.store._lists = ReaderLane(served_api.database, [thread], ReadLimits(queued=2, seconds=60))
    yield thread
    served_api.store._lists = lists


async def begin(served_api: ServedApi, path: str) -> RawConnection:
    head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{served_api.port}\r\nconnection: close\r\n\r\n"
    return await served_api.connect(head.encode())


def waiting(served_api: ServedApi) -> int:
    return len(served_api.store._lists._queue)


async def finish(served_api: ServedApi, slow_lists: ManualThread, *connections: RawConnection) -> None:
    """Read all lists, and wait for the end of the connections."""
    for _ in connections:
        slow_lists.run_queued()
    await served_api.until(lambda: all(connection.closed.called for connection in connections))


@time_limit(20)
async def test_events_are_served_while_lists_wait(served_api: ServedApi, slow_lists: ManualThread) -> None:
    connections = [await begin(served_api, path) for path in (RECORDS, TRANSITIONS)]
    await served_api.until(lambda: waiting(served_api) == 1)
    assert (await served_api.get(EVENTS)).status == 200
    assert waiting(served_api) == 1
    await finish(served_api, slow_lists, *connections)


@time_limit(20)
async def test_too_many_lists_are_answered_at_once(served_api: ServedApi, slow_lists: ManualThread) -> None:
    connections = [await begin(served_api, RECORDS) for _ in range(3)]
    await served_api.until(lambda: waiting(served_api) == 2)
    answer = await served_api.get(RECORDS)
    assert answer.error == (503, "busy")
    assert answer.json()["error"]["message"].startswith("2 other reads are waiting; send one request after")
    await finish(served_api, slow_lists, *connections)
    responses = [parse_response("GET", bytes(connection.received)) for connection in connections]
    assert [response.status for response in responses] == [200, 200, 200]


@time_limit(20)
async def test_a_list_whose_client_has_gone_is_not_read(
    served_api: ServedApi, slow_lists: ManualThread
) -> None:
    first = await begin(served_api, TRANSITIONS)
    gone = await begin(served_api, RECORDS)
    await served_api.until(lambda: waiting(served_api) == 1)
    assert gone.transport is not None
    gone.transport.loseConnection()
    await served_api.until(lambda: waiting(served_api) == 0)
    await finish(served_api, slow_lists, first, gone)
