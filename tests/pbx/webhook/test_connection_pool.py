"""Connections to a receiver: reused by many deliveries, bounded, replaced when the receiver closes them."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults

from pmslink.pbx.webhook import connection_pool
from pmslink.pbx.webhook.http_delivery import Receiver
from tests.pbx.webhook.http_receiver import (
    OK_RESPONSE,
    WEBHOOK_SECRET,
    HttpReceiver,
    ReceiverConnection,
    WebhookTransportHarness,
    build_response,
)
from tests.time_limit import time_limit
from tests.web.served_api import run_reactor_turns

EVENT = b'{"seq":7,"room":"101"}'


@time_limit(10)
async def test_a_connection_is_reused(transport_harness: WebhookTransportHarness) -> None:
    transport_harness.receiver.respond_always(build_response(200, body=b"taken"))
    for _ in range(5):
        assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 1


@time_limit(10)
async def test_a_connection_is_reused_after_a_rejected_event(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(build_response(500, body=b"later"))
    assert await transport_harness.post() == "it answered 500"
    transport_harness.receiver.respond_always(OK_RESPONSE)
    assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 1


@time_limit(10)
async def test_a_request_on_an_idle_connection_that_the_receiver_closes_is_repeated_at_once(
    transport_harness: WebhookTransportHarness,
) -> None:
    """The receiver may close the connection just when the next request is sent on it."""
    await transport_harness.post()

    def close_idle_connection(connection: ReceiverConnection) -> None:
        transport_harness.receiver.respond_always(OK_RESPONSE)
        connection.close()

    transport_harness.receiver.respond = close_idle_connection
    assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 2


@time_limit(10)
async def test_a_repeated_request_without_a_connection_was_not_sent(
    transport_harness: WebhookTransportHarness,
) -> None:
    """The receiver stops: it closes the idle connection and refuses the next one. No event is to blame."""
    receiver, errors = transport_harness.receiver, []
    await transport_harness.post()

    def stop(connection: ReceiverConnection) -> None:
        ensureDeferred(receiver.stop_listening()).addCallback(lambda _: connection.close())

    receiver.respond = stop
    delivery = transport_harness.transport.post(Receiver(receiver.url(), WEBHOOK_SECRET), EVENT)
    delivery.addErrback(lambda failure: errors.append(failure.value))
    while not errors:
        await run_reactor_turns()
        transport_harness.clock.advance(0.1)
    assert [(str(error), error.was_sent) for error in errors] == [("it refused the connection", False)]


@time_limit(10)
async def test_an_idle_connection_that_was_closed_earlier_is_not_used(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    transport_harness.receiver.open_connections[0].close()
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    await run_reactor_turns()
    assert await transport_harness.post() == ""
    assert len(transport_harness.receiver.requests) == 2


@time_limit(10)
async def test_a_new_connection_that_is_closed_is_a_failure(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    transport_harness.receiver.respond_always(b"", close=True)
    assert await transport_harness.post() == "it closed the connection without a response"
    assert len(transport_harness.receiver.requests) == 3
    assert await transport_harness.post() == "it closed the connection without a response"
    assert len(transport_harness.receiver.requests) == 4, "no idle connection, so no second attempt"


@time_limit(10)
async def test_a_cancelled_delivery_is_not_repeated(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.post()
    transport_harness.receiver.respond_always(b"")
    delivery = transport_harness.transport.post(
        Receiver(transport_harness.receiver.url(), WEBHOOK_SECRET), EVENT
    )
    await transport_harness.until(lambda: len(transport_harness.receiver.requests) == 2)
    delivery.addErrback(lambda failure: None)
    delivery.cancel()
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    await run_reactor_turns()
    assert (len(transport_harness.receiver.requests), transport_harness.receiver.connection_count) == (2, 1)


@time_limit(10)
async def test_a_stop_closes_idle_connections(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    assert transport_harness.receiver.open_connections
    transport_harness.transport.close()
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


async def post_wave(harness: WebhookTransportHarness, count: int) -> set[str]:
    """Make `count` deliveries at once, as of so many links. Return their errors."""
    posts = [Deferred.fromCoroutine(harness.post()) for _ in range(count)]
    return {*(await gatherResults(posts))}


@time_limit(30)
async def test_waves_of_deliveries_reuse_their_connections(
    transport_harness: WebhookTransportHarness,
) -> None:
    for _ in range(5):
        assert await post_wave(transport_harness, 100) == {""}
    assert len(transport_harness.receiver.requests) == 500
    assert transport_harness.receiver.connection_count == 100


@time_limit(30)
async def test_idle_connections_that_the_receiver_closes_all_at_once_cause_no_failure(
    transport_harness: WebhookTransportHarness,
) -> None:
    receiver = transport_harness.receiver
    await post_wave(transport_harness, 50)
    idle = tuple(receiver.open_connections)

    def close_idle_connection(connection: ReceiverConnection) -> None:
        if connection in idle:
            connection.close()
        else:
            connection.write(OK_RESPONSE)

    receiver.respond = close_idle_connection
    assert await post_wave(transport_harness, 50) == {""}
    assert receiver.connection_count == 100


@time_limit(30)
async def test_idle_connections_are_bounded_per_receiver(
    transport_harness: WebhookTransportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_pool, "MAX_IDLE_PER_RECEIVER", 3)
    await post_wave(transport_harness, 5)
    await transport_harness.until(lambda: len(transport_harness.receiver.open_connections) == 3)


@time_limit(30)
async def test_idle_connections_are_bounded_over_all_receivers(
    transport_harness: WebhookTransportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_pool, "MAX_IDLE_CONNECTIONS", 3)
    first, second = transport_harness.receiver, HttpReceiver()
    await post_wave(transport_harness, 3)
    assert await transport_harness.post(url=second.url()) == ""
    await transport_harness.until(lambda: len(first.open_connections) == 2)
    assert len(second.open_connections) == 1, "the one that was idle for the longest time is closed"
    await second.stop_listening()
    transport_harness.transport.close()
    await transport_harness.until(lambda: not second.open_connections)


@time_limit(10)
async def test_an_idle_connection_is_closed_after_a_minute(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    transport_harness.clock.advance(59)
    await transport_harness.post()
    transport_harness.clock.advance(59)
    await run_reactor_turns()
    assert (
        transport_harness.receiver.connection_count == len(transport_harness.receiver.open_connections) == 1
    )
    transport_harness.clock.advance(1)
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


@time_limit(10)
async def test_a_receiver_that_sends_without_a_request_loses_its_connection(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    transport_harness.receiver.open_connections[0].write(OK_RESPONSE)
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    assert await transport_harness.post() == ""
