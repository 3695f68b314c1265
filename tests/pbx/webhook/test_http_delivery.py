"""One event on its way over HTTP: what the receiver gets, and what is said of one that does not take it."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.pbx.webhook.http_delivery import Receiver, signature
from tests.link.certificates import Authority
from tests.pbx.webhook.http_receiver import OK, SECRET, Errand, Incoming, answer
from tests.pbx.webhook.webhook_harness import publisher
from tests.time_limit import within
from tests.web.served_api import turns

EVENT = '{"seq":7,"room":"101","guest":{"name":"Zoë"}}'.encode()


@within(10)
async def test_an_event_is_posted_as_json_with_its_time_and_signature(errand: Errand) -> None:
    errand.clock.advance(3.9)
    assert await errand.post(EVENT) == ""
    (posted,) = errand.receiving.posted
    assert (posted.line, posted.body) == ("POST /events HTTP/1.1", EVENT)
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["user-agent"].startswith("pmslink/")
    assert posted.headers["x-pmslink-timestamp"] == "1795158003"
    mac = by_definition(SECRET.encode(), b"1795158003." + EVENT)
    assert posted.headers["x-pmslink-signature"] == f"sha256={mac}"


def by_definition(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 writes it."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


def test_the_signature_is_what_openssl_makes_of_it() -> None:
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", SECRET],
        input=b"1795158003." + EVENT,
        capture_output=True,
        check=True,
    )
    assert made.stdout.decode().split()[-1] == signature(SECRET, "1795158003", EVENT)


@within(10)
async def test_each_attempt_has_a_time_and_signature_of_its_own(errand: Errand) -> None:
    await errand.post(EVENT)
    errand.clock.advance(60)
    await errand.post(EVENT)
    first, second = errand.receiving.posted
    assert int(second.headers["x-pmslink-timestamp"]) - int(first.headers["x-pmslink-timestamp"]) == 60
    assert first.headers["x-pmslink-signature"] != second.headers["x-pmslink-signature"]


@within(10)
async def test_the_path_and_the_query_of_the_url_are_kept(errand: Errand) -> None:
    await errand.post(url=errand.receiving.url("/a/b%20c?tenant=7&x"))
    assert errand.receiving.posted[0].line == "POST /a/b%20c?tenant=7&x HTTP/1.1"


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
@within(10)
async def test_any_answer_of_success_will_do(errand: Errand, code: int) -> None:
    errand.receiving.always(answer(code))
    assert await errand.post() == ""


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
@within(10)
async def test_any_other_answer_is_told_by_its_number(errand: Errand, code: int, said: str) -> None:
    there = f"Location: {errand.receiving.url('/elsewhere')}\r\n"
    errand.receiving.always(answer(code, there, b"no: 101, Zebedee"))
    assert await errand.post() == said
    assert [one.line for one in errand.receiving.posted] == ["POST /events HTTP/1.1"]


@within(10)
async def test_a_receiver_that_does_not_answer_is_given_up_after_ten_seconds(errand: Errand) -> None:
    errand.receiving.always(b"")
    assert await errand.post(waits=10) == "it did not answer within 10 s"
    await errand.until(lambda: not errand.receiving.open)
    assert len(errand.receiving.posted) == 1


@within(10)
async def test_so_is_one_that_answered_before(errand: Errand) -> None:
    await errand.post()
    errand.receiving.always(b"")
    assert await errand.post(waits=10) == "it did not answer within 10 s"
    await errand.until(lambda: not errand.receiving.open)
    assert len(errand.receiving.posted) == 2


@within(10)
async def test_a_receiver_that_refuses(errand: Errand) -> None:
    await errand.receiving.deaf()
    posting = Deferred.fromCoroutine(errand.post())
    await turns()
    errand.clock.advance(1)
    assert await posting == "it refused the connection"


@within(10)
async def test_a_receiver_whose_name_nobody_knows(errand: Errand) -> None:
    assert await errand.post(url="http://pbx.example/") == "its name cannot be resolved"


@within(10)
async def test_a_receiver_to_which_no_connection_comes_about(errand: Errand) -> None:
    """The backlog of a port that accepts nothing is full after the first."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        host, port = silent.getsockname()
        with socket.create_connection((host, port)):
            posting = Deferred.fromCoroutine(errand.post(url=f"http://{host}:{port}/"))
            await turns()
            errand.clock.advance(10)
            assert await posting == "it did not answer within 10 s"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "it closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome", "its answer broke off"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nsome", "it answered 500"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nso", "its answer broke off"),
        (b"220 mail.example ESMTP\r\n", "it does not answer as a web server does (ParseError)"),
        (b"\x02LS|\x03\r\n", "it does not answer as a web server does (ParseError)"),
    ],
)
@within(10)
async def test_an_answer_that_is_none(errand: Errand, data: bytes, said: str) -> None:
    errand.receiving.always(data, close=True)
    assert await errand.post() == said


@within(10)
async def test_an_answer_that_ends_with_the_connection_is_whole(errand: Errand) -> None:
    errand.receiving.always(b"HTTP/1.0 200 OK\r\n\r\ntaken", close=True)
    assert await errand.post() == ""


@within(10)
async def test_an_answer_whose_head_has_no_end_is_cut_off(errand: Errand) -> None:
    errand.receiving.always(b"HTTP/1.1 200 OK\r\n" + b"X-More: of the same\r\n" * 20_000)
    assert await errand.post() == "its answer is longer than 64 KiB"
    assert not errand.receiving.open


@within(10)
async def test_an_answer_that_is_long_beyond_reason_is_cut_off(errand: Errand) -> None:
    errand.receiving.always(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000)
    assert await errand.post() == "its answer is longer than 64 KiB"
    await errand.until(lambda: not errand.receiving.open)


@within(10)
async def test_an_answer_without_end_is_cut_off_after_ten_seconds(errand: Errand) -> None:
    errand.receiving.always(b"HTTP/1.1 200 OK\r\n\r\nand so on, ")
    assert await errand.post(waits=10) == "it did not answer within 10 s"
    await errand.until(lambda: not errand.receiving.open)


# Connections.


@within(10)
async def test_a_connection_is_used_again(errand: Errand) -> None:
    errand.receiving.always(answer(200, body=b"taken"))
    for _ in range(5):
        assert await errand.post() == ""
    assert errand.receiving.connections == 1


@within(10)
async def test_so_is_one_over_which_an_event_was_not_taken(errand: Errand) -> None:
    errand.receiving.always(answer(500, body=b"later"))
    assert await errand.post() == "it answered 500"
    errand.receiving.always(OK)
    assert await errand.post() == ""
    assert errand.receiving.connections == 1


@within(10)
async def test_a_kept_connection_that_the_receiver_has_closed_costs_no_attempt(errand: Errand) -> None:
    """It may be closed just when the next event goes out, so that this is seen too late."""
    await errand.post()

    def close_the_old_one(connection: Incoming) -> None:
        errand.receiving.always(OK)
        connection.close()

    errand.receiving.answers = close_the_old_one
    assert await errand.post() == ""
    assert errand.receiving.connections == 2


@within(10)
async def test_one_that_was_closed_a_while_ago_is_not_even_tried(errand: Errand) -> None:
    await errand.post()
    errand.receiving.open[0].close()
    await errand.until(lambda: not errand.receiving.open)
    await turns()
    assert await errand.post() == ""
    assert len(errand.receiving.posted) == 2


@within(10)
async def test_a_new_connection_that_is_closed_is_a_failure(errand: Errand) -> None:
    await errand.post()
    errand.receiving.always(b"", close=True)
    assert await errand.post() == "it closed the connection without an answer"
    assert len(errand.receiving.posted) == 3
    assert await errand.post() == "it closed the connection without an answer"
    assert len(errand.receiving.posted) == 4, "there was no connection to be stale"


@within(10)
async def test_what_is_given_up_is_not_posted_again(errand: Errand) -> None:
    await errand.post()
    errand.receiving.always(b"")
    given_up = errand.courier.post(Receiver(errand.receiving.url(), SECRET), EVENT)
    await errand.until(lambda: len(errand.receiving.posted) == 2)
    given_up.addErrback(lambda failure: None)
    given_up.cancel()
    await errand.until(lambda: not errand.receiving.open)
    await turns()
    assert (len(errand.receiving.posted), errand.receiving.connections) == (2, 1)


@within(10)
async def test_no_connection_is_left_when_the_service_stops(errand: Errand) -> None:
    await errand.post()
    assert errand.receiving.open
    errand.courier.close()
    await errand.until(lambda: not errand.receiving.open)


# Certificates.


@within(10)
async def test_a_certificate_that_the_machine_trusts_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = Authority.made(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    errand = Errand(ca.options("127.0.0.1"))
    assert await errand.post(EVENT) == ""
    assert await errand.post(EVENT) == ""
    assert errand.receiving.connections == 1
    assert errand.receiving.posted[0].body == EVENT
    await errand.end()


@within(10)
async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_told(
    tmp_path: Path,
) -> None:
    errand = Errand(Authority.made(tmp_path / "ca.pem").options("127.0.0.1"))
    assert await errand.post(EVENT) == "its certificate is not trusted on this machine, or is not valid now"
    assert errand.receiving.posted == []
    await errand.end()


@within(10)
async def test_a_certificate_for_another_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = Authority.made(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    errand = Errand(ca.options("192.0.2.7"))
    assert await errand.post(EVENT) == "its certificate is for another name"
    assert errand.receiving.posted == []
    await errand.end()


@within(10)
async def test_a_receiver_without_tls_is_told_from_one_with_it(errand: Errand) -> None:
    url = errand.receiving.url().replace("http:", "https:")
    assert await errand.post(url=url) == "TLS failed: wrong version number"


# What is told of it.


@within(10)
async def test_neither_log_nor_errors_hold_anything_of_guests_or_of_the_secret(errand: Errand) -> None:
    noted: list[LogEvent] = []
    note = noted.append
    publisher.addObserver(note)
    said = []
    for data in (OK, answer(500, body=EVENT), b"", b"no " + EVENT + b"\r\n", answer(200, body=EVENT)[:-3]):
        errand.receiving.always(data, close=True)
        said.append(await errand.post(EVENT))
    publisher.removeObserver(note)
    assert len({*said}) == 5
    for text in (repr(noted), repr(said), repr(Receiver("http://pbx.example/", SECRET))):
        assert SECRET not in text
        assert "Zo" not in text
    assert noted == []
