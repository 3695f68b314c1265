"""The door: who comes in, and on what terms.

As soon as there is one token, every call needs one, on this machine too: a proxy in front would make
strangers look like neighbours. Without tokens, the interface is open where only this machine reaches it;
but not if there were some since the start.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from twisted.logger import Logger
from twisted.web.server import Request

from pmslink.web.auth.caller import Caller
from pmslink.web.auth.credentials import shown_csrf, shown_session, shown_token, unauthorized
from pmslink.web.auth.failed_login_limit import Attempts, place_of
from pmslink.web.auth.login_sessions import Session, Sessions
from pmslink.web.auth.permissions import Role, who_may
from pmslink.web.auth.token_reload import LiveTokens
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import ApiError


class Door:
    """Knows each caller by a token, or by a session that began with one."""

    log = Logger()

    def __init__(self, tokens: LiveTokens, sessions: Sessions, attempts: Attempts, local: bool) -> None:
        """`local`: only this machine reaches the interface."""
        self.tokens = tokens
        self.sessions = sessions
        self._attempts = attempts
        self._local = local
        self.on_leaving: list[Callable[[], None]] = []
        """Called when some who came in may have to leave."""
        tokens.changed.append(self._tokens_changed)

    def guarded(self, method: str, path: str, answers: Callable[..., Any]) -> Callable[..., Any]:
        """What answers a call, for those whom the call is for. Raises LookupError for an unknown call."""
        whom = who_may(method, path)
        if whom is None:
            return answers

        @wraps(answers)
        def let_in(request: BoundedRequest, **parts: str) -> Any:
            request.caller = self.caller(request)
            require_role(request.caller, whom)
            return answers(request, **parts)

        return let_in

    def caller(self, request: Request) -> Caller:
        """Who sends a request. Raises ApiError 401, 403 or 429."""
        if not self.tokens.needed:
            return self._neighbour()
        token = shown_token(request)
        if token is not None:
            return self._holder(request, token)
        session = self.session(request)
        if session is None:
            raise unauthorized("this needs a token, or to be signed in")
        if request.method not in (b"GET", b"HEAD"):
            require_csrf(request, session)
        return Caller(session.token, session)

    def session(self, request: Request) -> Session | None:
        """The session that a request belongs to, if that goes on."""
        id = shown_session(request)
        session = None if id is None else self.sessions.find(id)
        return session if session is not None and session.token in self.tokens else None

    def _neighbour(self) -> Caller:
        if not self._local:
            raise unauthorized("nobody may call: there are no tokens, and other machines reach this address")
        return Caller()

    def _holder(self, request: Request, shown: str) -> Caller:
        """Whoever has a right token comes in, however many wrong ones came from the same place."""
        token = self.tokens.find(shown)
        return self._refuse(request) if token is None else Caller(token)

    # Signing in and out.

    def sign_in(self, request: Request, shown: str) -> tuple[str, Session]:
        """A session for who has this token, and what names it. Raises ApiError 401 or 429."""
        token = self.tokens.find(shown)
        return self._refuse(request) if token is None else self.sessions.begin(token)

    def sign_out(self, session: Session) -> None:
        """End a session, and what goes on under it."""
        self.sessions.end(session)
        self._leave()

    # Staying.

    def admits(self, caller: Caller) -> bool:
        """Whether one who came in may stay."""
        if caller.token is None:
            return self._local and not self.tokens.needed
        return caller.token in self.tokens and (caller.session is None or caller.session in self.sessions)

    def require_admitted(self, caller: Caller) -> None:
        """Raise ApiError 401 for one who may not stay."""
        if not self.admits(caller):
            raise unauthorized("the token, or the session, has ended meanwhile")

    def _tokens_changed(self) -> None:
        self.sessions.keep(lambda session: session.token in self.tokens)
        self._leave()

    def _leave(self) -> None:
        for called in self.on_leaving:
            called()

    # Wrong tokens.

    def _refuse(self, request: Request) -> NoReturn:
        self._require_patience(request)
        peer = request.getClientAddress()
        self._attempts.failed(place_of(peer))
        self.log.warn("{peer}: a wrong token", peer=peer)
        raise unauthorized("there is no such token")

    def _require_patience(self, request: Request) -> None:
        """Raise ApiError 429 where too many wrong tokens came from."""
        wait = math.ceil(self._attempts.wait(place_of(request.getClientAddress())))
        if wait:
            message = f"too many wrong tokens came from this address; wait {wait} s"
            raise ApiError(429, "too_many_attempts", message, headers=((b"retry-after", b"%d" % wait),))


def require_csrf(request: Request, session: Session) -> None:
    """Raise ApiError 403 unless the page of this session sends the request."""
    if not hmac.compare_digest(shown_csrf(request).encode(), session.csrf.encode()):
        raise ApiError(403, "csrf", "X-CSRF-Token must be the csrf that the session was begun with")


def require_role(caller: Caller, whom: frozenset[Role]) -> None:
    """Raise ApiError 403 unless the call is for this one."""
    if caller.role not in whom:
        right = " or ".join(sorted(whom))
        has = f"the token {caller.name} has the role {caller.role}"
        raise ApiError(403, "forbidden", f"this needs the role {right}; {has}")
