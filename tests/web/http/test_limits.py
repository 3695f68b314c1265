"""Tests of the limits of streams, long polls, sessions and connections for one client."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from pmslink.store.core.database import SqliteDatabase
from pmslink.web.auth import login_sessions
from pmslink.web.stream import broadcaster, long_poll
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi
from tests.web.served_api import Response
from tests.web.stream_client import open_stream


@time_limit(20)
async def test_streams_of_one_token_are_limited(
    protected_api: TokenProtectedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_SUBSCRIBERS_PER_TOKEN", 2)
    clients = [
        await open_stream(protected_api, headers=protected_api.bearer_headers("view")) for _ in range(2)
    ]
    rejected = await protected_api.get("/api/v1/stream", headers=protected_api.bearer_headers("view"))
    assert rejected.error == (503, "too_many_watchers")
    clients.append(await open_stream(protected_api, headers=protected_api.bearer_headers("pbx")))
    assert len(protected_api.site.api.broadcaster) == 3


@time_limit(20)
async def test_long_polls_of_one_token_are_limited(
    protected_api: TokenProtectedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    protected_api.add_link(enabled=False)
    monkeypatch.setattr(long_poll, "MAX_WAITING_CALLS_PER_TOKEN", 1)
    newest = (
        await protected_api.get("/api/v1/links/grand/events", headers=protected_api.bearer_headers("pbx"))
    ).json()["next"]
    path = f"/api/v1/links/grand/events?after={newest}&wait=60"
    first = Deferred.fromCoroutine(protected_api.get(path, headers=protected_api.bearer_headers("view")))
    await protected_api.until(lambda: len(protected_api.site.api.long_poll) == 1)
    assert (await protected_api.get(path, headers=protected_api.bearer_headers("view"))).error == (
        503,
        "too_many_watchers",
    )
    second = Deferred.fromCoroutine(protected_api.get(path, headers=protected_api.bearer_headers("pbx")))
    await protected_api.until(lambda: len(protected_api.site.api.long_poll) == 2)
    protected_api.advance(60)
    assert [(await response).status for response in (first, second)] == [200, 200]
    assert (
        await protected_api.get(path.replace("60", "0"), headers=protected_api.bearer_headers("view"))
    ).status == 200


@time_limit(20)
async def test_sessions_of_one_token_are_limited(
    protected_api: TokenProtectedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_sessions, "MAX_SESSIONS_PER_TOKEN", 2)
    control = await protected_api.sign_in("control")
    views = [await protected_api.sign_in("view") for _ in range(3)]
    answers: list[Response] = [
        await protected_api.get("/api/v1/session", headers=session.cookie_headers)
        for session in (control, *views)
    ]
    assert [answer.status for answer in answers] == [200, 401, 200, 200]


def test_database_errors_contain_no_stored_values(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection, pytest.raises(Exception, match="no_such_table") as problem:
        connection.exec_driver_sql("INSERT INTO no_such_table VALUES (?)", ("GI|RN104|GNZeppelin|",))
    assert "Zeppelin" not in str(problem.value)
