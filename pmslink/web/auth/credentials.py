"""What a request shows of who sends it: a token, or the cookie of a session."""

from __future__ import annotations

from twisted.web.http import Request

from pmslink.web.http.json_responses import ApiError

SESSION_COOKIE_NAME = b"pmslink_session"
CSRF_HEADER_NAME = "X-CSRF-Token"
"""The header in which a page repeats what no page of another site can know."""


def unauthorized_error(message: str) -> ApiError:
    """The refusal of a request that does not show whose it is."""
    return ApiError(401, "unauthorized", message, headers=((b"www-authenticate", b"Bearer"),))


def bearer_token(request: Request) -> str | None:
    """The token in the Authorization header. Raises ApiError 401 for a header without one.

    Another scheme is for a proxy, which lets browsers send it with every call, if a session is shown too.
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
    raise unauthorized_error('the Authorization header must be "Bearer", a blank, and a token')


def session_cookie(request: Request) -> str | None:
    """What names a session, in its cookie."""
    id: bytes | None = request.getCookie(SESSION_COOKIE_NAME)
    return id.decode("latin-1") if id else None


def csrf_token(request: Request) -> str:
    """What a page repeats of its session."""
    values = request.requestHeaders.getRawHeaders(CSRF_HEADER_NAME.encode(), [])
    return values[0].decode("latin-1") if len(values) == 1 else ""


def set_session_cookie(request: Request, session_id: str, max_age_s: int) -> None:
    """Have the browser show this session from now on, to this site alone; for 0 seconds: no more."""
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
    """Also where TLS ends at a proxy: the browser names the scheme of the page."""
    origin: str = request.getHeader("origin") or ""
    return bool(request.isSecure()) or origin.lower().startswith("https://")
