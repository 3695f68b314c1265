"""The caller of an API request."""

from __future__ import annotations

from attrs import frozen

from pmslink.web.auth.login_sessions import Session
from pmslink.web.auth.permissions import PERMISSIONS_BY_ROLE, Permission, Role
from pmslink.web.auth.token_file import Token

LOCAL_CALLER = "(local)"
"""The `who` of a caller without a token; no token can have this name."""


@frozen
class Caller:
    """An authenticated caller: the holder of a token, perhaps in a session.

    Without a token it is a local caller of a service that has no tokens, who may do everything.
    """

    token: Token | None = None
    session: Session | None = None

    @property
    def name(self) -> str | None:
        """The name of the caller's token; None for a local caller."""
        return None if self.token is None else self.token.name

    @property
    def who(self) -> str:
        """Who this is, in what is stored: the name of the token, or LOCAL_CALLER."""
        return LOCAL_CALLER if self.token is None else self.token.name

    @property
    def role(self) -> Role:
        """The role that decides which endpoints the caller may use."""
        return "control" if self.token is None else self.token.role

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the caller may do."""
        return PERMISSIONS_BY_ROLE[self.role]

    @property
    def sees_guests(self) -> bool:
        """Whether responses to this caller may contain guest data."""
        return "guests" in self.permissions
