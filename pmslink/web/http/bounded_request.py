"""Requests with a bounded body and a UTF-8 path that no foreign page has caused; failures are in JSON."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.web.server import Request

from pmslink.web.http.api_errors import ApiError, make_error_response
from pmslink.web.http.origin_check import require_same_origin

MAX_BODY_BYTES = 256 * 1024
"""Bytes of a body; a longer one is rejected."""

MAX_DISCARDED_BODY_BYTES = 16 * 1024 * 1024
"""Bytes of a longer body that are read and discarded, so that the client receives the error response."""


class BoundedRequest(Request):
    """Reject a request that is malformed or too long before it is routed."""

    _received_bytes = 0

    def gotLength(self, length: int | None) -> None:
        """Prepare for a body, in memory.

        Twisted keeps long bodies in temporary files, so that clients could use up the file descriptors.
        """
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Store a part of the body, or discard it above the limit."""
        self._received_bytes += len(data)
        if self._received_bytes <= MAX_BODY_BYTES:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]
        elif self._received_bytes > MAX_DISCARDED_BODY_BYTES:
            self.channel.forceAbortClient()

    def getRequestHostname(self) -> bytes:
        """Return the same name for all requests, so that the Host header does not affect routing."""
        return b"localhost"

    def process(self) -> None:
        """Route the request, or answer with the error of `require_acceptable`."""
        try:
            self.require_acceptable()
        except ApiError:
            self._write_error(Failure())
        else:
            super().process()  # type: ignore[no-untyped-call]

    def processingFailed(self, reason: Failure) -> Failure:
        """Answer with an error where routing itself failed."""
        self._write_error(reason)
        return reason

    def require_acceptable(self) -> None:
        """Raise ApiError for a request that must not be routed.

        403 for its origin, 413 for its body, 400 for its path.
        """
        local_address: IAddress = self.getHost()  # type: ignore[no-untyped-call]
        is_tls: bool = self.isSecure()  # type: ignore[no-untyped-call]
        hosts, origins = self.header_values(b"host"), self.header_values(b"origin")
        local_only: bool = self.channel.site.local_only  # type: ignore[attr-defined]
        require_same_origin(local_address, is_tls, hosts, origins, local_only)
        if self._received_bytes > MAX_BODY_BYTES:
            raise ApiError(413, "too_long", f"the body must have at most {MAX_BODY_BYTES} bytes")
        try:
            unquote_to_bytes(self.path).decode("utf-8")
        except UnicodeDecodeError:
            raise ApiError(400, "invalid", "the path is not UTF-8") from None

    def header_values(self, name: bytes) -> list[Any]:
        """Return the values of all headers of this name."""
        return list(self.requestHeaders.getRawHeaders(name, []))

    def _write_error(self, failure: Failure) -> None:
        self.write(make_error_response(self, failure))  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]
