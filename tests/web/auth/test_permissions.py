"""Tests of the table of roles that may use each route."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pmslink.web.api.app import Api
from pmslink.web.auth.permissions import _PERMISSION_BY_ROUTE, PERMISSIONS_BY_ROLE, Role, find_allowed_roles
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import ServedApi, run_reactor_turns
from tests.web.stream_client import open_stream

# Written by hand from the contract, not derived from the table
PUBLIC = """
GET /
GET /page/<path:name>
GET /links
GET /links/<path:name>
GET /new
GET /notices
GET /about
GET /openapi.json
GET /healthz
GET /readyz
GET /api/v1/session
POST /api/v1/session
DELETE /api/v1/session
"""
ALL_ROLES = """
GET /api/v1/status
GET /api/v1/stream
GET /api/v1/notices
GET /api/v1/links
GET /api/v1/links/<link>
GET /api/v1/links/<link>/events
GET /api/v1/links/<link>/postings
GET /api/v1/links/<link>/postings/<id>
GET /api/v1/links/<link>/rooms
GET /api/v1/links/<link>/rooms/<room>
GET /api/v1/links/<link>/by-hand
"""
VIEW_CONTROL_AND_DESK = """
GET /api/v1/links/<link>/transitions
GET /api/v1/links/<link>/timeline
GET /api/v1/links/<link>/phases
"""
VIEW_AND_CONTROL = """
GET /metrics
GET /api/v1/links/<link>/records
"""
PBX_AND_CONTROL = """
POST /api/v1/links/<link>/postings
POST /api/v1/links/<link>/rooms/<room>/wake-up/result
"""
PBX_CONTROL_AND_DESK = """
PUT /api/v1/links/<link>/rooms/<room>/status
PUT /api/v1/links/<link>/rooms/<room>/dnd
PUT /api/v1/links/<link>/rooms/<room>/make-up-room
PUT /api/v1/links/<link>/rooms/<room>/voicemail
PUT /api/v1/links/<link>/rooms/<room>/wake-up
DELETE /api/v1/links/<link>/rooms/<room>/wake-up
"""
CONTROL_AND_DESK = """
POST /api/v1/links/<link>/rooms/<room>/check-in
POST /api/v1/links/<link>/rooms/<room>/check-out
POST /api/v1/links/<link>/rooms/<room>/move
POST /api/v1/links/<link>/postings/<id>/resend
POST /api/v1/links/<link>/postings/<id>/discard
POST /api/v1/notices/acknowledge
POST /api/v1/notices/<id>/acknowledge
POST /api/v1/links/<link>/by-hand/<id>/take
POST /api/v1/links/<link>/by-hand/<id>/keep
"""
CONTROL = """
GET /api/v1/audit
POST /api/v1/reload
POST /api/v1/links
POST /api/v1/links/test
PATCH /api/v1/links/<link>
DELETE /api/v1/links/<link>
POST /api/v1/links/<link>/enable
POST /api/v1/links/<link>/disable
POST /api/v1/links/<link>/expire
POST /api/v1/links/<link>/disconnect
POST /api/v1/links/<link>/resync
POST /api/v1/links/<link>/webhook/skip
"""

ROLES: tuple[Role, ...] = ("view", "control", "pbx", "desk")
EXPECTED = {
    **dict.fromkeys(PUBLIC.strip().splitlines(), "public view control pbx desk"),
    **dict.fromkeys(ALL_ROLES.strip().splitlines(), "view control pbx desk"),
    **dict.fromkeys(VIEW_CONTROL_AND_DESK.strip().splitlines(), "view control desk"),
    **dict.fromkeys(VIEW_AND_CONTROL.strip().splitlines(), "view control"),
    **dict.fromkeys(PBX_AND_CONTROL.strip().splitlines(), "control pbx"),
    **dict.fromkeys(PBX_CONTROL_AND_DESK.strip().splitlines(), "control pbx desk"),
    **dict.fromkeys(CONTROL_AND_DESK.strip().splitlines(), "control desk"),
    **dict.fromkeys(CONTROL.strip().splitlines(), "control"),
}


def routes(api: Api) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }


def allowed(method: str, path: str) -> str:
    allowed_roles = find_allowed_roles(method, path)
    return (
        "public view control pbx desk"
        if allowed_roles is None
        else " ".join(role for role in ROLES if role in allowed_roles)
    )


@time_limit(10)
async def test_the_table_has_the_expected_roles_for_every_route_and_no_others(served_api: ServedApi) -> None:
    assert routes(served_api.site.api) == set(EXPECTED)
    assert {" ".join(call) for call in _PERMISSION_BY_ROUTE} == set(EXPECTED)
    assert {call: allowed(*call.split()) for call in EXPECTED} == EXPECTED


def test_a_route_without_an_entry_is_not_served() -> None:
    with pytest.raises(
        LookupError, match=r"^permissions\.py has no entry for POST /api/v1/links/<link>/explode$"
    ):
        find_allowed_roles("POST", "/api/v1/links/<link>/explode")


@pytest.mark.parametrize("caller_role", ["no_token", "invalid_token", *ROLES])
@time_limit(30)
async def test_every_route_accepts_its_roles_and_no_others(
    protected_api: TokenProtectedApi, caller_role: Any
) -> None:
    headers_by_caller: dict[str, dict[str, str]] = {
        "no_token": {},
        "invalid_token": {"authorization": "Bearer pmslink_wrong"},
        **{role: protected_api.bearer_headers(role) for role in ROLES},
    }
    headers = headers_by_caller[caller_role]
    for call, allowed_roles in EXPECTED.items():
        protected_api.advance(60)  # stay below the rate limit for invalid tokens
        method, path = call.split()
        path = re.sub("<.*?>", "none", path)
        if path == "/api/v1/stream" and caller_role in allowed_roles:
            protected_api.add_link(enabled=False)
            stream = await open_stream(protected_api, headers=headers)
            assert "HTTP/1.1 200" in bytes(stream.connection.received).decode()
            await stream.disconnect()
            continue
        answer = await protected_api.call(method, path, headers)
        code = answer.error[1] if answer.status >= 400 else None
        if caller_role in allowed_roles or "public" in allowed_roles:
            # authorized, but the link does not exist or the request is not valid
            own = path == "/api/v1/session" and caller_role in ("no_token", "invalid_token")
            assert own or code not in ("unauthorized", "forbidden"), (call, answer)
        elif caller_role in ROLES:
            assert answer.error == (403, "forbidden"), (call, answer)
        else:
            assert answer.error == (401, "unauthorized"), (call, answer)
            assert answer.headers["www-authenticate"] == "Bearer"


@time_limit(10)
async def test_head_follows_get(protected_api: TokenProtectedApi) -> None:
    for path in ("/api/v1/links", "/api/v1/stream", "/metrics"):
        assert (await protected_api.call("HEAD", path)).status == 401
        assert (await protected_api.call("HEAD", path, protected_api.bearer_headers("control"))).status == 200
    assert (await protected_api.call("HEAD", "/metrics", protected_api.bearer_headers("pbx"))).status == 403


@time_limit(10)
async def test_an_error_403_names_the_required_role(protected_api: TokenProtectedApi) -> None:
    answer = await protected_api.post(
        "/api/v1/links/none/enable", headers=protected_api.bearer_headers("view")
    )
    assert (
        answer.json()["error"]["message"] == "the role control is required; the token view has the role view"
    )
    answer = await protected_api.get("/metrics", headers=protected_api.bearer_headers("pbx"))
    message = "the role control or view is required; the token pbx has the role pbx"
    assert answer.json()["error"]["message"] == message


@time_limit(10)
async def test_a_rejected_control_has_no_effect(protected_api: TokenProtectedApi) -> None:
    core: Any = protected_api.add_link(enabled=False).core
    path = "/api/v1/links/grand/enable"
    for headers in ({}, protected_api.bearer_headers("view"), protected_api.bearer_headers("pbx")):
        assert (await protected_api.post(path, headers=headers)).status in (401, 403)
    await run_reactor_turns()
    assert core.intent == "disabled"
    assert (await protected_api.post(path, headers=protected_api.bearer_headers("control"))).status == 200
    assert core.intent == "enabled"


@pytest.mark.parametrize("role", ROLES)
@time_limit(10)
async def test_a_session_tells_what_its_role_permits(protected_api: TokenProtectedApi, role: Role) -> None:
    """A page that asks for these permissions offers what the service would accept, and nothing else."""
    session = (await protected_api.get("/api/v1/session", headers=protected_api.bearer_headers(role))).json()
    assert session["permissions"] == sorted(PERMISSIONS_BY_ROLE[role])
    for call, permission in _PERMISSION_BY_ROUTE.items():
        allowed_roles = find_allowed_roles(*call)
        assert (
            permission is None
            or allowed_roles is None
            or (permission in session["permissions"]) == (role in allowed_roles)
        )


@time_limit(10)
async def test_the_front_desk_sees_guests_and_changes_rooms_but_no_settings(
    protected_api: TokenProtectedApi,
) -> None:
    protected_api.add_link()
    protected_api.dock()
    protected_api.send_from_pms("GI|RN101|G#7|GNAdams|GSN|")
    desk = protected_api.bearer_headers("desk")
    (room,) = (await protected_api.get("/api/v1/links/grand/rooms", headers=desk)).json()["rooms"]
    assert room["guests"][0]["name"] == "Adams"
    dnd = "/api/v1/links/grand/rooms/101/dnd"
    assert (await protected_api.post(dnd, {"on": True}, desk, "PUT")).status == 202
    for method, path in (
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/enable"),
        ("POST", "/resync"),
        ("GET", "/records"),
    ):
        answer = await protected_api.call(method, f"/api/v1/links/grand{path}", desk)
        assert answer.error == (403, "forbidden"), (method, path)
