"""Webhooks that come, go and change with the settings of links; a store that fails, or forgets."""

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
OTHER = "https://other.example/"
NEW = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": False}


async def made(hooked: WebhookHarness, **settings: object) -> None:
    assert (await hooked.post("/api/v1/links", {**NEW, **settings})).status == 201


async def patch(hooked: WebhookHarness, **settings: object) -> None:
    assert (await hooked.post("/api/v1/links/grand", settings, method="PATCH")).status == 200


async def cursors(hooked: WebhookHarness) -> dict[str, int]:
    hooked.advance(1)
    kept: dict[str, int] = await hooked.store.read(read_cursors)
    return kept


@time_limit(10)
async def test_a_link_that_is_made_tells_its_webhook_from_its_making_on(
    webhook_service: WebhookHarness,
) -> None:
    await made(webhook_service, **WEBHOOK_SETTINGS)
    assert [event["transition"]["from"] for event in webhook_service.transport.delivered] == [None]
    assert (await webhook_service.webhook_status())["url"] == URL


@time_limit(10)
async def test_a_webhook_that_is_added_hears_only_from_then_on(webhook_service: WebhookHarness) -> None:
    await made(webhook_service)
    webhook_service.check_in(101)
    await patch(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(102)
    assert webhook_service.delivered_rooms == ["102"]


@time_limit(10)
async def test_one_that_has_taken_nothing_yet_goes_on_from_its_beginning_after_a_restart(
    webhook_service: WebhookHarness,
) -> None:
    await made(webhook_service)
    webhook_service.check_in(101)
    webhook_service.transport.failure_by_url[URL] = "it refused the connection"
    await patch(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(102)
    await webhook_service.stop()
    after = WebhookHarness(webhook_service)
    assert after.delivered_rooms[:1] == ["102"]
    await after.stop()


@time_limit(10)
async def test_a_webhook_that_is_removed_hears_no_more_and_one_added_later_nothing_of_the_time_between(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    await patch(webhook_service, webhook_url=None, webhook_secret=None)
    assert await webhook_service.webhook_status() is None
    assert await cursors(webhook_service) == {}
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    webhook_service.check_in(102)
    assert webhook_service.delivered_rooms == []
    await patch(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(103)
    assert webhook_service.delivered_rooms == ["103"]
    assert "grand" in await cursors(webhook_service)


@time_limit(10)
async def test_a_new_address_goes_on_where_the_old_one_was_left(webhook_service: WebhookHarness) -> None:
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    webhook_service.transport.failure_by_url[URL] = "it answered 404"
    webhook_service.check_in(102)
    webhook_service.clear_attempts()
    await patch(webhook_service, webhook_url=OTHER)
    assert webhook_service.delivered_rooms == ["102"]
    assert {receiver.url for receiver, _ in webhook_service.transport.attempts} == {OTHER}
    assert (await webhook_service.webhook_status())["last_error"] is None
    webhook_service.advance(100)
    assert webhook_service.delivered_rooms == ["102"]


@time_limit(10)
async def test_a_new_secret_is_used_from_the_next_attempt_on(webhook_service: WebhookHarness) -> None:
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    await patch(webhook_service, webhook_secret="another one, as long")
    assert [receiver.secret for receiver, _ in webhook_service.transport.attempts[-2:]] == [
        WEBHOOK_SECRET,
        "another one, as long",
    ]
    assert webhook_service.attempted_rooms[-2:] == ["101", "101"]
    webhook_service.transport.pending_responses[1].callback(None)
    assert webhook_service.delivered_rooms[-1:] == ["101"]


@time_limit(10)
async def test_other_settings_leave_what_is_on_its_way_alone(webhook_service: WebhookHarness) -> None:
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    await patch(webhook_service, send_limit=5)
    assert not webhook_service.transport.pending_responses[0].called
    assert webhook_service.attempted_rooms[-1:] == ["101"]
    assert len(webhook_service.transport.pending_responses) == 1


@time_limit(10)
async def test_a_link_that_is_removed_takes_its_webhook_along(webhook_service: WebhookHarness) -> None:
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, 102)
    (on_its_way,) = webhook_service.transport.pending_responses
    assert (await webhook_service.call("DELETE", "/api/v1/links/grand")).status == 200
    assert on_its_way.called
    assert await cursors(webhook_service) == {}
    webhook_service.advance(100)
    assert webhook_service.attempted_rooms[-1:] == ["101"]


@time_limit(10)
async def test_a_link_that_is_made_anew_tells_nothing_of_the_one_before(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    assert (await webhook_service.call("DELETE", "/api/v1/links/grand")).status == 200
    webhook_service.transport.failure_by_url.clear()
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(102)
    assert [event["type"] for event in webhook_service.transport.delivered] == [
        "link.changed",
        "guest.checked_in",
    ]
    assert webhook_service.delivered_rooms == [None, "102"]


@time_limit(10)
async def test_a_link_that_cannot_be_removed_goes_on_with_what_waits(webhook_service: WebhookHarness) -> None:
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    await made(webhook_service, **WEBHOOK_SETTINGS)
    webhook_service.check_in(101)
    webhook_service.break_store()
    assert (await webhook_service.call("DELETE", "/api/v1/links/grand")).status == 503
    webhook_service.transport.failure_by_url.clear()
    webhook_service.repair_store()
    webhook_service.advance(2)
    assert "101" in webhook_service.delivered_rooms


@time_limit(10)
async def test_a_link_that_could_not_be_started_goes_on_with_what_waited_when_it_can(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(webhook_service, **WEBHOOK_SETTINGS)
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
    after = WebhookHarness(without)
    assert "101" in after.delivered_rooms
    await after.stop()


# The store.


@time_limit(10)
async def test_what_is_safe_is_told_while_the_store_cannot_be_written(
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
    assert await cursors(webhook_service) == {"grand": seq}


@time_limit(10)
async def test_a_store_that_cannot_be_read_is_waited_for(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_service.add_webhook_link()
    watching = await open_stream(webhook_service)

    def fail(connection: object, *arguments: object) -> None:
        raise StoreUnavailableError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("pmslink.pbx.webhook.delivery_queue.events_after", fail)
        webhook_service.check_in(101)
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["backlog"]) == ("retrying", 1)
    assert shown["last_error"] == "events cannot be read: the disk is gone"
    webhook_service.advance(1.101)
    assert webhook_service.delivered_rooms == ["101"]
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["last_error"]) == ("idle", None)
    await watching.disconnect()


@time_limit(10)
async def test_a_store_that_cannot_be_read_for_a_while_and_has_nothing_to_tell_is_no_lasting_error(
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
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["last_error"], shown["next_at"]) == ("idle", None, None)
    assert webhook_service.webhook_log[-1] == "grand: the webhook: nothing waits for it any more"


# Retention.


async def purge(hooked: WebhookHarness) -> None:
    """A month later, what is a month old goes."""
    for _ in range(200):  # its own clock goes at most four hours ahead in each
        done = Deferred.fromCoroutine(hooked.store.purge())
        hooked.advance()
        await done


@time_limit(30)
async def test_what_was_kept_too_long_before_it_was_taken_is_told_as_lost(
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
    shown = await webhook_service.webhook_status()
    assert (shown["lost"], shown["backlog"]) == (3, 1)
    lost = "grand: 3 events have been kept long enough and are gone, before the webhook took them"
    assert webhook_service.webhook_log.count(lost) == 1
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    assert webhook_service.delivered_rooms == ["104"]
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["lost"], shown["backlog"]) == ("idle", 3, 0)


@time_limit(30)
async def test_a_purge_of_what_was_told_is_no_loss(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101, 102)
    webhook_service.clock.rightNow += timedelta(days=31).total_seconds()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(103)
    await purge(webhook_service)
    found = await webhook_service.store.read(events_after, "grand", 0, 100)
    assert not [one for one in found if getattr(one, "room", None) in ("101", "102")]
    shown = await webhook_service.webhook_status()
    assert (shown["lost"], shown["backlog"]) == (0, 1)


@time_limit(30)
async def test_a_loss_is_told_to_who_watches_the_link(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102)
    watching = await open_stream(webhook_service)
    webhook_service.clock.rightNow += timedelta(days=31).total_seconds()
    await purge(webhook_service)
    webhook_service.advance(1)
    await watching.wait_for_changes(2)
    shown = [event.data["link"]["webhook"] for event in watching.events_of_kind("link")]
    assert [(one["state"], one["lost"]) for one in shown] == [("retrying", 0), ("retrying", 2), ("idle", 2)]
    await watching.disconnect()


@time_limit(30)
async def test_what_is_being_told_when_it_goes_is_not_lost(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    webhook_service.check_in(102)
    webhook_service.clock.rightNow += timedelta(days=31).total_seconds()
    await purge(webhook_service)
    webhook_service.transport.holds_responses = False
    webhook_service.transport.pending_responses[0].callback(None)
    assert webhook_service.delivered_rooms == ["101"]
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["backlog"], shown["lost"]) == ("idle", 0, 1)
