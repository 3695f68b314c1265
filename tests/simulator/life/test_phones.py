"""Tests of the phones as a service, with a fake API client."""

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

START_TIME = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
ROOMS = [{"room": "101", "guests": [{"number": "5001"}], "wake_ups": []}, {"room": "102", "guests": []}]
LINK_PATH = "/api/v1/links/grand"


class FakeApiClient:
    """An API client that records its calls; ``answers`` are the next responses to calls other than GET."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: list[tuple[str, str, Any, str | None]] = []
        self.answers: list[Any] = []
        self.events: list[dict[str, Any]] = []
        self.rooms: tuple[int, Any] = (200, {"rooms": ROOMS})
        self.is_unreachable = False

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        if self.is_unreachable:
            raise UnreachableError("no response")
        if path == f"{LINK_PATH}/rooms":
            return self.rooms
        if method == "GET":
            return await self._newer_events(path)
        self.calls.append((method, path, body, key))
        answer = self.answers.pop(0) if self.answers else (202, {})
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    async def _newer_events(self, path: str) -> tuple[int, Any]:
        after = int(path.partition("after=")[2].partition("&")[0])
        if not self._after(after):
            await deferLater(self.clock, 30)
        if self.is_unreachable:
            raise UnreachableError("no response")
        return 200, {"events": self._after(after), "next": after}

    def _after(self, seq: int) -> list[dict[str, Any]]:
        return [event for event in self.events if event["seq"] > seq]

    def due(self, seq: int, at: datetime, **more: Any) -> None:
        content = {"type": "wake_up.due", "room": "101", "wake_up": {"id": seq}, "attempt": 1, "attempts": 3}
        self.events.append({"seq": seq, "at": at.isoformat(), **content, **more})

    def results(self) -> list[Any]:
        """Return the bodies of the wake-up results."""
        return [body for _, path, body, _ in self.calls if path.endswith("/wake-up/result")]


def make_phones(pace: float = 6.0, seed: int = 1) -> tuple[Clock, FakeApiClient, Phones]:
    clock = Clock()
    service = FakeApiClient(clock)
    phones = Phones(
        service,
        "grand",
        clock,
        lambda: START_TIME + timedelta(seconds=clock.seconds()),
        Random(seed),
        pace,
    )
    return clock, service, phones


def advance(clock: Clock, seconds: float) -> None:
    clock.pump([1.0] * round(seconds))


@contextmanager
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    observer = Logger(observer=lambda event: lines.append(formatEvent(event)))  # type: ignore[arg-type]
    with patch.object(Phones, "_log", observer):
        yield lines


def test_calls_are_made_at_a_pace_and_counted() -> None:
    clock, service, phones = make_phones()
    phones.startService()
    advance(clock, 3600)
    assert 300 < len(service.calls) < 420
    assert sum(phones.counts.values()) == len(service.calls)
    assert phones.counts["call"] > phones.counts["minibar"] > 0


def test_calls_are_a_function_of_clock_and_seed() -> None:
    def calls(seed: int) -> list[Any]:
        clock, service, phones = make_phones(seed=seed)
        phones.startService()
        for seq in range(10):
            service.due(seq + 1, START_TIME)
        advance(clock, 600)
        return service.calls

    assert calls(1) == calls(1)
    assert calls(1) != calls(2)


def test_a_call_is_retried_with_the_same_key_until_it_is_accepted() -> None:
    clock, service, phones = make_phones(pace=600)
    outage = UnreachableError("reset")
    service.answers = [outage, (503, {"error": {"code": "store", "message": "full"}}), (429, None), (200, {})]
    phones.startService()
    advance(clock, 1)
    first, *_ = service.calls
    advance(clock, 10)
    assert service.calls[:4] == [first] * 4
    assert service.calls[4] != first


def test_a_rejected_call_is_counted_and_not_retried() -> None:
    clock, service, phones = make_phones(pace=60)
    service.answers = [(404, {"error": {"code": "unknown_room", "message": "no"}}), (409, None)]
    phones.startService()
    advance(clock, 10)
    assert phones.counts["rejected"] == 2
    assert service.calls[0] != service.calls[1] != service.calls[2]


def test_an_unreachable_service_is_logged_once_and_retried_with_back_off() -> None:
    clock, service, phones = make_phones()
    service.is_unreachable = True
    with log() as lines:
        phones.startService()
        advance(clock, 3600)
        assert lines == ["The phones cannot reach pmslink; their calls are retried: no response"]
        service.is_unreachable = False
        advance(clock, 120)
        assert lines[1:] == ["The phones reach pmslink again"]
        assert service.calls
        service.is_unreachable = True
        advance(clock, 120)
    assert len(lines) == 3


def test_an_unknown_link_is_logged_once_and_retried() -> None:
    clock, service, phones = make_phones()
    service.rooms = (404, {"error": {"code": "unknown_link", "message": "there is no link grand"}})
    with log() as lines:
        phones.startService()
        advance(clock, 600)
    assert lines == [
        "grand: the phones cannot get the list of rooms: 404 unknown_link: there is no link grand"
    ]
    assert service.calls == []
    service.rooms = (200, {"rooms": ROOMS})
    advance(clock, 300)
    assert service.calls


def test_phones_without_permission_log_it_once_and_stop() -> None:
    clock, service, phones = make_phones()
    service.rooms = (401, {"error": {"code": "unauthorized", "message": "a token is required"}})
    with log() as lines:
        phones.startService()
        advance(clock, 600)
    assert lines == [
        "pmslink rejects the credentials of the phones; they stop: 401 unauthorized: a token is required"
    ]
    assert clock.getDelayedCalls() == []
    assert not phones.running
    phones.stopService()


def test_a_ringing_phone_is_answered_after_a_delay() -> None:
    clock, service, phones = make_phones(pace=0.1)
    phones.startService()
    advance(clock, 10)
    for seq in range(1, 41):
        service.due(seq, START_TIME)
    advance(clock, 21)
    assert phones.last_seq == 40
    assert len(service.results()) < 10
    advance(clock, 31)
    assert sorted(result["id"] for result in service.results()) == list(range(1, 41))
    assert {result["attempt"] for result in service.results()} == {1}
    assert phones.counts["answered"] > 25


def test_each_event_is_handled_once() -> None:
    clock, service, phones = make_phones(pace=0.1)
    service.due(5, START_TIME)
    phones.startService()
    advance(clock, 300)
    assert len(service.results()) == 1


def test_an_old_wake_up_event_does_not_ring_a_phone() -> None:
    clock, service, phones = make_phones(pace=0.1)
    service.due(1, START_TIME - timedelta(minutes=11))
    service.due(2, START_TIME - timedelta(minutes=9))
    phones.startService()
    advance(clock, 60)
    assert [result["id"] for result in service.results()] == [2]


def test_a_long_poll_that_returns_at_once_is_repeated_once_a_second() -> None:
    clock, service, phones = make_phones(pace=0.1)
    calls = 0

    async def at_once(path: str) -> tuple[int, Any]:
        nonlocal calls
        calls += 1
        return 200, {"events": []}

    service._newer_events = at_once  # type: ignore[method-assign]
    phones.startService()
    advance(clock, 60)
    assert 55 < calls < 65


def test_a_failing_long_poll_is_repeated_once_a_minute() -> None:
    clock, service, phones = make_phones(pace=0.1)
    calls = 0

    async def unknown(path: str) -> tuple[int, Any]:
        nonlocal calls
        calls += 1
        return 404, None

    service._newer_events = unknown  # type: ignore[method-assign]
    phones.startService()
    advance(clock, 600)
    assert calls == 11


def test_an_unexpected_response_does_not_stop_the_phones() -> None:
    clock, service, phones = make_phones()
    service.rooms = (200, ["rooms"])
    phones.startService()
    advance(clock, 120)
    service.rooms = (200, {"rooms": ROOMS})
    advance(clock, 120)
    assert service.calls


def test_stopping_cancels_all_tasks_and_then_calls_on_stopped() -> None:
    clock, service, phones = make_phones()
    events: list[str] = []

    def at_end() -> Deferred[None]:
        events.append("end")
        return succeed(None)

    phones._on_stopped = at_end
    for seq in range(1, 5):
        service.due(seq, START_TIME)
    phones.startService()
    advance(clock, 2)
    assert len(clock.getDelayedCalls()) > 4
    phones.stopService()
    assert clock.getDelayedCalls() == []
    assert events == ["end"]
    calls = len(service.calls)
    phones.startService()
    advance(clock, 60)
    assert len(service.calls) > calls


def test_an_exception_in_a_task_is_logged() -> None:
    clock, service, phones = make_phones()
    service.rooms = (200, {"rooms": [{"guests": []}]})
    with log() as lines:
        phones.startService()
        advance(clock, 120)
    assert lines == ["A task of the phones failed and ended"]
