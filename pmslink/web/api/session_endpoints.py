"""Endpoints of sessions: sign in with a token, read the own session, and sign out."""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.errors import NotApplicableError
from pmslink.timestamps import format_timestamp
from pmslink.web.api.audit_trail import AuditTrail
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
    """Endpoints of sessions. They are public, and authenticate by themselves."""

    def __init__(self, access_control: AccessControl, audit_trail: AuditTrail) -> None:
        self._access_control = access_control
        self._audit_trail = audit_trail

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "POST", _SESSION_PATH, self.sign_in
        yield "GET", _SESSION_PATH, self.get_session
        yield "DELETE", _SESSION_PATH, self.sign_out

    def sign_in(self, request: ApiRequest) -> bytes:
        """Begin a session with the token in the body, and set its cookie."""
        token_text, name = _parse_credentials(request)
        if not self._access_control.tokens.is_required:
            raise NotApplicableError("no_tokens", "no tokens are configured, so signing in is not possible")
        session_id, session = self._access_control.sign_in(request, token_text, name)
        request.caller = Caller(session.token, session)
        self._audit_trail.store(request)
        set_session_cookie(request, session_id, SESSION_LIFETIME_S)
        return self._session_response(request, request.caller)

    def get_session(self, request: ApiRequest) -> bytes:
        """Return the caller's name, role and session."""
        return self._session_response(request, self._access_control.authenticate(request))

    def sign_out(self, request: ApiRequest) -> bytes:
        """End the session, if there is one, and delete its cookie."""
        session = self._access_control.find_session(request)
        if session is not None:
            require_csrf(request, session)
            request.caller = Caller(session.token, session)
            self._access_control.sign_out(session)
            self._audit_trail.store(request)
        set_session_cookie(request, "", 0)
        return make_response(request, {"signed_out": True})

    def _session_response(self, request: ApiRequest, caller: Caller) -> bytes:
        session = caller.session
        return make_response(
            request,
            {
                "name": caller.name,
                "role": caller.role,
                "permissions": sorted(caller.permissions),
                "expires": None if session is None else format_timestamp(session.expires_at),
                "csrf": None if session is None else session.csrf_token,
                "tokens": caller.token is not None,
            },
        )


def _parse_credentials(request: ApiRequest) -> tuple[str, str | None]:
    """Return the token in the body, and its name if there is one. Raises ApiError 400 or 415."""
    body = parse_json_object(request)
    for key in body:
        if key not in ("token", "name"):
            raise ApiError(400, "invalid", f"unknown key {key!r}; the keys are token and name", key)
    token_text, name = body.get("token"), body.get("name")
    if not isinstance(token_text, str):
        raise ApiError(400, "invalid", "token must be a string", "token")
    if not (name is None or isinstance(name, str)):
        raise ApiError(400, "invalid", "name must be the name of the token", "name")
    return token_text, name
