"""The limit of deliveries at once: queues get their slot in turn, and retries do not delay first attempts."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred

from pmslink.pbx.webhook import delivery_slots
from pmslink.pbx.webhook.delivery_slots import RETRY_SLOTS, DeliverySlots
from tests.pbx.webhook.webhook_harness import WebhookHarness
from tests.time_limit import time_limit


class HeldDeliveries:
    """Deliveries that end when the test says so."""

    def __init__(self) -> None:
        self.slots = DeliverySlots()
        self.started: dict[str, Deferred[None]] = {}

    def request(self, name: str, is_retry: bool = False) -> Deferred[None]:
        return self.slots.run(is_retry, self._start, name)

    def _start(self, name: str) -> Deferred[None]:
        self.started[name] = Deferred()
        return self.started[name]


@pytest.fixture
def deliveries(monkeypatch: pytest.MonkeyPatch) -> HeldDeliveries:
    monkeypatch.setattr(delivery_slots, "DELIVERY_SLOTS", 2)
    monkeypatch.setattr(delivery_slots, "RETRY_SLOTS", 1)
    return HeldDeliveries()


def test_a_delivery_starts_when_another_one_ends_in_turn(deliveries: HeldDeliveries) -> None:
    for name in "abcd":
        deliveries.request(name).addErrback(lambda failure: None)
    assert [*deliveries.started] == ["a", "b"]
    deliveries.started["b"].callback(None)
    assert [*deliveries.started] == ["a", "b", "c"]
    failed = deliveries.started["a"]
    failed.errback(RuntimeError("it answered 500"))
    assert [*deliveries.started] == ["a", "b", "c", "d"]


def test_retries_have_slots_of_their_own(deliveries: HeldDeliveries) -> None:
    for name in "xyz":
        deliveries.request(name, is_retry=True)
    deliveries.request("a")
    assert [*deliveries.started] == ["x", "a"]


def test_a_queue_that_stops_gives_its_turn_or_its_slot_up(deliveries: HeldDeliveries) -> None:
    requests = {name: deliveries.request(name) for name in "abcde"}
    outcomes: list[str] = []
    for name in "ca":
        requests[name].addErrback(lambda failure: outcomes.append(failure.trap(CancelledError).__name__))
        requests[name].cancel()
    assert outcomes == ["CancelledError"] * 2
    assert [*deliveries.started] == ["a", "b", "d"]


@time_limit(60)
async def test_many_receivers_that_do_not_answer_delay_no_other(webhook_service: WebhookHarness) -> None:
    """Case E2, the half of the webhooks: they occupy the slots of the retries only."""
    dead = [f"dead{number}" for number in range(RETRY_SLOTS + 20)]
    transport = webhook_service.transport
    for name in dead:
        webhook_service.add_webhook_link(name, webhook_url=f"http://{name}.example/")
        transport.failure_by_url[f"http://{name}.example/"] = "its name cannot be resolved"
        webhook_service.check_in(101, link=name)
    webhook_service.add_webhook_link("alive")
    transport.failure_by_url.clear()
    transport.holds_responses = True
    webhook_service.advance(70)
    assert len(transport.pending_responses) == RETRY_SLOTS
    transport.holds_responses = False
    webhook_service.check_in(102, 103, link="alive")
    assert webhook_service.delivered_rooms == ["102", "103"]
    for response in tuple(transport.pending_responses):
        response.callback(None)
    assert webhook_service.delivered_rooms.count("101") == len(dead)
