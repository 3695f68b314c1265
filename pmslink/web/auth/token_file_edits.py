"""Edits of the token file: add and remove tokens, atomically, also while a service runs."""

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

TOKEN_PREFIX = "pmslink_"  # noqa: S105  (not a secret: the prefix of every token)
"""Prefix of every token, by which secret scanners recognise a leaked one."""

_FILE_HEADER = "# API tokens, written by `pmslink token`: NAME ROLE sha256:HEX CREATED\n"

_TokenFileEdit = Callable[[str, list[Token]], str]
"""Returns the new text of the file, from its old text and the tokens in it."""


def add_token(state_dir: Path, name: str, role: Role, now: datetime) -> tuple[str, int]:
    """Create a token; return its text and the number of tokens. Raises TokenFileError.

    The file holds only the token's digest, so its text cannot be recovered.
    """
    try:
        require_token_name(name)
    except ValueError as problem:
        raise TokenFileError(f"{name!r}: {problem}") from None
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    created = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"{name} {role} sha256:{digest_token(token).hex()} {created}\n"
    count = 0

    def append_line(text: str, tokens: list[Token]) -> str:
        nonlocal count
        count = len(tokens) + 1
        if any(token.name == name for token in tokens):
            raise TokenFileError(f"there is a token {name} already: remove it first, or choose another name")
        if count > MAX_TOKENS:
            raise TokenFileError(f"there are {MAX_TOKENS} tokens already: remove one first")
        before = text or _FILE_HEADER
        return before + ("" if before.endswith("\n") else "\n") + line

    _edit_file(state_dir, append_line)
    return token, count


def remove_token(state_dir: Path, name: str) -> int:
    """Delete a token; return the number of tokens that remain. Raises TokenFileError."""
    remaining = 0

    def delete_line(text: str, tokens: list[Token]) -> str:
        nonlocal remaining
        remaining = sum(token.name != name for token in tokens)
        if remaining == len(tokens):
            raise TokenFileError(f"there is no token {name}")
        return "\n".join(line for line in text.split("\n") if line.split()[:1] != [name])

    _edit_file(state_dir, delete_line)
    return remaining


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
    """Lock the token file against other edits.

    The lock is on the directory, because each edit replaces the file.
    """
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
    """Replace the token file atomically, readable for the directory's owner only."""
    new = state_dir / f"{TOKEN_FILE_NAME}.new"
    new.unlink(missing_ok=True)  # left over from an interrupted edit
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as opened:
        if os.geteuid() == 0:  # the service must be able to read a file of "sudo pmslink token"
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
