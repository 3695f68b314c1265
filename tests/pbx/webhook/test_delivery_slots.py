"""The limit of deliveries at once: queues get their slot in turn, and retries do not delay first attempts."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from pmslink.pbx.webhook import delivery_slots
from pmslink.pbx.webhook.delivery_slots import PROMPT_SLOTS, SLOW_SLOTS, DeliverySlots
from tests.pbx.webhook.webhook_harness import WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit

URL = WEBHOOK_SETTINGS["webhook_url"]


class HeldDeliveries:
    """Deliveries that end when the test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.slots = DeliverySlots(self.clock)
        self.started: dict[str, Deferred[None]] = {}

    def request(self, name: str, is_retry: bool = False) -> Deferred[None]:
        return self.slots.run(is_retry, self._start, name)

    def _start(self, name: str) -> Deferred[None]:
        self.started[name] = Deferred()
        return self.started[name]


@pytest.fixture
def deliveries(monkeypatch: pytest.MonkeyPatch) -> HeldDeliveries:
    monkeypatch.setattr(delivery_slots, "PROMPT_SLOTS", 2)
    monkeypatch.setattr(delivery_slots, "SLOW_SLOTS", 1)
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


def test_a_slow_delivery_leaves_its_slot_to_the_next_one(deliveries: HeldDeliveries) -> None:
    for name in "abcde":
        deliveries.request(name)
    deliveries.clock.advance(1)
    assert [*deliveries.started] == ["a", "b", "c"], "there is one slow slot"
    deliveries.started["a"].callback(None)
    assert [*deliveries.started] == ["a", "b", "c", "d"], "b gets the slow slot"
    deliveries.started["b"].callback(None)
    deliveries.request("x", is_retry=True)
    assert [*deliveries.started] == ["a", "b", "c", "d", "x"]
    deliveries.started["c"].callback(None)
    assert [*deliveries.started] == ["a", "b", "c", "d", "x", "e"]


def test_a_slow_delivery_that_ends_without_a_slow_slot_frees_its_own(deliveries: HeldDeliveries) -> None:
    deliveries.request("x", is_retry=True)
    for name in "abcd":
        deliveries.request(name)
    deliveries.clock.advance(1)
    deliveries.started["a"].callback(None)
    assert [*deliveries.started] == ["x", "a", "b", "c"]
    deliveries.started["x"].callback(None)
    assert [*deliveries.started] == ["x", "a", "b", "c", "d"], "b moves, so d starts"
    for name in "bcd":
        deliveries.started[name].callback(None)
    assert not deliveries.clock.getDelayedCalls()
    for name in "efg":
        deliveries.request(name)
    assert [*deliveries.started][-2:] == ["e", "f"], "all slots are free again, and none is there twice"


@time_limit(60)
async def test_many_receivers_that_do_not_answer_delay_no_other(webhook_service: WebhookHarness) -> None:
    """Case E2, the half of the webhooks."""
    transport = webhook_service.transport
    transport.holds_responses = True
    dead = [f"dead{number}" for number in range(PROMPT_SLOTS + 50)]
    for name in dead:
        webhook_service.add_link(name, enabled=False, **WEBHOOK_SETTINGS)
    webhook_service.add_link("alive", enabled=False, **WEBHOOK_SETTINGS)
    assert len(transport.pending_responses) == PROMPT_SLOTS
    webhook_service.advance(1)
    assert len(transport.pending_responses) == len(dead) + 1, "the slow ones have left their slots"
    assert transport.attempts[-1][1]["link"] == "alive"


@time_limit(60)
async def test_many_receivers_that_fail_delay_no_first_attempt(webhook_service: WebhookHarness) -> None:
    """Case E2, the half of the webhooks: retries occupy slow slots only."""
    dead = [f"dead{number}" for number in range(SLOW_SLOTS + 20)]
    transport = webhook_service.transport
    transport.failure_by_url[URL] = "its name cannot be resolved"
    for name in dead:
        webhook_service.add_link(name, enabled=False, **WEBHOOK_SETTINGS)
    transport.failure_by_url.clear()
    transport.holds_responses = True
    webhook_service.advance(2)
    assert len(transport.pending_responses) == SLOW_SLOTS
    transport.holds_responses = False
    webhook_service.add_webhook_link("alive")
    webhook_service.check_in(102, 103, link="alive")
    assert webhook_service.delivered_rooms == ["102", "103"]
    for response in tuple(transport.pending_responses):
        response.callback(None)
    assert len({event["link"] for event in transport.delivered}) == len(dead) + 1
