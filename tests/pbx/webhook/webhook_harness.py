"""A service with webhooks, whose receivers the test holds in hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.config.loader import LinkConfig
from pmslink.link.link import Link
from pmslink.pbx.webhook.delivery_queue import Means
from pmslink.pbx.webhook.http_delivery import NotDelivered, Receiver
from pmslink.pbx.webhook.webhook_service import Webhooks
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.tables.log_entries import Recorded
from pmslink.web.serializers.event_serializer import event_body
from tests.web.served_api import Served, turns

SECRET = "correct horse battery staple"
HOOK = {"webhook_url": "http://pbx.example/events", "webhook_secret": SECRET}
NAME = "Zebedee"
"""A guest that no log may know."""
publisher: Any = globalLogPublisher  # which mypy lets no plain function observe


class ScriptedCourier:
    """Notes what it is to bring; receivers take it, unless the test says otherwise."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tried: list[tuple[Receiver, Any]] = []
        """All attempts."""
        self.tried_at: list[float] = []
        self.taken: list[Any] = []
        """The events that were taken."""
        self.broken: dict[str, str] = {}
        """Why the receiver of a URL takes nothing."""
        self.slow = False
        """Whether an answer waits for the test."""
        self.on_the_way: list[Deferred[None]] = []

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        event = json.loads(body)
        self.tried.append((receiver, event))
        self.tried_at.append(self._clock.seconds())
        if receiver.url in self.broken:
            return fail(NotDelivered(self.broken[receiver.url]))
        if not self.slow:
            self.taken.append(event)
            return succeed(None)
        answered: Deferred[None] = Deferred()
        self.on_the_way.append(answered)
        return answered.addCallback(lambda _: self.taken.append(event))

    def close(self) -> None:
        self.closed = True


class Hooked(Served):
    """Served, and with webhooks. What was there before has stopped, or crashed."""

    def __init__(self, before: Hooked | None = None, links: Sequence[LinkConfig] = ()) -> None:
        super().__init__(before, links)
        self.courier = ScriptedCourier(self.clock)
        means = Means(self.store, self.clock, self.now, self.courier, event_body, self.links.announce)
        self.webhooks = Webhooks(self.links, means)
        self.webhooks.startService()
        self.logged: list[LogEvent] = []
        self._note = self.logged.append
        publisher.addObserver(self._note)
        self.run()

    def hook(self, name: str = "grand", **settings: object) -> Link:
        """A link that dials nobody, and has a webhook; of its making the receiver has heard."""
        link = self.add(name, **{"enabled": False, **HOOK, **settings})
        self.forget()
        return link

    def forget(self) -> None:
        """What the courier brought up to now is of no interest."""
        self.courier.tried.clear()
        self.courier.tried_at.clear()
        self.courier.taken.clear()

    def check_in(self, *rooms: int, link: str = "grand") -> None:
        """The PMS tells of a guest in each of these rooms, and that is safe."""
        for room in rooms:
            text = f"GI|RN{room}|G#{room}|GN{NAME}|"
            self.store.journal.append(keep_records, Recorded(link, self.now(), "in", "GI", text))
        self.run()

    @property
    def tried(self) -> list[str]:
        """The rooms of all events that the courier tried to bring."""
        return [event["room"] for _, event in self.courier.tried]

    @property
    def taken(self) -> list[str]:
        """The rooms of all events that were taken."""
        return [event["room"] for event in self.courier.taken]

    async def reception(self, name: str = "grand") -> Any:
        """How the webhook of a link stands, as the interface tells it."""
        return (await self.get(f"/api/v1/links/{name}")).json()["webhook"]

    @property
    def log(self) -> list[str]:
        """What was logged of webhooks, line by line."""
        lines = [formatEvent(event) for event in self.logged]
        return [line for line in lines if "webhook" in line]

    async def crash(self) -> None:
        """End without a word: what was to be written is not."""
        self.store.journal.stop()
        self._unhook()
        stopped = self.links.stopService()
        self.run(1)
        await stopped
        await self.listening.stopListening()
        await turns()

    async def stop(self) -> None:
        if self.webhooks.running:
            self._unhook()
            await super().stop()

    def _unhook(self) -> None:
        self.webhooks.stopService()
        publisher.removeObserver(self._note)
