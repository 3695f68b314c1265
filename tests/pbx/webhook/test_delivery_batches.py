"""Batches: many events in one request, in order, and one event at a time after a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmslink.pbx.webhook import request_body
from pmslink.pbx.webhook.request_body import build_body, fill_batch
from tests.pbx.webhook.webhook_harness import WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit

NEW_LINK = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": False, **WEBHOOK_SETTINGS}


async def create_link(harness: WebhookHarness, size: int = 1) -> Any:
    answer = await harness.post("/api/v1/links", {**NEW_LINK, "webhook_batch": size})
    harness.clear_attempts()
    return answer.json()


async def change(harness: WebhookHarness, size: object) -> Any:
    return await harness.post("/api/v1/links/grand", {"webhook_batch": size}, method="PATCH")


def rooms(*numbers: int) -> list[str]:
    return [str(number) for number in numbers]


@time_limit(10)
async def test_a_single_event_is_delivered_at_once_as_a_batch(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link(webhook_batch=100)
    webhook_service.check_in(101)
    assert webhook_service.attempted_batches == [["101"]]
    assert (await webhook_service.webhook_status())["state"] == "idle"


@time_limit(10)
async def test_events_that_wait_are_delivered_together_in_order(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link(webhook_batch=3)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    webhook_service.check_in(102, 103, 104)
    webhook_service.check_in(105)
    webhook_service.transport.holds_responses = False
    webhook_service.transport.pending_responses[0].callback(None)
    assert webhook_service.attempted_batches == [rooms(101), rooms(102, 103, 104), rooms(105)]
    assert webhook_service.delivered_rooms == rooms(101, 102, 103, 104, 105)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["backlog"]) == ("idle", 0)


@time_limit(10)
async def test_the_cursor_moves_past_an_accepted_batch_only(webhook_service: WebhookHarness) -> None:
    await create_link(webhook_service, 100)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    webhook_service.check_in(102, 103)
    webhook_service.transport.pending_responses[0].callback(None)
    webhook_service.advance(1)
    await webhook_service.crash()
    restarted = WebhookHarness(webhook_service)
    assert restarted.attempted_batches[0][:2] == rooms(102, 103)
    await restarted.stop()
    again = WebhookHarness(restarted)
    assert not {"101", "102", "103"} & {*again.delivered_rooms}
    await again.stop()


@time_limit(10)
async def test_an_event_that_makes_its_batch_fail_is_soon_alone_in_a_request(
    webhook_service: WebhookHarness,
) -> None:
    """Case E12 with batches."""
    webhook_service.add_webhook_link(webhook_batch=8)
    webhook_service.transport.rejected_rooms = {"104"}
    webhook_service.check_in(*range(101, 110))
    assert webhook_service.attempted_batches == [rooms(*range(101, 109))]
    assert (await webhook_service.webhook_status())["stuck"] is None
    webhook_service.advance(1.101)
    assert webhook_service.attempted_batches[1:] == [rooms(101), rooms(102, 103), rooms(104, 105, 106, 107)]
    webhook_service.advance(1.101)
    assert webhook_service.attempted_batches[4:] == [rooms(104)]
    status = await webhook_service.webhook_status()
    assert status["backlog"] == 6
    assert (status["stuck"]["type"], status["stuck"]["room"]) == ("guest.checked_in", "104")
    webhook_service.transport.rejected_rooms.clear()
    webhook_service.advance(2.201)
    assert webhook_service.attempted_batches[5:] == [
        rooms(104),
        rooms(105, 106),
        rooms(107, 108, 109),
    ]
    assert webhook_service.delivered_rooms == rooms(*range(101, 110))


@time_limit(10)
async def test_events_that_exceed_the_bytes_of_a_batch_follow_in_the_next_one(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_service.add_webhook_link(webhook_batch=100)
    webhook_service.check_in(100)
    size = len(json.dumps(webhook_service.transport.delivered[0]))
    monkeypatch.setattr(request_body, "MAX_BATCH_BYTES", 2 * size)
    webhook_service.clear_attempts()
    webhook_service.transport.rejected_rooms = {"103"}
    webhook_service.check_in(101, 102, 103, 104)
    assert webhook_service.attempted_batches == [rooms(101, 102), rooms(103, 104)]
    webhook_service.transport.rejected_rooms.clear()
    webhook_service.advance(1.101)
    assert webhook_service.delivered_rooms == rooms(101, 102, 103, 104)


@time_limit(10)
async def test_a_change_of_the_setting_continues_at_the_cursor(webhook_service: WebhookHarness) -> None:
    created = await create_link(webhook_service)
    assert created["settings"]["webhook_batch"] == 1
    webhook_service.transport.failure_by_url[WEBHOOK_SETTINGS["webhook_url"]] = "it answered 500"
    webhook_service.check_in(101, 102)
    webhook_service.transport.failure_by_url.clear()
    answer = await change(webhook_service, 50)
    assert answer.json()["settings"]["webhook_batch"] == 50
    webhook_service.advance()
    assert webhook_service.delivered_rooms == rooms(101, 102)
    assert webhook_service.transport.attempts[-1][1] == webhook_service.transport.delivered


@pytest.mark.parametrize("size", [0, 101, 1.5, True, "2"])
@time_limit(10)
async def test_the_size_of_a_batch_is_bounded(webhook_service: WebhookHarness, size: object) -> None:
    await create_link(webhook_service)
    answer = await change(webhook_service, size)
    assert answer.error == (400, "invalid")
    assert "must be a whole number from 1 to 100" in answer.json()["error"]["message"]


def test_a_batch_is_bounded_in_bytes_and_holds_at_least_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_BATCH_BYTES", 10)
    assert fill_batch([b"1234", b"567890", b"1"]) == 2
    assert fill_batch([b"1234", b"5678901", b"1"]) == 1
    assert fill_batch([b"12345678901", b"1"]) == 1
    assert fill_batch([b"12345"]) == 1


def test_the_body_is_a_list_or_the_event_itself() -> None:
    assert build_body([b'{"seq":1}', b'{"seq":2}'], is_batch=True) == b'{"events":[{"seq":1},{"seq":2}]}'
    assert build_body([b'{"seq":1}'], is_batch=True) == b'{"events":[{"seq":1}]}'
    assert build_body([b'{"seq":1}'], is_batch=False) == b'{"seq":1}'
