"""A deadline for the answer to a change: the disk may take longer, and a client must not wait for ever."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest

from pmslink.web.http.api_errors import ApiError

ANSWER_DEADLINE_S = 60.0
"""Seconds after which a change that is not stored yet is answered with 504."""
_MESSAGE = (
    f"the disk has not confirmed the change for {ANSWER_DEADLINE_S:g} s; it may be stored or not. Repeat the "
    "request later, a posting with the same Idempotency-Key"
)
_LINK_TEST = "/api/v1/links/test"  # it changes nothing, and has timeouts of its own


def with_answer_deadline(
    method: str, path: str, handler: Callable[..., Any], clock: IReactorTime
) -> Callable[..., Any]:
    """Return a handler that answers 504 when a change takes too long. The change itself goes on."""
    if method == "GET" or path == _LINK_TEST:
        return handler

    @wraps(handler)
    async def handler_with_deadline(request: IRequest, **variables: str) -> Any:
        try:
            return await maybeDeferred(handler, request, **variables).addTimeout(ANSWER_DEADLINE_S, clock)
        except DeferredTimeoutError:
            raise ApiError(504, "outcome_unknown", _MESSAGE) from None

    return handler_with_deadline
