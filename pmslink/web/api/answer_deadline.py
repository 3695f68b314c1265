"""A deadline for the answer to a change: the disk may take longer, and a client must not wait for ever."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from twisted.internet.defer import Deferred, maybeDeferred
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
    def handler_with_deadline(request: IRequest, **variables: str) -> Deferred[Any]:
        answer = maybeDeferred(handler, request, **variables)
        return answer.addTimeout(ANSWER_DEADLINE_S, clock, _on_timeout)

    return handler_with_deadline


def _on_timeout(_answer: object, _seconds: float) -> NoReturn:
    raise ApiError(504, "outcome_unknown", _MESSAGE)
