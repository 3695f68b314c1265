"""The telephones at work, over an interface that this test holds in its hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock, deferLater
from twisted.logger import Logger, formatEvent

from pmslink.simulator.life.phones import Phones, UnreachableError

BEGIN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
ROOMS = [{"room": "101", "guests": [{"number": "5001"}], "wake_ups": []}, {"room": "102", "guests": []}]
HOME = "/api/v1/links/grand"


class Service:
    """An interface that keeps what it is asked. ``answers`` are for what is no question, the next first."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, str, Any, str | None]] = []
        self.answers: list[Any] = []
        self.events: list[dict[str, Any]] = []
        self.rooms: tuple[int, Any] = (200, {"rooms": ROOMS})
        self.away = False

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        if self.away:
            raise UnreachableError("nobody answers")
        if path == f"{HOME}/rooms":
            return self.rooms
        if method == "GET":
            return await self._newer_events(path)
        self.asked.append((method, path, body, key))
        answer = self.answers.pop(0) if self.answers else (202, {})
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    async def _newer_events(self, path: str) -> tuple[int, Any]:
        after = int(path.partition("after=")[2].partition("&")[0])
        if not self._after(after):
            await deferLater(self.clock, 30)
        if self.away:
            raise UnreachableError("nobody answers")
        return 200, {"events": self._after(after), "next": after}

    def _after(self, seq: int) -> list[dict[str, Any]]:
        return [event for event in self.events if event["seq"] > seq]

    def due(self, seq: int, at: datetime, **more: Any) -> None:
        told = {"type": "wake_up.due", "room": "101", "wake_up": {"id": seq}, "attempt": 1, "attempts": 3}
        self.events.append({"seq": seq, "at": at.isoformat(), **told, **more})

    def results(self) -> list[Any]:
        """What became of the phones that rang."""
        return [body for _, path, body, _ in self.asked if path.endswith("/wake-up/result")]


def at_work(pace: float = 6.0, seed: int = 1) -> tuple[Clock, Service, Phones]:
    clock = Clock()
    service = Service(clock)
    phones = Phones(
        service,
        "grand",
        clock,
        lambda: BEGIN + timedelta(seconds=clock.seconds()),
        Random(seed),
        pace,
    )
    return clock, service, phones


def passed(clock: Clock, seconds: float) -> None:
    clock.pump([1.0] * round(seconds))


@contextmanager
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    observer = Logger(observer=lambda event: lines.append(formatEvent(event)))  # type: ignore[arg-type]
    with patch.object(Phones, "_log", observer):
        yield lines


def test_deeds_are_done_at_a_pace_and_counted() -> None:
    clock, service, phones = at_work()
    phones.startService()
    passed(clock, 3600)
    assert 300 < len(service.asked) < 420
    assert sum(phones.counts.values()) == len(service.asked)
    assert phones.counts["call"] > phones.counts["minibar"] > 0


def test_the_same_clock_and_random_numbers_do_the_same() -> None:
    def asked(seed: int) -> list[Any]:
        clock, service, phones = at_work(seed=seed)
        phones.startService()
        for seq in range(10):
            service.due(seq + 1, BEGIN)
        passed(clock, 600)
        return service.asked

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


def test_a_deed_is_offered_until_it_is_taken_under_the_same_key() -> None:
    clock, service, phones = at_work(pace=600)
    outage = UnreachableError("reset")
    service.answers = [outage, (503, {"error": {"code": "store", "message": "full"}}), (429, None), (200, {})]
    phones.startService()
    passed(clock, 1)
    first, *_ = service.asked
    passed(clock, 10)
    assert service.asked[:4] == [first] * 4
    assert service.asked[4] != first


def test_what_is_refused_for_good_is_counted_and_left() -> None:
    clock, service, phones = at_work(pace=60)
    service.answers = [(404, {"error": {"code": "unknown_room", "message": "no"}}), (409, None)]
    phones.startService()
    passed(clock, 10)
    assert phones.counts["rejected"] == 2
    assert service.asked[0] != service.asked[1] != service.asked[2]


def test_a_service_that_is_away_is_told_once_and_tried_again_ever_less_often() -> None:
    clock, service, phones = at_work()
    service.away = True
    with log() as lines:
        phones.startService()
        passed(clock, 3600)
        assert lines == ["The phones cannot reach pmslink and keep retrying: nobody answers"]
        service.away = False
        passed(clock, 120)
        assert lines[1:] == ["The phones reach pmslink again"]
        assert service.asked
        service.away = True
        passed(clock, 120)
    assert len(lines) == 3


def test_a_link_that_does_not_exist_is_told_once_and_waited_for() -> None:
    clock, service, phones = at_work()
    service.rooms = (404, {"error": {"code": "unknown_link", "message": "there is no link grand"}})
    with log() as lines:
        phones.startService()
        passed(clock, 600)
    assert lines == ["grand: the phones get no list of rooms: 404 unknown_link: there is no link grand"]
    assert service.asked == []
    service.rooms = (200, {"rooms": ROOMS})
    passed(clock, 300)
    assert service.asked


def test_where_tokens_are_wanted_the_phones_say_so_once_and_stop() -> None:
    clock, service, phones = at_work()
    service.rooms = (401, {"error": {"code": "unauthorized", "message": "show a token"}})
    with log() as lines:
        phones.startService()
        passed(clock, 600)
    assert lines == ["pmslink does not permit the phones to call; they stop: 401 unauthorized: show a token"]
    assert clock.getDelayedCalls() == []
    assert not phones.running
    phones.stopService()


def test_a_phone_that_rings_is_answered_after_a_while() -> None:
    clock, service, phones = at_work(pace=0.1)
    phones.startService()
    passed(clock, 10)
    for seq in range(1, 41):
        service.due(seq, BEGIN)
    passed(clock, 21)
    assert phones.last_seq == 40
    assert len(service.results()) < 10
    passed(clock, 31)
    assert sorted(result["id"] for result in service.results()) == list(range(1, 41))
    assert {result["attempt"] for result in service.results()} == {1}
    assert phones.counts["answered"] > 25


def test_each_event_is_dealt_with_once() -> None:
    clock, service, phones = at_work(pace=0.1)
    service.due(5, BEGIN)
    phones.startService()
    passed(clock, 300)
    assert len(service.results()) == 1


def test_a_phone_that_should_have_rung_long_ago_stays_still() -> None:
    clock, service, phones = at_work(pace=0.1)
    service.due(1, BEGIN - timedelta(minutes=11))
    service.due(2, BEGIN - timedelta(minutes=9))
    phones.startService()
    passed(clock, 60)
    assert [result["id"] for result in service.results()] == [2]


def test_a_service_that_does_not_wait_with_its_events_is_asked_once_a_second() -> None:
    clock, service, phones = at_work(pace=0.1)
    calls = 0

    async def at_once(path: str) -> tuple[int, Any]:
        nonlocal calls
        calls += 1
        return 200, {"events": []}

    service._newer_events = at_once  # type: ignore[method-assign]
    phones.startService()
    passed(clock, 60)
    assert 55 < calls < 65


def test_events_that_there_are_none_of_are_asked_for_once_a_minute() -> None:
    clock, service, phones = at_work(pace=0.1)
    calls = 0

    async def unknown(path: str) -> tuple[int, Any]:
        nonlocal calls
        calls += 1
        return 404, None

    service._newer_events = unknown  # type: ignore[method-assign]
    phones.startService()
    passed(clock, 600)
    assert calls == 11


def test_answers_of_another_shape_end_nothing() -> None:
    clock, service, phones = at_work()
    service.rooms = (200, ["rooms"])
    phones.startService()
    passed(clock, 120)
    service.rooms = (200, {"rooms": ROOMS})
    passed(clock, 120)
    assert service.asked


def test_stopping_ends_all_that_is_under_way_and_then_what_was_asked_for() -> None:
    clock, service, phones = at_work()
    ended: list[str] = []

    def at_end() -> Deferred[None]:
        ended.append("end")
        return succeed(None)

    phones._on_stopped = at_end
    for seq in range(1, 5):
        service.due(seq, BEGIN)
    phones.startService()
    passed(clock, 2)
    assert len(clock.getDelayedCalls()) > 4
    phones.stopService()
    assert clock.getDelayedCalls() == []
    assert ended == ["end"]
    asked = len(service.asked)
    phones.startService()
    passed(clock, 60)
    assert len(service.asked) > asked


def test_a_fault_of_the_phones_themselves_is_logged() -> None:
    clock, service, phones = at_work()
    service.rooms = (200, {"rooms": [{"guests": []}]})
    with log() as lines:
        phones.startService()
        passed(clock, 120)
    assert lines == ["A task of the phones failed and ended"]
