"""A hotel that lives, its PMS, its phones, and pmslink between them, in one process and on a test clock."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

from attrs import define, field
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers

from pmslink.config.loader import read_link
from pmslink.fias.record import Record
from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.life.phones import Phones, UnreachableError
from pmslink.simulator.pms.pbx_connection import PmsFactory
from pmslink.simulator.pms.property import Pms
from pmslink.store.core import store_metadata
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.hotel_states import rooms_of
from pmslink.store.tables.outbox_rows import Row, newest_rows
from pmslink.web.api.history_endpoints import ListCalls
from pmslink.web.api.posting_endpoints import OutboxCalls
from pmslink.web.api.room_endpoints import RoomCalls, room_json
from pmslink.web.auth.caller import Caller
from pmslink.web.http.json_responses import answer_failure
from pmslink.web.serializers.event_serializer import event_json
from pmslink.web.stream.long_poll import Waiting
from tests.memory_network import Network, run
from tests.memory_store import MemoryDatabase, make_store

LINK = "hotel"
ZONE = ZoneInfo("Europe/Vienna")
WEDNESDAY = datetime(2026, 10, 21, 10, 0, tzinfo=UTC)
"""When it begins: on the Sunday that follows, clocks are set back by an hour."""


class WatchedPms(Pms):
    """A PMS that counts what no phone system may send twice."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.results: Counter[tuple[str | None, ...]] = Counter()
        """How often the result of a wake-up came, by its room, date and time."""

    def received(self, record: Record) -> None:
        if record.id == "WA":
            self.results[record.get("RN"), record.get("DA"), record.get("TI")] += 1
        super().received(record)


@define
class Asked:
    """A request, as far as the calls look at one."""

    content: BytesIO
    args: Mapping[bytes, list[bytes]]
    requestHeaders: Headers
    caller: Caller = field(factory=Caller)
    status: int = 200
    method: bytes = b""
    path: bytes = b""
    answered: dict[bytes, bytes] = field(factory=dict)

    def getHeader(self, name: Any) -> Any:
        values = self.requestHeaders.getRawHeaders(name)
        return values[-1] if values else None

    def setResponseCode(self, status: int) -> None:
        self.status = status

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.answered[name] = value


class Everybody:
    """A door that is open."""

    def require_admitted(self, caller: object) -> None:
        pass


class LivingHotel:
    """All of it; `crash` and `restart` are of pmslink, the hotel lives on."""

    def __init__(self, rooms: int, seed: int, pace: float, calls: float, **settings: Any) -> None:
        self.clock = Clock()
        self.chance = Random(seed)
        self.pms = WatchedPms(self.clock, self.local, rooms, seed=seed, keep=1000)
        self.network = Network(self.clock, PmsFactory(self.pms))
        self.database = MemoryDatabase()
        self.settings = {"host": "127.0.0.1", "port": 5010, "timezone": "Europe/Vienna", **settings}
        self.up = False
        self.start()
        self.life = Life(self.pms, self.clock, Random(seed + 1), pace)
        chance = Random(seed + 2)
        self.phones = Phones(self, LINK, self.clock, self.local, chance, calls)

    def now(self) -> datetime:
        return WEDNESDAY + timedelta(seconds=self.clock.seconds())

    def local(self) -> datetime:
        return self.now().astimezone(ZONE)

    # pmslink

    def start(self) -> None:
        self.store = make_store(self.clock, self.now, self.database)
        self.links = Links(self.clock, self.store, self.now, self.network.dial)
        self.link: Link = self.links.add(read_link(LINK, self.settings))
        self.waiting = Waiting(self.store.journal, self.clock)
        subjects = (
            ListCalls(self.links, self.store, self.waiting, Everybody()),  # type: ignore[arg-type]
            OutboxCalls(self.links, self.store, self.now),
            RoomCalls(self.links, self.store, self.now),
        )
        self.routes = [
            (method, re.compile(re.sub("<([a-z]+)>", "(?P<\\1>[^/]+)", path)), call)
            for subject in subjects
            for method, path, call in subject.routes()
        ]
        self.store.journal.append(store_metadata.begin, None)
        self.links.startService()
        self.up = True

    def stop(self, crash: bool = False) -> None:
        """In good order, or as by SIGKILL."""
        run(self.clock, 0)
        self.up = False
        if crash:
            self.store.journal.stop()
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        run(self.clock, 0)
        assert stopped
        if not crash:
            self.store.journal.append(store_metadata.end, None)
            run(self.clock, 0)
            self.store.journal.stop()
        self.waiting.stop()

    # the interface of the phones

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        if not self.up:
            raise UnreachableError("pmslink does not run")
        path, _, query = path.partition("?")
        headers = Headers({"content-type": ["application/json"]})
        if key is not None:
            headers.addRawHeader("Idempotency-Key", key)
        args = {name.encode(): [one.encode() for one in values] for name, values in parse_qs(query).items()}
        request = Asked(BytesIO(json.dumps(body or {}).encode()), args, headers)
        for allowed, pattern, call in self.routes:
            if allowed == method and (match := pattern.fullmatch(path)):
                variables = {name: unquote(value) for name, value in match.groupdict().items()}
                return await self._answer(request, call, variables)
        raise LookupError(f"{method} {path}")

    async def _answer(
        self, request: Asked, call: Callable[..., Any], variables: Mapping[str, str]
    ) -> tuple[int, Any]:
        try:
            text = await call(request, **variables)
        except CancelledError:  # the phones hang up
            raise
        except Exception:
            text = answer_failure(request, Failure())  # type: ignore[arg-type]
        if not self.up:  # it ended meanwhile
            raise UnreachableError("pmslink does not run any more")
        return request.status, json.loads(text)

    # what is there

    def read(self, query: Callable[..., Any], *arguments: Any) -> Any:
        found: list[Any] = []
        self.store.read(query, *arguments).addCallback(found.append)
        return found[0]

    def rooms(self) -> dict[str, Any]:
        """As pmslink has them."""
        rules = self.store.houses.rules_of(LINK)
        return {room.room: room_json(room, rules, sees_guests=True) for room in self.read(rooms_of, LINK)}

    def events(self) -> list[dict[str, Any]]:
        """All that have happened."""
        found: list[dict[str, Any]] = []
        while more := self.read(events_after, LINK, found[-1]["seq"] if found else 0, 1000):
            found += map(event_json, more)
        return found

    def rows(self) -> list[Row]:
        """The whole outbox, newest first."""
        found: list[Row] = []
        while more := self.read(newest_rows, LINK, None, found[-1].id if found else None, 1000):
            found += more
        return found
