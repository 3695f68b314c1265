"""Tests of the requests that browsers mark as those of another site's page, in all spellings of a path."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.time_limit import time_limit
from tests.web.served_api import Response, ServedApi, parse_response

CROSS_SITE = {"sec-fetch-site": "cross-site"}


async def request_spelled(
    api: ServedApi, method: str, path: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Send a request whose path is not spelled as in the OpenAPI document, which is therefore not checked."""
    lines = {"host": f"localhost:{api.port}", "connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection = await api.connect(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
    await api.until(lambda: connection.closed.called)
    return parse_response(method, bytes(connection.received))


@time_limit(20)
async def test_cross_site_requests_reach_only_the_page(served_api: ServedApi) -> None:
    # a link on another site may open the page
    assert (await served_api.get("/", headers=CROSS_SITE)).status == 200
    for path in ("/api/v1/stream", "/api/v1/links", "/metrics"):
        assert (await served_api.get(path, headers=CROSS_SITE)).error == (403, "foreign_origin")
    assert (await served_api.get("/api/v1/links", headers={"sec-fetch-site": "same-origin"})).status == 200


@pytest.mark.parametrize("plain", ["/api/v1/links", "/api/v1/links/grand/rooms", "/metrics"])
@pytest.mark.parametrize(
    "spelling",
    [
        "/{path}",
        "//{path}",
        "/.{path}",
        "/page/..{path}",
        "{path}/",
        "{path};x=1",
        "{path}/.",
        "{path}?x=1",
        "http://localhost:{port}{path}",
        "{encoded}",
        "{mixed}",
        "{upper}",
    ],
)
@time_limit(20)
async def test_e14_no_spelling_of_a_path_escapes_the_checks(
    served_api: ServedApi, plain: str, spelling: str
) -> None:
    served_api.add_link(enabled=False)
    path = spelling.format(
        path=plain,
        port=served_api.port,
        encoded="/" + "".join(f"%{ord(letter):02x}" if letter != "/" else "/" for letter in plain[1:]),
        mixed=plain.replace("a", "%61").replace("i", "%69"),
        upper=plain.upper(),
    )
    same_site = await request_spelled(served_api, "GET", path)
    cross_site = await request_spelled(served_api, "GET", path, CROSS_SITE)
    if cross_site.status == 404:
        assert same_site.status == 404, "there is no such path"
    else:
        assert cross_site.error == (403, "foreign_origin")


@pytest.mark.parametrize(
    "path", ["//api/v1/links/grand/enable", "/%61pi/v1/links/grand/enable", "/api/v1/links/gr%61nd/enable"]
)
@time_limit(20)
async def test_e14_no_spelling_of_a_path_lets_another_site_change_a_link(
    served_api: ServedApi, path: str
) -> None:
    link = served_api.add_link(enabled=False)
    assert (await request_spelled(served_api, "POST", path, CROSS_SITE)).error == (403, "foreign_origin")
    foreign = {"origin": "http://evil.example"}
    assert (await request_spelled(served_api, "POST", path, foreign)).error == (403, "foreign_origin")
    assert link.core.intent == "disabled"
    assert (await request_spelled(served_api, "POST", path)).status == 200
