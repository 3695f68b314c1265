"""Calls by which a page signs in and out, and learns who it is."""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.errors import NotApplicable
from pmslink.timestamps import timestamp
from pmslink.web.auth.access_control import Door, require_csrf
from pmslink.web.auth.caller import Caller
from pmslink.web.auth.credentials import set_cookie
from pmslink.web.auth.login_sessions import LASTS
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import ApiError, answer, json_object
from pmslink.web.http.routing import Route

_PATH = "/api/v1/session"


class SessionCalls:
    """Open to anybody: who has no token yet has to show it here."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> Iterator[Route]:
        yield "POST", _PATH, self.sign_in
        yield "GET", _PATH, self.who
        yield "DELETE", _PATH, self.sign_out

    def sign_in(self, request: BoundedRequest) -> bytes:
        token = _token(request)
        if not self._door.tokens.needed:
            raise NotApplicable("no_tokens", "there are no tokens, so there is nothing to sign in with")
        id, session = self._door.sign_in(request, token)
        request.caller = Caller(session.token, session)
        set_cookie(request, id, LASTS)
        return self._told(request, request.caller)

    def who(self, request: BoundedRequest) -> bytes:
        return self._told(request, self._door.caller(request))

    def sign_out(self, request: BoundedRequest) -> bytes:
        session = self._door.session(request)
        if session is not None:
            require_csrf(request, session)
            request.caller = Caller(session.token, session)
            self._door.sign_out(session)
        set_cookie(request, "", 0)
        return answer(request, {"signed_out": True})

    def _told(self, request: BoundedRequest, caller: Caller) -> bytes:
        session = caller.session
        return answer(
            request,
            {
                "name": caller.name,
                "role": caller.role,
                "expires": None if session is None else timestamp(session.expires),
                "csrf": None if session is None else session.csrf,
                "tokens": caller.token is not None,
            },
        )


def _token(request: BoundedRequest) -> str:
    """What the body shows. Raises ApiError 400 or 415."""
    body = json_object(request)
    for name in body:
        if name != "token":
            raise ApiError(400, "invalid", f"there is no {name!r} in signing in; there is token", name)
    token = body.get("token")
    if not isinstance(token, str):
        raise ApiError(400, "invalid", "token must be the text of a token", "token")
    return token
