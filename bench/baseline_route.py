"""A route of Klein that reads a posting, answers as much as pmslink would, and keeps nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

from klein import Klein
from twisted.internet import reactor as global_reactor
from twisted.web.server import Site

from bench.bench_processes import POSTINGS_PATH

ADDED_FIELDS = {
    "id": 1795618877519,
    "number": 12345,
    "started": "2026-11-25T15:01:19.852Z",
    "state": "pending",
    "attempts": 0,
    "created": "2026-11-25T15:01:19.852Z",
    "sent": None,
    "answered": None,
    "answer": None,
    "text_answer": None,
}
"""What pmslink answers beside what it was asked for."""

app = Klein()


@app.route(POSTINGS_PATH.replace("grand", "<link>"), methods=["POST"])
def post(request: Any, link: str) -> bytes:
    body = json.dumps({**json.load(request.content), **ADDED_FIELDS}).encode()
    request.setResponseCode(202)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"content-length", b"%d" % len(body))
    return body


class QuietSite(Site):
    """Logs nothing."""

    def log(self, request: Any) -> None:
        pass


if __name__ == "__main__":
    reactor: Any = global_reactor
    site = QuietSite(app.resource())  # type: ignore[no-untyped-call]
    reactor.listenTCP(int(sys.argv[1]), site, interface="127.0.0.1")
    reactor.run()
