"""Tests of parsing Twisted's endpoint strings."""

from __future__ import annotations

import pytest

from pmslink.endpoint_strings import EndpointString


@pytest.mark.parametrize(
    ("text", "kind", "port", "interface"),
    [
        ("tcp:8080", "tcp", 8080, ""),
        ("tcp:port=8080:interface=127.0.0.1", "tcp", 8080, "127.0.0.1"),
        (r"tcp6:0:backlog=5:interface=\:\:1", "tcp6", 0, "::1"),
        ("tcp:interface=127.0.0.1:port=8080", "tcp", None, "127.0.0.1"),
        ("tcp:65536", "tcp", None, ""),
        ("tcp:8080:interface=127.0.0.1:interface=0.0.0.0", "tcp", 8080, "0.0.0.0"),
        ("unix:/run/pmslink.sock", "unix", None, ""),
        (r"haproxy:tcp\:8080\:interface=127.0.0.1", "haproxy", None, ""),
        ("", "", None, ""),
    ],
)
def test_parts_of_an_endpoint_string(text: str, kind: str, port: int | None, interface: str) -> None:
    endpoint = EndpointString.parse(text)
    assert (endpoint.kind, endpoint.port, endpoint.interface) == (kind, port, interface)


@pytest.mark.parametrize("text", ["tcp:8080", r"tcp6:8080:interface=\:\:1", "ssl:8443:privateKey=/etc/a.pem"])
def test_an_endpoint_string_is_serialized_unchanged(text: str) -> None:
    assert str(EndpointString.parse(text)) == text


def test_another_port_replaces_the_first_argument() -> None:
    endpoint = EndpointString.parse("tcp:port=8080:interface=127.0.0.1")
    assert str(endpoint.with_port(8081)) == "tcp:8081:interface=127.0.0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp:8080", "tcp:8080:backlog=9"),
        (r"tcp6:8080:interface=\:\:1", r"tcp6:8080:interface=\:\:1:backlog=9"),
        ("tcp:8080:backlog=5:interface=127.0.0.1", "tcp:8080:backlog=5:interface=127.0.0.1"),
    ],
)
def test_a_default_is_added_unless_it_is_given(text: str, expected: str) -> None:
    assert str(EndpointString.parse(text).with_default("backlog", "9")) == expected
