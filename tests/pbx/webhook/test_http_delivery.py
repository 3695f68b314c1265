"""Delivery of one event over HTTP: the request, the errors, connections, limits and certificates."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path
from threading import Event

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.host_resolver import HostResolver
from pmslink.pbx.webhook.http_delivery import WEBHOOK_LOOKUP_TIMEOUT_S, Receiver
from pmslink.pbx.webhook.signature import compute_signature
from tests.link.certificates import CertificateAuthority
from tests.pbx.webhook.http_receiver import (
    OK_RESPONSE,
    WEBHOOK_SECRET,
    WebhookTransportHarness,
    build_response,
)
from tests.pbx.webhook.webhook_harness import publisher
from tests.time_limit import time_limit
from tests.web.served_api import run_reactor_turns

EVENT = '{"seq":7,"room":"101","guest":{"name":"Zoë"}}'.encode()


@time_limit(10)
async def test_an_event_is_posted_as_json_with_timestamp_and_signature(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.clock.advance(3.9)
    assert await transport_harness.post(EVENT) == ""
    (posted,) = transport_harness.receiver.requests
    assert (posted.line, posted.body) == ("POST /events HTTP/1.1", EVENT)
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["user-agent"].startswith("pmslink/")
    assert posted.headers["x-pmslink-timestamp"] == "1795158003"
    mac = hmac_sha256(WEBHOOK_SECRET.encode(), b"1795158003." + EVENT)
    assert posted.headers["x-pmslink-signature"] == f"sha256={mac}"


def hmac_sha256(key: bytes, message: bytes) -> str:
    """Return HMAC-SHA256, computed as RFC 2104 defines it."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


def test_the_signature_equals_that_of_openssl() -> None:
    openssl = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", WEBHOOK_SECRET],
        input=b"1795158003." + EVENT,
        capture_output=True,
        check=True,
    )
    assert openssl.stdout.decode().split()[-1] == compute_signature(WEBHOOK_SECRET, "1795158003", EVENT)


@time_limit(10)
async def test_each_attempt_has_its_own_timestamp_and_signature(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post(EVENT)
    transport_harness.clock.advance(60)
    await transport_harness.post(EVENT)
    first, second = transport_harness.receiver.requests
    assert int(second.headers["x-pmslink-timestamp"]) - int(first.headers["x-pmslink-timestamp"]) == 60
    assert first.headers["x-pmslink-signature"] != second.headers["x-pmslink-signature"]


@time_limit(10)
async def test_the_path_and_the_query_of_the_url_are_sent(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.post(url=transport_harness.receiver.url("/a/b%20c?tenant=7&x"))
    assert transport_harness.receiver.requests[0].line == "POST /a/b%20c?tenant=7&x HTTP/1.1"


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
@time_limit(10)
async def test_any_2xx_response_accepts_the_event(
    transport_harness: WebhookTransportHarness, code: int
) -> None:
    transport_harness.receiver.respond_always(build_response(code))
    assert await transport_harness.post() == ""


@pytest.mark.parametrize(
    ("code", "error"),
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
async def test_any_other_response_is_an_error_with_its_status_code(
    transport_harness: WebhookTransportHarness, code: int, error: str
) -> None:
    location = f"Location: {transport_harness.receiver.url('/elsewhere')}\r\n"
    transport_harness.receiver.respond_always(build_response(code, location, b"no: 101, Zebedee"))
    assert await transport_harness.post() == error
    assert [request.line for request in transport_harness.receiver.requests] == ["POST /events HTTP/1.1"]


@time_limit(10)
async def test_a_delivery_without_a_response_times_out_after_ten_seconds(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"")
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    assert len(transport_harness.receiver.requests) == 1


@time_limit(10)
async def test_a_delivery_on_a_reused_connection_times_out_after_ten_seconds(
    transport_harness: WebhookTransportHarness,
) -> None:
    await transport_harness.post()
    transport_harness.receiver.respond_always(b"")
    assert await transport_harness.post(delay_s=10) == "it did not answer within 10 s"
    await transport_harness.until(lambda: not transport_harness.receiver.open_connections)
    assert len(transport_harness.receiver.requests) == 2


@time_limit(10)
async def test_a_refused_connection_is_an_error(transport_harness: WebhookTransportHarness) -> None:
    await transport_harness.receiver.stop_listening()
    posting = Deferred.fromCoroutine(transport_harness.post())
    await run_reactor_turns()
    transport_harness.clock.advance(1)
    assert await posting == "it refused the connection"


@time_limit(10)
async def test_an_unknown_host_name_is_an_error(transport_harness: WebhookTransportHarness) -> None:
    assert await transport_harness.post(url="http://pbx.example/") == "its name cannot be resolved"


@time_limit(10)
async def test_e2_a_name_without_an_answer_is_an_error_of_the_name(
    transport_harness: WebhookTransportHarness,
) -> None:
    answer = Event()

    def look_up(host: str) -> list[str]:
        answer.wait(60)
        return ["127.0.0.1"]

    resolver = HostResolver(transport_harness.reactor, look_up, WEBHOOK_LOOKUP_TIMEOUT_S)
    transport_harness.reactor.nameResolver = resolver
    posting = Deferred.fromCoroutine(transport_harness.post(url="http://pbx.example/"))
    transport_harness.clock.advance(WEBHOOK_LOOKUP_TIMEOUT_S)
    assert await posting == "its name cannot be resolved"
    answer.set()
    await transport_harness.until(lambda: not resolver._lookups)


@time_limit(10)
async def test_a_connection_that_is_not_established_times_out_after_ten_seconds(
    transport_harness: WebhookTransportHarness,
) -> None:
    """The backlog of a port that accepts nothing is full after one connection."""
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
    ("data", "error"),
    [
        (b"", "it closed the connection without a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "it closed the connection without a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome", "its response is incomplete"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nsome", "it answered 500"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nso", "its response is incomplete"),
        (b"220 mail.example ESMTP\r\n", "it did not send a valid HTTP response"),
        (b"\x02LS|\x03\r\n", "it did not send a valid HTTP response"),
    ],
)
@time_limit(10)
async def test_an_invalid_response_is_an_error(
    transport_harness: WebhookTransportHarness, data: bytes, error: str
) -> None:
    transport_harness.receiver.respond_always(data, close=True)
    assert await transport_harness.post() == error


@time_limit(10)
async def test_a_response_may_end_with_the_connection(
    transport_harness: WebhookTransportHarness,
) -> None:
    transport_harness.receiver.respond_always(b"HTTP/1.0 200 OK\r\n\r\ntaken", close=True)
    assert await transport_harness.post() == ""


# Certificates.


@time_limit(10)
async def test_a_receiver_with_a_trusted_certificate_gets_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    harness = WebhookTransportHarness(ca.server_options("127.0.0.1"))
    assert await harness.post(EVENT) == ""
    assert await harness.post(EVENT) == ""
    assert harness.receiver.connection_count == 1
    assert harness.receiver.requests[0].body == EVENT
    await harness.stop()


@time_limit(10)
async def test_an_untrusted_certificate_is_rejected_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    harness = WebhookTransportHarness(
        CertificateAuthority.create(tmp_path / "ca.pem").server_options("127.0.0.1")
    )
    assert await harness.post(EVENT) == "its certificate is not trusted on this machine, or is not valid now"
    assert harness.receiver.requests == []
    await harness.stop()


@time_limit(10)
async def test_a_certificate_for_another_name_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    harness = WebhookTransportHarness(ca.server_options("192.0.2.7"))
    assert await harness.post(EVENT) == "its certificate is for another name"
    assert harness.receiver.requests == []
    await harness.stop()


@time_limit(10)
async def test_a_receiver_without_tls_is_an_error_of_tls(
    transport_harness: WebhookTransportHarness,
) -> None:
    url = transport_harness.receiver.url().replace("http:", "https:")
    assert await transport_harness.post(url=url) == "TLS failed: wrong version number"


# Confidentiality.


@time_limit(10)
async def test_log_and_errors_contain_neither_guest_data_nor_the_secret(
    transport_harness: WebhookTransportHarness,
) -> None:
    log_events: list[LogEvent] = []
    observer = log_events.append
    publisher.addObserver(observer)
    errors = []
    for data in (
        OK_RESPONSE,
        build_response(500, body=EVENT),
        b"",
        b"no " + EVENT + b"\r\n",
        build_response(200, body=EVENT)[:-3],
    ):
        transport_harness.receiver.respond_always(data, close=True)
        errors.append(await transport_harness.post(EVENT))
    publisher.removeObserver(observer)
    assert len({*errors}) == 5
    for text in (repr(log_events), repr(errors), repr(Receiver("http://pbx.example/", WEBHOOK_SECRET))):
        assert WEBHOOK_SECRET not in text
        assert "Zo" not in text
    assert log_events == []
