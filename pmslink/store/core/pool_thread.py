"""A thread for the blocking calls of a store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

Result = TypeVar("Result")


class _DaemonThread(threading.Thread):
    """A thread that does not keep the process from ending while it waits for a disk."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options, daemon=True)


class PoolThread:
    """A thread pool with one thread, which runs calls one after the other."""

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(1, 1, name)
        self._pool.threadFactory = _DaemonThread

    def start(self) -> None:
        """Start the thread."""
        self._pool.start()

    def stop(self) -> None:
        """Stop the thread, after the calls that are queued."""
        self._pool.stop()

    def run(self, call: Callable[..., Result], *arguments: Any) -> Deferred[Result]:
        """Run a call in the thread; the Deferred fires with its result."""
        return deferToThreadPool(self._reactor, self._pool, call, *arguments)
