"""Compression of response bodies with gzip, for clients that accept it."""

from __future__ import annotations

import zlib

from twisted.web.iweb import IRequest

MIN_COMPRESSED_BYTES = 1024
"""Size of a body from which on compressing it saves time."""
MAX_COMPRESSED_AT_ONCE_BYTES = 1024 * 1024
"""Size of a body above which compressing it would hold up the reactor, some 10 milliseconds."""
_LEVEL = 1  # JSON shrinks to a tenth; higher levels take several times as long for little more
_GZIP_WINDOW_BITS = 31


def accepts_gzip(request: IRequest) -> bool:
    """Return whether the client accepts a body that is compressed with gzip."""
    header: bytes = b",".join(request.requestHeaders.getRawHeaders(b"accept-encoding", []))
    for item in header.lower().split(b","):
        coding, *parameters = (part.strip() for part in item.split(b";"))
        if coding in (b"gzip", b"x-gzip", b"*"):
            return not any(_is_zero_weight(parameter) for parameter in parameters)
    return False


def begin_body(request: IRequest) -> ResponseBody:
    """Return a body that is compressed if the client accepts it, and set the headers that say so."""
    request.setHeader(b"vary", b"accept-encoding")
    is_compressed = accepts_gzip(request)
    if is_compressed:
        request.setHeader(b"content-encoding", b"gzip")
    return ResponseBody(is_compressed)


def _is_zero_weight(parameter: bytes) -> bool:
    return parameter.startswith(b"q=") and not parameter[2:].strip(b"0.")


class ResponseBody:
    """Collect the body of a response, compressed or not."""

    def __init__(self, is_compressed: bool) -> None:
        self._compressor = zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW_BITS) if is_compressed else None
        self._parts: list[bytes] = []
        self.size = 0
        """Bytes that have been collected, and not been taken."""

    def add(self, part: bytes) -> None:
        """Add the next part."""
        collected = part if self._compressor is None else self._compressor.compress(part)
        self._parts.append(collected)
        self.size += len(collected)

    def take(self) -> bytes:
        """Return what has been collected, and forget it."""
        parts, self._parts, self.size = self._parts, [], 0
        return b"".join(parts)

    def end(self) -> bytes:
        """Return what has not been taken, with the end of the body."""
        if self._compressor is not None:
            self._parts.append(self._compressor.flush())
        return self.take()
