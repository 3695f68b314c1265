"""A time limit for tests that use the real reactor: a hung one fails, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from twisted.internet import reactor
from twisted.internet.defer import Deferred

P = ParamSpec("P")


def time_limit(
    seconds: float,
) -> Callable[[Callable[P, Coroutine[Any, Any, None]]], Callable[P, Deferred[None]]]:
    """For an `async def` test: it has so many seconds."""

    def limited(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, Deferred[None]]:
        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> Deferred[None]:
            clock: Any = reactor
            return Deferred.fromCoroutine(test(*args, **kwargs)).addTimeout(seconds, clock)

        return run

    return limited
