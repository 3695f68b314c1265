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
    FILE,
    MOST,
    MOST_BYTES,
    Token,
    TokenError,
    digest,
    read_text,
    read_tokens,
    require_name,
)

PREFIX = "pmslink_"
"""What every token begins with, so that one which went astray is known for what it is."""

_HEADING = "# Who may call, kept by `pmslink token`: NAME ROLE sha256:HEX CREATED\n"

_Edit = Callable[[str, list[Token]], str]
"""Makes the new text of the file from the old one, and the tokens in that."""


def add(state_dir: Path, name: str, role: Role, now: datetime) -> tuple[str, int]:
    """Make a token. Gives it, which cannot be had again, and how many there are now. Raises TokenError."""
    try:
        require_name(name)
    except ValueError as problem:
        raise TokenError(f"{name!r}: {problem}") from None
    token = PREFIX + secrets.token_urlsafe(32)
    created = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"{name} {role} sha256:{digest(token).hex()} {created}\n"

    count = 0

    def added(text: str, tokens: list[Token]) -> str:
        nonlocal count
        count = len(tokens) + 1
        if any(one.name == name for one in tokens):
            raise TokenError(f"there is a token {name} already: remove it first, or take another name")
        if count > MOST:
            raise TokenError(f"there are {MOST} tokens already: remove one first")
        before = text or _HEADING
        return before + ("" if before.endswith("\n") else "\n") + line

    _edit(state_dir, added)
    return token, count


def remove(state_dir: Path, name: str) -> int:
    """Take a token back; gives how many there are still. Raises TokenError."""
    left = 0

    def removed(text: str, tokens: list[Token]) -> str:
        nonlocal left
        left = sum(one.name != name for one in tokens)
        if left == len(tokens):
            raise TokenError(f"there is no token {name}")
        return "\n".join(line for line in text.split("\n") if line.split()[:1] != [name])

    _edit(state_dir, removed)
    return left


def _edit(state_dir: Path, edit: _Edit) -> None:
    with _alone(state_dir):
        before = read_text(state_dir)
        after = edit(before, read_tokens(state_dir, before)).encode("utf-8", "surrogateescape")
        if len(after) > MOST_BYTES:
            raise TokenError(f"{state_dir / FILE}: would have more than {MOST_BYTES} bytes")
        try:
            _replace(state_dir, after)
        except OSError as problem:
            raise TokenError(f"{state_dir / FILE}: cannot be written: {problem.strerror}") from None


@contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """While nobody else changes the file. The lock is on its directory, for it is another file each time."""
    try:
        directory = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise TokenError(f"the state directory {state_dir}: {problem.strerror}") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _replace(state_dir: Path, content: bytes) -> None:
    """Put a new file in the place of the old one, for the directory's owner alone."""
    new = state_dir / f"{FILE}.new"
    new.unlink(missing_ok=True)  # of a change that was cut short
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as opened:
        if os.geteuid() == 0:  # "sudo pmslink token": the service has to read it
            owner = state_dir.stat()
            os.fchown(opened.fileno(), owner.st_uid, owner.st_gid)
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    new.rename(state_dir / FILE)
    _sync(state_dir)


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
