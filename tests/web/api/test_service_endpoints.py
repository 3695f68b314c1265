"""Tests of the status endpoints, and of the errors that every request can meet."""

from __future__ import annotations

import pytest
from twisted.logger import Logger

from pmslink import __version__
from pmslink.link import controls
from pmslink.store.core.journal import Journal
from pmslink.web.http.bounded_request import MAX_BODY_BYTES, MAX_DISCARDED_BODY_BYTES
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi


@time_limit(10)
async def test_health_is_ok(served_api: ServedApi) -> None:
    answer = await served_api.get("/healthz")
    assert (answer.status, answer.json()) == (200, {"ok": True})
    assert answer.headers["cache-control"] == "no-store"


@time_limit(10)
async def test_the_service_is_ready_or_reports_the_reason(served_api: ServedApi) -> None:
    assert (await served_api.get("/readyz")).json() == {"ok": True}
    served_api.break_store()
    served_api.add_link()
    answer = await served_api.get("/readyz")
    assert answer.error == (503, "not_ready")
    assert "the disk is full" in answer.json()["error"]["message"]
    status = (await served_api.get("/api/v1/status")).json()
    assert status["store"] == {"ok": False, "reason": "the disk is full"}
    served_api.repair_store()
    assert (await served_api.get("/readyz")).json() == {"ok": True}


@time_limit(10)
async def test_the_status_counts_links_by_state(served_api: ServedApi) -> None:
    served_api.add_link("a")
    served_api.dock()
    served_api.add_link("b", enabled=False)
    served_api.advance(12.5)
    assert (await served_api.get("/api/v1/status")).json() == {
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
        "attention": {"0": 1, "1": 1, "2": 0, "3": 0, "4": 0},
        "groups": {"down": 0, "look": 0, "connecting": 0, "connected": 1, "off": 1},
    }


@time_limit(10)
async def test_the_worst_link_has_the_highest_attention_and_then_the_longest_outage(
    served_api: ServedApi,
) -> None:
    async def worst() -> str | None:
        status = (await served_api.get("/api/v1/status")).json()
        name: str | None = status["worst"]
        return name

    served_api.add_link("off", enabled=False)
    assert await worst() is None
    described = served_api.add_link("described")
    served_api.send_from_pms("LS|DA261120|TI070000|")
    assert await worst() == "described"
    waiting = served_api.add_link("a-waiting")
    assert await worst() == "a-waiting"  # both are down since the same time
    served_api.advance(1)
    served_api.network.mode = "refuse"
    served_api.add_link("a-refused", retry_initial=60, retry_max=90)
    assert await worst() == "a-waiting"
    controls.disable(described)
    controls.disable(waiting)
    assert await worst() == "a-refused"


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/", "/api/v1/links/", "/api//v1/links", "/api/v2/links", "/a/../b", "/%00"]
)
@time_limit(10)
async def test_an_unknown_path_is_not_found(served_api: ServedApi, path: str) -> None:
    assert (await served_api.get(path)).error == (404, "not_found")


@time_limit(10)
async def test_a_path_that_is_not_utf_8_is_rejected(served_api: ServedApi) -> None:
    assert (await served_api.get("/api/v1/links/%ff")).error == (400, "invalid")


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
@time_limit(10)
async def test_an_error_405_names_the_allowed_methods(
    served_api: ServedApi, method: str, path: str, allowed: set[str]
) -> None:
    answer = await served_api.call(method, path)
    assert answer.error == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/status", "/api/v1/stream", "/metrics"])
@time_limit(10)
async def test_head_responses_have_no_body(served_api: ServedApi, path: str) -> None:
    answer = await served_api.call("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")


@time_limit(10)
async def test_a_body_over_the_limit_is_rejected(served_api: ServedApi) -> None:
    json = {"content-type": "application/json"}
    long = b" " * (MAX_BODY_BYTES + 1)
    answer = await served_api.call("POST", "/api/v1/links/test", headers=json, body=long)
    assert answer.error == (413, "too_long")
    chunked = {**json, "transfer-encoding": "chunked"}
    raw = b"%x\r\n%s\r\n0\r\n\r\n" % (len(long), long)
    answer = await served_api.call("POST", "/api/v1/links/test", headers=chunked, raw=raw)
    assert answer.error == (413, "too_long")
    fits = await served_api.call("POST", "/api/v1/links/test", headers=json, body=long[1:])
    assert fits.error == (400, "invalid")


@time_limit(20)
async def test_a_body_over_the_discard_limit_is_aborted(served_api: ServedApi) -> None:
    connection = await served_api.connect(
        b"POST /api/v1/links/test HTTP/1.1\r\nhost: localhost:%d\r\ncontent-length: 999999999\r\n\r\n"
        % served_api.port
    )
    connection.write(b" " * (MAX_DISCARDED_BODY_BYTES + 1))
    await connection.closed
    assert not connection.received


@pytest.mark.parametrize("where", ["in a route", "before all routes"])
@time_limit(10)
async def test_an_unexpected_error_is_logged_and_reported_without_detail(
    served_api: ServedApi, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    logged: list[str] = []
    monkeypatch.setattr(Logger, "failure", lambda self, format, *_, **__: logged.append(format))
    if where == "in a route":
        monkeypatch.setattr(Journal, "is_failing", property(fail))
    else:
        monkeypatch.setattr(served_api.site, "getResourceFor", fail)
    answer = await served_api.get("/metrics")
    assert answer.error == (500, "internal")
    assert b"secret" not in answer.body
    assert logged == ["{method} {path} failed"]


@time_limit(10)
async def test_a_disconnecting_client_ends_only_its_own_request(served_api: ServedApi) -> None:
    connection = await served_api.connect(
        b"GET /healthz HTTP/1.1\r\nhost: localhost:%d\r\n\r\n" % served_api.port
    )
    await served_api.until(lambda: connection.received)
    connection.transport.abortConnection()  # type: ignore[union-attr]
    await connection.closed
    assert (await served_api.get("/healthz")).status == 200
