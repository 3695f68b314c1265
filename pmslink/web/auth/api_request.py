"""Requests to the API: checked for their origin, and with the caller once it is authenticated."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress

from pmslink.web.auth.caller import Caller
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.origin_check import reject_cross_site, require_same_origin

_SAME_SITE_PATHS = (b"/api/", b"/metrics")
"""Paths that pages of other sites may not request. Other sites may link to the page itself."""


class ApiRequest(BoundedRequest):
    """A bounded request that no page of another site has caused."""

    caller: Caller
    """The authenticated caller; AccessControl sets it before it calls the handler."""

    def require_acceptable(self) -> None:
        """Raise ApiError 403 for a foreign origin, 413 for the body, 400 for the path."""
        local_address: IAddress = self.getHost()  # type: ignore[no-untyped-call]
        is_tls: bool = self.isSecure()  # type: ignore[no-untyped-call]
        hosts, origins = self._header_values(b"host"), self._header_values(b"origin")
        local_only: bool = self.channel.site.local_only  # type: ignore[attr-defined]
        require_same_origin(local_address, is_tls, hosts, origins, local_only)
        if self.path.startswith(_SAME_SITE_PATHS):
            reject_cross_site(self._header_values(b"sec-fetch-site"))
        super().require_acceptable()

    def _header_values(self, name: bytes) -> list[Any]:
        return list(self.requestHeaders.getRawHeaders(name, []))
