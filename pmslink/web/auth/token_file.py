"""The token file: one line for each token, with its digest instead of the token itself.

    # NAME ROLE sha256:HEX CREATED
    switchboard pbx sha256:9f86d081884c7d65… 2026-11-20T07:00:00Z

Blank lines and lines that begin with # are ignored. A token is 32 random bytes, too many to try them all,
so a fast hash like SHA-256 is safe.
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
"""Tokens in a file."""
MAX_TOKEN_FILE_BYTES = 2 * 1024 * 1024
"""Bytes of a file, which a service reads at once."""

_NAME_RULE = "the name must be 1 to 64 letters, digits, - and _"


class TokenFileError(PmslinkError):
    """The token file is not valid, or the requested change is not possible."""


class TokenFileUnreadableError(TokenFileError):
    """The token file cannot be read, perhaps temporarily."""


@frozen
class Token:
    """A token: its name, its role, the digest of its text, and when it was created."""

    name: str
    role: Role
    digest: bytes
    created: datetime


def digest_token(token: str) -> bytes:
    """Return the SHA-256 digest of a token, which is stored instead of it."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def require_token_name(name: str) -> None:
    """Raise ValueError unless this is a valid name for a token."""
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", name):
        raise ValueError(_NAME_RULE)


def read_token_file(state_dir: Path) -> str:
    """Return the text of the token file, or "" if there is none. Raises TokenFileError."""
    file = state_dir / TOKEN_FILE_NAME
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_TOKEN_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as problem:
        raise TokenFileUnreadableError(f"{file}: cannot be read: {problem.strerror}") from None
    if len(content) > MAX_TOKEN_FILE_BYTES:
        raise TokenFileError(f"{file}: must have at most {MAX_TOKEN_FILE_BYTES} bytes")
    # editors on Windows write a byte order mark
    return content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def parse_tokens(state_dir: Path, text: str) -> list[Token]:
    """Return the tokens in the text of the token file. Raises TokenFileError, which names the line."""
    file = state_dir / TOKEN_FILE_NAME
    tokens: list[Token] = []
    line_numbers: dict[str | bytes, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            token = _parse_token_line(line)
        except ValueError as problem:
            raise TokenFileError(f"{file}, line {number}: {problem}") from None
        for value, noun in ((token.name, "name"), (token.digest, "token")):
            if (first := line_numbers.setdefault(value, number)) != number:
                raise TokenFileError(
                    f"{file}, line {number}: the {noun} must differ from that of line {first}"
                )
        tokens.append(token)
    if len(tokens) > MAX_TOKENS:
        raise TokenFileError(f"{file}: must have at most {MAX_TOKENS} tokens")
    return tokens


def _parse_token_line(line: str) -> Token:
    """Parse one line. Raises ValueError, whose text never quotes the line, which could hold a token."""
    parts = line.split()
    if len(parts) != 4:
        raise ValueError("must be NAME ROLE sha256:HEX CREATED, separated by spaces")
    name, role, hex_digest, created = parts
    require_token_name(name)
    if role not in get_args(Role):
        raise ValueError(f"the role must be {' or '.join(get_args(Role))}")
    if not re.fullmatch("sha256:[0-9a-f]{64}", hex_digest):
        raise ValueError("the third value must be sha256: and 64 hex digits, the SHA-256 of the token")
    digest = bytes.fromhex(hex_digest.removeprefix("sha256:"))
    return Token(name, cast(Role, role), digest, _parse_created(created))


def _parse_created(text: str) -> datetime:
    try:
        created = datetime.fromisoformat(text)
    except ValueError:
        created = None
    if created is None or created.tzinfo is None:
        raise ValueError("the last value must be the time of creation, for example 2026-11-20T07:00:00Z")
    return created
