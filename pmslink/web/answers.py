"""Answers in JSON, errors among them, and what a request asks with its query and body."""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException

from pmslink.link.link import NotApplicable

MOST = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps exactly."""

_log = Logger()


@frozen
class ApiError(Exception):
    """An answer that is an error; `field` names the part of the request that is wrong."""

    status: int
    code: str
    message: str
    field: str | None = None


def answer(request: IRequest, value: Any, status: int = 200, type: bytes = b"application/json") -> bytes:
    """The body of an answer: bytes as they are, anything else as JSON."""
    body = value if isinstance(value, bytes) else written(value) + b"\n"
    begin_answer(request, status, type)
    request.setHeader(b"content-length", b"%d" % len(body))
    return body


def begin_answer(request: IRequest, status: int, type: bytes) -> None:
    """What stands above the body of every answer."""
    request.setResponseCode(status)
    request.setHeader(b"content-type", type)
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"x-content-type-options", b"nosniff")


def written(value: Any) -> bytes:
    """JSON on one line. What JSON can carry and UTF-8 cannot, half a surrogate pair, becomes "?"."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def answer_failure(request: IRequest, failure: Failure) -> bytes:
    """The answer to a call that failed; what nobody foresaw is logged, and told without detail."""
    problem = failure.value
    match problem:
        case ApiError():
            error = problem
        case NotApplicable():
            error = ApiError(409, problem.code, str(problem))
        case HTTPException():
            # not get_headers(), which lacks what the exception itself adds
            for name, value in problem.get_response({}).headers:
                if name.lower() == "allow":
                    request.setHeader(b"allow", value.encode())
            code = problem.name.lower().replace(" ", "_")
            error = ApiError(problem.code or 500, code, problem.description or problem.name)
        case _:
            _log.failure("{method} {path} failed", failure, method=request.method, path=request.path)
            error = ApiError(500, "internal", "something went wrong here; the log says more")
    told = {"code": error.code, "message": error.message}
    if error.field is not None:
        told["field"] = error.field
    return answer(request, {"error": told}, error.status)


def asked(request: IRequest, name: str) -> str | None:
    """A parameter of the query, or None. Raises ApiError 400 for one that is given twice."""
    values = request.args.get(name.encode(), [])
    if len(values) > 1:
        raise ApiError(400, "invalid", f"{name} is given {len(values)} times", name)
    return values[0].decode("utf-8", "replace") if values else None


def asked_number(request: IRequest, name: str, most: int) -> int | None:
    """A whole number of the query, from 1 on. Raises ApiError 400."""
    text = asked(request, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and 1 <= int(text) <= most):
        raise ApiError(400, "invalid", f"{name} must be a whole number from 1 to {most}", name)
    return int(text)


def require_json(request: IRequest) -> None:
    """Raise ApiError 415 unless the body, if there is one, says that it is JSON."""
    type = (request.getHeader(b"content-type") or b"").partition(b";")[0].strip().lower()
    if type != b"application/json" and _body(request):
        raise ApiError(415, "unsupported_type", "the body must be JSON, with content-type application/json")


def json_object(request: IRequest) -> dict[str, Any]:
    """The object that the body is. Raises ApiError 415 or 400."""
    require_json(request)
    try:
        value = json.loads(_body(request), parse_constant=_no_number)
    except ValueError as problem:
        raise ApiError(400, "invalid", f"the body is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise ApiError(400, "invalid", "the body must be a JSON object")
    return value


def _body(request: IRequest) -> bytes:
    request.content.seek(0)
    body: bytes = request.content.read()
    return body


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
