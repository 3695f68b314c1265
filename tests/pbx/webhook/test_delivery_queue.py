"""Webhooks whose receivers do as the test says: order, at least once, pauses, and what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.store.core.transaction import Entry
from pmslink.store.tables.webhook_cursors import count_events_after
from tests.pbx.webhook.webhook_harness import GUEST_NAME, WEBHOOK_SECRET, WEBHOOK_SETTINGS, WebhookHarness
from tests.time_limit import time_limit
from tests.web.served_api import make_link_config
from tests.web.stream_client import open_stream

URL = WEBHOOK_SETTINGS["webhook_url"]


@time_limit(10)
async def test_events_are_brought_one_after_the_other_in_order(webhook_service: WebhookHarness) -> None:
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
async def test_an_event_is_posted_as_the_interface_tells_it(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    events = (await webhook_service.get("/api/v1/links/grand/events")).json()["events"]
    assert webhook_service.transport.delivered == events[-1:]


@time_limit(10)
async def test_changes_of_the_link_itself_are_told_among_them(webhook_service: WebhookHarness) -> None:
    link = webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    link.enable()
    webhook_service.advance()
    webhook_service.check_in(102)
    assert [event["type"] for event in webhook_service.transport.delivered] == [
        "guest.checked_in",
        "link.changed",
        "link.changed",
        "guest.checked_in",
    ]


@time_limit(10)
async def test_what_is_not_taken_is_tried_again_after_pauses_that_double_up_to_a_minute(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    webhook_service.advance(400)
    pauses = [after - before for before, after in pairwise(webhook_service.transport.attempt_times)]
    for pause, wanted in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=False):
        assert pause == pytest.approx(wanted, rel=0.1)
    assert len(pauses) >= 9
    assert len({pause / 60 for pause in pauses[6:]}) > 1, "they are not all the same"
    assert {*webhook_service.attempted_rooms} == {"101"}


@time_limit(10)
async def test_pauses_begin_anew_once_an_event_was_taken(webhook_service: WebhookHarness) -> None:
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
async def test_nothing_overtakes_what_is_not_taken(webhook_service: WebhookHarness) -> None:
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
async def test_a_receiver_that_is_dead_holds_no_other_up(webhook_service: WebhookHarness) -> None:
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
async def test_a_receiver_that_does_not_answer_holds_no_other_up(webhook_service: WebhookHarness) -> None:
    for name in ("a", "b"):
        webhook_service.add_webhook_link(name, webhook_url=f"http://{name}.example/")
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, link="a")
    webhook_service.transport.holds_responses = False
    webhook_service.check_in(201, 202, link="b")
    assert webhook_service.delivered_rooms == ["201", "202"]


@time_limit(10)
async def test_more_events_than_are_read_at_once_all_come(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 503"
    rooms = range(1000, 1250)
    webhook_service.check_in(*rooms)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(2)
    assert webhook_service.delivered_rooms == [str(room) for room in rooms]
    assert (await webhook_service.webhook_status())["backlog"] == 0


@time_limit(10)
async def test_what_happens_while_the_last_event_is_on_its_way_comes_as_well(
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
async def test_nothing_is_brought_before_it_is_told_to_all(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed can be read a moment before that."""
    webhook_service.add_webhook_link()
    tell = webhook_service.store.journal._publish
    brought_before: list[str] = []

    def tell_late(entries: Sequence[Entry]) -> None:
        webhook_service.webhooks._queues["grand"].deliver()
        brought_before.extend(webhook_service.attempted_rooms)
        tell(entries)

    with monkeypatch.context() as patched:
        patched.setattr(webhook_service.store.journal, "_publish", tell_late)
        webhook_service.check_in(101)
    assert (brought_before, webhook_service.delivered_rooms) == ([], ["101"])


# What is shown.


@time_limit(10)
async def test_a_link_without_a_webhook_shows_none(webhook_service: WebhookHarness) -> None:
    webhook_service.add_link(enabled=False)
    assert await webhook_service.webhook_status() is None


@time_limit(10)
async def test_a_webhook_that_has_nothing_to_do_is_idle(webhook_service: WebhookHarness) -> None:
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
    }


@time_limit(10)
async def test_it_is_not_called_idle_before_the_store_was_asked_what_waits(
    webhook_service: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Deferred[int] = Deferred()
    read = webhook_service.store.read

    def ask(query: Any, *arguments: Any) -> Any:
        return asked if query is count_events_after else read(query, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(webhook_service.store, "read", ask)
        webhook_service.add_webhook_link()
        assert (await webhook_service.webhook_status())["state"] == "delivering"
        asked.callback(1)
    assert (await webhook_service.webhook_status())["state"] == "idle"


@time_limit(10)
async def test_an_event_on_its_way_is_shown(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.advance(7)
    webhook_service.check_in(101, 102)
    webhook_service.advance(5)
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["backlog"]) == ("delivering", 2)
    assert shown["oldest"] == "2026-11-20T07:00:07.000Z"


@time_limit(10)
async def test_a_failure_is_shown_until_an_event_is_taken(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.advance(7)
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102)
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["last_error"], shown["backlog"]) == ("retrying", "it answered 500", 2)
    assert shown["oldest"] == "2026-11-20T07:00:07.000Z"
    assert "2026-11-20T07:00:07.900Z" <= shown["next_at"] <= "2026-11-20T07:00:08.100Z"
    webhook_service.transport.failure_by_url.clear()
    webhook_service.transport.holds_responses = True
    webhook_service.advance(1.101)
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["last_error"], shown["next_at"]) == ("retrying", "it answered 500", None)
    webhook_service.transport.pending_responses[0].callback(None)
    shown = await webhook_service.webhook_status()
    assert (shown["state"], shown["last_error"], shown["backlog"]) == ("delivering", None, 1)


@time_limit(10)
async def test_who_watches_the_link_hears_of_failure_and_recovery_and_of_nothing_else(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    watching = await open_stream(webhook_service)
    await watching.wait_for_changes(1)
    webhook_service.check_in(102, 103)
    await watching.drain()
    assert len(watching.link_changes) == 1
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(104, 105)
    webhook_service.advance(100)
    await watching.wait_for_changes(2)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    await watching.wait_for_changes(3)
    shown = [event.data["link"]["webhook"] for event in watching.events_of_kind("link")]
    assert [one["state"] for one in shown[1:]] == ["retrying", "delivering"]
    assert [one["last_error"] for one in shown[1:]] == ["it answered 500", None]
    await watching.disconnect()


@time_limit(10)
async def test_the_log_tells_of_failure_and_recovery_once_and_of_no_guest(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    webhook_service.advance(100)
    webhook_service.transport.failure_by_url.clear()
    webhook_service.advance(100)
    assert webhook_service.webhook_log == [
        "grand: the webhook: it answered 500",
        "grand: the webhook: it takes events again",
    ]
    text = repr(webhook_service.log_events)
    assert GUEST_NAME not in text
    assert WEBHOOK_SECRET not in text
    assert WEBHOOK_SECRET not in repr(webhook_service.transport.attempts)


@time_limit(10)
async def test_a_fault_of_our_own_is_logged_and_tried_again(
    webhook_service: WebhookHarness, leak_check: list[LogEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_service.add_webhook_link()

    def break_down(receiver: object, body: bytes) -> None:
        raise ArithmeticError(body.decode())

    with monkeypatch.context() as patched:
        patched.setattr(webhook_service.transport, "post", break_down)
        webhook_service.check_in(101)
    shown = await webhook_service.webhook_status()
    assert shown["last_error"] == "pmslink is at fault, see its log (ArithmeticError)"
    (logged,) = leak_check
    assert logged["log_failure"].check(ArithmeticError)
    leak_check.clear()
    webhook_service.advance(1.101)
    assert webhook_service.delivered_rooms == ["101"]


# Restarts.


@time_limit(10)
async def test_what_was_brought_is_not_brought_again_after_a_restart(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    await webhook_service.stop()
    after = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in after.delivered_rooms if room] == []
    after.check_in(102)
    assert after.delivered_rooms[-1] == "102"
    await after.stop()


@time_limit(10)
async def test_what_waited_is_brought_after_a_restart(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101, 102)
    await webhook_service.stop()
    after = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in after.delivered_rooms if room] == ["101", "102"]
    await after.stop()


@time_limit(10)
async def test_what_was_brought_and_not_noted_before_a_crash_is_brought_again(
    webhook_service: WebhookHarness,
) -> None:
    webhook_service.add_webhook_link()
    webhook_service.check_in(101)
    webhook_service.advance(1)
    webhook_service.check_in(102)
    assert webhook_service.delivered_rooms == ["101", "102"]
    await webhook_service.crash()
    after = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in after.delivered_rooms if room] == ["102"]
    await after.stop()


@time_limit(10)
async def test_what_is_on_its_way_at_a_stop_is_given_up_and_brought_by_the_next_service(
    webhook_service: WebhookHarness,
) -> None:
    link = webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101)
    (on_its_way,) = webhook_service.transport.pending_responses
    await webhook_service.stop()
    assert on_its_way.called
    assert (webhook_service.delivered_rooms, webhook_service.webhook_log, link.webhook_status) == (
        [],
        [],
        None,
    )
    after = WebhookHarness(webhook_service, [make_link_config(enabled=False, **WEBHOOK_SETTINGS)])
    assert [room for room in after.delivered_rooms if room] == ["101"]
    await after.stop()


@time_limit(10)
async def test_the_next_service_counts_what_waits(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.holds_responses = True
    webhook_service.check_in(101, 102)
    await webhook_service.stop()
    after = WebhookHarness(webhook_service)
    after.transport.failure_by_url[URL] = "it answered 500"
    after.add_link(enabled=False, **WEBHOOK_SETTINGS)
    shown = await after.webhook_status()
    assert (shown["backlog"], shown["lost"]) == (3, 0)  # with the change of the link at this start
    await after.stop()


@time_limit(10)
async def test_a_pause_ends_with_the_service(webhook_service: WebhookHarness) -> None:
    webhook_service.add_webhook_link()
    webhook_service.transport.failure_by_url[URL] = "it answered 500"
    webhook_service.check_in(101)
    await webhook_service.stop()
    webhook_service.advance(100)
    assert webhook_service.attempted_rooms == ["101"]
