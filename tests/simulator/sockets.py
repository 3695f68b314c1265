"""A context that waits until sockets are closed, which takes several turns of the reactor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

reactor: Any = the_reactor

MAX_REACTOR_TURNS = 10_000


@asynccontextmanager
async def sockets_closed_after() -> AsyncIterator[None]:
    """At the end of the context, wait until all sockets that were opened in it are closed."""
    before = _open_sockets()
    yield
    for _ in range(MAX_REACTOR_TURNS):
        if _open_sockets() <= before:
            return
        await deferLater(reactor, 0)
    raise AssertionError("sockets stay open")


def _open_sockets() -> set[Any]:
    inner: set[Any] = reactor._internalReaders
    return {*reactor.getReaders(), *reactor.getWriters()} - inner
