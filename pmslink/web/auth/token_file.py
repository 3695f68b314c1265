"""The file of tokens: a line for each who may call, which tells the token by its digest only.

    # NAME ROLE sha256:HEX CREATED
    switchboard pbx sha256:9f86d081884c7d65… 2026-11-20T07:00:00Z

Blank lines, and lines that begin with #, are left alone. A token is 32 random bytes: nobody can try them
all, however fast SHA-256 is, so no slow hash is needed.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import cast, get_args

from attrs import frozen

from pmslink.errors import PmslinkError
from pmslink.web.auth.permissions import Role

TOKEN_FILE_NAME = "tokens"  # noqa: S105  (not a secret: a file name)
MAX_TOKENS = 10_000
"""Tokens that a file may have …"""
MAX_TOKEN_FILE_BYTES = 2 * 1024 * 1024
"""… and its bytes, for a service reads it in one go."""

_NAME_RULE = "the name must be 1 to 64 letters, digits, - and _"


class TokenFileError(PmslinkError):
    """The file of tokens cannot be used, or not be changed as was asked."""


class TokenFileUnreadableError(TokenFileError):
    """It cannot even be read at the moment, whatever stands in it."""


@frozen
class Token:
    """Who may call, by what name and as what."""

    name: str
    role: Role
    digest: bytes
    created: datetime


def digest_token(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def require_token_name(name: str) -> None:
    """Raise ValueError unless a token can have this name."""
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", name):
        raise ValueError(_NAME_RULE)


def read_token_file(state_dir: Path) -> str:
    """What stands in the file; nothing where there is none. Raises TokenFileError."""
    file = state_dir / TOKEN_FILE_NAME
    try:
        with file.open("rb") as opened:
            found = opened.read(MAX_TOKEN_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as problem:
        raise TokenFileUnreadableError(f"{file}: cannot be read: {problem.strerror}") from None
    if len(found) > MAX_TOKEN_FILE_BYTES:
        raise TokenFileError(f"{file}: must have at most {MAX_TOKEN_FILE_BYTES} bytes")
    return found.decode("utf-8", "surrogateescape").removeprefix("\ufeff")  # of an editor on Windows


def parse_tokens(state_dir: Path, text: str) -> list[Token]:
    """The tokens of the file, of which this is the text. Raises TokenFileError, which names the line."""
    file = state_dir / TOKEN_FILE_NAME
    tokens: list[Token] = []
    lines: dict[str | bytes, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            token = _parse_token_line(line)
        except ValueError as problem:
            raise TokenFileError(f"{file}, line {number}: {problem}") from None
        for part, what in ((token.name, "name"), (token.digest, "token")):
            if (before := lines.setdefault(part, number)) != number:
                raise TokenFileError(
                    f"{file}, line {number}: the {what} must differ from that of line {before}"
                )
        tokens.append(token)
    if len(tokens) > MAX_TOKENS:
        raise TokenFileError(f"{file}: must have at most {MAX_TOKENS} tokens")
    return tokens


def _parse_token_line(line: str) -> Token:
    """Raises ValueError, which never tells what stands in the line: it could be a token."""
    parts = line.split()
    if len(parts) != 4:
        raise ValueError("must be NAME ROLE sha256:HEX CREATED, separated by blanks")
    name, role, hash, created = parts
    require_token_name(name)
    if role not in get_args(Role):
        raise ValueError(f"the role must be {' or '.join(get_args(Role))}")
    if not re.fullmatch("sha256:[0-9a-f]{64}", hash):
        raise ValueError("after the role must stand sha256: and the 64 hex digits of the token's SHA-256")
    return Token(name, cast(Role, role), bytes.fromhex(hash.removeprefix("sha256:")), _parse_created(created))


def _parse_created(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("at the end must stand when it was made, such as 2026-11-20T07:00:00Z")
    return moment
