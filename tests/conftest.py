"""What every test has to leave behind: nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import reactor as the_reactor
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

reactor: Any = the_reactor
publisher: Any = globalLogPublisher  # which mypy lets no plain function observe


@pytest.fixture(autouse=True)
def leak_check() -> Iterator[list[LogEvent]]:
    """Fail a test that leaves timers or sockets in the reactor, or failures in the log.

    A failure that nobody handled is logged when its Deferred is collected. A test that wants a failure
    to be logged asks for this fixture, and takes the failure out of the list.
    """
    gc.freeze()  # what is older than the test need not be looked through after it
    timers_before = set(reactor.getDelayedCalls())
    sockets_before = _open_sockets()
    logged: list[LogEvent] = []

    def watch(event: LogEvent) -> None:
        if "log_failure" in event or event.get("log_level") is LogLevel.critical:
            logged.append(event)

    publisher.addObserver(watch)
    try:
        yield logged
        gc.collect()
    finally:
        publisher.removeObserver(watch)
    timers = set(reactor.getDelayedCalls()) - timers_before
    for timer in timers:
        timer.cancel()
    sockets = _open_sockets() - sockets_before
    for socket in sockets:
        reactor.removeReader(socket)
        reactor.removeWriter(socket)
    assert not timers, f"timers left behind: {timers}"
    assert not sockets, f"sockets left behind: {sockets}"
    assert not logged, [event.get("log_failure") or event for event in logged]


def _open_sockets() -> set[Any]:
    inner = reactor._internalReaders  # the reactor's own, made when it first runs
    return {one for one in (*reactor.getReaders(), *reactor.getWriters()) if one not in inner}
