"""Tests of sessions: sign in, sign out, cookies and CSRF protection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from twisted.internet.task import Clock

from pmslink.web.auth import login_sessions as module
from pmslink.web.auth.credentials import SESSION_COOKIE_NAME
from pmslink.web.auth.login_sessions import SESSION_LIFETIME_S, Sessions
from pmslink.web.auth.permissions import PERMISSIONS_BY_ROLE
from pmslink.web.auth.token_file import TOKEN_FILE_NAME, Token
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import START_TIME, ServedApi

PATH = "/api/v1/session"
DESK = Token("desk", "view", b"1" * 32, START_TIME)


def make_token(clock: Clock) -> Sessions:
    return Sessions(clock, lambda: START_TIME + timedelta(seconds=clock.seconds()))


# Functions


def test_a_session_is_found_by_its_id_until_it_ends() -> None:
    sessions = make_token(Clock())
    id, session = sessions.begin(DESK)
    other, _ = sessions.begin(DESK)
    assert id != other
    assert sessions.find(id) is session
    assert sessions.find(id + "x") is None
    assert session.token is DESK
    assert len({id, session.csrf_token, other}) == 3
    assert id.encode() not in sessions._sessions_by_digest
    sessions.end(session)
    sessions.end(session)
    assert sessions.find(id) is None
    assert sessions.find(other) is not None


def test_a_session_ends_after_twelve_hours_even_if_it_is_used() -> None:
    clock = Clock()
    sessions = make_token(clock)
    id, session = sessions.begin(DESK)
    assert session.expires_at == START_TIME + timedelta(hours=12)
    clock.advance(SESSION_LIFETIME_S - 1)
    assert sessions.find(id) is session
    clock.advance(1)
    assert sessions.find(id) is None
    assert session not in sessions
    sessions.begin(DESK)
    assert len(sessions) == 1


def test_the_oldest_session_ends_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 2)
    sessions = make_token(Clock())
    ids = [sessions.begin(DESK)[0] for _ in range(3)]
    assert [sessions.find(id) is not None for id in ids] == [False, True, True]


# API


@time_limit(10)
async def test_signing_in_sets_a_cookie_that_no_script_can_read(protected_api: TokenProtectedApi) -> None:
    answer = await protected_api.post(PATH, {"token": protected_api.tokens["view"]})
    assert answer.status == 200
    body = answer.json()
    assert body == {
        "name": "view",
        "role": "view",
        "permissions": ["history", "metrics", "read", "records"],
        "expires": "2026-11-20T19:00:00.000Z",
        "csrf": body["csrf"],
        "tokens": True,
    }
    assert len(body["csrf"]) == 43
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert value.startswith("pmslink_session=")
    assert {attribute.lower() for attribute in attributes} == {
        "path=/",
        "httponly",
        "samesite=strict",
        f"max-age={SESSION_LIFETIME_S}",
    }
    assert value.partition("=")[2] not in answer.body.decode()


@time_limit(10)
async def test_the_cookie_is_secure_if_tls_ends_at_a_proxy(protected_api: TokenProtectedApi) -> None:
    protected_api.site.local_only = False
    host = {"host": "pms.example", "origin": "https://pms.example"}
    answer = await protected_api.post(PATH, {"token": protected_api.tokens["view"]}, headers=host)
    assert "secure" in answer.headers["set-cookie"].lower().split("; ")


@time_limit(10)
async def test_a_session_has_the_role_of_its_token(protected_api: TokenProtectedApi) -> None:
    signed = await protected_api.sign_in("view")
    assert (await protected_api.get(PATH, headers=signed.cookie_headers)).json() == signed.content
    assert (await protected_api.get("/api/v1/links", headers=signed.cookie_headers)).status == 200
    rejected = await protected_api.post(
        "/api/v1/links/x/enable", headers=signed.cookie_headers | signed.csrf_headers
    )
    assert rejected.error == (403, "forbidden")


@time_limit(10)
async def test_a_change_with_a_cookie_needs_the_csrf_token(protected_api: TokenProtectedApi) -> None:
    core: Any = protected_api.add_link(enabled=False).core
    signed = await protected_api.sign_in()
    other = await protected_api.sign_in()
    path = "/api/v1/links/grand/enable"
    for invalid in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "\xff"}, other.csrf_headers):
        answer = await protected_api.post(path, headers=signed.cookie_headers | invalid)
        assert answer.error == (403, "csrf")
    assert core.intent == "disabled"
    assert (await protected_api.post(path, headers=signed.cookie_headers | signed.csrf_headers)).status == 200
    assert core.intent == "enabled"
    bearer = protected_api.bearer_headers("control")
    assert (await protected_api.post(path, headers=bearer | signed.cookie_headers)).status == 200


@time_limit(10)
async def test_two_csrf_headers_are_rejected(protected_api: TokenProtectedApi) -> None:
    signed = await protected_api.sign_in()
    csrf = signed.content["csrf"]
    headers = {"x-csrf-token": f"{csrf}\r\nX-CSRF-Token: {csrf}"}
    assert (await protected_api.call("DELETE", PATH, signed.cookie_headers | headers)).error == (403, "csrf")


@time_limit(10)
async def test_signing_out_ends_the_session_and_deletes_the_cookie(protected_api: TokenProtectedApi) -> None:
    signed = await protected_api.sign_in()
    assert (await protected_api.call("DELETE", PATH, signed.cookie_headers)).error == (403, "csrf")
    for _ in range(2):
        answer = await protected_api.call("DELETE", PATH, signed.cookie_headers | signed.csrf_headers)
        assert answer.json() == {"signed_out": True}
        cookie = answer.headers["set-cookie"].lower().split("; ")
        assert {f"{SESSION_COOKIE_NAME.decode()}=", "max-age=0", "path=/"} <= set(cookie)
        assert (await protected_api.get(PATH, headers=signed.cookie_headers)).error == (401, "unauthorized")


@time_limit(10)
async def test_a_session_ends_with_its_token_or_a_change_of_its_role(
    protected_api: TokenProtectedApi,
) -> None:
    signed, other = await protected_api.sign_in("control"), await protected_api.sign_in("view")
    protected_api.remove_token("control")
    assert (await protected_api.get("/api/v1/links", headers=signed.cookie_headers)).error == (
        401,
        "unauthorized",
    )
    file = protected_api.state_dir / TOKEN_FILE_NAME
    before = file.read_text()
    file.write_text(before.replace("view view", "view control"))
    protected_api.advance(1)
    assert (await protected_api.get("/api/v1/links", headers=other.cookie_headers)).error == (
        401,
        "unauthorized",
    )
    file.write_text(before)
    protected_api.advance(1)
    assert (await protected_api.get("/api/v1/links", headers=other.cookie_headers)).error == (
        401,
        "unauthorized",
    )


@time_limit(10)
async def test_a_session_ends_after_twelve_hours(protected_api: TokenProtectedApi) -> None:
    signed = await protected_api.sign_in()
    protected_api.advance(SESSION_LIFETIME_S - 1)
    assert (await protected_api.get(PATH, headers=signed.cookie_headers)).status == 200
    protected_api.advance(1)
    assert (await protected_api.get(PATH, headers=signed.cookie_headers)).error == (401, "unauthorized")


@time_limit(10)
async def test_a_request_with_a_bearer_token_has_no_session(protected_api: TokenProtectedApi) -> None:
    answer = await protected_api.get(PATH, headers=protected_api.bearer_headers("pbx"))
    assert answer.json() == {
        "name": "pbx",
        "role": "pbx",
        "permissions": ["guests", "pbx", "read", "rooms"],
        "expires": None,
        "csrf": None,
        "tokens": True,
    }
    assert (await protected_api.get(PATH)).error == (401, "unauthorized")


@time_limit(10)
async def test_without_tokens_signing_in_is_not_possible_or_needed(served_api: ServedApi) -> None:
    answer = await served_api.post(PATH, {"token": "pmslink_any"})
    assert answer.error == (409, "no_tokens")
    answer = await served_api.get(PATH)
    assert answer.json() == {
        "name": None,
        "role": "control",
        "permissions": sorted(PERMISSIONS_BY_ROLE["control"]),
        "expires": None,
        "csrf": None,
        "tokens": False,
    }
    assert (await served_api.call("DELETE", PATH)).json() == {"signed_out": True}


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ([], (400, "invalid"), None),
        ({}, (400, "invalid"), "token"),
        ({"token": None}, (400, "invalid"), "token"),
        ({"token": 7}, (400, "invalid"), "token"),
        ({"token": "x", "more": 1}, (400, "invalid"), "more"),
        ({"token": "x", "name": 7}, (400, "invalid"), "name"),
        ({"token": "\ud800"}, (401, "unauthorized"), None),
    ],
)
@time_limit(10)
async def test_an_invalid_sign_in_body_is_rejected(
    protected_api: TokenProtectedApi, body: object, error: tuple[int, str], field: str | None
) -> None:
    answer = await protected_api.post(PATH, body)
    assert answer.error == error
    assert answer.json()["error"].get("field") == field


@time_limit(10)
async def test_a_name_that_is_given_must_be_that_of_the_token(protected_api: TokenProtectedApi) -> None:
    body = {"token": protected_api.tokens["view"], "name": "control"}
    assert (await protected_api.post(PATH, body)).error == (401, "unauthorized")
    body["name"] = "view"
    assert (await protected_api.post(PATH, body)).json()["name"] == "view"


@time_limit(10)
async def test_a_page_of_another_site_cannot_sign_in(protected_api: TokenProtectedApi) -> None:
    body = f'{{"token": "{protected_api.tokens["view"]}"}}'.encode()
    form = {"content-type": "text/plain"}
    assert (await protected_api.call("POST", PATH, form, body)).error == (415, "unsupported_type")
    foreign = {"origin": "http://evil.example"}
    answer = await protected_api.post(PATH, {"token": protected_api.tokens["view"]}, headers=foreign)
    assert answer.error == (403, "foreign_origin")
