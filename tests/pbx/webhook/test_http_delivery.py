"""One event on its way over HTTP: what the receiver gets, and what is said of one that does not take it."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.pbx.webhook.http_delivery import Receiver
from pmslink.pbx.webhook.signature import compute_signature
from tests.link.certificates import CertificateAuthority
from tests.pbx.webhook.http_receiver import (
    OK_RESPONSE,
    WEBHOOK_SECRET,
    ReceiverConnection,
    WebhookTransportHarness,
    build_response,
)
from tests.pbx.webhook.webhook_harness import publisher
from tests.time_limit import time_limit
from tests.web.served_api import run_reactor_turns

EVENT = '{"seq":7,"room":"101","guest":{"name":"Zoë"}}'.encode()


@time_limit(10)
async def test_an_event_is_posted_as_json_with_its_time_and_signature(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.clock.advance(3.9)
    assert await transport_harness.post(EVENT) == ""
    (posted,) = transport_harness.receiver.requests
    assert (posted.line, posted.body) == ("POST /events HTTP/1.1", EVENT)
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["user-agent"].startswith("pmslink/")
    assert posted.headers["x-pmslink-timestamp"] == "1795158003"
    mac = by_definition(WEBHOOK_SECRET.encode(), b"1795158003." + EVENT)
    assert posted.headers["x-pmslink-signature"] == f"sha256={mac}"


def by_definition(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 writes it."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


def test_the_signature_is_what_openssl_makes_of_it() -> None:
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", WEBHOOK_SECRET],
        input=b"1795158003." + EVENT,
        capture_output=True,
        check=True,
    )
    assert made.stdout.decode().split()[-1] == compute_signature(WEBHOOK_SECRET, "1795158003", EVENT)


@time_limit(10)
async def test_each_attempt_has_a_time_and_signature_of_its_own(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post(EVENT)
    transport_harness.clock.advance(60)
    await transport_harness.post(EVENT)
    first, second = transport_harness.receiver.requests
    assert int(second.headers["x-pmslink-timestamp"]) - int(first.headers["x-pmslink-timestamp"]) == 60
    assert first.headers["x-pmslink-signature"] != second.headers["x-pmslink-signature"]


@time_limit(10)
async def test_the_path_and_the_query_of_the_url_are_kept(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.post(url=transport_harness.receiver.url("/a/b%20c?tenant=7&x"))
    assert transport_harness.receiver.requests[0].line == "POST /a/b%20c?tenant=7&x HTTP/1.1"


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
@time_limit(10)
async def test_any_answer_of_success_will_do(transport_harness: WebhookTransportHarness, code: int) -> None:
    transport_harness.receiver.respond_always(build_response(code))
    assert await transport_harness.post() == ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (301, "it answered 301; redirects are not followed"),
        (307, "it answered 307; redirects are not followed"),
        (401, "it answered 401"),
        (404, "it answered 404"),
        (410, "it answered 410"),
        (429, "it answered 429"),
        (500, "it answered 500"),
        (503, "it answered 503"),
    ],
)
@time_limit(10)
async def test_any_other_answer_is_told_by_its_number(
    transport_harness: WebhookTransportHarness, code: int, said: str
) -> None:
    there = f"Location: {transport_harness.receiver.url('/elsewhere')}\r\n"
    transport_harness.receiver.respond_always(build_response(code, there, b"no: 101, Zebedee"))
    assert await transport_harness.post() == said
    assert [one.line for one in transport_harness.receiver.requests] == ["POST /events HTTP/1.1"]


@time_limit(10)
async def test_a_receiver_that_does_not_answer_is_given_up_after_ten_seconds(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"")
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    assert len(transport_harness.receiver.requests) == 1


@time_limit(10)
async def test_so_is_one_that_answered_before(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.post()
    transport_harness.receiver.respond_always(b"")
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    assert len(transport_harness.receiver.requests) == 2


@time_limit(10)
async def test_a_receiver_that_refuses(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.receiver.stop_listening()
    posting = Deferred.fromCoroutine(transport_harness.post())
    await run_reactor_turns()
    transport_harness.clock.advance(1)
    assert await posting == "it refused the connection"


@time_limit(10)
async def test_a_receiver_whose_name_nobody_knows(transport_harness: WebhookTransportHarness) -> None:
    assert await transport_harness.post(url="http://pbx.example/") == "its name cannot be resolved"


@time_limit(10)
async def test_a_receiver_to_which_no_connection_comes_about(
    transport_harness: WebhookTransportHarness,
) -> None:
    """The backlog of a port that accepts nothing is full after the first."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        host, port = silent.getsockname()
        with socket.create_connection((host, port)):
            posting = Deferred.fromCoroutine(transport_harness.post(url=f"http://{host}:{port}/"))
            await run_reactor_turns()
            transport_harness.clock.advance(10)
            assert await posting == "it did not answer within 10 s"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it closed the connection without a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "it closed the connection without a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome", "its response is incomplete"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nsome", "it answered 500"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nso", "its response is incomplete"),
        (b"220 mail.example ESMTP\r\n", "it did not send a valid HTTP response (ParseError)"),
        (b"\x02LS|\x03\r\n", "it did not send a valid HTTP response (ParseError)"),
    ],
)
@time_limit(10)
async def test_an_answer_that_is_none(
    transport_harness: WebhookTransportHarness, data: bytes, said: str
) -> None:
    transport_harness.receiver.respond_always(data, close=True)
    assert await transport_harness.post() == said


@time_limit(10)
async def test_an_answer_that_ends_with_the_connection_is_whole(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.0 200 OK\r\n\r\ntaken", close=True)
    assert await transport_harness.post() == ""


@time_limit(10)
async def test_an_answer_whose_head_has_no_end_is_cut_off(transport_harness: WebhookTransportHarness) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.1 200 OK\r\n" + b"X-More: of the same\r\n" * 20_000)
    assert await transport_harness.post() == "its response is longer than 64 KiB"
    assert not transport_harness.receiver.open_connections


@time_limit(10)
async def test_an_answer_that_is_long_beyond_reason_is_cut_off(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000)
    assert await transport_harness.post() == "its response is longer than 64 KiB"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


@time_limit(10)
async def test_an_answer_without_end_is_cut_off_after_ten_seconds(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.1 200 OK\r\n\r\nand so on, ")
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


# Connections.


@time_limit(10)
async def test_a_connection_is_used_again(transport_harness: WebhookTransportHarness) -> None:
    transport_harness.receiver.respond_always(build_response(200, body=b"taken"))
    for _ in range(5):
        assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 1


@time_limit(10)
async def test_so_is_one_over_which_an_event_was_not_taken(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(build_response(500, body=b"later"))
    assert await transport_harness.post() == "it answered 500"
    transport_harness.receiver.respond_always(OK_RESPONSE)
    assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 1


@time_limit(10)
async def test_a_kept_connection_that_the_receiver_has_closed_costs_no_attempt(
    transport_harness: WebhookTransportHarness,
) -> None:
    """It may be closed just when the next event goes out, so that this is seen too late."""
    await transport_harness.post()

    def close_the_old_one(connection: ReceiverConnection) -> None:
        transport_harness.receiver.respond_always(OK_RESPONSE)
        connection.close()

    transport_harness.receiver.respond = close_the_old_one
    assert await transport_harness.post() == ""
    assert transport_harness.receiver.connection_count == 2


@time_limit(10)
async def test_one_that_was_closed_a_while_ago_is_not_even_tried(
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
    assert len(transport_harness.receiver.requests) == 4, "there was no connection to be stale"


@time_limit(10)
async def test_what_is_given_up_is_not_posted_again(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.post()
    transport_harness.receiver.respond_always(b"")
    given_up = transport_harness.transport.post(
        Receiver(transport_harness.receiver.url(), WEBHOOK_SECRET), EVENT
    )
    await transport_harness.until(lambda: len(transport_harness.receiver.requests) == 2)
    given_up.addErrback(lambda failure: None)
    given_up.cancel()
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    await run_reactor_turns()
    assert (len(transport_harness.receiver.requests), transport_harness.receiver.connection_count) == (2, 1)


@time_limit(10)
async def test_no_connection_is_left_when_the_service_stops(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    assert transport_harness.receiver.open_connections
    transport_harness.transport.close()
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)


# Certificates.


@time_limit(10)
async def test_a_certificate_that_the_machine_trusts_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    errand = WebhookTransportHarness(ca.server_options("127.0.0.1"))
    assert await errand.post(EVENT) == ""
    assert await errand.post(EVENT) == ""
    assert errand.receiver.connection_count == 1
    assert errand.receiver.requests[0].body == EVENT
    await errand.stop()


@time_limit(10)
async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_told(
    tmp_path: Path,
) -> None:
    errand = WebhookTransportHarness(
        CertificateAuthority.create(tmp_path / "ca.pem").server_options("127.0.0.1")
    )
    assert await errand.post(EVENT) == "its certificate is not trusted on this machine, or is not valid now"
    assert errand.receiver.requests == []
    await errand.stop()


@time_limit(10)
async def test_a_certificate_for_another_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    errand = WebhookTransportHarness(ca.server_options("192.0.2.7"))
    assert await errand.post(EVENT) == "its certificate is for another name"
    assert errand.receiver.requests == []
    await errand.stop()


@time_limit(10)
async def test_a_receiver_without_tls_is_told_from_one_with_it(
    transport_harness: WebhookTransportHarness,
) -> None:
    url = transport_harness.receiver.url().replace("http:", "https:")
    assert await transport_harness.post(url=url) == "TLS failed: wrong version number"


# What is told of it.


@time_limit(10)
async def test_neither_log_nor_errors_hold_anything_of_guests_or_of_the_secret(
    transport_harness: WebhookTransportHarness,
) -> None:
    noted: list[LogEvent] = []
    note = noted.append
    publisher.addObserver(note)
    said = []
    for data in (
        OK_RESPONSE,
        build_response(500, body=EVENT),
        b"",
        b"no " + EVENT + b"\r\n",
        build_response(200, body=EVENT)[:-3],
    ):
        transport_harness.receiver.respond_always(data, close=True)
        said.append(await transport_harness.post(EVENT))
    publisher.removeObserver(note)
    assert len({*said}) == 5
    for text in (repr(noted), repr(said), repr(Receiver("http://pbx.example/", WEBHOOK_SECRET))):
        assert WEBHOOK_SECRET not in text
        assert "Zo" not in text
    assert noted == []
