"""Protection of sessions against cross-site request forgery (CSRF).

A browser sends the session cookie with requests of any page. The X-CSRF-Token header repeats a secret of the
session, which only pmslink's own page can read.
"""

from __future__ import annotations

import hmac

from twisted.web.http import Request

from pmslink.web.auth.login_sessions import Session
from pmslink.web.http.api_errors import ApiError

CSRF_HEADER_NAME = "X-CSRF-Token"
"""The header in which the page repeats the CSRF token of its session."""


def csrf_header(request: Request) -> str:
    """Return the CSRF token that the request carries; "" unless it carries exactly one."""
    values = request.requestHeaders.getRawHeaders(CSRF_HEADER_NAME.encode(), [])
    return values[0].decode("latin-1") if len(values) == 1 else ""


def require_csrf(request: Request, session: Session) -> None:
    """Raise ApiError 403 unless the request carries the CSRF token of this session."""
    if not hmac.compare_digest(csrf_header(request).encode(), session.csrf_token.encode()):
        raise ApiError(403, "csrf", f"{CSRF_HEADER_NAME} must be the csrf token of the session")
