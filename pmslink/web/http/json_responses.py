"""Answers in JSON, errors among them, and what a request asks with its query and body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from attrs import frozen
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException

from pmslink.errors import NotApplicableError
from pmslink.hotel.wake_ups import TooManyWakeUpsError, UnknownWakeUpError, WakeUpNotDueError
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.operations.operator_actions import RowNotFoundError
from pmslink.store.operations.outbox_enqueue import (
    IdempotencyKeyReusedError,
    OutboxFullError,
    PostingNumbersExhaustedError,
)
from pmslink.validation.json_body import BodyError

_Choice = TypeVar("_Choice")

MAX_SAFE_INTEGER = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps exactly."""

_SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""What every answer tells a browser: keep nothing, run nothing of others, show it in no frame."""

_log = Logger()


@frozen
class ApiError(Exception):
    """An answer that is an error; `field` names the part of the request that is wrong."""

    status: int
    code: str
    message: str
    field: str | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()


def make_response(
    request: IRequest, value: Any, status: int = 200, content_type: bytes = b"application/json"
) -> bytes:
    """The body of an answer: bytes as they are, anything else as JSON."""
    body = value if isinstance(value, bytes) else serialize_json(value) + b"\n"
    begin_response(request, status, content_type)
    request.setHeader(b"content-length", b"%d" % len(body))
    return body


def begin_response(request: IRequest, status: int, content_type: bytes) -> None:
    """What stands above the body of every answer."""
    request.setResponseCode(status)
    request.setHeader(b"content-type", content_type)
    for name, value in _SECURITY_HEADERS:
        request.setHeader(name, value)


def serialize_json(value: Any) -> bytes:
    """JSON on one line. What JSON can carry and UTF-8 cannot, half a surrogate pair, becomes "?"."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def make_error_response(request: IRequest, failure: Failure) -> bytes:
    """The answer to a call that failed; what nobody foresaw is logged, and told without detail."""
    error = _map_exception(failure.value)
    if isinstance(failure.value, HTTPException):
        # not get_headers(), which lacks what the exception itself adds
        for name, value in failure.value.get_response({}).headers:
            if name.lower() == "allow":
                request.setHeader(b"allow", value.encode())
    if error is None:
        _log.failure("{method} {path} failed", failure, method=request.method, path=request.path)
        error = ApiError(500, "internal", "something went wrong here; the log says more")
    for header in error.headers:
        request.setHeader(*header)
    told = {"code": error.code, "message": error.message}
    if error.field is not None:
        told["field"] = error.field
    return make_response(request, {"error": told}, error.status)


def _map_exception(exception: BaseException | None) -> ApiError | None:
    """What a problem means to who called; None for one that nobody foresaw."""
    match exception:
        case ApiError():
            return exception
        case NotApplicableError():
            return ApiError(409, exception.code, str(exception))
        case BodyError():
            return ApiError(400, "invalid", str(exception), exception.field)
        case UnknownWakeUpError():
            return ApiError(404, "unknown_wake_up", str(exception))
        case TooManyWakeUpsError():
            return ApiError(409, "too_many_wake_ups", str(exception))
        case WakeUpNotDueError():
            return ApiError(409, "not_due", str(exception))
        case IdempotencyKeyReusedError():
            return ApiError(409, "key_reused", "this key stands for a posting that was asked for otherwise")
        case OutboxFullError() | PostingNumbersExhaustedError():
            return ApiError(503, "outbox_full", str(exception))
        case RowNotFoundError():
            return ApiError(404, "unknown_posting", "this link has no posting of that id")
        case StoreUnavailableError():
            return ApiError(503, "store", f"the store cannot be used at the moment: {exception}")
        case HTTPException():
            code = exception.name.lower().replace(" ", "_")
            return ApiError(exception.code or 500, code, exception.description or exception.name)
    return None


def query_param(request: IRequest, name: str) -> str | None:
    """A parameter of the query, or None. Raises ApiError 400 for one that is given twice."""
    values = request.args.get(name.encode(), [])
    if len(values) > 1:
        raise ApiError(400, "invalid", f"{name} is given {len(values)} times", name)
    return values[0].decode("utf-8", "replace") if values else None


def int_param(request: IRequest, name: str, maximum: int, minimum: int = 1) -> int | None:
    """A whole number of the query. Raises ApiError 400."""
    text = query_param(request, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and minimum <= int(text) <= maximum):
        raise ApiError(400, "invalid", f"{name} must be a whole number from {minimum} to {maximum}", name)
    return int(text)


def enum_param(request: IRequest, name: str, choices: Sequence[_Choice]) -> _Choice | None:
    """One of these words, of the query. Raises ApiError 400."""
    text = query_param(request, name)
    for choice in choices:
        if text == choice:
            return choice
    if text is not None:
        right = " or ".join(f'"{choice}"' for choice in choices)
        raise ApiError(400, "invalid", f"{name} must be {right}", name)
    return None


def require_json(request: IRequest) -> None:
    """Raise ApiError 415 unless the body, if there is one, says that it is JSON."""
    type = (request.getHeader(b"content-type") or b"").partition(b";")[0].strip().lower()
    if type != b"application/json" and _read_body(request):
        raise ApiError(415, "unsupported_type", "the body must be JSON, with content-type application/json")


def parse_json_object(request: IRequest) -> dict[str, Any]:
    """The object that the body is. Raises ApiError 415 or 400."""
    require_json(request)
    try:
        value = json.loads(_read_body(request), parse_constant=_reject_json_constant)
    except ValueError as problem:
        raise ApiError(400, "invalid", f"the body is not JSON: {problem}") from None
    except RecursionError:
        raise ApiError(400, "invalid", "the body is nested too deeply") from None
    if not isinstance(value, dict):
        raise ApiError(400, "invalid", "the body must be a JSON object")
    return value


def _read_body(request: IRequest) -> bytes:
    request.content.seek(0)
    body: bytes = request.content.read()
    return body


def _reject_json_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
