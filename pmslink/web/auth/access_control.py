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
from pmslink.web.auth.credentials import bearer_token, csrf_token, session_cookie, unauthorized_error
from pmslink.web.auth.failed_login_limit import FailedLoginLimiter, client_network
from pmslink.web.auth.login_sessions import Session, Sessions
from pmslink.web.auth.permissions import Role, find_allowed_roles
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import ApiError


class AccessControl:
    """Knows each caller by a token, or by a session that began with one."""

    log = Logger()

    def __init__(
        self, tokens: TokenRegistry, sessions: Sessions, login_limiter: FailedLoginLimiter, local_only: bool
    ) -> None:
        """`local`: only this machine reaches the interface."""
        self.tokens = tokens
        self.sessions = sessions
        self._login_limiter = login_limiter
        self._local_only = local_only
        self.on_revocation: list[Callable[[], None]] = []
        """Called when some who came in may have to leave."""
        tokens.on_change.append(self._on_tokens_changed)

    def authorize(self, method: str, path: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        """What answers a call, for those whom the call is for. Raises LookupError for an unknown call."""
        whom = find_allowed_roles(method, path)
        if whom is None:
            return handler

        @wraps(handler)
        def let_in(request: BoundedRequest, **parts: str) -> Any:
            request.caller = self.authenticate(request)
            require_role(request.caller, whom)
            return handler(request, **parts)

        return let_in

    def authenticate(self, request: Request) -> Caller:
        """Who sends a request. Raises ApiError 401, 403 or 429."""
        if not self.tokens.is_required:
            return self._local_caller()
        token = bearer_token(request)
        if token is not None:
            return self._authenticate_token(request, token)
        session = self.find_session(request)
        if session is None:
            raise unauthorized_error("this needs a token, or to be signed in")
        if request.method not in (b"GET", b"HEAD"):
            require_csrf(request, session)
        return Caller(session.token, session)

    def find_session(self, request: Request) -> Session | None:
        """The session that a request belongs to, if that goes on."""
        id = session_cookie(request)
        session = None if id is None else self.sessions.find(id)
        return session if session is not None and session.token in self.tokens else None

    def _local_caller(self) -> Caller:
        if not self._local_only:
            raise unauthorized_error(
                "nobody may call: there are no tokens, and other machines reach this address"
            )
        return Caller()

    def _authenticate_token(self, request: Request, token_text: str) -> Caller:
        """Whoever has a right token comes in, however many wrong ones came from the same place."""
        token = self.tokens.find(token_text)
        return self._reject_token(request) if token is None else Caller(token)

    # Signing in and out.

    def sign_in(self, request: Request, token_text: str) -> tuple[str, Session]:
        """A session for who has this token, and what names it. Raises ApiError 401 or 429."""
        token = self.tokens.find(token_text)
        return self._reject_token(request) if token is None else self.sessions.begin(token)

    def sign_out(self, session: Session) -> None:
        """End a session, and what goes on under it."""
        self.sessions.end(session)
        self._notify_revocation()

    # Staying.

    def is_still_authorized(self, caller: Caller) -> bool:
        """Whether one who came in may stay."""
        if caller.token is None:
            return self._local_only and not self.tokens.is_required
        return caller.token in self.tokens and (caller.session is None or caller.session in self.sessions)

    def require_still_authorized(self, caller: Caller) -> None:
        """Raise ApiError 401 for one who may not stay."""
        if not self.is_still_authorized(caller):
            raise unauthorized_error("the token, or the session, has ended meanwhile")

    def _on_tokens_changed(self) -> None:
        self.sessions.retain(lambda session: session.token in self.tokens)
        self._notify_revocation()

    def _notify_revocation(self) -> None:
        for called in self.on_revocation:
            called()

    # Wrong tokens.

    def _reject_token(self, request: Request) -> NoReturn:
        self._require_below_rate_limit(request)
        peer = request.getClientAddress()
        self._login_limiter.record_failure(client_network(peer))
        self.log.warn("{peer}: a wrong token", peer=peer)
        raise unauthorized_error("there is no such token")

    def _require_below_rate_limit(self, request: Request) -> None:
        """Raise ApiError 429 where too many wrong tokens came from."""
        wait = math.ceil(self._login_limiter.retry_after_s(client_network(request.getClientAddress())))
        if wait:
            message = f"too many wrong tokens came from this address; wait {wait} s"
            raise ApiError(429, "too_many_attempts", message, headers=((b"retry-after", b"%d" % wait),))


def require_csrf(request: Request, session: Session) -> None:
    """Raise ApiError 403 unless the page of this session sends the request."""
    if not hmac.compare_digest(csrf_token(request).encode(), session.csrf_token.encode()):
        raise ApiError(403, "csrf", "X-CSRF-Token must be the csrf that the session was begun with")


def require_role(caller: Caller, allowed_roles: frozenset[Role]) -> None:
    """Raise ApiError 403 unless the call is for this one."""
    if caller.role not in allowed_roles:
        right = " or ".join(sorted(allowed_roles))
        has = f"the token {caller.name} has the role {caller.role}"
        raise ApiError(403, "forbidden", f"this needs the role {right}; {has}")
