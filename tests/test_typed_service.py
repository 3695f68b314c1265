"""Tests of services with children: the order of start and stop."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.typed_service import SequentialMultiService, TypedMultiService, TypedService


class RecordingService(TypedService):
    """Records its start and its stop, which lasts until the test ends it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.service_name = name
        self.stopped: Deferred[None] = Deferred()
        self._log = log

    def startService(self) -> None:
        super().startService()
        self._log.append(f"{self.service_name} starts")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self._log.append(f"{self.service_name} stops")
        return self.stopped


def test_a_sequential_service_stops_each_child_after_the_later_ones_have_stopped() -> None:
    log: list[str] = []
    parent = SequentialMultiService()
    store, links = RecordingService("store", log), RecordingService("links", log)
    for child in (store, links):
        child.setServiceParent(parent)
    parent.startService()
    ended: list[None] = []
    parent.stopService().addCallback(ended.append)
    assert log == ["store starts", "links starts", "links stops"]
    links.stopped.callback(None)
    assert log[3:] == ["store stops"]
    assert not ended
    store.stopped.callback(None)
    assert ended == [None]
    assert not parent.running


def test_a_sequential_service_stops_the_other_children_when_one_fails(leak_check: list[LogEvent]) -> None:
    log: list[str] = []
    parent = SequentialMultiService()
    store, links = RecordingService("store", log), RecordingService("links", log)
    for child in (store, links):
        child.setServiceParent(parent)
    parent.startService()
    ended = parent.stopService()
    links.stopped.errback(RuntimeError("a connection"))
    assert log[3:] == ["store stops"]
    store.stopped.callback(None)
    assert ended.called
    assert [event["log_failure"].type for event in leak_check] == [RuntimeError]
    leak_check.clear()


def test_a_parallel_service_stops_all_children_at_once() -> None:
    log: list[str] = []
    parent = TypedMultiService()
    children = [RecordingService(name, log) for name in ("a", "b")]
    for child in children:
        child.setServiceParent(parent)
    parent.startService()
    parent.stopService()
    assert sorted(log[2:]) == ["a stops", "b stops"]
    assert not any(child.running for child in children)
