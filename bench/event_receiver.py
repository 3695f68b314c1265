"""A webhook receiver, run as a separate process, that records when each event arrives.

python -m bench.event_receiver PORT

GET returns the events since the previous GET: type, number of the guest or null, seconds since 1970.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.web.resource import Resource

from bench.baseline_route import QuietSite


class EventReceiver(Resource):
    """Accepts events by POST, and returns their times by GET."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._received_events: list[tuple[str, str | None, float]] = []

    def render_POST(self, request: Any) -> bytes:
        """Accept an event."""
        now, event = time.time(), json.load(request.content)
        self._received_events.append((event["type"], event.get("guest", {}).get("number"), now))
        request.setResponseCode(204)
        return b""

    def render_GET(self, request: Any) -> bytes:
        """Return the events since the previous GET."""
        events, self._received_events = self._received_events, []
        return json.dumps(events).encode()


if __name__ == "__main__":
    reactor: Any = global_reactor
    reactor.listenTCP(int(sys.argv[1]), QuietSite(EventReceiver()), interface="127.0.0.1")  # type: ignore[no-untyped-call]
    reactor.run()
