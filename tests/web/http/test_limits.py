"""What one who may call cannot take from the others: places to watch and wait, sessions, connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from pmslink.store.core.database import SqliteDatabase
from pmslink.web.auth import login_sessions
from pmslink.web.http import connection_limit
from pmslink.web.http.connection_limit import BoundedConnections
from pmslink.web.stream import broadcaster, long_poll
from tests.time_limit import within
from tests.web.protected_api import Guarded
from tests.web.served_api import Answer, Served, reactor
from tests.web.stream_client import watch


@within(20)
async def test_one_token_cannot_keep_others_from_watching(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MOST_OF_A_TOKEN", 2)
    watching = [await watch(guarded, headers=guarded.bearer("view")) for _ in range(2)]
    refused = await guarded.get("/api/v1/stream", headers=guarded.bearer("view"))
    assert refused.error == (503, "too_many_watchers")
    watching.append(await watch(guarded, headers=guarded.bearer("pbx")))
    assert len(guarded.site.api.stream) == 3


@within(20)
async def test_one_token_cannot_keep_others_from_waiting(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.add(enabled=False)
    monkeypatch.setattr(long_poll, "MOST_OF_A_TOKEN", 1)
    newest = (await guarded.get("/api/v1/links/grand/events", headers=guarded.bearer("pbx"))).json()["next"]
    path = f"/api/v1/links/grand/events?after={newest}&wait=60"
    first = Deferred.fromCoroutine(guarded.get(path, headers=guarded.bearer("view")))
    await guarded.until(lambda: len(guarded.site.api.waiting) == 1)
    assert (await guarded.get(path, headers=guarded.bearer("view"))).error == (503, "too_many_watchers")
    second = Deferred.fromCoroutine(guarded.get(path, headers=guarded.bearer("pbx")))
    await guarded.until(lambda: len(guarded.site.api.waiting) == 2)
    guarded.run(60)
    assert [(await one).status for one in (first, second)] == [200, 200]
    assert (await guarded.get(path.replace("60", "0"), headers=guarded.bearer("view"))).status == 200


@within(20)
async def test_one_token_cannot_sign_the_others_out(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_sessions, "MOST_OF_A_TOKEN", 2)
    control = await guarded.sign_in("control")
    views = [await guarded.sign_in("view") for _ in range(3)]
    answers: list[Answer] = [
        await guarded.get("/api/v1/session", headers=one.cookie) for one in (control, *views)
    ]
    assert [answer.status for answer in answers] == [200, 401, 200, 200]


@within(20)
async def test_more_connections_than_may_be_are_closed_at_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_CONNECTIONS", 2)
    await served.listening.stopListening()
    bounded: Any = BoundedConnections(served.site)  # type: ignore[no-untyped-call]
    served.listening = reactor.listenTCP(served.port, bounded, interface="127.0.0.1")
    silent = [await served.connect(b"") for _ in range(2)]
    await served.until(lambda: len(bounded.protocols) == 2)
    await (await served.connect(b"")).closed
    assert not any(one.closed.called for one in silent)
    silent[0].transport.loseConnection()  # type: ignore[union-attr]
    await served.until(lambda: len(bounded.protocols) == 1)
    assert (await served.get("/healthz")).status == 200
    silent[1].transport.loseConnection()  # type: ignore[union-attr]
    await silent[1].closed


@within(20)
async def test_a_request_that_another_site_causes_reaches_the_page_only(served: Served) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    assert (await served.get("/", headers=headers)).status == 200  # a link leads here
    for path in ("/api/v1/stream", "/api/v1/links", "/metrics"):
        assert (await served.get(path, headers=headers)).error == (403, "foreign_origin")
    assert (await served.get("/api/v1/links", headers={"sec-fetch-site": "same-origin"})).status == 200


def test_what_goes_into_the_store_is_told_in_no_error(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.create()
    with database.writer() as connection, pytest.raises(Exception, match="no_such_table") as problem:
        connection.exec_driver_sql("INSERT INTO no_such_table VALUES (?)", ("GI|RN104|GNZeppelin|",))
    assert "Zeppelin" not in str(problem.value)
