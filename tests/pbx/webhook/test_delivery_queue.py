"""Delivery queues with scripted receivers: order, at least once, back-off, status, restarts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.link import controls
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.webhook_cursors import count_events_after
from tests.pbx.webhook.webhook_harness import GUEST_NAME, WEBHOOK_SECRET, WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit
from tests.web.served_api import make_link_config
from tests.web.stream_client import open_stream

URL = WEBHOOK_SETTINGS["webhook_url"]


@time_limit(10)
async def test_events_are_delivered_one_at_a_time_in_order(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, 102)
    webhook_service.check_in(103)
    assert webhook_service.attempted_rooms == ["101"]
    webhook_service.transport.pending_responses[0].callback(None)
    assert webhook_service.attempted_rooms == ["101", "102"]
    webhook_service.transport.pending_responses[1].callback(None)
    webhook_service.transport.pending_responses[2].callback(None)
    assert webhook_service.delivered_rooms == ["101", "102", "103"]
    numbers = [event["seq"] for event in webhook_service.transport.delivered]
    assert numbers == sorted(numbers)


@time_limit(10)
async def test_the_posted_event_equals_the_event_of_the_api(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    events = (await webhook_service.get("/api/v1/links/grand/events")).json()["events"]
    assert webhook_service.transport.delivered == events[-1:]


@time_limit(10)
async def test_transitions_of_the_link_are_delivered_in_order_with_hotel_events(
    webhook_service: WebhookHarness,
) -> None:
    link = webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    controls.enable(link)
    webhook_service.advance()
    webhook_service.check_in(102)
    assert [event["type"] for event in webhook_service.transport.delivered] == [
        "guest.checked_in",
        "link.changed",
        "link.changed",
        "guest.checked_in",
    ]


@time_limit(10)
async def test_a_failed_delivery_is_retried_with_back_off_up_to_a_minute(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    webhook_service.advance(400)
    delays = [after - before for before, after in pairwise(webhook_service.transport.attempt_times)]
    for delay, expected in zip(delays, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=False):
        assert delay == pytest.approx(expected, rel=0.1)
    assert len(delays) >= 9
    assert len({delay / 60 for delay in delays[6:]}) > 1, "delays have a random jitter"
    assert {*webhook_service.attempted_rooms} == {"101"}


@time_limit(10)
async def test_a_successful_delivery_resets_the_back_off(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    webhook_service.advance(40)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(40)
    assert webhook_service.delivered_rooms == ["101"]
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(102)
    webhook_service.advance(1.101)
    assert webhook_service.attempted_rooms[-2:] == ["102", "102"]


@time_limit(10)
async def test_no_event_overtakes_a_failed_delivery(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    webhook_service.check_in(102, 103)
    assert webhook_service.attempted_rooms == ["101"]
    webhook_service.advance(5)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(5)
    assert webhook_service.delivered_rooms == ["101", "102", "103"]


@time_limit(10)
async def test_a_receiver_that_fails_delays_no_other(webhook_service: WebhookHarness) -> None:
    for name in ("a", "b", "c"):
        webhook_service.add_webhook_link(name, webhook_url=f"http://{name}.example/")
    webhook_service.transport.failure_by_url["http://b.example/"] = "it refused the connection"
    for room in (101, 102):
        for name in ("a", "b", "c"):
            webhook_service.check_in(room, link=name)
    assert webhook_service.delivered_rooms == ["101", "101", "102", "102"]
    assert (await webhook_service.webhook_status("b"))["backlog"] == 2
    assert [(await webhook_service.webhook_status(name))["state"] for name in ("a", "c")] == ["idle", "idle"]


@time_limit(10)
async def test_a_receiver_that_does_not_answer_delays_no_other(webhook_service: WebhookHarness) -> None:
    for name in ("a", "b"):
        webhook_service.add_webhook_link(name, webhook_url=f"http://{name}.example/")
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, link="a")
    webhook_service.transport.holds_responses = False
    webhook_service.check_in(201, 202, link="b")
    assert webhook_service.delivered_rooms == ["201", "202"]


@time_limit(10)
async def test_more_events_than_one_read_batch_are_all_delivered(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 503"
    rooms = range(1000, 1250)
    webhook_service.check_in(*rooms)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(2)
    assert webhook_service.delivered_rooms == [str(room) for room in rooms]
    assert (await webhook_service.webhook_status())["backlog"] == 0


@time_limit(10)
async def test_an_event_stored_during_the_last_delivery_is_delivered_too(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    webhook_service.check_in(102)
    assert (await webhook_service.webhook_status())["backlog"] == 2
    webhook_service.transport.holds_responses = False
    webhook_service.transport.pending_responses[0].callback(None)
    assert webhook_service.delivered_rooms == ["101", "102"]
    assert (await webhook_service.webhook_status())["backlog"] == 0


@time_limit(10)
async def test_no_event_is_delivered_before_it_is_published(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A committed event can be read shortly before it is published."""
    webhook_service.add_webhook_link()
    publish = webhook_service.store.journal._publish
    attempted_before: list[str] = []

    def publish_late(entries: Sequence[Entry]) -> None:
        webhook_service.webhooks._queues["grand"].deliver()
        attempted_before.extend(webhook_service.attempted_rooms)
        publish(entries)

    with monkeypatch.context() as patched:
        patched.setattr(webhook_service.store.journal, "_publish", publish_late)
        webhook_service.check_in(101)
    assert (attempted_before, webhook_service.delivered_rooms) == ([], ["101"])


# The status of the webhook.


@time_limit(10)
async def test_a_link_without_a_webhook_has_no_webhook_status(webhook_service: WebhookHarness) -> None:
    webhook_service.add_link(enabled=False)
    assert await webhook_service.webhook_status() is None


@time_limit(10)
async def test_a_webhook_with_an_empty_queue_is_idle(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.advance(7)
    webhook_service.check_in(101)
    webhook_service.advance(60)
    assert await webhook_service.webhook_status() == {
        "url": URL,
        "state": "idle",
        "backlog": 0,
        "oldest": None,
        "last_delivered": "2026-11-20T07:00:07.000Z",
        "last_error": None,
        "next_at": None,
        "lost": 0,
        "skipped": 0,
        "stuck": None,
    }


@time_limit(10)
async def test_a_webhook_is_not_idle_before_its_backlog_is_counted(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlog: Deferred[int] = Deferred()
    read = webhook_service.store.read_live

    def read_late(query: Any, *arguments: Any) -> Any:
        return backlog if query is count_events_after else read(query, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(webhook_service.store, "read_live", read_late)
        webhook_service.add_webhook_link()
        assert (await webhook_service.webhook_status())["state"] == "delivering"
        backlog.callback(1)
    assert (await webhook_service.webhook_status())["state"] == "idle"


@time_limit(10)
async def test_the_status_shows_a_delivery_in_progress(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.advance(7)
    webhook_service.check_in(101, 102)
    webhook_service.advance(5)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["backlog"]) == ("delivering", 2)
    assert status["oldest"] == "2026-11-20T07:00:07.000Z"


@time_limit(10)
async def test_the_status_shows_a_failure_until_a_delivery_succeeds(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.advance(7)
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["last_error"], status["backlog"]) == ("retrying", "it answered 500", 2)
    assert status["oldest"] == "2026-11-20T07:00:07.000Z"
    assert "2026-11-20T07:00:07.900Z" <= status["next_at"] <= "2026-11-20T07:00:08.100Z"
    webhook_service.transport.failure_by_url.clear()
    webhook_service.transport.holds_responses = True
    webhook_service.advance(1.101)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["last_error"], status["next_at"]) == ("retrying", "it answered 500", None)
    webhook_service.transport.pending_responses[0].callback(None)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["last_error"], status["backlog"]) == ("delivering", None, 1)


@time_limit(10)
async def test_the_stream_sends_the_link_on_failure_and_recovery_only(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    stream = await open_stream(webhook_service)
    await stream.wait_for_changes(1)
    webhook_service.check_in(102, 103)
    await stream.drain()
    assert len(stream.link_changes) == 1
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(104, 105)
    webhook_service.advance(100)
    await stream.wait_for_changes(2)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    await stream.wait_for_changes(3)
    statuses = [event.data["link"]["webhook"] for event in stream.events_of_kind("link")]
    assert [status["state"] for status in statuses[1:]] == ["retrying", "delivering"]
    assert [status["last_error"] for status in statuses[1:]] == ["it answered 500", None]
    await stream.disconnect()


@time_limit(10)
async def test_failure_and_recovery_are_logged_once_without_guest_data(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    webhook_service.advance(100)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    assert webhook_service.webhook_log == [
        "grand: webhook delivery failed and is retried: it answered 500",
        "grand: webhook recovered: it accepts events again",
    ]
    text = repr(webhook_service.log_events)
    assert GUEST_NAME not in text
    assert WEBHOOK_SECRET not in text
    assert WEBHOOK_SECRET not in repr(webhook_service.transport.attempts)


@time_limit(10)
async def test_an_internal_error_is_logged_and_the_delivery_retried(
    webhook_service: WebhookHarness, leak_check: list[LogEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_service.add_webhook_link()

    def raise_error(receiver: object, body: bytes) -> None:
        raise ArithmeticError(body.decode())

    with monkeypatch.context() as patched:
        patched.setattr(webhook_service.transport, "post", raise_error)
        webhook_service.check_in(101)
    status = await webhook_service.webhook_status()
    assert status["last_error"] == "internal error in pmslink, see its log (ArithmeticError)"
    (logged,) = leak_check
    assert logged["log_failure"].check(ArithmeticError)
    leak_check.clear()
    webhook_service.advance(1.101)
    assert webhook_service.delivered_rooms == ["101"]


# Restarts.


@time_limit(10)
async def test_a_delivered_event_is_not_delivered_again_after_a_restart(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    await webhook_service.stop()
    restarted = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in restarted.delivered_rooms if room] == []
    restarted.check_in(102)
    assert restarted.delivered_rooms[-1] == "102"
    await restarted.stop()


@time_limit(10)
async def test_queued_events_are_delivered_after_a_restart(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102)
    await webhook_service.stop()
    restarted = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in restarted.delivered_rooms if room] == ["101", "102"]
    await restarted.stop()


@time_limit(10)
async def test_an_event_whose_cursor_a_crash_lost_is_delivered_again(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    webhook_service.advance(1)
    webhook_service.check_in(102)
    assert webhook_service.delivered_rooms == ["101", "102"]
    await webhook_service.crash()
    restarted = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in restarted.delivered_rooms if room] == ["102"]
    await restarted.stop()


@time_limit(10)
async def test_a_delivery_in_progress_at_a_stop_is_cancelled_and_repeated_after_the_restart(
    webhook_service: WebhookHarness,
) -> None:
    link = webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    (pending,) = webhook_service.transport.pending_responses
    await webhook_service.stop()
    assert pending.called
    assert (webhook_service.delivered_rooms, webhook_service.webhook_log, link.webhook_status) == (
        [],
        [],
        None,
    )
    restarted = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in restarted.delivered_rooms if room] == ["101"]
    await restarted.stop()


@time_limit(10)
async def test_the_backlog_is_counted_after_a_restart(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, 102)
    await webhook_service.stop()
    restarted = WebhookHarness(webhook_service)
    restarted.transport.failure_by_url[URL] = "it answered 500"
    restarted.add_link(enabled=False, **WEBHOOK_SETTINGS)
    status = await restarted.webhook_status()
    assert (status["backlog"], status["lost"]) == (3, 0)  # with the change of the link at this start
    await restarted.stop()


@time_limit(10)
async def test_a_scheduled_retry_is_cancelled_at_a_stop(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    await webhook_service.stop()
    webhook_service.advance(100)
    assert webhook_service.attempted_rooms == ["101"]
