"""Who has signed in: sessions stand for tokens, so that a browser need not keep one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from pmslink.web.auth.token_file import Token, digest

LASTS = 12 * 3600
"""Seconds from signing in to the end of a session, however it is used."""
MOST_SESSIONS = 1000
MOST_OF_A_TOKEN = 50
"""Sessions of one token, so that its holder cannot sign the others out."""


@frozen(eq=False)
class Session:
    """One that began with this token. Calls that change something have to repeat `csrf`."""

    key: bytes
    token: Token
    csrf: str
    expires: datetime
    ends: float
    """The same on the clock that cannot be set."""


class Sessions:
    """All sessions, in memory, oldest first. Of what names one to a browser only the digest is kept."""

    def __init__(self, clock: IReactorTime, wall: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wall = wall
        self._sessions: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, session: Session) -> bool:
        """Whether it goes on."""
        return session.key in self._sessions and self._clock.seconds() < session.ends

    def begin(self, token: Token) -> tuple[str, Session]:
        """A new session, and what names it. Where there are too many, the token's oldest ends, or any's."""
        id = secrets.token_urlsafe(32)
        session = Session(
            digest(id),
            token,
            secrets.token_urlsafe(32),
            self._wall() + timedelta(seconds=LASTS),
            self._clock.seconds() + LASTS,
        )
        self.keep(lambda one: one in self)
        own = [one for one in self._sessions.values() if one.token == token]
        if len(own) >= MOST_OF_A_TOKEN:
            self.end(own[0])
        elif len(self) >= MOST_SESSIONS:
            self.end(next(iter(self._sessions.values())))
        self._sessions[session.key] = session
        return id, session

    def find(self, id: str) -> Session | None:
        """The session that this names, while it goes on."""
        session = self._sessions.get(digest(id))
        return session if session is not None and session in self else None

    def end(self, session: Session) -> None:
        self._sessions.pop(session.key, None)

    def keep(self, wanted: Callable[[Session], bool]) -> None:
        """End all others."""
        self._sessions = {key: one for key, one in self._sessions.items() if wanted(one)}
