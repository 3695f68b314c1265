"""JSON bodies of requests."""

from __future__ import annotations

import json
from typing import Any

from twisted.web.iweb import IRequest

from pmslink.validation.json_body import parse_body
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_bounds import require_bounded


def require_json(request: IRequest) -> None:
    """Raise ApiError 415 if the request has a body whose content type is not JSON."""
    content_type = (request.getHeader(b"content-type") or b"").partition(b";")[0].strip().lower()
    if content_type != b"application/json" and _read_body(request):
        raise ApiError(415, "unsupported_type", "the body must be JSON, with content-type application/json")


def require_no_keys(request: IRequest) -> None:
    """Raise ApiError 415 or 400 for a body with keys: the call takes none. An empty body is accepted."""
    if _read_body(request):
        parse_body({}, parse_json_object(request), "the body of this call")


def parse_json_object(request: IRequest) -> dict[str, Any]:
    """Return the JSON object in the body. Raises ApiError 415 or 400."""
    require_json(request)
    return parse_body_object(request)


def parse_body_object(request: IRequest, error_code: str = "invalid") -> dict[str, Any]:
    """Return the JSON object in the body, whatever its content type.

    Its values are within `json_bounds`. Raises ApiError 400 of this code.
    """
    try:
        body = _read_body(request)
        value = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except ValueError as problem:
        raise ApiError(400, error_code, f"the body is not JSON: {problem}") from None
    except RecursionError:
        raise ApiError(400, error_code, "the body is nested too deeply") from None
    if not isinstance(value, dict):
        raise ApiError(400, error_code, "the body must be a JSON object")
    require_bounded(value, error_code)
    return value


def _read_body(request: IRequest) -> bytes:
    request.content.seek(0)
    body: bytes = request.content.read()
    return body


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


# "json.loads" with an argument makes a new decoder each time
_DECODER = json.JSONDecoder(parse_constant=_reject_constant)
