"""JSON over HTTP: errors as objects, bodies of a bounded size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request, Site
from werkzeug.exceptions import HTTPException

MAX_BODY_BYTES = 256 * 1024
"""Bytes of a request's body that are taken."""

_log = Logger()


@frozen
class ApiError(Exception):
    """An answer that is an error; ``field`` names the part of the request that is wrong."""

    status: int
    code: str
    message: str
    field: str | None = None


class BoundedRequest(Request):
    """A request that keeps no more of its body than may be used; the rest is read and thrown away."""

    too_long = False
    _received_bytes = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(None if length is None else min(length, MAX_BODY_BYTES))  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:
        self._received_bytes += len(data)
        self.too_long = self._received_bytes > MAX_BODY_BYTES
        if not self.too_long:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]


def json_site(app: Klein) -> Site:
    """A site for an application, with bounded requests."""
    return Site(app.resource(), requestFactory=BoundedRequest)


def json_response(request: IRequest, value: Any, status: int = 200) -> bytes:
    """The body of an answer."""
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"application/json")
    return json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"


def parse_body(request: BoundedRequest) -> dict[str, Any]:
    """The JSON object that the request carries. Raises ApiError 413 or 400."""
    if request.too_long:
        raise ApiError(413, "too_long", f"a body may have {MAX_BODY_BYTES} bytes")
    try:
        value = json.load(request.content)  # type: ignore[arg-type]
    except (ValueError, RecursionError) as problem:
        raise ApiError(400, "bad_json", f"the body is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise ApiError(400, "bad_json", "the body should be a JSON object")
    return value


def parse_value(parsers: Mapping[str, Callable[[Any], Any]], name: str, value: Any) -> Any:
    """A value of the body, read as its key wants it. Raises ApiError 400 that names the key."""
    if name not in parsers:
        raise ApiError(400, "unknown_key", f"no such key; there are {', '.join(parsers)}", name)
    try:
        return parsers[name](value)
    except ValueError as problem:
        raise ApiError(400, "bad_value", f"{value!r} should be {problem}", name) from None


def query_param(request: IRequest, name: str) -> str:
    """What the query says under this name; empty if it says nothing."""
    given: bytes = request.args.get(name.encode(), [b""])[0]
    return given.decode("ascii", "replace")


def int_param(request: IRequest, name: str, default: int, maximum: int) -> int:
    """A whole number from the query. Raises ApiError 400."""
    digits = query_param(request, name)
    if not digits:
        return default
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16 and int(digits) <= maximum):
        raise ApiError(400, "bad_value", f"{digits!r} should be a whole number from 0 to {maximum}", name)
    return int(digits)


def error_response(request: IRequest, failure: Failure) -> bytes:
    """The answer to a call that failed; a failure that nobody foresaw is logged, and told without detail."""
    problem = failure.value
    match problem:
        case ApiError():
            error = problem
        case HTTPException():
            for name, value in problem.get_response({}).headers:
                if name.lower() in ("allow", "location"):
                    request.setHeader(name.encode(), value.encode())
            code = problem.name.lower().replace(" ", "_")
            error = ApiError(problem.code or 500, code, problem.description or problem.name)
        case _:
            _log.failure("control interface", failure)
            error = ApiError(500, "internal", "something went wrong; the log says more")
    told = {"code": error.code, "message": error.message, "field": error.field}
    shown = {key: value for key, value in told.items() if value is not None}
    return json_response(request, {"error": shown}, error.status)
