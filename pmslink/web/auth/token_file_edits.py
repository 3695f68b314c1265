"""Changes of the file of tokens: each in one step, one after the other, also while a service runs."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pmslink.web.auth.permissions import Role
from pmslink.web.auth.token_file import (
    MAX_TOKEN_FILE_BYTES,
    MAX_TOKENS,
    TOKEN_FILE_NAME,
    Token,
    TokenFileError,
    digest_token,
    parse_tokens,
    read_token_file,
    require_token_name,
)

TOKEN_PREFIX = "pmslink_"  # noqa: S105  (not a secret: every token begins so)
"""What every token begins with, so that one which went astray is known for what it is."""

_FILE_HEADER = "# Who may call, kept by `pmslink token`: NAME ROLE sha256:HEX CREATED\n"

_TokenFileEdit = Callable[[str, list[Token]], str]
"""Makes the new text of the file from the old one, and the tokens in that."""


def add_token(state_dir: Path, name: str, role: Role, now: datetime) -> tuple[str, int]:
    """Create a token; return it and the number of tokens. Raises TokenFileError.

    The file holds only its digest, so the token cannot be read again.
    """
    try:
        require_token_name(name)
    except ValueError as problem:
        raise TokenFileError(f"{name!r}: {problem}") from None
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    created = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"{name} {role} sha256:{digest_token(token).hex()} {created}\n"

    count = 0

    def added(text: str, tokens: list[Token]) -> str:
        nonlocal count
        count = len(tokens) + 1
        if any(one.name == name for one in tokens):
            raise TokenFileError(f"there is a token {name} already: remove it first, or take another name")
        if count > MAX_TOKENS:
            raise TokenFileError(f"there are {MAX_TOKENS} tokens already: remove one first")
        before = text or _FILE_HEADER
        return before + ("" if before.endswith("\n") else "\n") + line

    _edit_file(state_dir, added)
    return token, count


def remove_token(state_dir: Path, name: str) -> int:
    """Take a token back; gives how many there are still. Raises TokenFileError."""
    left = 0

    def removed(text: str, tokens: list[Token]) -> str:
        nonlocal left
        left = sum(one.name != name for one in tokens)
        if left == len(tokens):
            raise TokenFileError(f"there is no token {name}")
        return "\n".join(line for line in text.split("\n") if line.split()[:1] != [name])

    _edit_file(state_dir, removed)
    return left


def _edit_file(state_dir: Path, edit: _TokenFileEdit) -> None:
    with _lock_directory(state_dir):
        before = read_token_file(state_dir)
        after = edit(before, parse_tokens(state_dir, before)).encode("utf-8", "surrogateescape")
        if len(after) > MAX_TOKEN_FILE_BYTES:
            raise TokenFileError(
                f"{state_dir / TOKEN_FILE_NAME}: would have more than {MAX_TOKEN_FILE_BYTES} bytes"
            )
        try:
            _replace_file(state_dir, after)
        except OSError as problem:
            raise TokenFileError(
                f"{state_dir / TOKEN_FILE_NAME}: cannot be written: {problem.strerror}"
            ) from None


@contextmanager
def _lock_directory(state_dir: Path) -> Iterator[None]:
    """While nobody else changes the file. The lock is on its directory, for it is another file each time."""
    try:
        directory = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise TokenFileError(f"the state directory {state_dir}: {problem.strerror}") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _replace_file(state_dir: Path, content: bytes) -> None:
    """Put a new file in the place of the old one, for the directory's owner alone."""
    new = state_dir / f"{TOKEN_FILE_NAME}.new"
    new.unlink(missing_ok=True)  # of a change that was cut short
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as opened:
        if os.geteuid() == 0:  # "sudo pmslink token": the service has to read it
            owner = state_dir.stat()
            os.fchown(opened.fileno(), owner.st_uid, owner.st_gid)
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    new.rename(state_dir / TOKEN_FILE_NAME)
    _fsync_directory(state_dir)


def _fsync_directory(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
