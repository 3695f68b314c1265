"""The baseline of posting_throughput: a Klein route that parses a posting, responds, and stores nothing.

python -m bench.baseline_route PORT
"""

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
"""The fields that pmslink adds to a posting in its response."""

app = Klein()


@app.route(POSTINGS_PATH.replace("grand", "<link>"), methods=["POST"])
def post(request: Any, link: str) -> bytes:
    """Respond to a posting like pmslink, with a body of the same size."""
    body = json.dumps({**json.load(request.content), **ADDED_FIELDS}).encode()
    request.setResponseCode(202)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"content-length", b"%d" % len(body))
    return body


class QuietSite(Site):
    """A site without an access log."""

    def log(self, request: Any) -> None:
        pass


if __name__ == "__main__":
    reactor: Any = global_reactor
    site = QuietSite(app.resource())  # type: ignore[no-untyped-call]
    reactor.listenTCP(int(sys.argv[1]), site, interface="127.0.0.1")
    reactor.run()
