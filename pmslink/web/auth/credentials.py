"""Credentials in a request: the bearer token in its header, or the cookie of a session."""

from __future__ import annotations

from twisted.web.http import Request

from pmslink.web.http.api_errors import ApiError

SESSION_COOKIE_NAME = b"pmslink_session"


def unauthorized_error(message: str) -> ApiError:
    """Return the error for a request without valid credentials: 401, with a Bearer challenge (RFC 6750)."""
    return ApiError(401, "unauthorized", message, headers=((b"www-authenticate", b"Bearer"),))


def bearer_token(request: Request) -> str | None:
    """Return the token in the Authorization header, or None. Raises ApiError 401 for a malformed header.

    In a request with a session cookie, another scheme is ignored: a browser behind a proxy that
    authenticates by itself sends the proxy's credentials with every request.
    """
    headers = request.requestHeaders.getRawHeaders(b"authorization", [])
    if not headers:
        return None
    if len(headers) > 1:
        raise unauthorized_error("there must be one Authorization header only")
    match headers[0].split():
        case [scheme, token] if scheme.lower() == b"bearer":
            return str(token, "latin-1")
        case [scheme, *_] if scheme.lower() != b"bearer" and session_cookie(request) is not None:
            return None
    raise unauthorized_error('the Authorization header must be "Bearer", a space and a token')


def session_cookie(request: Request) -> str | None:
    """Return the session id in the cookie, or None."""
    session_id: bytes | None = request.getCookie(SESSION_COOKIE_NAME)
    return session_id.decode("latin-1") if session_id else None


def set_session_cookie(request: Request, session_id: str, max_age_s: int) -> None:
    """Set the session cookie, for this site only and out of scripts' reach; `max_age_s` 0 deletes it."""
    request.addCookie(
        SESSION_COOKIE_NAME,
        session_id,
        path="/",
        max_age=str(max_age_s),
        secure=_is_over_tls(request),
        httpOnly=True,
        sameSite="Strict",
    )


def _is_over_tls(request: Request) -> bool:
    # TLS may end at a proxy; the browser's Origin names the scheme of the page
    origin: bytes = request.getHeader(b"origin") or b""
    return bool(request.isSecure()) or origin.lower().startswith(b"https://")
