"""Calls by which a page signs in and out, and learns who it is."""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.errors import NotApplicableError
from pmslink.timestamps import format_timestamp
from pmslink.web.auth.access_control import AccessControl
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.auth.caller import Caller
from pmslink.web.auth.credentials import set_session_cookie
from pmslink.web.auth.csrf import require_csrf
from pmslink.web.auth.login_sessions import SESSION_LIFETIME_S
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_requests import parse_json_object
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.routing import Route

_SESSION_PATH = "/api/v1/session"


class SessionResource:
    """Open to anybody: who has no token yet has to show it here."""

    def __init__(self, access_control: AccessControl) -> None:
        self._access_control = access_control

    def routes(self) -> Iterator[Route]:
        yield "POST", _SESSION_PATH, self.sign_in
        yield "GET", _SESSION_PATH, self.get_session
        yield "DELETE", _SESSION_PATH, self.sign_out

    def sign_in(self, request: ApiRequest) -> bytes:
        token = _parse_token(request)
        if not self._access_control.tokens.is_required:
            raise NotApplicableError("no_tokens", "there are no tokens, so there is nothing to sign in with")
        id, session = self._access_control.sign_in(request, token)
        request.caller = Caller(session.token, session)
        set_session_cookie(request, id, SESSION_LIFETIME_S)
        return self._session_response(request, request.caller)

    def get_session(self, request: ApiRequest) -> bytes:
        return self._session_response(request, self._access_control.authenticate(request))

    def sign_out(self, request: ApiRequest) -> bytes:
        session = self._access_control.find_session(request)
        if session is not None:
            require_csrf(request, session)
            request.caller = Caller(session.token, session)
            self._access_control.sign_out(session)
        set_session_cookie(request, "", 0)
        return make_response(request, {"signed_out": True})

    def _session_response(self, request: ApiRequest, caller: Caller) -> bytes:
        session = caller.session
        return make_response(
            request,
            {
                "name": caller.name,
                "role": caller.role,
                "expires": None if session is None else format_timestamp(session.expires_at),
                "csrf": None if session is None else session.csrf_token,
                "tokens": caller.token is not None,
            },
        )


def _parse_token(request: ApiRequest) -> str:
    """What the body shows. Raises ApiError 400 or 415."""
    body = parse_json_object(request)
    for name in body:
        if name != "token":
            raise ApiError(400, "invalid", f"there is no {name!r} in signing in; there is token", name)
    token = body.get("token")
    if not isinstance(token, str):
        raise ApiError(400, "invalid", "token must be the text of a token", "token")
    return token
