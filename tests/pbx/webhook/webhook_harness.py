"""A served API with webhooks, whose receivers answer as the test scripts them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.config.link_definition import LinkConfig
from pmslink.link.link import Link
from pmslink.pbx.webhook.delivery_error import DeliveryError
from pmslink.pbx.webhook.delivery_queue import WebhookContext
from pmslink.pbx.webhook.http_delivery import Receiver
from pmslink.pbx.webhook.webhook_service import WebhookService
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.web.serializers.event_serializer import serialize_webhook_event
from tests.web.served_api import ServedApi, run_reactor_turns

WEBHOOK_SECRET = "correct horse battery staple"
WEBHOOK_SETTINGS = {"webhook_url": "http://pbx.example/events", "webhook_secret": WEBHOOK_SECRET}
GUEST_NAME = "Zebedee"
"""A guest whose name no log may contain."""
publisher: Any = globalLogPublisher  # its type does not accept a plain function as an observer


class ScriptedWebhookTransport:
    """Records deliveries. Receivers accept every event unless the test scripts a failure."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.attempts: list[tuple[Receiver, Any]] = []
        """The receiver and the content of each attempt: an event, or a list of events."""
        self.attempt_times: list[float] = []
        self.delivered: list[Any] = []
        """The events that were accepted."""
        self.failure_by_url: dict[str, str] = {}
        """The error of each URL whose receiver rejects events."""
        self.rejected_rooms: set[str] = set()
        """The rooms whose events every receiver rejects, with the whole request."""
        self.is_reached = True
        """Whether requests that fail are sent to the receiver."""
        self.holds_responses = False
        """Whether a response is delayed until the test fires it."""
        self.pending_responses: list[Deferred[None]] = []

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        content = json.loads(body)
        events = content.get("events", [content])
        self.attempts.append((receiver, content.get("events", content)))
        self.attempt_times.append(self._clock.seconds())
        if receiver.url in self.failure_by_url:
            return fail(DeliveryError(self.failure_by_url[receiver.url], self.is_reached))
        if self.rejected_rooms & {event["room"] for event in events}:
            return fail(DeliveryError("it answered 400", was_sent=True))
        if not self.holds_responses:
            self.delivered += events
            return succeed(None)
        response: Deferred[None] = Deferred()
        self.pending_responses.append(response)
        return response.addCallback(lambda _: self.delivered.extend(events))

    def close(self) -> None:
        self.is_closed = True


class WebhookHarness(ServedApi):
    """A served API with webhooks; on the store of a previous one that has stopped or crashed."""

    def __init__(self, previous: WebhookHarness | None = None, links: Sequence[LinkConfig] = ()) -> None:
        super().__init__(previous, links)
        self.transport = ScriptedWebhookTransport(self.clock)
        context = WebhookContext(
            self.store,
            self.clock,
            self.now,
            self.transport,
            serialize_webhook_event,
            self.links.publish_change,
        )
        self.webhooks = WebhookService(self.links, context)
        self.webhooks.startService()
        self.log_events: list[LogEvent] = []
        self._log_observer = self.log_events.append
        publisher.addObserver(self._log_observer)
        self.advance()

    def add_webhook_link(self, name: str = "grand", **settings: object) -> Link:
        """Add a disabled link with a webhook, and clear the event of its creation."""
        link = self.add_link(name, **{"enabled": False, **WEBHOOK_SETTINGS, **settings})
        self.clear_attempts()
        return link

    def clear_attempts(self) -> None:
        """Clear the recorded deliveries."""
        self.transport.attempts.clear()
        self.transport.attempt_times.clear()
        self.transport.delivered.clear()

    def check_in(self, *rooms: int, link: str = "grand") -> None:
        """Store a guest check-in of the PMS for each of these rooms."""
        for room in rooms:
            text = f"GI|RN{room}|G#{room}|GN{GUEST_NAME}|"
            self.store.journal.submit_nowait(append_records, RecordLogged(link, self.now(), "in", "GI", text))
        self.advance()

    @property
    def attempted_rooms(self) -> list[str]:
        """The rooms of all attempted events, each in a request of its own."""
        return [event["room"] for _, event in self.transport.attempts]

    @property
    def attempted_batches(self) -> list[list[str]]:
        """The rooms of all attempted batches."""
        return [[event["room"] for event in events] for _, events in self.transport.attempts]

    @property
    def delivered_rooms(self) -> list[str]:
        """The rooms of all delivered events."""
        return [event["room"] for event in self.transport.delivered]

    async def webhook_status(self, name: str = "grand") -> Any:
        """Return the webhook status of a link from the API."""
        return (await self.get(f"/api/v1/links/{name}")).json()["webhook"]

    @property
    def webhook_log(self) -> list[str]:
        """The log lines about webhooks."""
        lines = [formatEvent(event) for event in self.log_events]
        return [line for line in lines if "webhook" in line]

    async def crash(self) -> None:
        """Stop like a killed process: nothing more is written to the store."""
        self.store.journal.stop()
        self._stop_webhooks()
        stopped = self.links.stopService()
        self.advance(1)
        await stopped
        await self.listening_port.stopListening()
        await run_reactor_turns()

    async def stop(self) -> None:
        if self.webhooks.running:
            self._stop_webhooks()
            await super().stop()

    def _stop_webhooks(self) -> None:
        self.webhooks.stopService()
        publisher.removeObserver(self._log_observer)
