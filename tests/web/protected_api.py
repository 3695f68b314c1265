"""A served API with one token for each role."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pmslink.web.auth import token_file_edits
from pmslink.web.auth.permissions import Role
from pmslink.web.auth.token_reload import TOKEN_FILE_POLL_INTERVAL_S
from tests.web.served_api import START_TIME, Response, ServedApi


class TokenProtectedApi(ServedApi):
    """A served API whose tokens are named after their roles."""

    def __init__(self, state_dir: Path, local_only: bool = True) -> None:
        self.state_dir = state_dir
        self.tokens = {
            role: token_file_edits.add_token(state_dir, role, role, START_TIME)[0] for role in get_args(Role)
        }
        super().__init__(state_dir=state_dir, local_only=local_only)

    def bearer_headers(self, role: Role) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[role]}"}

    def add_token(self, name: str, role: Role) -> dict[str, str]:
        token, _ = token_file_edits.add_token(self.state_dir, name, role, START_TIME)
        self.advance(TOKEN_FILE_POLL_INTERVAL_S)
        return {"authorization": f"Bearer {token}"}

    def remove_token(self, *names: str) -> None:
        for name in names:
            token_file_edits.remove_token(self.state_dir, name)
        self.advance(TOKEN_FILE_POLL_INTERVAL_S)

    async def sign_in(self, role: Role = "control") -> SignedInSession:
        answer = await self.post("/api/v1/session", {"token": self.tokens[role]})
        assert answer.status == 200
        return SignedInSession(answer)


class SignedInSession:
    """A session, with the headers that the page sends."""

    def __init__(self, answer: Response) -> None:
        self.content = answer.json()
        self.cookie_headers = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
        self.csrf_headers = {"x-csrf-token": self.content["csrf"]}
