"""Who has signed in: sessions stand for tokens, so that a browser need not keep one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from pmslink.web.auth.token_file import Token, digest_token

SESSION_LIFETIME_S = 12 * 3600
"""Seconds from signing in to the end of a session, however it is used."""
MAX_SESSIONS = 1000
MAX_SESSIONS_PER_TOKEN = 50
"""Sessions of one token, so that its holder cannot sign the others out."""


@frozen(eq=False)
class Session:
    """One that began with this token. Calls that change something have to repeat `csrf`."""

    id_digest: bytes
    token: Token
    csrf_token: str
    expires_at: datetime
    expires_at_monotonic_s: float
    """The same on the clock that cannot be set."""


class Sessions:
    """All sessions, in memory, oldest first. Of what names one to a browser only the digest is kept."""

    def __init__(self, clock: IReactorTime, wall: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wall = wall
        self._sessions_by_digest: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions_by_digest)

    def __contains__(self, session: Session) -> bool:
        """Whether it goes on."""
        return (
            session.id_digest in self._sessions_by_digest
            and self._clock.seconds() < session.expires_at_monotonic_s
        )

    def begin(self, token: Token) -> tuple[str, Session]:
        """A new session, and what names it. Where there are too many, the token's oldest ends, or any's."""
        id = secrets.token_urlsafe(32)
        session = Session(
            digest_token(id),
            token,
            secrets.token_urlsafe(32),
            self._wall() + timedelta(seconds=SESSION_LIFETIME_S),
            self._clock.seconds() + SESSION_LIFETIME_S,
        )
        self.retain(lambda one: one in self)
        own = [one for one in self._sessions_by_digest.values() if one.token == token]
        if len(own) >= MAX_SESSIONS_PER_TOKEN:
            self.end(own[0])
        elif len(self) >= MAX_SESSIONS:
            self.end(next(iter(self._sessions_by_digest.values())))
        self._sessions_by_digest[session.id_digest] = session
        return id, session

    def find(self, session_id: str) -> Session | None:
        """The session that this names, while it goes on."""
        session = self._sessions_by_digest.get(digest_token(session_id))
        return session if session is not None and session in self else None

    def end(self, session: Session) -> None:
        self._sessions_by_digest.pop(session.id_digest, None)

    def retain(self, predicate: Callable[[Session], bool]) -> None:
        """End all others."""
        self._sessions_by_digest = {
            key: one for key, one in self._sessions_by_digest.items() if predicate(one)
        }
