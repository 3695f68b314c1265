"""Skip the event that a receiver never accepts (case E12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pbx.webhook.webhook_harness import GUEST_NAME, WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit
from tests.web.served_api import make_link_config
from tests.web.stream_client import open_stream

URL = WEBHOOK_SETTINGS["webhook_url"]


async def stuck_seq(harness: WebhookHarness, *rejected: int) -> int:
    """Let the receiver reject the events of these rooms. Return the number of the one that is stuck."""
    harness.transport.rejected_rooms = {str(room) for room in rejected}
    harness.check_in(101, 102, 103)
    seq: int = (await harness.webhook_status())["stuck"]["seq"]
    return seq


async def skip(harness: WebhookHarness, seq: object, link: str = "grand") -> Any:
    answer = await harness.post(f"/api/v1/links/{link}/webhook/skip", {"seq": seq})
    harness.advance()
    return answer


@time_limit(10)
async def test_a_skipped_event_is_not_delivered_and_the_next_ones_are(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    seq = await stuck_seq(webhook_service, 102)
    status = await webhook_service.webhook_status()
    assert status["stuck"] == {"seq": seq, "type": "guest.checked_in", "room": "102"}
    answer = await skip(webhook_service, seq)
    assert answer.status == 200
    assert answer.json()["webhook"]["skipped"] == 1
    assert webhook_service.delivered_rooms == ["101", "103"]
    status = await webhook_service.webhook_status()
    assert (status["state"], status["last_error"], status["stuck"]) == ("idle", None, None)
    assert (status["skipped"], status["backlog"], status["lost"]) == (1, 0, 0)


@time_limit(10)
async def test_the_skipped_events_are_counted_on_when_the_webhook_changes(
    webhook_service: WebhookHarness,
) -> None:
    link = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": False, **WEBHOOK_SETTINGS}
    assert (await webhook_service.post("/api/v1/links", link)).status == 201
    await skip(webhook_service, await stuck_seq(webhook_service, 102))
    for change in (
        {"webhook_batch": 10},
        {"webhook_url": "https://other.example/"},
        {"webhook_url": None, "webhook_secret": None},
        WEBHOOK_SETTINGS,
    ):
        assert (await webhook_service.post("/api/v1/links/grand", change, method="PATCH")).status == 200
        status = await webhook_service.webhook_status()
        assert status is None or status["skipped"] == 1
    assert status["skipped"] == 1


@time_limit(10)
async def test_a_skip_is_logged_with_its_caller_and_without_guest_data(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    seq = await stuck_seq(webhook_service, 102)
    await skip(webhook_service, seq)
    log = [line for line in webhook_service.webhook_log if line.startswith("grand: ")]
    assert log == [
        "grand: webhook delivery failed and is retried: it answered 400",
        f"grand: (local) skipped the event {seq} (guest.checked_in) of the webhook,"
        " which was not accepted: it answered 400",
        "grand: webhook recovered: it accepts events again",
    ]
    assert GUEST_NAME not in repr(webhook_service.log_events)


@time_limit(10)
async def test_a_skip_survives_a_crash(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    seq = await stuck_seq(webhook_service, 102, 103)
    assert (await skip(webhook_service, seq)).status == 200
    await webhook_service.crash()
    restarted = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert restarted.attempted_rooms[:1] == ["103"]
    await restarted.stop()


@time_limit(10)
async def test_only_the_stuck_event_can_be_skipped(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    seq = await stuck_seq(webhook_service, 102)
    answer = await skip(webhook_service, seq + 1)
    assert answer.error == (409, "not_stuck")
    assert answer.json()["error"]["message"] == (
        f"the event that blocks the webhook of grand is {seq}, not {seq + 1}"
    )
    assert (await skip(webhook_service, seq)).status == 200
    answer = await skip(webhook_service, seq)
    assert answer.error == (409, "not_stuck")
    assert answer.json()["error"]["message"] == "no event blocks the webhook of grand"
    assert webhook_service.delivered_rooms == ["101", "103"]


@time_limit(10)
async def test_an_event_is_not_stuck_while_the_receiver_is_not_reached(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it refused the connection"
    webhook_service.transport.is_reached = False
    webhook_service.check_in(101)
    assert (await webhook_service.webhook_status())["stuck"] is None
    assert (await skip(webhook_service, 1)).error == (409, "not_stuck")
    webhook_service.transport.is_reached = True
    webhook_service.advance(1.101)
    assert (await webhook_service.webhook_status())["stuck"]["room"] == "101"
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(2.201)
    assert (await webhook_service.webhook_status())["stuck"] is None
    assert webhook_service.delivered_rooms == ["101"]


@time_limit(10)
async def test_a_skip_during_an_attempt_cancels_it(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    seq = await stuck_seq(webhook_service, 101)
    webhook_service.transport.rejected_rooms.clear()
    webhook_service.transport.holds_responses = True
    webhook_service.advance(1.101)
    (pending,) = webhook_service.transport.pending_responses
    webhook_service.transport.holds_responses = False
    assert (await skip(webhook_service, seq)).status == 200
    assert pending.called
    assert webhook_service.delivered_rooms == ["102", "103"]
    webhook_service.advance(100)
    assert webhook_service.attempted_rooms == ["101", "101", "102", "103"]
    assert (await webhook_service.webhook_status())["backlog"] == 0


@time_limit(10)
async def test_the_stream_sends_the_link_with_its_stuck_and_skipped_events(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link(webhook_batch=10)
    stream = await open_stream(webhook_service)
    webhook_service.transport.rejected_rooms = {"101"}
    webhook_service.check_in(101, 102)
    await stream.wait_for_changes(2)
    webhook_service.advance(1.101)
    await stream.wait_for_changes(3)
    seq = (await webhook_service.webhook_status())["stuck"]["seq"]
    await skip(webhook_service, seq)
    webhook_service.advance(1)
    await stream.wait_for_changes(5)
    statuses = [event.data["link"]["webhook"] for event in stream.events_of_kind("link")]
    assert [status["stuck"] and status["stuck"]["seq"] for status in statuses] == [
        None,
        None,
        seq,
        None,
        None,
    ]
    assert [status["skipped"] for status in statuses] == [0, 0, 0, 1, 1]
    await stream.disconnect()


@time_limit(10)
async def test_a_skip_that_cannot_be_stored_is_answered_with_503(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    seq = await stuck_seq(webhook_service, 102, 103)
    webhook_service.break_store()
    answer = await skip(webhook_service, seq)
    assert answer.error == (503, "store")
    assert "may be lost at a restart" in answer.json()["error"]["message"]
    webhook_service.repair_store()
    webhook_service.advance(1)
    assert (await webhook_service.webhook_status())["stuck"]["room"] == "103"
    (entry,) = (await webhook_service.get("/api/v1/audit")).json()["audit"]
    assert (entry["action"], entry["after"], entry["result"]) == ("webhook.skip", {"seq": seq}, "done")


@pytest.mark.parametrize("seq", [None, "7", 0, -1, 1.5, True, 2**53 + 1])
@time_limit(10)
async def test_the_number_of_the_event_is_validated(webhook_service: WebhookHarness, seq: object) -> None:
    webhook_service.add_webhook_link()
    answer = await skip(webhook_service, seq)
    assert (answer.error, answer.json()["error"]["field"]) == ((400, "invalid"), "seq")


@time_limit(10)
async def test_a_link_without_a_webhook_and_an_unknown_link(webhook_service: WebhookHarness) -> None:
    webhook_service.add_link(enabled=False)
    answer = await skip(webhook_service, 7)
    assert answer.error == (409, "not_stuck")
    assert answer.json()["error"]["message"] == "grand has no webhook"
    assert (await skip(webhook_service, 7, "nowhere")).error == (404, "unknown_link")
