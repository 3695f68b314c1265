"""Wrong tokens: who shows too many has to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock

from pmslink.web.auth import failed_login_limit
from pmslink.web.auth.failed_login_limit import MOST_FAILURES, WITHIN, Attempts, place_of
from tests.time_limit import within
from tests.web.protected_api import Guarded


@pytest.mark.parametrize(
    ("peer", "place"),
    [
        (IPv4Address("TCP", "10.0.0.7", 4711), "10.0.0.7"),
        (IPv6Address("TCP", "2001:db8:1:2:3:4:5:6", 4711), "2001:db8:1:2::/64"),
        (IPv6Address("TCP", "fe80::1%eth0", 4711), "fe80::/64"),
        (IPv6Address("TCP", "::ffff:10.0.0.7", 4711), "10.0.0.7"),
        (UNIXAddress(b""), "this machine"),
    ],
)
def test_a_place_is_an_address_or_a_network(peer: IAddress, place: str) -> None:
    assert place_of(peer) == place


def test_after_so_many_a_place_waits_until_the_first_is_long_ago() -> None:
    clock = Clock()
    one = Attempts(clock)
    for _ in range(MOST_FAILURES):
        assert one.wait("a") == 0
        one.failed("a")
        clock.advance(1)
    assert one.wait("a") == WITHIN - MOST_FAILURES
    assert one.wait("b") == 0
    clock.advance(WITHIN - MOST_FAILURES)
    assert one.wait("a") == 0
    one.failed("a")
    assert one.wait("a") == 1


def test_places_that_failed_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_login_limit, "MOST_PLACES", 2)
    one = Attempts(Clock())
    for place in "ab" * MOST_FAILURES + "ac":
        one.failed(place)
    assert len(one) == 2
    assert (one.wait("a"), one.wait("b"), one.wait("c")) == (WITHIN, 0, 0)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=80))
def test_in_no_stretch_of_time_there_are_more(tries: list[tuple[str, float]]) -> None:
    clock = Clock()
    one = Attempts(clock)
    counted: dict[str, list[float]] = {"a": [], "b": []}
    for place, pause in tries:
        clock.advance(pause)
        recent = [moment for moment in counted[place] if moment + WITHIN > clock.seconds()]
        assert (one.wait(place) > 0) == (len(recent) >= MOST_FAILURES)
        if not one.wait(place):
            one.failed(place)
            counted[place].append(clock.seconds())


@within(20)
async def test_after_too_many_wrong_sign_ins_the_next_has_to_wait(guarded: Guarded) -> None:
    wrong = {"token": "pmslink_wrong"}
    for _ in range(MOST_FAILURES):
        assert (await guarded.post("/api/v1/session", wrong)).error == (401, "unauthorized")
    answer = await guarded.post("/api/v1/session", wrong)
    assert answer.error == (429, "too_many_attempts")
    assert answer.headers["retry-after"] == str(int(WITHIN))
    guarded.run(WITHIN - 1)
    assert (await guarded.post("/api/v1/session", wrong)).headers["retry-after"] == "1"
    guarded.run(1)
    assert (await guarded.post("/api/v1/session", wrong)).error == (401, "unauthorized")


@within(20)
async def test_a_right_token_passes_where_too_many_wrong_ones_came_from(guarded: Guarded) -> None:
    wrong = {"authorization": "Bearer pmslink_wrong"}
    for _ in range(MOST_FAILURES):
        assert (await guarded.get("/api/v1/links", headers=wrong)).error == (401, "unauthorized")
    answer = await guarded.get("/api/v1/links", headers=wrong)
    assert answer.error == (429, "too_many_attempts")
    assert answer.headers["retry-after"] == str(int(WITHIN))
    assert (await guarded.get("/api/v1/links", headers=guarded.bearer("pbx"))).status == 200
    assert (await guarded.post("/api/v1/session", {"token": guarded.tokens["view"]})).status == 200


@within(20)
async def test_what_shows_no_token_is_no_attempt(guarded: Guarded) -> None:
    for _ in range(MOST_FAILURES + 1):
        assert (await guarded.get("/api/v1/links")).error == (401, "unauthorized")
        cookie = {"cookie": "pmslink_session=of-a-service-that-is-no-more"}
        assert (await guarded.get("/api/v1/links", headers=cookie)).error == (401, "unauthorized")
