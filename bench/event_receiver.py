"""A receiver of a webhook, in this process of its own, that notes when each event came.

python -m bench.event_receiver PORT

GET gives what came since it was asked last: type, number of the guest if there is one, seconds since 1970.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.web.resource import Resource
from twisted.web.server import Site


class EventReceiver(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._received_events: list[tuple[str, str | None, float]] = []

    def render_POST(self, request: Any) -> bytes:
        now, event = time.time(), json.load(request.content)
        self._received_events.append((event["type"], event.get("guest", {}).get("number"), now))
        request.setResponseCode(204)
        return b""

    def render_GET(self, request: Any) -> bytes:
        came, self._received_events = self._received_events, []
        return json.dumps(came).encode()


class QuietSite(Site):
    """Logs nothing."""

    def log(self, request: Any) -> None:
        pass


if __name__ == "__main__":
    reactor: Any = global_reactor
    reactor.listenTCP(int(sys.argv[1]), QuietSite(EventReceiver()), interface="127.0.0.1")  # type: ignore[no-untyped-call]
    reactor.run()
