"""Tests of authentication, revocation, and the log lines of both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.web.auth import token_file_edits
from pmslink.web.auth.login_sessions import SESSION_LIFETIME_S
from pmslink.web.auth.token_file import TOKEN_FILE_NAME
from pmslink.web.auth.token_reload import TOKEN_FILE_POLL_INTERVAL_S
from pmslink.web.stream.broadcaster import HEARTBEAT_INTERVAL_S
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import START_TIME, ServedApi, run_reactor_turns
from tests.web.stream_client import open_stream

publisher: Any = globalLogPublisher


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def is_accepted(tmp_path: Path) -> AsyncIterator[TokenProtectedApi]:
    """Return a function that authenticates a request to a service on a public address."""
    service = TokenProtectedApi(tmp_path, local_only=False)
    yield service
    await service.stop()


@pytest.mark.parametrize(
    ("header", "request_lines"),
    [
        ("", 'must be "Bearer", a space and a token'),
        ("Bearer", 'must be "Bearer", a space and a token'),
        ("Bearer a b", 'must be "Bearer", a space and a token'),
        ("Basic dXNlcjpwYXNz", 'must be "Bearer", a space and a token'),
        ("Bearer \xff", "the token is not valid"),
        ("Bearer a\r\nAuthorization: Bearer b", "there must be one Authorization header only"),
    ],
)
@time_limit(10)
async def test_a_header_without_a_valid_token_is_rejected(
    protected_api: TokenProtectedApi, header: str, request_lines: str
) -> None:
    answer = await protected_api.get("/api/v1/links", headers={"authorization": header})
    assert answer.error == (401, "unauthorized")
    assert request_lines in answer.json()["error"]["message"]
    assert answer.headers["www-authenticate"] == "Bearer"


@time_limit(10)
async def test_the_authorization_scheme_is_case_insensitive(protected_api: TokenProtectedApi) -> None:
    header = {"authorization": f"bEARER   {protected_api.tokens['view']} "}
    assert (await protected_api.get("/api/v1/links", headers=header)).status == 200


@time_limit(10)
async def test_an_invalid_token_is_rejected_despite_a_valid_cookie(protected_api: TokenProtectedApi) -> None:
    signed = await protected_api.sign_in()
    invalid = {"authorization": "Bearer pmslink_wrong"}
    assert (await protected_api.get("/api/v1/links", headers=signed.cookie_headers | invalid)).status == 401


@time_limit(10)
async def test_without_tokens_local_callers_have_full_access(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    for header in (
        {},
        {"authorization": "Bearer any"},
        {"authorization": "rubbish"},
        {"cookie": "pmslink_session=x"},
    ):
        assert (await served_api.post("/api/v1/links/grand/enable", headers=header)).status == 200


@time_limit(10)
async def test_after_the_first_token_access_needs_one_until_a_restart(tmp_path: Path) -> None:
    served = ServedApi(state_dir=tmp_path)
    client = await open_stream(served)
    token, _ = token_file_edits.add_token(tmp_path, "desk", "view", START_TIME)
    served.advance(TOKEN_FILE_POLL_INTERVAL_S)
    await client.connection.closed
    assert (await served.get("/api/v1/links")).error == (401, "unauthorized")
    headers = {"authorization": f"Bearer {token}"}
    assert (await served.get("/api/v1/links", headers=headers)).status == 200
    (tmp_path / TOKEN_FILE_NAME).rename(tmp_path / "moved")  # some editors replace a file in two steps
    served.advance(TOKEN_FILE_POLL_INTERVAL_S)
    assert (await served.get("/api/v1/links")).error == (401, "unauthorized")
    assert (await served.get("/api/v1/session")).error == (401, "unauthorized")
    assert (await served.post("/api/v1/session", {"token": token})).error == (401, "unauthorized")
    await served.stop()
    restarted = ServedApi(served, state_dir=tmp_path)
    assert (await restarted.get("/api/v1/links")).status == 200
    await restarted.stop()


@time_limit(10)
async def test_without_tokens_a_public_site_rejects_all_requests(is_accepted: TokenProtectedApi) -> None:
    headers = is_accepted.bearer_headers("control")
    assert (await is_accepted.get("/api/v1/links", headers=headers)).status == 200
    is_accepted.remove_token("view", "control", "pbx", "desk")
    for header in (headers, {}):
        answer = await is_accepted.get("/api/v1/links", headers=header)
        assert answer.error == (401, "unauthorized")
    assert (await is_accepted.get("/api/v1/session")).error == (401, "unauthorized")
    assert (await is_accepted.get("/healthz")).status == 200


@time_limit(10)
async def test_a_public_site_rejects_pages_of_other_hosts(is_accepted: TokenProtectedApi) -> None:
    headers = is_accepted.bearer_headers("control") | {"host": "pms.example:8443"}
    for origin in ("http://pms.example:8443", "https://PMS.example:8443"):
        answer = await is_accepted.get("/api/v1/links", headers=headers | {"origin": origin})
        assert answer.status == 200
    for origin in ("https://pms.example", "https://evil.example:8443", "null"):
        answer = await is_accepted.get("/api/v1/links", headers=headers | {"origin": origin})
        assert answer.error == (403, "foreign_origin")


@time_limit(10)
async def test_every_response_has_the_security_headers(protected_api: TokenProtectedApi) -> None:
    for path in ("/", "/healthz", "/api/v1/links", "/nothing", "/api/v1/session", "/metrics"):
        headers = (await protected_api.get(path)).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    client = await open_stream(protected_api, headers=protected_api.bearer_headers("view"))
    assert "content-security-policy" in client.response_headers
    await client.disconnect()


# Revocation


@time_limit(10)
async def test_a_stream_is_closed_when_its_token_is_removed(
    protected_api: TokenProtectedApi,
) -> None:
    token_stream = await open_stream(protected_api, headers=protected_api.bearer_headers("view"))
    signed = await protected_api.sign_in("view")
    session_stream = await open_stream(protected_api, headers=signed.cookie_headers)
    other = await open_stream(protected_api, headers=protected_api.bearer_headers("pbx"))
    protected_api.remove_token("view")
    await token_stream.connection.closed
    await session_stream.connection.closed
    protected_api.advance(HEARTBEAT_INTERVAL_S)
    await run_reactor_turns()
    assert not other.connection.closed.called
    await other.disconnect()


@time_limit(10)
async def test_a_stream_is_closed_when_its_session_ends(protected_api: TokenProtectedApi) -> None:
    first, second = await protected_api.sign_in("view"), await protected_api.sign_in("view")
    ended_stream = await open_stream(protected_api, headers=first.cookie_headers)
    other = await open_stream(protected_api, headers=second.cookie_headers)
    await protected_api.call("DELETE", "/api/v1/session", first.cookie_headers | first.csrf_headers)
    await ended_stream.connection.closed
    await run_reactor_turns()
    assert not other.connection.closed.called
    protected_api.advance(SESSION_LIFETIME_S - 1)
    await run_reactor_turns()
    assert not other.connection.closed.called
    protected_api.advance(HEARTBEAT_INTERVAL_S)
    await other.connection.closed


@time_limit(10)
async def test_a_long_poll_checks_access_again_after_the_wait(
    protected_api: TokenProtectedApi,
) -> None:
    protected_api.add_link()
    protected_api.dock()
    headers = protected_api.bearer_headers("view")
    after = (await protected_api.get("/api/v1/links/grand/events", headers=headers)).json()["next"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = (
        f"GET /api/v1/links/grand/events?after={after}&wait=60 HTTP/1.1\r\n"
        f"host: localhost:{protected_api.port}\r\nconnection: close\r\n{lines}\r\n"
    )
    connection = await protected_api.connect(request.encode())
    await protected_api.until(lambda: len(protected_api.site.api.long_poll) == 1)
    protected_api.remove_token("view")
    protected_api.send_from_pms("GI|RN101|GNSmith|")
    await protected_api.until(lambda: connection.closed.called)
    received = bytes(connection.received)
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b"Smith" not in received


# Log


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    publisher.addObserver(events.append)
    yield events
    publisher.removeObserver(events.append)


@time_limit(10)
async def test_the_log_names_the_caller_of_a_change_and_no_secret(
    protected_api: TokenProtectedApi, logged: list[LogEvent]
) -> None:
    protected_api.add_link(enabled=False)
    secret = "pmslink_" + "s" * 43
    signed = await protected_api.sign_in("control")
    await protected_api.post("/api/v1/links/grand/enable", headers=protected_api.bearer_headers("control"))
    await protected_api.post(
        "/api/v1/links/grand/disable", headers=signed.cookie_headers | signed.csrf_headers
    )
    await protected_api.post("/api/v1/links/grand/enable", headers=protected_api.bearer_headers("view"))
    await protected_api.post("/api/v1/session", {"token": secret})
    await protected_api.get(f"/api/v1/links?token={secret}", headers={"authorization": f"Bearer {secret}"})
    await protected_api.post(
        "/api/v1/links/grand/postings",
        {"type": "charge", "room": "1", "amount": 1, "text": "Champagne"},
        protected_api.bearer_headers("view"),
    )
    await protected_api.call("DELETE", "/api/v1/session", signed.cookie_headers | signed.csrf_headers)
    (protected_api.state_dir / TOKEN_FILE_NAME).write_text(secret)
    protected_api.advance(TOKEN_FILE_POLL_INTERVAL_S)
    lines = [formatEvent(event) for event in logged]
    request_lines = [line.partition("), ")[2] for line in lines if "/api/v1" in line and "), " in line]
    assert request_lines == [
        "control: POST '/api/v1/session': 200",
        "control: POST '/api/v1/links/grand/enable': 200",
        "control: POST '/api/v1/links/grand/disable': 200",
        "view: POST '/api/v1/links/grand/enable': 403",
        "view: POST '/api/v1/links/grand/postings': 403",
        "control: DELETE '/api/v1/session': 200",
    ]
    invalid = [line for line in lines if line.endswith("): invalid token rejected")]
    assert len(invalid) == 2
    assert all(line.startswith("IPv4Address(type='TCP', host='127.0.0.1'") for line in invalid)
    everything = json.dumps([*lines, *(repr(event) for event in logged)])
    for hidden in (
        secret,
        *protected_api.tokens.values(),
        signed.content["csrf"],
        *signed.cookie_headers.values(),
        "Champagne",
    ):
        assert hidden not in everything
