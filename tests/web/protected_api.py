"""A service with a token for each role."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pmslink.web.auth import token_file_edits
from pmslink.web.auth.permissions import Role
from pmslink.web.auth.token_reload import LOOK
from tests.web.served_api import START, Answer, Served


class Guarded(Served):
    """Has tokens that are named after their roles. `wait` lets time pass until it has read others."""

    def __init__(self, state_dir: Path, local: bool = True) -> None:
        self.state_dir = state_dir
        self.tokens = {role: token_file_edits.add(state_dir, role, role, START)[0] for role in get_args(Role)}
        super().__init__(state_dir=state_dir, local=local)

    def bearer(self, role: Role) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[role]}"}

    def add_token(self, name: str, role: Role) -> dict[str, str]:
        token, _ = token_file_edits.add(self.state_dir, name, role, START)
        self.run(LOOK)
        return {"authorization": f"Bearer {token}"}

    def remove_token(self, *names: str) -> None:
        for name in names:
            token_file_edits.remove(self.state_dir, name)
        self.run(LOOK)

    async def sign_in(self, role: Role = "control") -> Signed:
        answer = await self.post("/api/v1/session", {"token": self.tokens[role]})
        assert answer.status == 200
        return Signed(answer)


class Signed:
    """A session, as a page holds it."""

    def __init__(self, answer: Answer) -> None:
        self.told = answer.json()
        self.cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
        self.csrf = {"x-csrf-token": self.told["csrf"]}
