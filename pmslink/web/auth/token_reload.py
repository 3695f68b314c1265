"""Tokens of a running service, reloaded when the token file changes."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.web.auth.token_file import (
    TOKEN_FILE_NAME,
    Token,
    TokenFileError,
    TokenFileUnreadableError,
    digest_token,
    parse_tokens,
    read_token_file,
)

TOKEN_FILE_POLL_INTERVAL_S = 1.0
"""Seconds between two checks whether the file has changed."""

_FileStamp = tuple[int, ...] | None


class TokenRegistry:
    """The current tokens. They are reloaded when the file changes; an invalid file changes nothing.

    Once tokens are required, they stay required until a restart: if the file is deleted or emptied by
    accident, the service rejects all requests instead of accepting all.
    """

    log = Logger()

    def __init__(self, state_dir: Path, clock: IReactorTime) -> None:
        """Load the tokens. Raises TokenFileError if the file is not valid."""
        self._state_dir = state_dir
        self._loaded_stamp = self._read_file_stamp()
        self._last_error = ""
        self._tokens_by_digest = _index_by_digest(parse_tokens(state_dir, read_token_file(state_dir)))
        self.is_required = bool(self._tokens_by_digest)
        """Whether every request needs a token."""
        self._poll_loop = LoopingCall(self._reload_if_changed)
        self._poll_loop.clock = clock
        self.on_change: list[Callable[[], None]] = []
        """Called after the tokens have changed."""

    def __len__(self) -> int:
        return len(self._tokens_by_digest)

    def __contains__(self, token: Token) -> bool:
        """Return whether a token is still valid, with the same name and role."""
        return self._tokens_by_digest.get(token.digest) == token

    def find(self, token: str) -> Token | None:
        """Return the token with this text, or None.

        All tokens are compared, each in constant time, so that timing reveals nothing about them.
        """
        digest, match = digest_token(token), None
        for candidate in self._tokens_by_digest.values():
            if hmac.compare_digest(candidate.digest, digest):
                match = candidate
        return match

    def start(self) -> None:
        """Begin to check the file for changes."""
        self._poll_loop.start(TOKEN_FILE_POLL_INTERVAL_S).addErrback(
            lambda failure: self.log.failure(
                "Token file is no longer reloaded; token changes need a restart", failure
            )
        )

    def stop(self) -> None:
        """Stop checking the file for changes."""
        if self._poll_loop.running:
            self._poll_loop.stop()

    def _reload_if_changed(self) -> None:
        stamp = self._read_file_stamp()
        if stamp == self._loaded_stamp:
            return
        try:
            tokens = _index_by_digest(parse_tokens(self._state_dir, read_token_file(self._state_dir)))
        except TokenFileUnreadableError as problem:
            # tried again, as the file may become readable without a change
            if str(problem) != self._last_error:
                self._log_error(problem)
        except TokenFileError as problem:
            self._loaded_stamp = stamp
            self._log_error(problem)
        else:
            self._loaded_stamp, self._last_error = stamp, ""
            self._replace_tokens(tokens)

    def _log_error(self, error: TokenFileError) -> None:
        self._last_error = str(error)
        self.log.error("{problem}; the tokens loaded before stay valid", problem=self._last_error)

    def _replace_tokens(self, tokens: dict[bytes, Token]) -> None:
        if tokens == self._tokens_by_digest:
            return
        before, self._tokens_by_digest = self._tokens_by_digest, tokens
        for token in before.values():
            if token not in self:
                self.log.info("Token {name} ({role}) removed", name=token.name, role=token.role)
        for token in tokens.values():
            if before.get(token.digest) != token:
                self.log.info("Token {name} ({role}) added", name=token.name, role=token.role)
        if not tokens:
            self.log.warn("Last token removed; all requests are rejected until a token is added or a restart")
        self.is_required = True
        for callback in self.on_change:
            callback()

    def _read_file_stamp(self) -> _FileStamp:
        """Return times, inode and size, which identify this version of the file; None if there is no file."""
        try:
            status = (self._state_dir / TOKEN_FILE_NAME).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino, status.st_size


def _index_by_digest(tokens: list[Token]) -> dict[bytes, Token]:
    return {token.digest: token for token in tokens}
