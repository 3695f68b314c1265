"""Responses of a JSON API: the body, the status and the headers that every response carries."""

from __future__ import annotations

import json
from typing import Any

from twisted.web.iweb import IRequest

from pmslink.web.http.compression import (
    MAX_COMPRESSED_AT_ONCE_BYTES,
    MIN_COMPRESSED_BYTES,
    ResponseBody,
    begin_body,
)

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
"""Headers of every response: browsers must not store it, frame it, or run foreign scripts in it."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def make_response(
    request: IRequest, value: Any, status: int = 200, content_type: bytes = b"application/json"
) -> bytes:
    """Return the body of a response, and set its status and headers.

    `value` is sent unchanged if it is bytes, and as JSON otherwise.
    """
    body = ResponseBody(False)
    text = value if isinstance(value, bytes) else serialize_json(value) + b"\n"
    begin_response(request, status, content_type)
    if MIN_COMPRESSED_BYTES <= len(text) <= MAX_COMPRESSED_AT_ONCE_BYTES:
        body = begin_body(request)
    body.add(text)
    return end_body(request, body)


def end_body(request: IRequest, body: ResponseBody) -> bytes:
    """Return a complete body, and set the header with its length."""
    complete = body.end()
    request.setHeader(b"content-length", b"%d" % len(complete))
    return complete


def begin_response(request: IRequest, status: int, content_type: bytes) -> None:
    """Set the status and the headers that every response carries.

    It may be called again while nothing is sent: an error takes the place of a body that cannot be made.
    """
    request.setResponseCode(status)
    request.responseHeaders.removeHeader(b"content-encoding")
    request.setHeader(b"content-type", content_type)
    for name, value in _SECURITY_HEADERS:
        request.setHeader(name, value)


def serialize_json(value: Any) -> bytes:
    """Serialize to JSON on one line, in UTF-8.

    A lone surrogate, which JSON can carry and UTF-8 cannot, becomes "?".
    """
    return _ENCODER.encode(value).encode("utf-8", "replace")
