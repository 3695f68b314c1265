"""A service with canned answers: the page of pmslink, and links that are whatever a test says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import Any, cast, get_args
from urllib.parse import parse_qsl

from attrs import define, field

from pmslink import __version__
from pmslink.config.link_definition import parse_link
from pmslink.config.settings_serializer import serialize_settings
from pmslink.link.link_summary import LinkGroup
from pmslink.timestamps import format_timestamp
from pmslink.web.auth.permissions import PERMISSIONS_BY_ROLE, Role
from pmslink.web.ui.page_files import load_page_files
from tests.web.served_api import validate_schema

NO_HINTS: list[dict[str, Any]] = []


def ago(**duration: float) -> str:
    """Return the time this long ago, as the API writes it."""
    return format_timestamp(datetime.now(UTC) - timedelta(**duration))


def minute(timestamp: str) -> str:
    """Return a time as the page shows it to the minute, in the time zone of this machine."""
    at = datetime.fromisoformat(timestamp).astimezone()
    day = "" if at.date() == datetime.now().astimezone().date() else f"{at.day} {at:%b}, "
    return f"{day}{at:%H:%M}"


def make_link(name: str, **values: Any) -> dict[str, Any]:
    """Return a link of the API that is in sync and well, but for these values."""
    config = parse_link(name, {"host": "192.0.2.1", "port": 5010, "profile": "generic"})
    up_since = ago(hours=3)
    link: dict[str, Any] = {
        "name": name,
        "state": "ESTABLISHED",
        "label": "Link established",
        "since": up_since,
        "reason": "The PMS started the link (LS)",
        "cause": {"code": "started", "params": {"record": "LS"}},
        "advice": "",
        "intent": "enabled",
        "attention": 0,
        "group": "look" if values.get("attention", 0) >= 2 else "connected",
        "in_sync": True,
        "last_in_sync": ago(seconds=1),
        "down_since": None,
        "failure": None,
        "host": config.host,
        "port": config.port,
        "profile": config.profile,
        "settings": serialize_settings(config.settings),
        "declared": False,
        "made": None,
        "retry": {"attempt": 0, "next_at": None},
        "alive": {
            "last_check": ago(seconds=9),
            "last_answer": ago(seconds=9),
            "round_trip_ms": 3.2,
            "last_received": ago(seconds=9),
        },
        "outbox": {"pending": 0, "unknown": 0, "refused": 0, "oldest": None},
        "resync": {"wanted": False, "asked": up_since, "started": up_since, "ended": up_since, "records": 30},
        "declared_records": ["GI", "GO"],
        "held": None,
        "by_hand": {"open": 0, "differ": 0},
        "clock_offset": 0.4,
        "outages": {"last_hour": 0, "last_at": None, "last_seconds": None, "last_cause": None},
        "not_understood": {"records": 0, "bytes": 0, "last_at": None, "last": None},
        "failed_wake_ups": {"count": 0, "last_at": None, "last_room": None},
        "hints": NO_HINTS,
        "webhook": None,
    }
    unknown = values.keys() - link.keys()
    assert not unknown, unknown
    link |= values
    validate_schema({"$ref": "#/components/schemas/Link"}, link)
    return link


def make_down_link(name: str, **values: Any) -> dict[str, Any]:
    """Return a link of the API whose PMS refuses connections, but for these values."""
    down = {
        "state": "EXPECTION",
        "label": "Link abnormal",
        "reason": "192.0.2.1:5010 refused the connection: Connection refused",
        "cause": {"code": "refused", "params": {"detail": "Connection refused"}},
        "attention": 4,
        "group": "down",
        "in_sync": False,
        "down_since": ago(minutes=5),
    }
    down |= values
    return make_link(name, **{"failure": down["cause"], **down})


@define
class CannedService:
    """The canned answers, by path below `/api/v1/`, of a service at `url`."""

    url: str = ""
    role: Role = "control"
    links: dict[str, dict[str, Any]] = field(factory=dict)
    answers: dict[str, Any] = field(factory=dict)
    """JSON by method and path, such as `POST links/test`."""
    notices: dict[int, dict[str, Any]] = field(factory=dict)
    requests: list[tuple[str, Any]] = field(factory=list)
    """Method and path, and the body, of each request that changes something."""
    _streams: list[SimpleQueue[bytes | None]] = field(factory=list)

    def show(self, *links: dict[str, Any]) -> None:
        """Add links, or replace those of the same name."""
        for link in links:
            self.links[link["name"]] = link
            for stream in self._streams:
                stream.put(_format_link_event(link))

    def show_transition(self, link: dict[str, Any], old: str, new: str) -> None:
        """Replace a link whose marker has changed."""
        self.links[link["name"]] = link
        change = {
            "id": 1,
            "at": ago(),
            "from": old,
            "to": new,
            "reason": link["reason"],
            "cause": link["cause"],
        }
        for stream in self._streams:
            stream.put(_format_link_event(link, change))

    def show_reset(self) -> None:
        """Let the streams begin again, as after a while in which nothing was received."""
        for stream in self._streams:
            stream.put(_format_event("reset", {}))

    def show_notices(self, *notices: dict[str, Any]) -> None:
        """Open notices, or replace those of the same id."""
        for notice in notices:
            self.notices[notice["id"]] = notice
            for stream in self._streams:
                stream.put(_format_event("notice", {"link": notice["link"], "notice": notice}))

    def answer(self, method: str, path: str, body: Any, query: Mapping[str, str]) -> tuple[int, Any]:
        """Return the status and the JSON of a response."""
        if method != "GET":
            self.requests.append((f"{method} {path}", body))
        if f"{method} {path}" in self.answers:
            return 200, self.answers[f"{method} {path}"]
        if path == "session":
            permissions = sorted(PERMISSIONS_BY_ROLE[self.role])
            session = {"name": "test", "role": self.role, "permissions": permissions}
            return 200, {**session, "expires": None, "csrf": None, "tokens": False}
        if path == "status":
            store = {"ok": True, "reason": None}
            counts = Counter(link["group"] for link in self.links.values())
            groups = {group: counts[group] for group in get_args(LinkGroup)}
            return 200, {"version": __version__, "store": store, "groups": groups}
        if path == "audit":
            return 200, {"audit": []}
        if path == "links":
            return 200, self._list_links(query)
        if path == "notices":
            return 200, self._list_notices(query)
        if match := re.fullmatch("notices/(?:([0-9]+)/)?acknowledge", path):
            return 200, self._acknowledge(match[1])
        if match := re.fullmatch("links/([^/]+)(?:/(.+))?", path):
            return self._answer_of_link(match[1], match[2])
        return 404, {"error": {"code": "not_found", "message": path}}

    def _list_links(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the part of the links that a query selects, as the API does, with the hours of each."""
        search = query.get("q", "").lower()
        found = [
            link
            for link in self.links.values()
            if query.get("group") in (None, link["group"]) and search in f"{link['name']} {link['host']}"
        ]
        orders: dict[str, Callable[[dict[str, Any]], Any]] = {
            "attention": lambda link: (-link["attention"], link["down_since"] or "9", link["name"]),
            "changed": lambda link: _descending(link["down_since"] or link["since"]),
            "name": lambda link: link["name"],
        }
        found.sort(key=orders[query.get("order", "name")])
        begin = int(query.get("offset", 0))
        part = found[begin : begin + int(query.get("limit", 1000))]
        hours = {"hours": "g" * 24}
        return {"links": [{**hours, **link} for link in part], "total": len(found), "next": None}

    def _list_notices(self, query: Mapping[str, str]) -> dict[str, Any]:
        states = query.get("state", "open,acknowledged,over").split(",")
        newest = sorted(self.notices.values(), key=lambda notice: notice["id"], reverse=True)
        found = [notice for notice in newest if notice["state"] in states]
        limit = int(query.get("limit", 100))
        count = sum(notice["state"] == "open" for notice in newest)
        return {"notices": found[:limit], "open": count, "next": "1" if len(found) > limit else None}

    def _acknowledge(self, notice_id: str | None) -> dict[str, Any]:
        """Acknowledge a notice, or without an id all that are open, as the API does."""
        ids = [*self.notices] if notice_id is None else [int(notice_id)]
        by_test = {"state": "acknowledged", "acknowledged": {"by": "test", "at": ago()}}
        opened = [self.notices[one] for one in ids if self.notices[one]["state"] == "open"]
        self.show_notices(*({**notice, **by_test} for notice in opened))
        return {"acknowledged": len(opened)} if notice_id is None else self.notices[int(notice_id)]

    def _answer_of_link(self, name: str, below: str | None) -> tuple[int, Any]:
        if name not in self.links:
            return 404, {"error": {"code": "unknown_link", "message": name}}
        empty_timeline = {
            "from": ago(hours=1),
            "until": ago(),
            "spans": [],
            "in_sync": {"seconds": 0, "known_seconds": 0, "share": None},
        }
        lists = {"timeline": empty_timeline, None: self.links[name]}
        return 200, lists.get(below, {below: []})

    def open_stream(self) -> Iterator[bytes]:
        """Yield the events of the stream: a reset, and then what changes."""
        queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._streams.append(queue)
        yield b"id: 1\nevent: reset\ndata: %s\n\n" % json.dumps({"seq": 1, "at": ago()}).encode()
        while (event := queue.get()) is not None:
            yield event

    def close_streams(self) -> None:
        for stream in self._streams:
            stream.put(None)


def _descending(timestamp: str) -> float:
    return -datetime.fromisoformat(timestamp).timestamp()


def _format_link_event(link: Mapping[str, Any], transition: Mapping[str, Any] | None = None) -> bytes:
    return _format_event("link", {"link": link, "transition": transition})


def _format_event(kind: str, payload: Mapping[str, Any]) -> bytes:
    data = json.dumps({"seq": 1, "at": ago(), **payload})
    return b"id: 1\nevent: %s\ndata: %s\n\n" % (kind.encode(), data.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: CannedService


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # each response ends with its connection

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/api/v1/stream":
            self._stream()
        elif path.startswith("/api/v1/"):
            self._answer(path)
        else:
            page = load_page_files()
            name = path.removeprefix("/page/").removeprefix(f"{page.version}/")
            asset = page.index if path == "/" else page.assets[name]
            self._respond(200, asset.content_type.decode(), asset.body)

    def do_POST(self) -> None:
        self._answer(self.path)

    do_PATCH = do_POST

    def _answer(self, path: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        service = cast(_Server, self.server).service
        query = dict(parse_qsl(self.path.partition("?")[2]))
        status, answer = service.answer(self.command, path.removeprefix("/api/v1/"), body, query)
        self._respond(status, "application/json", json.dumps(answer).encode())

    def _stream(self) -> None:
        self._begin(200, "text/event-stream")
        try:
            for event in cast(_Server, self.server).service.open_stream():
                self.wfile.write(event)
        except ConnectionError:
            pass  # the page was closed

    def _respond(self, status: int, content_type: str, body: bytes) -> None:
        try:
            self._begin(status, content_type)
            self.wfile.write(body)
        except ConnectionError:
            pass  # the page was closed

    def _begin(self, status: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def start_canned_service() -> Iterator[CannedService]:
    """Run a service with canned answers on a loopback port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    service = CannedService(f"http://127.0.0.1:{server.server_port}")
    server.service = service
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        service.close_streams()
        server.shutdown()
        thread.join()
        server.server_close()
