"""What is told of the service itself, and every error that any call can meet."""

from __future__ import annotations

import pytest
from twisted.logger import Logger

from pmslink import __version__
from pmslink.store.core.journal import Journal
from pmslink.web.http.bounded_request import BODY_LIMIT, PATIENCE
from tests.time_limit import within
from tests.web.served_api import Served


@within(10)
async def test_the_process_answers(served: Served) -> None:
    answer = await served.get("/healthz")
    assert (answer.status, answer.json()) == (200, {"ok": True})
    assert answer.headers["cache-control"] == "no-store"


@within(10)
async def test_the_service_is_ready_or_says_why_not(served: Served) -> None:
    assert (await served.get("/readyz")).json() == {"ok": True}
    served.break_store()
    served.add()
    answer = await served.get("/readyz")
    assert answer.error == (503, "not_ready")
    assert "the disk is full" in answer.json()["error"]["message"]
    status = (await served.get("/api/v1/status")).json()
    assert status["store"] == {"ok": False, "reason": "the disk is full"}
    served.mend_store()
    assert (await served.get("/readyz")).json() == {"ok": True}


@within(10)
async def test_the_status_counts_links_by_state(served: Served) -> None:
    served.add("a")
    served.dock()
    served.add("b", enabled=False)
    served.run(12.5)
    assert (await served.get("/api/v1/status")).json() == {
        "version": __version__,
        "uptime": 12.5,
        "store": {"ok": True, "reason": None},
        "links": {
            "DISABLED": 1,
            "EXPIRED": 0,
            "CLOSED": 0,
            "WAIT_LS": 0,
            "ESTABLISHED": 1,
            "EXPECTION": 0,
            "WAIT_LE": 0,
        },
        "worst": None,
    }


@within(10)
async def test_the_worst_link_is_abnormal_rather_than_waiting(served: Served) -> None:
    async def worst() -> str | None:
        status = (await served.get("/api/v1/status")).json()
        found: str | None = status["worst"]
        return found

    served.add("off", enabled=False)
    assert await worst() is None
    served.add("described")
    served.say("LS|DA261120|TI070000|")
    assert await worst() == "described"
    served.add("waiting")
    assert await worst() == "waiting"
    served.network.mode = "refuse"
    served.add("first", retry_initial=60, retry_max=90)
    served.run(1)
    served.add("second", retry_initial=60, retry_max=90)
    assert await worst() == "first"


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/", "/api/v1/links/", "/api//v1/links", "/api/v2/links", "/a/../b", "/%00"]
)
@within(10)
async def test_an_unknown_path_is_not_found(served: Served, path: str) -> None:
    assert (await served.get(path)).error == (404, "not_found")


@within(10)
async def test_a_path_that_is_no_text_is_refused(served: Served) -> None:
    assert (await served.get("/api/v1/links/%ff")).error == (400, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/status", {"GET", "HEAD"}),
        ("GET", "/api/v1/links/grand/enable", {"POST"}),
        ("PUT", "/api/v1/links/test", {"GET", "HEAD", "POST", "PATCH", "DELETE"}),
        ("OPTIONS", "/", {"GET", "HEAD"}),
        ("BREW", "/healthz", {"GET", "HEAD"}),
    ],
)
@within(10)
async def test_other_methods_are_told_the_allowed_ones(
    served: Served, method: str, path: str, allowed: set[str]
) -> None:
    answer = await served.call(method, path)
    assert answer.error == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/status", "/api/v1/stream", "/metrics"])
@within(10)
async def test_heads_have_no_body(served: Served, path: str) -> None:
    answer = await served.call("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")


@within(10)
async def test_a_body_that_is_too_long_is_refused(served: Served) -> None:
    json = {"content-type": "application/json"}
    long = b" " * (BODY_LIMIT + 1)
    answer = await served.call("POST", "/api/v1/links/test", headers=json, body=long)
    assert answer.error == (413, "too_long")
    chunked = {**json, "transfer-encoding": "chunked"}
    raw = b"%x\r\n%s\r\n0\r\n\r\n" % (len(long), long)
    answer = await served.call("POST", "/api/v1/links/test", headers=chunked, raw=raw)
    assert answer.error == (413, "too_long")
    fits = await served.call("POST", "/api/v1/links/test", headers=json, body=long[1:])
    assert fits.error == (400, "invalid")


@within(20)
async def test_a_body_without_end_is_cut_off(served: Served) -> None:
    connection = await served.connect(
        b"POST /api/v1/links/test HTTP/1.1\r\nhost: localhost:%d\r\ncontent-length: 999999999\r\n\r\n"
        % served.port
    )
    connection.write(b" " * (PATIENCE + 1))
    await connection.closed
    assert not connection.received


@pytest.mark.parametrize("where", ["in a route", "before all routes"])
@within(10)
async def test_a_fault_is_logged_and_told_without_detail(
    served: Served, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    logged: list[str] = []
    monkeypatch.setattr(Logger, "failure", lambda self, format, *_, **__: logged.append(format))
    if where == "in a route":
        monkeypatch.setattr(Journal, "failing", property(fail))
    else:
        monkeypatch.setattr(served.site, "getResourceFor", fail)
    answer = await served.get("/metrics")
    assert answer.error == (500, "internal")
    assert b"secret" not in answer.body
    assert logged == ["{method} {path} failed"]


@within(10)
async def test_who_goes_away_ends_only_the_own_call(served: Served) -> None:
    connection = await served.connect(b"GET /healthz HTTP/1.1\r\nhost: localhost:%d\r\n\r\n" % served.port)
    await served.until(lambda: connection.received)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await connection.closed
    assert (await served.get("/healthz")).status == 200
