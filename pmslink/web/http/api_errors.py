"""Errors of a JSON API: the exception that carries one, and the mapping of exceptions to responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException

from pmslink.errors import NotApplicableError
from pmslink.validation.json_body import BodyError
from pmslink.web.http.json_responses import make_response

_FORWARDED_HEADERS = ("allow", "location")
"""Headers of werkzeug's errors that belong to the response: the other methods of a path, a redirect."""

_log = Logger()


@frozen
class ApiError(Exception):
    """An error response."""

    status: int
    code: str
    message: str
    field: str | None = None
    """The part of the request that is wrong."""
    attempts_left: int | None = None
    """How many more invalid tokens are accepted from the client's network, after one of them."""
    headers: Sequence[tuple[bytes, bytes]] = ()


ErrorMapper = Callable[[BaseException], ApiError | None]
"""Maps an application's own exceptions to responses; returns None for any other exception."""


def make_error_response(request: IRequest, failure: Failure, map_error: ErrorMapper | None = None) -> bytes:
    """Return the body of the response to a request that failed, and set its status and headers.

    An unexpected exception becomes a 500 without details; the log gets its traceback.
    """
    exception: BaseException = failure.value  # type: ignore[assignment]
    error = (map_error and map_error(exception)) or map_common_error(exception)
    if isinstance(exception, HTTPException):
        # get_headers() lacks the headers that the exception itself adds
        for name, value in exception.get_response({}).headers:
            if name.lower() in _FORWARDED_HEADERS:
                request.setHeader(name.lower().encode(), value.encode())
    if error is None:
        _log.failure("{method} {path} failed", failure, method=request.method, path=request.path)
        error = ApiError(500, "internal", "internal error; see the log of the service")
    for header in error.headers:
        request.setHeader(*header)
    return make_response(request, {"error": serialize_error(error)}, error.status)


def serialize_error(error: ApiError) -> dict[str, str | int]:
    """Return the JSON form of an error. `field` and `attempts_left` are in it if the error has them."""
    serialized: dict[str, str | int] = {"code": error.code, "message": error.message}
    if error.field is not None:
        serialized["field"] = error.field
    if error.attempts_left is not None:
        serialized["attempts_left"] = error.attempts_left
    return serialized


def map_common_error(exception: BaseException) -> ApiError | None:
    """Map the exceptions that every API can raise; return None for an unexpected exception."""
    match exception:
        case ApiError():
            return exception
        case NotApplicableError():
            return ApiError(409, exception.code, str(exception))
        case BodyError():
            return ApiError(400, "invalid", str(exception), exception.field)
        case CancelledError():  # the client has disconnected and gets no response, or the service stops
            return ApiError(503, "not_ready", "the service stops")
        case HTTPException():
            code = exception.name.lower().replace(" ", "_")
            return ApiError(exception.code or 500, code, exception.description or exception.name)
    return None
