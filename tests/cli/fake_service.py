"""A small HTTP server with the parts of the API that the command reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Run = Callable[..., list[str]]
"""Run the command with these arguments and return the lines that it prints."""


class FakeService(ThreadingHTTPServer):
    """Respond as pmslink does, from the links and records that a test adds."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RequestHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.links: list[dict[str, object]] = []
        self.links_per_page: int | None = None
        self.records: list[dict[str, object]] = []
        self.error_response: tuple[int, bytes] | None = None
        self.requested_paths: list[str] = []
        self.authorization: str | None = None

    def answer(self, target: str) -> tuple[int, bytes]:
        self.requested_paths.append(target)
        url = urlsplit(target)
        if self.error_response:
            return self.error_response
        if url.path == "/api/v1/links":
            return 200, json.dumps(self._page_of_links(url.query)).encode()
        assert url.path == "/api/v1/links/grand/records"
        limit = int(parse_qs(url.query)["limit"][0])
        newest_first = sorted(self.records, key=lambda record: str(record["at"]), reverse=True)
        return 200, json.dumps({"records": newest_first[:limit]}).encode()

    def _page_of_links(self, query: str) -> dict[str, object]:
        if self.links_per_page is None:  # an earlier release
            return {"links": self.links}
        (begin,) = map(int, parse_qs(query).get("after", ["0"]))
        end = begin + self.links_per_page
        return {"links": self.links[begin:end], "next": str(end) if end < len(self.links) else None}

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def record(self, direction: str, text: str, problem: str | None = None) -> None:
        """Add a record one second after the last one."""
        id, *fields = text.strip("|").split("|")
        seconds = len(self.records)
        self.records.append(
            {
                "id": 7 * seconds + 1,  # ids are unique over all links, so there are gaps
                "at": f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.250Z",
                "direction": direction,
                "type": id,
                "text": text,
                "fields": [[field[:2], field[2:]] for field in fields],
                "problem": problem,
            }
        )


class RequestHandler(BaseHTTPRequestHandler):
    server: FakeService

    def do_GET(self) -> None:
        self.server.authorization = self.headers["Authorization"]
        status, body = self.server.answer(self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing, because tests check stderr."""


def make_link(name: str, state: str, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "state": state,
        "label": f"label of {state}",
        "since": "2026-01-02T03:04:05.678Z",
        "down_since": None,
        "reason": "The PMS ended the link",
        "advice": "",
        "in_sync": False,
        "attention": 4,
    } | more
