"""A client of the stream, for tests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import frozen

from tests.web.served_api import RawConnection, ServedApi, run_reactor_turns, validate_schema

SCHEMA_BY_EVENT = {
    "link": "LinkEvent",
    "event": "Event",
    "posting": "PostingEvent",
    "notice": "NoticeEvent",
    "reset": "ResetEvent",
}


@frozen
class StreamEvent:
    """One event, with the attributes of the browser's `EventSource`."""

    id: int
    kind: str
    data: Any

    @property
    def link_change(self) -> tuple[str, str, str | None]:
        """The kind, the link, and the marker after the change."""
        change = self.data.get("transition")
        link = self.data.get("link", "")
        return self.kind, link["name"] if isinstance(link, dict) else link, change and change["to"]


@lru_cache(maxsize=1000)  # validation is slow, and all clients of a test receive the same events
def parse_event(block: str) -> StreamEvent | None:
    """Parse and validate one block of lines; None for a comment."""
    lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
    if "data" not in lines:
        return None
    event = StreamEvent(int(lines["id"]), lines["event"], json.loads(lines["data"]))
    validate_schema({"$ref": f"#/components/schemas/{SCHEMA_BY_EVENT[event.kind]}"}, event.data)
    assert event.id in (event.data["seq"], 0)
    return event


class StreamClient:
    """A connection to the stream, and the received data."""

    def __init__(self, served: ServedApi, connection: RawConnection) -> None:
        self.served = served
        self.connection = connection

    @property
    def body_text(self) -> str:
        """Return the body so far, decoded from its chunks."""
        body = bytes(self.connection.received).partition(b"\r\n\r\n")[2]
        text = b""
        while body:
            size, _, chunk = body.partition(b"\r\n")
            text += chunk[: int(size, 16)]
            body = chunk[int(size, 16) + 2 :]
        return text.decode()

    @property
    def response_headers(self) -> dict[str, str]:
        lines = bytes(self.connection.received).partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def events(self) -> list[StreamEvent]:
        parsed = map(parse_event, self.body_text.split("\n\n")[:-1])
        return [event for event in parsed if event is not None]

    @property
    def event_ids(self) -> list[int]:
        """Return the numbers of all events so far."""
        return [event.id for event in self.events]

    @property
    def link_changes(self) -> list[tuple[str, str, str | None]]:
        """Return the changes of links received so far, resets included."""
        return [event.link_change for event in self.events if event.kind in ("link", "reset")]

    def events_of_kind(self, kind: str) -> list[StreamEvent]:
        """Return the events of this kind so far."""
        return [event for event in self.events if event.kind == kind]

    async def wait_for_changes(self, count: int) -> list[tuple[str, str, str | None]]:
        """Wait for this many changes of links, and for those that follow at once; return them."""
        await self.served.until(lambda: len(re.findall("\nevent: (?:link|reset)\n", self.body_text)) >= count)
        await self.drain()
        return self.link_changes

    async def drain(self) -> None:
        """Receive all data that the service has already sent."""
        self.served.advance()
        await run_reactor_turns()

    async def disconnect(self) -> None:
        self.connection.transport.abortConnection()  # type: ignore[union-attr]
        await self.connection.closed
        await run_reactor_turns()


async def open_stream(
    served: ServedApi,
    last_event_id: int | str | None = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> StreamClient:
    """Open the stream, and wait for the start of the response."""
    lines = {"host": f"localhost:{served.port}", **(headers or {})}
    if last_event_id is not None:
        lines["last-event-id"] = str(last_event_id)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request = f"GET /api/v1/stream{query} HTTP/1.1\r\n{head}\r\n"
    stream = StreamClient(served, await served.connect(request.encode()))
    await served.until(lambda: "retry: 500\n\n" in stream.body_text or stream.connection.closed.called)
    return stream
