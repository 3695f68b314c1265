"""A webhook receiver, run as a separate process, that records when each event arrives.

python -m bench.event_receiver PORT [DELAY_S]

Each response is delayed by DELAY_S seconds, as by a slow network. GET / returns the events since the
previous GET: type, number of the guest or null, seconds since 1970. GET /connections returns how many
connections were opened.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from bench.baseline_route import QuietSite

reactor: Any = global_reactor


class EventReceiver(Resource):
    """Accepts events by POST, and returns their times by GET."""

    isLeaf = True

    def __init__(self, delay_s: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connection_count = 0
        self._delay_s = delay_s
        self._received_events: list[tuple[str, str | None, float]] = []

    def render_POST(self, request: Any) -> Any:
        """Accept an event, or a batch of events."""
        now, content = time.time(), json.load(request.content)
        for event in content.get("events", [content]):
            self._received_events.append((event["type"], event.get("guest", {}).get("number"), now))
        request.setResponseCode(204)
        if not self._delay_s:
            return b""
        reactor.callLater(self._delay_s, request.finish)
        return NOT_DONE_YET

    def render_GET(self, request: Any) -> bytes:
        """Return the events since the previous GET, or the number of connections."""
        if request.path == b"/connections":
            return json.dumps(self.connection_count).encode()
        events, self._received_events = self._received_events, []
        return json.dumps(events).encode()


class CountingSite(QuietSite):
    """Counts the connections to its receiver."""

    def buildProtocol(self, addr: Any) -> Any:
        """Return the protocol of a new connection."""
        self.resource.connection_count += 1
        return super().buildProtocol(addr)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    port, delay_s = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    reactor.listenTCP(port, CountingSite(EventReceiver(delay_s)), interface="127.0.0.1")  # type: ignore[no-untyped-call]
    reactor.run()
