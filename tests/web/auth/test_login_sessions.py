"""Signing in and out, and what a session is good for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from twisted.internet.task import Clock

from pmslink.web.auth import login_sessions as module
from pmslink.web.auth.credentials import COOKIE
from pmslink.web.auth.login_sessions import LASTS, Sessions
from pmslink.web.auth.token_file import FILE, Token
from tests.time_limit import within
from tests.web.protected_api import Guarded
from tests.web.served_api import START, Served

PATH = "/api/v1/session"
DESK = Token("desk", "view", b"1" * 32, START)


def some(clock: Clock) -> Sessions:
    return Sessions(clock, lambda: START + timedelta(seconds=clock.seconds()))


# Sessions by themselves.


def test_a_session_is_found_by_its_id_until_it_ends() -> None:
    sessions = some(Clock())
    id, session = sessions.begin(DESK)
    other, _ = sessions.begin(DESK)
    assert id != other
    assert sessions.find(id) is session
    assert sessions.find(id + "x") is None
    assert session.token is DESK
    assert len({id, session.csrf, other}) == 3
    assert id.encode() not in sessions._sessions
    sessions.end(session)
    sessions.end(session)
    assert sessions.find(id) is None
    assert sessions.find(other) is not None


def test_a_session_ends_after_twelve_hours_however_it_is_used() -> None:
    clock = Clock()
    sessions = some(clock)
    id, session = sessions.begin(DESK)
    assert session.expires == START + timedelta(hours=12)
    clock.advance(LASTS - 1)
    assert sessions.find(id) is session
    clock.advance(1)
    assert sessions.find(id) is None
    assert session not in sessions
    sessions.begin(DESK)
    assert len(sessions) == 1


def test_of_too_many_sessions_the_oldest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SESSIONS", 2)
    sessions = some(Clock())
    ids = [sessions.begin(DESK)[0] for _ in range(3)]
    assert [sessions.find(id) is not None for id in ids] == [False, True, True]


# Over the interface.


@within(10)
async def test_who_signs_in_gets_a_cookie_that_no_script_can_read(guarded: Guarded) -> None:
    answer = await guarded.post(PATH, {"token": guarded.tokens["view"]})
    assert answer.status == 200
    told = answer.json()
    assert told == {
        "name": "view",
        "role": "view",
        "expires": "2026-11-20T19:00:00.000Z",
        "csrf": told["csrf"],
        "tokens": True,
    }
    assert len(told["csrf"]) == 43
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert value.startswith("pmslink_session=")
    assert {attribute.lower() for attribute in attributes} == {
        "path=/",
        "httponly",
        "samesite=strict",
        f"max-age={LASTS}",
    }
    assert value.partition("=")[2] not in answer.body.decode()


@within(10)
async def test_over_tls_that_ends_at_a_proxy_the_cookie_is_secure(guarded: Guarded) -> None:
    guarded.site.local = False
    host = {"host": "pms.example", "origin": "https://pms.example"}
    answer = await guarded.post(PATH, {"token": guarded.tokens["view"]}, headers=host)
    assert "secure" in answer.headers["set-cookie"].lower().split("; ")


@within(10)
async def test_a_session_is_as_good_as_its_token(guarded: Guarded) -> None:
    signed = await guarded.sign_in("view")
    assert (await guarded.get(PATH, headers=signed.cookie)).json() == signed.told
    assert (await guarded.get("/api/v1/links", headers=signed.cookie)).status == 200
    refused = await guarded.post("/api/v1/links/x/enable", headers=signed.cookie | signed.csrf)
    assert refused.error == (403, "forbidden")


@within(10)
async def test_a_change_by_cookie_needs_what_no_other_page_knows(guarded: Guarded) -> None:
    core: Any = guarded.add(enabled=False).core
    signed = await guarded.sign_in()
    other = await guarded.sign_in()
    path = "/api/v1/links/grand/enable"
    for wrong in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "\xff"}, other.csrf):
        answer = await guarded.post(path, headers=signed.cookie | wrong)
        assert answer.error == (403, "csrf")
    assert core.intent == "disabled"
    assert (await guarded.post(path, headers=signed.cookie | signed.csrf)).status == 200
    assert core.intent == "enabled"
    bearer = guarded.bearer("control")
    assert (await guarded.post(path, headers=bearer | signed.cookie)).status == 200


@within(10)
async def test_a_csrf_token_may_be_there_only_once(guarded: Guarded) -> None:
    signed = await guarded.sign_in()
    csrf = signed.told["csrf"]
    twice = {"x-csrf-token": f"{csrf}\r\nX-CSRF-Token: {csrf}"}
    assert (await guarded.call("DELETE", PATH, signed.cookie | twice)).error == (403, "csrf")


@within(10)
async def test_signing_out_ends_the_session_and_takes_the_cookie(guarded: Guarded) -> None:
    signed = await guarded.sign_in()
    assert (await guarded.call("DELETE", PATH, signed.cookie)).error == (403, "csrf")
    for _ in range(2):
        answer = await guarded.call("DELETE", PATH, signed.cookie | signed.csrf)
        assert answer.json() == {"signed_out": True}
        cookie = answer.headers["set-cookie"].lower().split("; ")
        assert {f"{COOKIE.decode()}=", "max-age=0", "path=/"} <= set(cookie)
        assert (await guarded.get(PATH, headers=signed.cookie)).error == (401, "unauthorized")


@within(10)
async def test_a_session_ends_with_its_token_or_when_that_gets_another_role(guarded: Guarded) -> None:
    signed, other = await guarded.sign_in("control"), await guarded.sign_in("view")
    guarded.remove_token("control")
    assert (await guarded.get("/api/v1/links", headers=signed.cookie)).error == (401, "unauthorized")
    file = guarded.state_dir / FILE
    before = file.read_text()
    file.write_text(before.replace("view view", "view control"))
    guarded.run(1)
    assert (await guarded.get("/api/v1/links", headers=other.cookie)).error == (401, "unauthorized")
    file.write_text(before)
    guarded.run(1)
    assert (await guarded.get("/api/v1/links", headers=other.cookie)).error == (401, "unauthorized")


@within(10)
async def test_a_session_ends_after_twelve_hours(guarded: Guarded) -> None:
    signed = await guarded.sign_in()
    guarded.run(LASTS - 1)
    assert (await guarded.get(PATH, headers=signed.cookie)).status == 200
    guarded.run(1)
    assert (await guarded.get(PATH, headers=signed.cookie)).error == (401, "unauthorized")


@within(10)
async def test_who_shows_a_token_has_no_session(guarded: Guarded) -> None:
    answer = await guarded.get(PATH, headers=guarded.bearer("pbx"))
    assert answer.json() == {"name": "pbx", "role": "pbx", "expires": None, "csrf": None, "tokens": True}
    assert (await guarded.get(PATH)).error == (401, "unauthorized")


@within(10)
async def test_without_tokens_nobody_can_sign_in_or_needs_to(served: Served) -> None:
    answer = await served.post(PATH, {"token": "pmslink_any"})
    assert answer.error == (409, "no_tokens")
    answer = await served.get(PATH)
    assert answer.json() == {"name": None, "role": "control", "expires": None, "csrf": None, "tokens": False}
    assert (await served.call("DELETE", PATH)).json() == {"signed_out": True}


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ([], (400, "invalid"), None),
        ({}, (400, "invalid"), "token"),
        ({"token": None}, (400, "invalid"), "token"),
        ({"token": 7}, (400, "invalid"), "token"),
        ({"token": "x", "more": 1}, (400, "invalid"), "more"),
        ({"token": "\ud800"}, (401, "unauthorized"), None),
    ],
)
@within(10)
async def test_what_is_no_token_is_refused(
    guarded: Guarded, body: object, error: tuple[int, str], field: str | None
) -> None:
    answer = await guarded.post(PATH, body)
    assert answer.error == error
    assert answer.json()["error"].get("field") == field


@within(10)
async def test_no_page_of_another_site_can_sign_in(guarded: Guarded) -> None:
    body = f'{{"token": "{guarded.tokens["view"]}"}}'.encode()
    form = {"content-type": "text/plain"}
    assert (await guarded.call("POST", PATH, form, body)).error == (415, "unsupported_type")
    foreign = {"origin": "http://evil.example"}
    answer = await guarded.post(PATH, {"token": guarded.tokens["view"]}, headers=foreign)
    assert answer.error == (403, "foreign_origin")
