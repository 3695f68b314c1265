"""Sessions: a browser signs in with a token once, and then sends a session cookie instead of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from pmslink.web.auth.token_file import Token, digest_token

SESSION_LIFETIME_S = 12 * 3600
"""Seconds from signing in to the end of a session, independent of its use."""
MAX_SESSIONS = 1000
"""Sessions at the same time."""
MAX_SESSIONS_PER_TOKEN = 50
"""Sessions of one token, so that its holder cannot end the sessions of others."""


@frozen(eq=False)
class Session:
    """A session that began with this token. Requests that change something must repeat `csrf_token`."""

    id_digest: bytes
    token: Token
    csrf_token: str
    expires_at: datetime
    expires_at_monotonic_s: float
    """`expires_at` on the monotonic clock, which changes of the system time do not affect."""


class Sessions:
    """All sessions, in memory, oldest first, indexed by the digest of their id."""

    def __init__(self, clock: IReactorTime, wall_clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._sessions_by_digest: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions_by_digest)

    def __contains__(self, session: Session) -> bool:
        """Return whether a session has not ended."""
        return (
            session.id_digest in self._sessions_by_digest
            and self._clock.seconds() < session.expires_at_monotonic_s
        )

    def begin(self, token: Token) -> tuple[str, Session]:
        """Begin a session; return its id and itself.

        At the limits, the oldest session of the token ends, or the oldest of all.
        """
        session_id = secrets.token_urlsafe(32)
        session = Session(
            digest_token(session_id),
            token,
            secrets.token_urlsafe(32),
            self._wall_clock() + timedelta(seconds=SESSION_LIFETIME_S),
            self._clock.seconds() + SESSION_LIFETIME_S,
        )
        self.retain(lambda session: session in self)
        own_sessions = [other for other in self._sessions_by_digest.values() if other.token == token]
        if len(own_sessions) >= MAX_SESSIONS_PER_TOKEN:
            self.end(own_sessions[0])
        elif len(self) >= MAX_SESSIONS:
            self.end(next(iter(self._sessions_by_digest.values())))
        self._sessions_by_digest[session.id_digest] = session
        return session_id, session

    def find(self, session_id: str) -> Session | None:
        """Return the session of this id, or None if it has ended."""
        session = self._sessions_by_digest.get(digest_token(session_id))
        return session if session is not None and session in self else None

    def end(self, session: Session) -> None:
        """End a session."""
        self._sessions_by_digest.pop(session.id_digest, None)

    def retain(self, predicate: Callable[[Session], bool]) -> None:
        """End all sessions for which the predicate is false."""
        self._sessions_by_digest = {
            digest: session for digest, session in self._sessions_by_digest.items() if predicate(session)
        }
