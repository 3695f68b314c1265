"""Tests of the rate limit for invalid tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock

from pmslink.web.auth import failed_login_limit
from pmslink.web.auth.failed_login_limit import (
    FAILED_LOGIN_WINDOW_S,
    MAX_FAILED_LOGINS,
    FailedLoginLimiter,
)
from pmslink.web.http.client_network import client_network
from tests.time_limit import time_limit
from tests.web.protected_api import TokenProtectedApi


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        (IPv4Address("TCP", "10.0.0.7", 4711), "10.0.0.7"),
        (IPv6Address("TCP", "2001:db8:1:2:3:4:5:6", 4711), "2001:db8:1:2::/64"),
        (IPv6Address("TCP", "fe80::1%eth0", 4711), "fe80::/64"),
        (IPv6Address("TCP", "::ffff:10.0.0.7", 4711), "10.0.0.7"),
        (UNIXAddress(b""), "this machine"),
    ],
)
def test_a_client_network_is_an_ipv4_address_or_an_ipv6_network(peer: IAddress, network: str) -> None:
    assert client_network(peer) == network


def test_a_network_over_the_limit_waits_for_the_window_to_pass() -> None:
    clock = Clock()
    limiter = FailedLoginLimiter(clock)
    for _ in range(MAX_FAILED_LOGINS):
        assert limiter.retry_after_s("a") == 0
        limiter.record_failure("a")
        clock.advance(1)
    assert limiter.retry_after_s("a") == FAILED_LOGIN_WINDOW_S - MAX_FAILED_LOGINS
    assert limiter.retry_after_s("b") == 0
    clock.advance(FAILED_LOGIN_WINDOW_S - MAX_FAILED_LOGINS)
    assert limiter.retry_after_s("a") == 0
    limiter.record_failure("a")
    assert limiter.retry_after_s("a") == 1


def test_networks_with_the_oldest_failures_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_login_limit, "MAX_TRACKED_NETWORKS", 2)
    limiter = FailedLoginLimiter(Clock())
    for network in "ab" * MAX_FAILED_LOGINS + "ac":
        limiter.record_failure(network)
    assert len(limiter) == 2
    assert (limiter.retry_after_s("a"), limiter.retry_after_s("b"), limiter.retry_after_s("c")) == (
        FAILED_LOGIN_WINDOW_S,
        0,
        0,
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=80))
def test_no_window_has_more_failures_than_the_limit(tries: list[tuple[str, float]]) -> None:
    clock = Clock()
    limiter = FailedLoginLimiter(clock)
    counted: dict[str, list[float]] = {"a": [], "b": []}
    for network, pause in tries:
        clock.advance(pause)
        recent = [
            failed_at for failed_at in counted[network] if failed_at + FAILED_LOGIN_WINDOW_S > clock.seconds()
        ]
        assert (limiter.retry_after_s(network) > 0) == (len(recent) >= MAX_FAILED_LOGINS)
        if not limiter.retry_after_s(network):
            limiter.record_failure(network)
            counted[network].append(clock.seconds())


@time_limit(20)
async def test_too_many_failed_logins_are_rate_limited(protected_api: TokenProtectedApi) -> None:
    invalid = {"token": "pmslink_wrong"}
    for left in reversed(range(MAX_FAILED_LOGINS)):
        answer = await protected_api.post("/api/v1/session", invalid)
        assert answer.error == (401, "unauthorized")
        assert answer.json()["error"]["attempts_left"] == left
    answer = await protected_api.post("/api/v1/session", invalid)
    assert answer.error == (429, "too_many_attempts")
    assert answer.headers["retry-after"] == str(int(FAILED_LOGIN_WINDOW_S))
    protected_api.advance(FAILED_LOGIN_WINDOW_S - 1)
    assert (await protected_api.post("/api/v1/session", invalid)).headers["retry-after"] == "1"
    protected_api.advance(1)
    answer = await protected_api.post("/api/v1/session", invalid)
    assert answer.error == (401, "unauthorized")
    assert answer.json()["error"]["attempts_left"] == MAX_FAILED_LOGINS - 1


@time_limit(20)
async def test_a_valid_token_passes_the_rate_limit(
    protected_api: TokenProtectedApi,
) -> None:
    invalid = {"authorization": "Bearer pmslink_wrong"}
    for _ in range(MAX_FAILED_LOGINS):
        assert (await protected_api.get("/api/v1/links", headers=invalid)).error == (401, "unauthorized")
    answer = await protected_api.get("/api/v1/links", headers=invalid)
    assert answer.error == (429, "too_many_attempts")
    assert answer.headers["retry-after"] == str(int(FAILED_LOGIN_WINDOW_S))
    assert (
        await protected_api.get("/api/v1/links", headers=protected_api.bearer_headers("pbx"))
    ).status == 200
    assert (
        await protected_api.post("/api/v1/session", {"token": protected_api.tokens["view"]})
    ).status == 200


@time_limit(20)
async def test_requests_without_a_token_are_not_counted(protected_api: TokenProtectedApi) -> None:
    for _ in range(MAX_FAILED_LOGINS + 1):
        assert (await protected_api.get("/api/v1/links")).error == (401, "unauthorized")
        cookie = {"cookie": "pmslink_session=of-a-service-that-is-no-more"}
        assert (await protected_api.get("/api/v1/links", headers=cookie)).error == (401, "unauthorized")
