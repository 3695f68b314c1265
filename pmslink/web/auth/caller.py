"""Who calls."""

from __future__ import annotations

from attrs import frozen

from pmslink.web.auth.login_sessions import Session
from pmslink.web.auth.permissions import Role
from pmslink.web.auth.token_file import Token


@frozen
class Caller:
    """The holder of a token, who may show it in a session; without one, whoever is on this machine."""

    token: Token | None = None
    session: Session | None = None

    @property
    def name(self) -> str | None:
        return None if self.token is None else self.token.name

    @property
    def role(self) -> Role:
        return "control" if self.token is None else self.token.role

    @property
    def sees_guests(self) -> bool:
        """Whether who the guests are, and what they were told, is for this one."""
        return self.role != "view"
