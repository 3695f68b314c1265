"""Requests as they are before anybody knows what they ask: bounded, local, in UTF-8."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.web.server import Request

from pmslink.web.auth.caller import Caller
from pmslink.web.auth.listen_policy import reject_cross_site, require_same_origin
from pmslink.web.http.json_responses import ApiError, make_error_response

MAX_BODY_BYTES = 256 * 1024
"""Bytes of a body that are taken."""

MAX_DISCARDED_BODY_BYTES = 16 * 1024 * 1024
"""Bytes of a body that are read, and thrown away, so that its sender hears of the limit."""


class BoundedRequest(Request):
    """Refuses what comes too long or from a foreign web page, before any route is looked for."""

    caller: Caller
    """Who sends it; known once the door has let it in."""

    _received_bytes = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(None if length is None else min(length, MAX_BODY_BYTES))  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes <= MAX_BODY_BYTES:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]
        elif self._received_bytes > MAX_DISCARDED_BODY_BYTES:
            self.channel.forceAbortClient()

    def getRequestHostname(self) -> bytes:
        """The same for all, so that the Host header has no say in which route is taken."""
        return b"localhost"

    def process(self) -> None:
        try:
            self._require_acceptable()
        except ApiError:
            self.write(make_error_response(self, Failure()))  # type: ignore[no-untyped-call]
            self.finish()  # type: ignore[no-untyped-call]
        else:
            super().process()  # type: ignore[no-untyped-call]

    def processingFailed(self, reason: Failure) -> Failure:
        self.write(make_error_response(self, reason))  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]
        return reason

    def _require_acceptable(self) -> None:
        here: IAddress = self.getHost()  # type: ignore[no-untyped-call]
        hosts, origins = self._header_values(b"host"), self._header_values(b"origin")
        local: bool = self.channel.site.local_only  # type: ignore[attr-defined]
        require_same_origin(here, self.isSecure(), hosts, origins, local)  # type: ignore[no-untyped-call]
        if self.path.startswith(
            (b"/api/", b"/metrics")
        ):  # what a link on another page may lead to is the page
            reject_cross_site(self._header_values(b"sec-fetch-site"))
        if self._received_bytes > MAX_BODY_BYTES:
            raise ApiError(413, "too_long", f"a body may have {MAX_BODY_BYTES} bytes")
        try:
            unquote_to_bytes(self.path).decode("utf-8")
        except UnicodeDecodeError:
            raise ApiError(400, "invalid", "the path is not UTF-8") from None

    def _header_values(self, name: bytes) -> list[Any]:
        return list(self.requestHeaders.getRawHeaders(name, []))
