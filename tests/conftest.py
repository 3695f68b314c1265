"""Rules for all tests: no open timer, socket or logged failure, and no time limit of hypothesis."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from twisted.internet import reactor as the_reactor
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

reactor: Any = the_reactor
publisher: Any = globalLogPublisher  # its type does not accept a plain function as an observer

# no deadline: on a busy machine, a slow example is not an error
settings.register_profile("pmslink", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pmslink")


@pytest.fixture(autouse=True)
def leak_check() -> Iterator[list[LogEvent]]:
    """Fail a test that leaves timers or sockets in the reactor, or failures in the log.

    An unhandled failure is logged when its Deferred is collected. A test that expects a failure in the
    log requests this fixture, and removes the failure from the list.
    """
    gc.freeze()  # so that the collection after the test does not traverse older objects
    timers_before = set(reactor.getDelayedCalls())
    sockets_before = _open_sockets()
    logged: list[LogEvent] = []

    def collect(event: LogEvent) -> None:
        if "log_failure" in event or event.get("log_level") is LogLevel.critical:
            logged.append(event)

    publisher.addObserver(collect)
    try:
        yield logged
        gc.collect()
    finally:
        publisher.removeObserver(collect)
    timers = set(reactor.getDelayedCalls()) - timers_before
    for timer in timers:
        timer.cancel()
    sockets = _open_sockets() - sockets_before
    for socket in sockets:
        reactor.removeReader(socket)
        reactor.removeWriter(socket)
    assert not timers, f"timers not cancelled: {timers}"
    assert not sockets, f"sockets not closed: {sockets}"
    assert not logged, [event.get("log_failure") or event for event in logged]


def _open_sockets() -> set[Any]:
    internal = reactor._internalReaders  # the reactor's own, created when it first runs
    return {socket for socket in (*reactor.getReaders(), *reactor.getWriters()) if socket not in internal}
