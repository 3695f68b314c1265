"""A response of JSON values, one per line, each sent as soon as it is known."""

from __future__ import annotations

from twisted.web.server import Request

from pmslink.web.http.json_responses import begin_response, serialize_json

JSON_LINES = b"application/x-ndjson"
"""The content type."""


class JsonLines:
    """Write a few short lines to a client. The response begins with the first one."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.has_begun = False

    def write(self, value: object) -> None:
        """Send a value."""
        if not self.has_begun:
            self.has_begun = True
            begin_response(self._request, 200, JSON_LINES)
            self._request.setHeader(b"x-accel-buffering", b"no")  # nginx would collect the lines
        self._request.write(serialize_json(value) + b"\n")
