"""Access control: authentication of callers, and authorization of each route by role.

Once a token exists, every request needs one, also on this machine: behind a proxy, all requests seem to come
from this machine. Without tokens, callers on this machine may do everything, if no other machine reaches the
API. A service that had tokens since its start rejects all requests once the last token is removed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from attrs import evolve
from twisted.logger import Logger
from twisted.web.server import Request

from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.auth.caller import Caller
from pmslink.web.auth.credentials import bearer_token, session_cookie, unauthorized_error
from pmslink.web.auth.csrf import require_csrf
from pmslink.web.auth.failed_login_limit import FailedLoginLimiter
from pmslink.web.auth.login_sessions import Session, Sessions
from pmslink.web.auth.permissions import Role, find_allowed_roles
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.client_network import client_network


class AccessControl:
    """Authenticate callers by token or session, and authorize them by role."""

    log = Logger()

    def __init__(
        self, tokens: TokenRegistry, sessions: Sessions, login_limiter: FailedLoginLimiter, local_only: bool
    ) -> None:
        """`local_only` is true if only this machine reaches the API."""
        self.tokens = tokens
        self.sessions = sessions
        self._login_limiter = login_limiter
        self._local_only = local_only
        self.on_revocation: list[Callable[[], None]] = []
        """Called when callers may have lost their access; `is_still_authorized` checks each caller."""
        tokens.on_change.append(self._on_tokens_changed)

    def authorize(self, method: str, path: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return a handler that first checks that the caller's role may use this route.

        Raises LookupError for a route that the table of permissions lacks.
        """
        allowed_roles = find_allowed_roles(method, path)
        if allowed_roles is None:
            return handler

        @wraps(handler)
        def authorized_handler(request: ApiRequest, **variables: str) -> Any:
            request.caller = self.authenticate(request)
            require_role(request.caller, allowed_roles)
            return handler(request, **variables)

        return authorized_handler

    def authenticate(self, request: Request) -> Caller:
        """Return the caller of a request. Raises ApiError 401, 403 or 429."""
        if not self.tokens.is_required:
            return self._local_caller()
        token_text = bearer_token(request)
        if token_text is not None:
            return self._authenticate_token(request, token_text)
        session = self.find_session(request)
        if session is None:
            raise unauthorized_error("a token is required: send it as a bearer token, or sign in")
        if request.method not in (b"GET", b"HEAD"):
            require_csrf(request, session)
        return Caller(session.token, session)

    def find_session(self, request: Request) -> Session | None:
        """Return the session of a request; None if there is none, or it has ended."""
        session_id = session_cookie(request)
        session = None if session_id is None else self.sessions.find(session_id)
        return session if session is not None and session.token in self.tokens else None

    def _local_caller(self) -> Caller:
        if not self._local_only:
            raise unauthorized_error("no tokens are configured; access from this address is disabled")
        return Caller()

    def _authenticate_token(self, request: Request, token_text: str) -> Caller:
        # a valid token is accepted, however many invalid ones came from the same network
        token = self.tokens.find(token_text)
        return self._reject_token(request) if token is None else Caller(token)

    # Sessions

    def sign_in(self, request: Request, token_text: str, name: str | None) -> tuple[str, Session]:
        """Begin a session for the holder of a token; return its id and itself.

        If a name is given, it must be the token's. Raises ApiError 401 or 429.
        """
        token = self.tokens.find(token_text)
        if token is None or name not in (None, token.name):
            self._reject_token(request)
        return self.sessions.begin(token)

    def sign_out(self, session: Session) -> None:
        """End a session, and the streams and long polls under it."""
        self.sessions.end(session)
        self._notify_revocation()

    # Revocation

    def is_still_authorized(self, caller: Caller) -> bool:
        """Return whether a caller that was authenticated earlier still has access."""
        if caller.token is None:
            return self._local_only and not self.tokens.is_required
        return caller.token in self.tokens and (caller.session is None or caller.session in self.sessions)

    def require_still_authorized(self, caller: Caller) -> None:
        """Raise ApiError 401 unless a caller that was authenticated earlier still has access."""
        if not self.is_still_authorized(caller):
            raise unauthorized_error("the token or the session has ended during the request")

    def _on_tokens_changed(self) -> None:
        self.sessions.retain(lambda session: session.token in self.tokens)
        self._notify_revocation()

    def _notify_revocation(self) -> None:
        for callback in self.on_revocation:
            callback()

    # Invalid tokens

    def _reject_token(self, request: Request) -> NoReturn:
        self._require_below_rate_limit(request)
        peer = request.getClientAddress()
        network = client_network(peer)
        self._login_limiter.record_failure(network)
        self.log.warn("{peer}: invalid token rejected", peer=peer)
        error = unauthorized_error("the token is not valid")
        raise evolve(error, attempts_left=self._login_limiter.attempts_left(network))

    def _require_below_rate_limit(self, request: Request) -> None:
        """Raise ApiError 429 if too many invalid tokens came from the client's network."""
        wait_s = math.ceil(self._login_limiter.retry_after_s(client_network(request.getClientAddress())))
        if wait_s:
            message = f"too many invalid tokens from this address; try again in {wait_s} s"
            raise ApiError(429, "too_many_attempts", message, headers=((b"retry-after", b"%d" % wait_s),))


def require_role(caller: Caller, allowed_roles: frozenset[Role]) -> None:
    """Raise ApiError 403 unless the caller has one of these roles."""
    if caller.role not in allowed_roles:
        required = " or ".join(sorted(allowed_roles))
        message = f"the role {required} is required; the token {caller.name} has the role {caller.role}"
        raise ApiError(403, "forbidden", message)
