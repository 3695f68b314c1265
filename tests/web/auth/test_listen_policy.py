"""Tests of the addresses on which the API may listen without tokens."""

from __future__ import annotations

import pytest

from pmslink.errors import PmslinkError
from pmslink.web.auth.listen_policy import is_local_only, require_loopback


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
def test_loopback_and_unix_endpoints_need_no_token(endpoint: str) -> None:
    require_loopback(endpoint)
    assert is_local_only(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ("tcp:8080", "no interface is set"),
        ("tcp:8080:interface=", "no interface is set"),
        ("tcp:8080:127.0.0.1", "no interface is set"),
        ("tcp:8080:interface=0.0.0.0", "interface=0.0.0.0 is reachable"),
        ("tcp:8080:interface=10.0.0.1", "interface=10.0.0.1 is reachable"),
        (r"tcp:8080:interface=\:\:", "interface=:: is reachable"),
        (r"tcp:8080:interface=\:\:ffff\:127.0.0.1", "is reachable"),
        ("tcp:8080:interface=localhost", "is reachable"),
        ("tcp:8080:interface=127.0.0.1:interface=0.0.0.0", "interface=0.0.0.0 is reachable"),
        ("ssl:8443", "no interface is set"),
        ("systemd:domain=INET:index=0", "systemd: is not supported"),
        (r"haproxy:tcp\:8080\:interface=127.0.0.1", "haproxy: is not supported"),
        ("", "is not supported"),
    ],
)
def test_other_endpoints_are_rejected_with_what_is_expected(endpoint: str, problem: str) -> None:
    with pytest.raises(PmslinkError) as raised:
        require_loopback(endpoint)
    assert problem in str(raised.value)
    assert str(raised.value).startswith("api.listen = ")
    assert "tcp:8080:interface=127.0.0.1" in str(raised.value)
    assert "pmslink token add NAME --role control" in str(raised.value)
    assert not is_local_only(endpoint)
