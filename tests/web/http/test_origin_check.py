"""Tests of the Host and Origin checks against requests that pages of other sites cause."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.origin_check import require_same_origin
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
@time_limit(10)
async def test_names_of_this_machine_are_accepted_as_host(served_api: ServedApi, host: str) -> None:
    host = host.format(port=served_api.port)
    assert (await served_api.get("/healthz", headers={"host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1",
        "localhost:1",
        "",
        "127.0.0.5:{port}",
        "127.0.0.1:{port}.evil",
        "\xff",
    ],
)
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/links", "/api/v1/stream", "/nothing"])
@time_limit(10)
async def test_other_hosts_are_rejected(served_api: ServedApi, path: str, host: str) -> None:
    answer = await served_api.get(path, headers={"host": host.format(port=served_api.port)})
    assert answer.error == (403, "foreign_host")


@time_limit(10)
async def test_the_listening_address_is_accepted_as_host(served_api: ServedApi) -> None:
    await served_api.move_to("127.0.0.5")
    assert (await served_api.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost:{port}"]
)
@pytest.mark.parametrize("path", ["/api/v1/links/grand/enable", "/api/v1/stream"])
@time_limit(10)
async def test_origins_of_other_sites_are_rejected(served_api: ServedApi, path: str, origin: str) -> None:
    link = served_api.add_link(enabled=False)
    method = "POST" if path.endswith("enable") else "GET"
    answer = await served_api.call(method, path, headers={"origin": origin.format(port=served_api.port)})
    assert answer.error == (403, "foreign_origin")
    assert link.core.intent == "disabled"


@time_limit(10)
async def test_the_origin_of_the_served_page_is_accepted(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    origin = {"origin": f"http://localhost:{served_api.port}"}
    assert (await served_api.post("/api/v1/links/grand/enable", headers=origin)).status == 200


LOOPBACK = IPv4Address("TCP", "127.0.0.1", 80)
UNIX_SOCKET = UNIXAddress(b"/run/pmslink.sock")


@pytest.mark.parametrize(
    ("local_address", "is_tls", "headers"),
    [
        (LOOPBACK, False, {"host": "127.0.0.1"}),
        (LOOPBACK, False, {"host": "localhost:80", "origin": "http://localhost"}),
        (IPv4Address("TCP", "127.0.0.1", 443), True, {"host": "localhost", "origin": "https://localhost"}),
        (IPv6Address("TCP", "::1", 80), False, {"host": "[::1]"}),
        (UNIX_SOCKET, False, {"host": "anything"}),
        (UNIX_SOCKET, False, {}),
        (UNIX_SOCKET, False, {"host": "pms.example", "origin": "http://pms.example"}),
        (UNIX_SOCKET, False, {"host": "pms.example", "origin": "https://pms.example"}),
    ],
)
def test_host_and_origin_of_a_local_site_are_accepted(
    local_address: IAddress, is_tls: bool, headers: Mapping[str, str]
) -> None:
    check(local_address, is_tls, headers)


@pytest.mark.parametrize(
    ("local_address", "is_tls", "headers", "code"),
    [
        (LOOPBACK, True, {"host": "127.0.0.1"}, "foreign_host"),
        (LOOPBACK, False, {}, "foreign_host"),
        (LOOPBACK, True, {"host": "localhost:80", "origin": "http://localhost:80"}, "foreign_origin"),
        (UNIX_SOCKET, False, {"host": "pms.example", "origin": "http://evil.example"}, "foreign_origin"),
        (UNIX_SOCKET, False, {"origin": "http://"}, "foreign_origin"),
    ],
)
def test_foreign_host_or_origin_of_a_local_site_is_rejected(
    local_address: IAddress, is_tls: bool, headers: Mapping[str, str], code: str
) -> None:
    with pytest.raises(ApiError) as raised:
        check(local_address, is_tls, headers)
    assert (raised.value.status, raised.value.code) == (403, code)


def test_two_host_headers_are_rejected() -> None:
    with pytest.raises(ApiError):
        require_same_origin(LOOPBACK, False, [b"localhost:80", b"localhost:80"], [], local_only=True)
    with pytest.raises(ApiError):
        require_same_origin(
            LOOPBACK, False, [b"a.example", b"b.example"], [b"http://a.example"], local_only=False
        )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "pms.example"},
        {"host": "pms.example:8443", "origin": "https://PMS.example:8443"},
        {"host": "10.0.0.1", "origin": "http://10.0.0.1"},
    ],
)
def test_a_public_site_accepts_any_host(headers: Mapping[str, str]) -> None:
    check(LOOPBACK, False, headers, local_only=False)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://pms.example:1", "null", "pms.example", ""]
)
def test_a_public_site_rejects_an_origin_that_is_not_its_host(origin: str) -> None:
    with pytest.raises(ApiError) as raised:
        check(LOOPBACK, False, {"host": "pms.example", "origin": origin}, local_only=False)
    assert raised.value.code == "foreign_origin"


def check(local_address: IAddress, is_tls: bool, headers: Mapping[str, str], local_only: bool = True) -> None:
    hosts, origins = ([headers[name].encode()] if name in headers else [] for name in ("host", "origin"))
    require_same_origin(local_address, is_tls, hosts, origins, local_only)
