"""Which of our link records wait for an answer, and when other records may be sent."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from pmslink.config.link_settings import LinkSettings
from pmslink.link.exchange import MAX_OPEN_REQUESTS, Exchange


def make_exchange(**settings: Any) -> tuple[Clock, Exchange, list[float]]:
    clock = Clock()
    exchange = Exchange(clock, lambda: LinkSettings(alive_timeout=3, sync_timeout=30, **settings))
    closed: list[float] = []
    exchange.on_closed = lambda: closed.append(clock.seconds())
    return clock, exchange, closed


def test_la_answers_the_oldest_request() -> None:
    _, exchange, closed = make_exchange()
    exchange.on_description_sent()
    exchange.on_ls_sent("check")
    assert [exchange.on_la() for _ in range(3)] == ["description", "check", None]
    assert closed == []


def test_la_that_confirms_a_description_leaves_a_later_ls_unanswered() -> None:
    _, exchange, closed = make_exchange()
    exchange.on_description_sent()
    exchange.on_ls_sent("check")
    exchange.on_la()
    exchange.end()
    assert (exchange.is_open, exchange.awaits_link_record, closed) == (True, True, [])
    assert exchange.on_ls() == 1
    assert (exchange.is_open, exchange.awaits_link_record, closed) == (False, False, [0])


def test_a_description_that_is_never_confirmed_holds_nothing_for_long() -> None:
    clock, exchange, closed = make_exchange()
    exchange.on_description_sent()
    clock.advance(30)
    exchange.on_ls_sent("check")
    assert exchange.on_la() == "description"
    exchange.end()
    assert (exchange.is_open, closed) == (False, [30])
    exchange.end()
    assert closed == [30]


def test_ls_answers_all_requests_up_to_the_oldest_ls() -> None:
    _, exchange, _ = make_exchange()
    exchange.on_description_sent()
    exchange.on_ls_sent("check")
    exchange.on_description_sent()
    assert exchange.on_ls() == 2
    assert exchange.on_ls() == 0
    assert exchange.on_la() == "description"


def test_an_ls_without_an_answer_holds_until_the_alive_timeout() -> None:
    clock, exchange, closed = make_exchange()
    exchange.on_ls_sent("start")
    clock.advance(2.9)
    assert exchange.is_open
    clock.advance(0.1)
    assert (exchange.is_open, exchange.awaits_link_record, closed) == (False, False, [3])


def test_docking_answers_the_first_ls_unless_data_does_and_only_la_proves_the_link_alive() -> None:
    for record, alive_on, is_open in (("LS", "LA", False), ("GI", "LA", True), ("GI", "any", False)):
        _, exchange, _ = make_exchange(alive_on=alive_on)
        exchange.on_ls_sent("start")
        exchange.on_docked(record)
        assert exchange.is_open == is_open
        assert exchange.on_la() is None
        exchange.reset()
        assert not exchange.is_open


def test_the_number_of_requests_is_bounded() -> None:
    _, exchange, _ = make_exchange()
    for _ in range(MAX_OPEN_REQUESTS + 5):
        exchange.on_description_sent()
    assert len([answer for _ in range(2 * MAX_OPEN_REQUESTS) if (answer := exchange.on_la())]) == 1000
