"""The routes that pages of other sites may not use: all but those of the page and of monitoring."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.origin_check import reject_cross_site

_SAME_SITE_ROUTES = ("/api/", "/metrics")
"""Beginnings of these routes. Other sites may link to the page itself."""


def with_same_site(path: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler that notes the route in the request, and rejects pages of other sites.

    It checks the route, because a path has many spellings: `//api/v1/stream` and `/%61pi/v1/stream` take the
    route `/api/v1/stream`.
    """
    is_same_site_only = path.startswith(_SAME_SITE_ROUTES)

    @wraps(handler)
    def checking_handler(request: ApiRequest, **variables: str) -> Any:
        request.route = path
        if is_same_site_only:
            reject_cross_site(request.header_values(b"sec-fetch-site"))
        return handler(request, **variables)

    return checking_handler
