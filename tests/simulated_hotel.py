"""A simulated hotel: PMS, phones, and pmslink between them, in one process on a test clock."""

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

from pmslink.config.link_definition import parse_link
from pmslink.fias.record import Record
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.life.phones import Phones, UnreachableError
from pmslink.simulator.pms.connection_factory import PmsFactory
from pmslink.simulator.pms.property import Pms
from pmslink.store.core import store_metadata
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.hotel_states import rooms_of
from pmslink.store.tables.outbox_rows import IS_OPEN, OutboxRow, fetch_rows, newest_rows, row_query
from pmslink.web.api.domain_errors import map_domain_error
from pmslink.web.api.history_endpoints import HistoryResource
from pmslink.web.api.posting_endpoints import PostingResource
from pmslink.web.api.room_endpoints import RoomResource
from pmslink.web.auth.audited_action import AuditedAction
from pmslink.web.auth.caller import Caller
from pmslink.web.http.api_errors import make_error_response
from pmslink.web.serializers.event_serializer import serialize_event
from pmslink.web.serializers.room_serializer import serialize_room
from pmslink.web.stream.long_poll import LongPoll
from tests.memory_network import Network, advance_clock
from tests.memory_store import MemoryDatabase, make_store
from tests.stay_log import LoggedHotel, StayLog

LINK_NAME = "hotel"
HOTEL_ZONE = ZoneInfo("Europe/Vienna")
START_TIME = datetime(2026, 10, 21, 10, 0, tzinfo=UTC)
"""The start of the simulation. On the following Sunday, clocks are set back by an hour."""
SETTLING_TIME = timedelta(seconds=10)
"""The time after the start of the link in which the records that waited for it are handled."""


class LoggedPms(Pms):
    """A PMS that logs stays and the link, and counts wake-up results, which a PBX may send only once."""

    def __init__(self, *arguments: Any, log: StayLog, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.log = log
        self.hotel = LoggedHotel(self.hotel, log)
        self.result_counts: Counter[tuple[str | None, ...]] = Counter()
        """The number of results of each wake-up, by its room, date and time. Without a date, today."""

    def on_record(self, record: Record) -> None:
        if record.id == "WA":
            date = record.get("DA") or f"{self.now():%y%m%d}"
            self.result_counts[record.get("RN"), date, record.get("TI")] += 1
        super().on_record(record)

    def on_stage_changed(self) -> None:
        super().on_stage_changed()
        self.log.add_link(self.alive)


@define
class FakeRequest:
    """The parts of an HTTP request that the endpoints use."""

    content: BytesIO
    args: Mapping[bytes, list[bytes]]
    requestHeaders: Headers
    caller: Caller = field(factory=Caller)
    audited: AuditedAction = field(factory=lambda: AuditedAction(0, ""))
    status: int = 200
    method: bytes = b""
    path: bytes = b""
    responseHeaders: Headers = field(factory=Headers)
    sent: list[bytes] = field(factory=list)
    """The parts of a long body that were written before the end."""

    def getHeader(self, name: Any) -> Any:
        values = self.requestHeaders.getRawHeaders(name)
        return values[-1] if values else None

    def setResponseCode(self, status: int) -> None:
        self.status = status

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.responseHeaders.setRawHeaders(name, [value])

    # A client that reads at once.

    def registerProducer(self, producer: object, streaming: bool) -> None:
        pass

    def unregisterProducer(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.sent.append(data)


class AllowAllAccess:
    """An access control that allows every call."""

    def require_still_authorized(self, caller: object) -> None:
        pass


class SimulatedHotel:
    """The hotel, the PMS, the phones and pmslink; pmslink alone can stop, crash and start."""

    def __init__(self, rooms: int, seed: int, pace: float, calls: float, **settings: Any) -> None:
        self.clock = Clock()
        self.rng = Random(seed)
        self.stay_log = StayLog(self.now)
        self.pms = LoggedPms(
            self.clock, self.local_now, rooms, seed=seed, max_records=1000, log=self.stay_log
        )
        self.network = Network(self.clock, PmsFactory(self.pms))
        self.database = MemoryDatabase()
        self.settings = {"host": "127.0.0.1", "port": 5010, "timezone": "Europe/Vienna", **settings}
        self.is_running = False
        self.start()
        self.life = Life(self.pms, self.clock, Random(seed + 1), pace)
        phones_rng = Random(seed + 2)
        self.phones = Phones(self, LINK_NAME, self.clock, self.local_now, phones_rng, calls)

    def now(self) -> datetime:
        return START_TIME + timedelta(seconds=self.clock.seconds())

    def local_now(self) -> datetime:
        return self.now().astimezone(HOTEL_ZONE)

    @property
    def is_settled(self) -> bool:
        """Whether pmslink runs, and has received all that the PMS has sent."""
        alive_since = self.now() - SETTLING_TIME
        return (
            self.is_running
            and self.stay_log.is_alive_between(alive_since, self.now())
            and self.link.status().in_sync
        )

    # Start and stop pmslink.

    def start(self) -> None:
        self.store = make_store(self.clock, self.now, self.database)
        self.links = LinkRegistry(self.clock, self.store, self.now, self.network.dial)
        self.link: Link = self.links.add(parse_link(LINK_NAME, self.settings))
        self.long_poll = LongPoll(self.store.journal, self.clock)
        resources = (
            HistoryResource(self.links, self.store, self.clock, self.long_poll, AllowAllAccess()),  # type: ignore[arg-type]
            PostingResource(self.links, self.store, self.clock, self.now),
            RoomResource(self.links, self.store, self.clock, self.now),
        )
        self.routes = [
            (method, re.compile(re.sub("<([a-z]+)>", "(?P<\\1>[^/]+)", path)), call)
            for resource in resources
            for method, path, call in resource.routes()
        ]
        self.store.journal.submit_nowait(store_metadata.mark_running, None)
        self.links.startService()
        self.is_running = True

    def stop(self, crash: bool = False) -> None:
        """Stop pmslink, or end it like a killed process."""
        advance_clock(self.clock, 0)
        self.is_running = False
        if crash:
            self.store.journal.stop()
        stopped: list[object] = []
        self.links.stopService().addCallback(stopped.append)
        advance_clock(self.clock, 0)
        assert stopped
        if not crash:
            self.store.journal.submit_nowait(store_metadata.mark_stopped, None)
            advance_clock(self.clock, 0)
            self.store.journal.stop()
        self.long_poll.stop()

    # The API that the phones call.

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        if not self.is_running:
            raise UnreachableError("pmslink does not run")
        path, _, query = path.partition("?")
        headers = Headers({"content-type": ["application/json"]})
        if key is not None:
            headers.addRawHeader("Idempotency-Key", key)
        args = {
            name.encode(): [value.encode() for value in values] for name, values in parse_qs(query).items()
        }
        request = FakeRequest(BytesIO(json.dumps(body or {}).encode()), args, headers)
        for allowed, pattern, call in self.routes:
            if allowed == method and (match := pattern.fullmatch(path)):
                variables = {name: unquote(value) for name, value in match.groupdict().items()}
                return await self._respond(request, call, variables)
        raise LookupError(f"{method} {path}")

    async def _respond(
        self, request: FakeRequest, call: Callable[..., Any], variables: Mapping[str, str]
    ) -> tuple[int, Any]:
        try:
            text = await call(request, **variables)
        except CancelledError:  # the phones stopped
            raise
        except Exception:
            text = make_error_response(request, Failure(), map_domain_error)  # type: ignore[arg-type]
        if not self.is_running:  # pmslink stopped during the call
            raise UnreachableError("pmslink has stopped")
        return request.status, json.loads(b"".join((*request.sent, text)))

    # The stored data.

    def read(self, query: Callable[..., Any], *arguments: Any) -> Any:
        results: list[Any] = []
        self.store.read(query, *arguments).addCallback(results.append)
        return results[0]

    def rooms(self) -> dict[str, Any]:
        """Return the rooms as the API serves them, by room number."""
        policy = self.store.hotels.policy_of(LINK_NAME)
        return {
            room.room: serialize_room(room, policy, sees_guests=True)
            for room in self.read(rooms_of, LINK_NAME)
        }

    def events(self) -> list[dict[str, Any]]:
        """Return all stored events, oldest first."""
        events: list[dict[str, Any]] = []
        while page := self.read(events_after, LINK_NAME, events[-1]["seq"] if events else 0, 1000):
            events += map(serialize_event, page)
        return events

    def outbox_rows(self) -> list[OutboxRow]:
        """Return all rows of the outbox, newest first."""
        rows: list[OutboxRow] = []
        while page := self.read(newest_rows, LINK_NAME, None, rows[-1].id if rows else None, 1000):
            rows += page
        return rows

    def open_rows(self) -> list[OutboxRow]:
        """Return the rows of the outbox that are not sent yet, or not proved to have been received."""
        return list(self.read(fetch_rows, row_query(IS_OPEN)))
