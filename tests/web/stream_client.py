"""A client of the stream."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from tests.web.served_api import Connection, Served, turns, validate

SCHEMAS = {"link": "LinkEvent", "event": "Event", "posting": "PostingEvent", "reset": "ResetEvent"}


@frozen
class Event:
    """One event, as `EventSource` would give it."""

    id: int
    event: str
    data: Any

    @property
    def told(self) -> tuple[str, str, str | None]:
        """Kind, link, and the marker it changed to."""
        change = self.data.get("transition")
        link = self.data.get("link", "")
        return self.event, link["name"] if isinstance(link, dict) else link, change and change["to"]


class Watching:
    """A connection to the stream, and what came over it."""

    def __init__(self, served: Served, connection: Connection) -> None:
        self.served = served
        self.connection = connection

    @property
    def text(self) -> str:
        """The body so far, out of its chunks."""
        body = bytes(self.connection.received).partition(b"\r\n\r\n")[2]
        text = b""
        while body:
            size, _, rest = body.partition(b"\r\n")
            text += rest[: int(size, 16)]
            body = rest[int(size, 16) + 2 :]
        return text.decode()

    @property
    def head(self) -> dict[str, str]:
        lines = bytes(self.connection.received).partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def events(self) -> list[Event]:
        found = []
        for block in self.text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in lines:
                event = Event(int(lines["id"]), lines["event"], json.loads(lines["data"]))
                validate({"$ref": f"#/components/schemas/{SCHEMAS[event.event]}"}, event.data)
                assert event.data["seq"] == event.id
                found.append(event)
        return found

    @property
    def ids(self) -> list[int]:
        """The numbers of all events so far."""
        return [event.id for event in self.events]

    @property
    def told(self) -> list[tuple[str, str, str | None]]:
        """What was told of links themselves."""
        return [event.told for event in self.events if event.event in ("link", "reset")]

    def of(self, kind: str) -> list[Event]:
        """The events of this kind so far."""
        return [event for event in self.events if event.event == kind]

    async def has(self, number: int) -> list[tuple[str, str, str | None]]:
        """What was told of links, once there is so much (and no more follows at once)."""
        await self.served.until(lambda: len(re.findall("\nevent: (?:link|reset)\n", self.text)) >= number)
        await self.rest()
        return self.told

    async def rest(self) -> None:
        """Let everything come that is on its way."""
        self.served.run()
        await turns()

    async def end(self) -> None:
        self.connection.transport.abortConnection()  # type: ignore[union-attr]
        await self.connection.closed
        await turns()


async def watch(
    served: Served, last: int | str | None = None, headers: Mapping[str, str] | None = None
) -> Watching:
    """Watch the stream; `last` is the Last-Event-ID. The answer has begun."""
    lines = {"host": f"localhost:{served.port}", **(headers or {})}
    if last is not None:
        lines["last-event-id"] = str(last)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request = f"GET /api/v1/stream HTTP/1.1\r\n{head}\r\n"
    watching = Watching(served, await served.connect(request.encode()))
    await served.until(lambda: "retry: 500\n\n" in watching.text or watching.connection.closed.called)
    return watching
