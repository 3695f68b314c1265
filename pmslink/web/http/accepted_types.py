"""Content types that a client asks for."""

from __future__ import annotations

from twisted.web.iweb import IRequest


def accepts_type(request: IRequest, content_type: bytes) -> bool:
    """Return whether the client's Accept header names a content type; `*/*` does not name it."""
    header: bytes = b",".join(request.requestHeaders.getRawHeaders(b"accept", []))
    return any(item.partition(b";")[0].strip() == content_type for item in header.lower().split(b","))
