"""Where the interface may listen, and that no web page of another site reaches it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from pmslink.errors import PmslinkError
from pmslink.web.auth.listen_policy import is_local_only, require_loopback, require_same_origin
from pmslink.web.http.json_responses import ApiError
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp:8080:interface=127.0.0.1",
        "tcp:port=8080:interface=127.9.9.9",
        r"tcp6:8080:interface=\:\:1",
        r"tcp:8080:backlog=5:interface=\:\:1",
        "ssl:8443:interface=127.0.0.1:privateKey=/etc/key.pem",
        "unix:/run/pmslink.sock",
        "unix:address=/run/pmslink.sock:mode=660",
    ],
)
def test_endpoints_that_only_this_machine_reaches(endpoint: str) -> None:
    require_loopback(endpoint)
    assert is_local_only(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "wrong"),
    [
        ("tcp:8080", "no interface is set"),
        ("tcp:8080:interface=", "no interface is set"),
        ("tcp:8080:127.0.0.1", "no interface is set"),
        ("tcp:8080:interface=0.0.0.0", "interface=0.0.0.0 is reached"),
        ("tcp:8080:interface=10.0.0.1", "interface=10.0.0.1 is reached"),
        (r"tcp:8080:interface=\:\:", "interface=:: is reached"),
        (r"tcp:8080:interface=\:\:ffff\:127.0.0.1", "is reached"),
        ("tcp:8080:interface=localhost", "is reached"),
        ("tcp:8080:interface=127.0.0.1:interface=0.0.0.0", "interface=0.0.0.0 is reached"),
        ("ssl:8443", "no interface is set"),
        ("systemd:domain=INET:index=0", "systemd: is none of"),
        (r"haproxy:tcp\:8080\:interface=127.0.0.1", "haproxy: is none of"),
        ("", "is none of"),
    ],
)
def test_other_endpoints_are_refused_with_what_would_be_right(endpoint: str, wrong: str) -> None:
    with pytest.raises(PmslinkError) as refusal:
        require_loopback(endpoint)
    assert wrong in str(refusal.value)
    assert str(refusal.value).startswith("api.listen = ")
    assert "tcp:8080:interface=127.0.0.1" in str(refusal.value)
    assert "pmslink token add NAME --role control" in str(refusal.value)
    assert not is_local_only(endpoint)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
@time_limit(10)
async def test_names_of_this_machine_are_taken(served_api: ServedApi, host: str) -> None:
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
async def test_other_names_are_foreign(served_api: ServedApi, path: str, host: str) -> None:
    answer = await served_api.get(path, headers={"host": host.format(port=served_api.port)})
    assert answer.error == (403, "foreign_host")


@time_limit(10)
async def test_the_address_that_is_listened_on_is_taken(served_api: ServedApi) -> None:
    await served_api.move_to("127.0.0.5")
    assert (await served_api.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost:{port}"]
)
@pytest.mark.parametrize("path", ["/api/v1/links/grand/enable", "/api/v1/stream"])
@time_limit(10)
async def test_pages_of_other_sites_are_refused(served_api: ServedApi, path: str, origin: str) -> None:
    link = served_api.add_link(enabled=False)
    method = "POST" if path.endswith("enable") else "GET"
    answer = await served_api.call(method, path, headers={"origin": origin.format(port=served_api.port)})
    assert answer.error == (403, "foreign_origin")
    assert link.core.intent == "disabled"


@time_limit(10)
async def test_the_own_page_may_call(served_api: ServedApi) -> None:
    served_api.add_link(enabled=False)
    origin = {"origin": f"http://localhost:{served_api.port}"}
    assert (await served_api.post("/api/v1/links/grand/enable", headers=origin)).status == 200


LOCAL = IPv4Address("TCP", "127.0.0.1", 80)
UNIX = UNIXAddress(b"/run/pmslink.sock")


@pytest.mark.parametrize(
    ("here", "secure", "headers"),
    [
        (LOCAL, False, {"host": "127.0.0.1"}),
        (LOCAL, False, {"host": "localhost:80", "origin": "http://localhost"}),
        (IPv4Address("TCP", "127.0.0.1", 443), True, {"host": "localhost", "origin": "https://localhost"}),
        (IPv6Address("TCP", "::1", 80), False, {"host": "[::1]"}),
        (UNIX, False, {"host": "anything"}),
        (UNIX, False, {}),
        (UNIX, False, {"host": "pms.example", "origin": "http://pms.example"}),
        (UNIX, False, {"host": "pms.example", "origin": "https://pms.example"}),
    ],
)
def test_what_is_local(here: IAddress, secure: bool, headers: Mapping[str, str]) -> None:
    ask(here, secure, headers)


@pytest.mark.parametrize(
    ("here", "secure", "headers", "code"),
    [
        (LOCAL, True, {"host": "127.0.0.1"}, "foreign_host"),
        (LOCAL, False, {}, "foreign_host"),
        (LOCAL, True, {"host": "localhost:80", "origin": "http://localhost:80"}, "foreign_origin"),
        (UNIX, False, {"host": "pms.example", "origin": "http://evil.example"}, "foreign_origin"),
        (UNIX, False, {"origin": "http://"}, "foreign_origin"),
    ],
)
def test_what_is_foreign(here: IAddress, secure: bool, headers: Mapping[str, str], code: str) -> None:
    with pytest.raises(ApiError) as refusal:
        ask(here, secure, headers)
    assert (refusal.value.status, refusal.value.code) == (403, code)


def test_two_hosts_are_none() -> None:
    with pytest.raises(ApiError):
        require_same_origin(LOCAL, False, [b"localhost:80", b"localhost:80"], [], local_only=True)
    with pytest.raises(ApiError):
        require_same_origin(
            LOCAL, False, [b"a.example", b"b.example"], [b"http://a.example"], local_only=False
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
def test_where_other_machines_come_in_the_host_is_free(headers: Mapping[str, str]) -> None:
    ask(LOCAL, False, headers, local=False)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://pms.example:1", "null", "pms.example", ""]
)
def test_where_other_machines_come_in_a_page_must_be_of_that_host(origin: str) -> None:
    with pytest.raises(ApiError) as refusal:
        ask(LOCAL, False, {"host": "pms.example", "origin": origin}, local=False)
    assert refusal.value.code == "foreign_origin"


def ask(here: IAddress, secure: bool, headers: Mapping[str, str], local: bool = True) -> None:
    hosts, origins = ([headers[name].encode()] if name in headers else [] for name in ("host", "origin"))
    require_same_origin(here, secure, hosts, origins, local)
