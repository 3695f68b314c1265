"""Webhooks that are added, changed and removed with the settings of links; store failures; retention."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
from twisted.internet.defer import Deferred

from pmslink.config.config_errors import ConfigError
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.webhook_cursors import read_cursors
from tests.pbx.webhook.webhook_harness import WEBHOOK_SECRET, WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit
from tests.web.stream_client import open_stream

URL = WEBHOOK_SETTINGS["webhook_url"]
OTHER_URL = "https://other.example/"
NEW_LINK = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": False}


async def create_link(harness: WebhookHarness, **settings: object) -> None:
    assert (await harness.post("/api/v1/links", {**NEW_LINK, **settings})).status == 201


async def change_link(harness: WebhookHarness, **settings: object) -> None:
    assert (await harness.post("/api/v1/links/grand", settings, method="PATCH")).status == 200


async def stored_cursors(harness: WebhookHarness) -> dict[str, int]:
    harness.advance(1)
    cursors_by_link: dict[str, int] = await harness.store.read(read_cursors)
    return cursors_by_link


@time_limit(10)
async def test_the_webhook_of_a_new_link_gets_its_events_from_the_first(
    webhook_service: WebhookHarness,
) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    assert [event["transition"]["from"] for event in webhook_service.transport.delivered] == [None]
    assert (await webhook_service.webhook_status())["url"] == URL


@time_limit(10)
async def test_a_webhook_that_is_added_gets_only_later_events(webhook_service: WebhookHarness) -> None:
    await create_link(webhook_service)
    webhook_service.check_in(101)
    await change_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(102)
    assert webhook_service.delivered_rooms == ["102"]


@time_limit(10)
async def test_a_new_webhook_without_a_delivery_continues_at_its_start_after_a_restart(
    webhook_service: WebhookHarness,
) -> None:
    await create_link(webhook_service)
    webhook_service.check_in(101)
    webhook_service.transport.failure_by_url[URL] = "it refused the connection"
    await change_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(102)
    await webhook_service.stop()
    restarted = WebhookHarness(webhook_service)
    assert restarted.delivered_rooms[:1] == ["102"]
    await restarted.stop()


@time_limit(10)
async def test_a_webhook_that_is_added_again_continues_at_its_cursor_after_a_restart(
    webhook_service: WebhookHarness,
) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    await change_link(webhook_service, webhook_url=None, webhook_secret=None)
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await change_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    await webhook_service.stop()
    restarted = WebhookHarness(webhook_service)
    assert restarted.delivered_rooms[:1] == ["101"]
    await restarted.stop()


@time_limit(10)
async def test_a_webhook_that_is_removed_and_added_again_skips_the_events_between(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    await change_link(webhook_service, webhook_url=None, webhook_secret=None)
    assert await webhook_service.webhook_status() is None
    assert await stored_cursors(webhook_service) == {}
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    webhook_service.check_in(102)
    assert webhook_service.delivered_rooms == []
    await change_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(103)
    assert webhook_service.delivered_rooms == ["103"]
    assert "grand" in await stored_cursors(webhook_service)


@time_limit(10)
async def test_a_new_url_continues_at_the_cursor_of_the_old_one(webhook_service: WebhookHarness) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    webhook_service.transport.failure_by_url[URL] = "it answered 404"
    webhook_service.check_in(102)
    webhook_service.clear_attempts()
    await change_link(webhook_service, webhook_url=OTHER_URL)
    assert webhook_service.delivered_rooms == ["102"]
    assert {receiver.url for receiver, _ in webhook_service.transport.attempts} == {OTHER_URL}
    assert (await webhook_service.webhook_status())["last_error"] is None
    webhook_service.advance(100)
    assert webhook_service.delivered_rooms == ["102"]


@time_limit(10)
async def test_a_new_secret_signs_the_next_attempt(webhook_service: WebhookHarness) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    await change_link(webhook_service, webhook_secret="another one, as long")
    assert [receiver.secret for receiver, _ in webhook_service.transport.attempts[-2:]] == [
        WEBHOOK_SECRET,
        "another one, as long",
    ]
    assert webhook_service.attempted_rooms[-2:] == ["101", "101"]
    webhook_service.transport.pending_responses[1].callback(None)
    assert webhook_service.delivered_rooms[-1:] == ["101"]


@time_limit(10)
async def test_a_change_of_other_settings_does_not_cancel_a_delivery(webhook_service: WebhookHarness) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    await change_link(webhook_service, send_limit=5)
    assert not webhook_service.transport.pending_responses[0].called
    assert webhook_service.attempted_rooms[-1:] == ["101"]
    assert len(webhook_service.transport.pending_responses) == 1


@time_limit(10)
async def test_removing_a_link_removes_its_webhook(webhook_service: WebhookHarness) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, 102)
    (pending,) = webhook_service.transport.pending_responses
    assert (await webhook_service.call("DELETE", "/api/v1/links/grand")).status == 200
    assert pending.called
    assert await stored_cursors(webhook_service) == {}
    webhook_service.advance(100)
    assert webhook_service.attempted_rooms[-1:] == ["101"]


@time_limit(10)
async def test_a_link_with_the_name_of_a_removed_one_delivers_none_of_its_events(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    assert (await webhook_service.call("DELETE", "/api/v1/links/grand")).status == 200
    webhook_service.transport.failure_by_url.clear()
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(102)
    assert [event["type"] for event in webhook_service.transport.delivered] == [
        "link.changed",
        "guest.checked_in",
    ]
    assert webhook_service.delivered_rooms == [None, "102"]
    assert list(await stored_cursors(webhook_service)) == ["grand"]


@time_limit(10)
async def test_a_link_that_could_not_be_removed_continues_its_queue(webhook_service: WebhookHarness) -> None:
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    webhook_service.break_store()
    assert (await webhook_service.call("DELETE", "/api/v1/links/grand")).status == 503
    webhook_service.transport.failure_by_url.clear()
    webhook_service.repair_store()
    webhook_service.advance(2)
    assert "101" in webhook_service.delivered_rooms


@time_limit(10)
async def test_a_link_that_could_not_be_loaded_continues_its_queue_once_it_can(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_link(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    await webhook_service.stop()
    with monkeypatch.context() as patched:
        patched.setattr(
            "pmslink.link.link_registry.parse_api_link", Mock(side_effect=ConfigError("port", 0, "wrong"))
        )
        without = WebhookHarness(webhook_service)
        without.advance(100)
    assert (len(without.links), without.attempted_rooms) == (0, [])
    await without.stop()
    restarted = WebhookHarness(without)
    assert "101" in restarted.delivered_rooms
    await restarted.stop()


# A store that fails.


@time_limit(10)
async def test_stored_events_are_delivered_while_the_store_cannot_be_written(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, 102)
    webhook_service.break_store()
    webhook_service.check_in(103)
    webhook_service.transport.holds_responses = False
    webhook_service.transport.pending_responses[0].callback(None)
    assert webhook_service.delivered_rooms == ["101", "102"]
    webhook_service.repair_store()
    assert webhook_service.delivered_rooms == ["101", "102", "103"]
    seq = webhook_service.transport.delivered[-1]["seq"]
    assert await stored_cursors(webhook_service) == {"grand": seq}


@time_limit(10)
async def test_a_delivery_is_retried_when_the_store_cannot_be_read(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_service.add_webhook_link()
    stream = await open_stream(webhook_service)

    def fail(connection: object, *arguments: object) -> None:
        raise StoreUnavailableError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("pmslink.pbx.webhook.delivery_queue.events_after", fail)
        webhook_service.check_in(101)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["backlog"]) == ("retrying", 1)
    assert status["last_error"] == "events cannot be read: the disk is gone"
    webhook_service.advance(1.101)
    assert webhook_service.delivered_rooms == ["101"]
    status = await webhook_service.webhook_status()
    assert (status["state"], status["last_error"]) == ("idle", None)
    await stream.disconnect()


@time_limit(10)
async def test_an_empty_queue_clears_the_error_of_a_store_that_could_not_be_read(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_service.add_webhook_link()

    def fail(connection: object, *arguments: object) -> None:
        raise StoreUnavailableError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("pmslink.pbx.webhook.delivery_queue.events_after", fail)
        webhook_service.webhooks._queues["grand"].deliver()
        assert (await webhook_service.webhook_status())["state"] == "retrying"
    webhook_service.advance(5)
    status = await webhook_service.webhook_status()
    assert (status["state"], status["last_error"], status["next_at"]) == ("idle", None, None)
    assert webhook_service.webhook_log[-1] == "grand: webhook recovered: its queue is empty"


# Retention.


async def purge(harness: WebhookHarness) -> None:
    """Delete what is older than the retention of a month."""
    for _ in range(200):  # each purge advances the retention's clock by four hours at most
        done = Deferred.fromCoroutine(harness.store.purge())
        harness.advance()
        await done


@time_limit(30)
async def test_events_that_expire_before_delivery_are_reported_as_lost(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102, 103)
    webhook_service.advance(timedelta(days=20).total_seconds() / 1000)
    webhook_service.clock.rightNow += timedelta(days=20).total_seconds()
    webhook_service.check_in(104)
    webhook_service.clock.rightNow += timedelta(days=11).total_seconds()
    await purge(webhook_service)
    status = await webhook_service.webhook_status()
    assert (status["lost"], status["backlog"]) == (3, 1)
    lost = "grand: 3 events expired before the webhook accepted them, and will not be delivered"
    assert webhook_service.webhook_log.count(lost) == 1
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    assert webhook_service.delivered_rooms == ["104"]
    status = await webhook_service.webhook_status()
    assert (status["state"], status["lost"], status["backlog"]) == ("idle", 3, 0)


@time_limit(30)
async def test_a_purge_of_delivered_events_is_no_loss(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101, 102)
    webhook_service.clock.rightNow += timedelta(days=31).total_seconds()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(103)
    await purge(webhook_service)
    entries = await webhook_service.store.read(events_after, "grand", 0, 100)
    assert not [entry for entry in entries if getattr(entry, "room", None) in ("101", "102")]
    status = await webhook_service.webhook_status()
    assert (status["lost"], status["backlog"]) == (0, 1)


@time_limit(30)
async def test_the_stream_sends_the_link_when_events_are_lost(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102)
    stream = await open_stream(webhook_service)
    webhook_service.clock.rightNow += timedelta(days=31).total_seconds()
    await purge(webhook_service)
    webhook_service.advance(1)
    await stream.wait_for_changes(2)
    statuses = [event.data["link"]["webhook"] for event in stream.events_of_kind("link")]
    assert [(status["state"], status["lost"]) for status in statuses] == [
        ("retrying", 0),
        ("retrying", 2),
        ("idle", 2),
    ]
    await stream.disconnect()


@time_limit(30)
async def test_an_event_that_expires_during_its_delivery_is_not_lost(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    webhook_service.check_in(102)
    webhook_service.clock.rightNow += timedelta(days=31).total_seconds()
    await purge(webhook_service)
    webhook_service.transport.holds_responses = False
    webhook_service.transport.pending_responses[0].callback(None)
    assert webhook_service.delivered_rooms == ["101"]
    status = await webhook_service.webhook_status()
    assert (status["state"], status["backlog"], status["lost"]) == ("idle", 0, 1)
