"""Limits of a receiver's response: whatever it sends, a delivery ends, and the log stays short."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import LoopingCall
from twisted.logger import LogEvent

from pmslink.pbx.webhook.response_head import (
    MAX_HEAD_BYTES,
    MAX_INTERIM_RESPONSES,
    ResponseError,
    ResponseHead,
)
from tests.pbx.webhook.http_receiver import (
    OK_RESPONSE,
    ReceiverConnection,
    WebhookTransportHarness,
    build_response,
)
from tests.pbx.webhook.webhook_harness import publisher
from tests.time_limit import time_limit

INTERIM_RESPONSE = b"HTTP/1.1 100 Continue\r\n\r\n"


@time_limit(10)
async def test_a_response_with_endless_headers_is_aborted(transport_harness: WebhookTransportHarness) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.1 200 OK\r\n" + b"X-More: of the same\r\n" * 20_000)
    assert await transport_harness.post() == "the head of its response is longer than 16 KiB"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


@time_limit(10)
async def test_a_response_with_a_body_that_is_too_long_is_aborted(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000)
    assert await transport_harness.post() == "its response is longer than 64 KiB"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


@time_limit(10)
async def test_a_response_without_end_is_aborted_after_ten_seconds(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.1 200 OK\r\n\r\nand so on, ")
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


def respond_endlessly(harness: WebhookTransportHarness, first: bytes, part: bytes) -> None:
    """Let the receiver send `first`, and then `part` again and again while the connection is open."""

    def respond(connection: ReceiverConnection) -> None:
        connection.write(first)
        sending = LoopingCall(lambda: connection.write(part * 100))
        connection.on_lost = sending.stop
        sending.start(0)

    harness.receiver.respond = respond


@pytest.mark.parametrize(
    ("first", "part", "error"),
    [
        (b"", INTERIM_RESPONSE, "it sent more than 10 interim responses (1xx)"),
        (b"", b"HTTP/1.1 102 Processing\nX: y\n\n", "it sent more than 10 interim responses (1xx)"),
        (b"", b"HTTP/1.1 099 Zero\r\n\r\n", "it did not send a valid HTTP response"),
        (b"", b"HTTP/1.1 +100 Plus\r\n\r\n", "it did not send a valid HTTP response"),
        (b"", b"\r\n", "it did not send a valid HTTP response"),
        (b"", b"x", "the head of its response is longer than 16 KiB"),
        (b"HTTP/1.1 200 ", b"OK", "the head of its response is longer than 16 KiB"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", "the head of its response is longer than 16 KiB"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", b" more\r\n", "the head of its response is longer than 16 KiB"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"body", "its response is longer than 64 KiB"),
        (b"HTTP/1.1 500 No\r\n\r\n", b"body", "it answered 500"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"4\r\nbody\r\n",
            "its response is longer than 64 KiB",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"0" * 90 + b"1\r\nx\r\n",
            "its response is incomplete",
        ),
    ],
)
@time_limit(20)
async def test_a_response_without_end_is_aborted_without_a_log_line(
    transport_harness: WebhookTransportHarness, first: bytes, part: bytes, error: str
) -> None:
    """Case E13; the time of the transport stands still, so its limits of size end the response."""
    respond_endlessly(transport_harness, first, part)
    log_events: list[LogEvent] = []
    observer = log_events.append
    publisher.addObserver(observer)
    assert await transport_harness.post() == error
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    publisher.removeObserver(observer)
    assert log_events == []
    assert len(transport_harness.receiver.requests) == 1


@time_limit(10)
async def test_a_response_on_a_reused_connection_that_is_aborted_is_not_repeated(
    transport_harness: WebhookTransportHarness,
) -> None:
    assert await transport_harness.post() == ""
    respond_endlessly(transport_harness, b"", INTERIM_RESPONSE)
    assert await transport_harness.post() == "it sent more than 10 interim responses (1xx)"
    assert len(transport_harness.receiver.requests) == 2


@time_limit(10)
async def test_a_few_interim_responses_are_ignored(transport_harness: WebhookTransportHarness) -> None:
    transport_harness.receiver.respond_always(INTERIM_RESPONSE * MAX_INTERIM_RESPONSES + OK_RESPONSE)
    assert await transport_harness.post() == ""
    assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 1


@pytest.mark.parametrize("sent", [INTERIM_RESPONSE, b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
@time_limit(10)
async def test_a_response_that_stops_in_its_head_times_out(
    transport_harness: WebhookTransportHarness, sent: bytes
) -> None:
    transport_harness.receiver.respond_always(sent)
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


def feed_bytes(head: ResponseHead, data: bytes) -> list[bytes]:
    return [head.feed(data[place : place + 1]) for place in range(len(data))]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_head_is_complete_with_its_empty_line(end: bytes) -> None:
    response = end.join([b"HTTP/1.1 100 So", b"", b"HTTP/1.1 204 No Content", b"X: y", b"", b""])
    *incomplete, complete = feed_bytes(ResponseHead(), response)
    assert not any(incomplete)
    assert complete == response.partition(end + end)[2]
    assert ResponseHead().feed(response + b"body") == complete + b"body"


INTERIM_HEADS = st.lists(
    st.sampled_from([INTERIM_RESPONSE, b"HTTP/1.1 102 Processing\nX: y\n\n"]), max_size=MAX_INTERIM_RESPONSES
)
FINAL_HEADS = st.sampled_from(
    [OK_RESPONSE, b"HTTP/1.0 500 No\nX: y\n more\n\n", build_response(200, body=b"x")]
)


@given(
    interim=INTERIM_HEADS, final=FINAL_HEADS, body=st.binary(max_size=20), cuts=st.lists(st.integers(0, 600))
)
def test_a_head_does_not_depend_on_how_the_response_is_divided(
    interim: list[bytes], final: bytes, body: bytes, cuts: list[int]
) -> None:
    response = b"".join(interim) + final + body
    head, passed = ResponseHead(), b""
    for begin, end in pairwise(sorted({0, *cuts, len(response)})):
        part = response[begin:end]
        passed += part if passed else head.feed(part)
    assert passed == final + body


@pytest.mark.parametrize("feed", [ResponseHead.feed, feed_bytes])
def test_a_head_has_its_maximum_length(feed: Callable[[ResponseHead, bytes], object]) -> None:
    start, end = b"HTTP/1.1 100 So\r\n\r\nHTTP/1.1 200 OK\r\nX: ", b"\r\n\r\n"
    longest = MAX_HEAD_BYTES - len(start + end)
    feed(ResponseHead(), start + b"y" * longest + end)
    with pytest.raises(ResponseError):
        feed(ResponseHead(), start + b"y" * (longest + 1) + end)


@time_limit(10)
async def test_a_receiver_that_does_not_close_its_connection_in_return_is_aborted(
    transport_harness: WebhookTransportHarness,
) -> None:
    """It reads nothing of a large request, so that the connection cannot be closed in order."""

    def respond_early(connection: ReceiverConnection) -> None:
        connection.pause()
        connection.write(build_response(413, "Connection: close\r\n"))

    transport_harness.receiver.respond_to_head = respond_early
    assert await transport_harness.post(b"x" * 20_000_000) == "it answered 413"
    (connection,) = transport_harness.receiver.open_connections
    transport_harness.clock.advance(10)
    connection.resume()
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    assert not transport_harness.receiver.requests
