"""The tokens of a running service, which follow their file."""

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
"""Seconds between two looks at the file."""

_FileStamp = tuple[int, ...] | None


class TokenRegistry:
    """Reads the file again when it has changed. One that has become wrong changes nothing.

    What has once been `needed` stays so: a file that is gone, or empty, for a moment or by accident must
    not open to everybody what was shut.
    """

    log = Logger()

    def __init__(self, state_dir: Path, clock: IReactorTime) -> None:
        """Raises TokenFileError for a file that is wrong from the beginning."""
        self._state_dir = state_dir
        self._loaded_stamp = self._read_file_stamp()
        self._last_error = ""
        self._tokens_by_digest = _index_by_digest(parse_tokens(state_dir, read_token_file(state_dir)))
        self.is_required = bool(self._tokens_by_digest)
        """Whether who calls has to show one."""
        self._poll_loop = LoopingCall(self._reload_if_changed)
        self._poll_loop.clock = clock
        self.on_change: list[Callable[[], None]] = []
        """Called when there are other tokens than before."""

    def __len__(self) -> int:
        return len(self._tokens_by_digest)

    def __contains__(self, token: Token) -> bool:
        """Whether this is still one of them, with the same name and role."""
        return self._tokens_by_digest.get(token.digest) == token

    def find(self, token: str) -> Token | None:
        """The one that a caller holds.

        All are compared, each in constant time: how long it takes tells nothing of what is kept.
        """
        shown, found = digest_token(token), None
        for kept in self._tokens_by_digest.values():
            if hmac.compare_digest(kept.digest, shown):
                found = kept
        return found

    def start(self) -> None:
        """Follow the file from now on."""
        self._poll_loop.start(TOKEN_FILE_POLL_INTERVAL_S).addErrback(
            lambda failure: self.log.failure("the tokens are not read again any more", failure)
        )

    def stop(self) -> None:
        if self._poll_loop.running:
            self._poll_loop.stop()

    def _reload_if_changed(self) -> None:
        stamp = self._read_file_stamp()
        if stamp == self._loaded_stamp:
            return
        try:
            tokens = _index_by_digest(parse_tokens(self._state_dir, read_token_file(self._state_dir)))
        except (
            TokenFileUnreadableError
        ) as problem:  # it may be readable again without having changed: look again
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
        self.log.error("{problem}; the tokens stay as they were", problem=self._last_error)

    def _replace_tokens(self, tokens: dict[bytes, Token]) -> None:
        if tokens == self._tokens_by_digest:
            return
        before, self._tokens_by_digest = self._tokens_by_digest, tokens
        for token in before.values():
            if token not in self:
                self.log.info("the token {name} ({role}) is gone", name=token.name, role=token.role)
        for token in tokens.values():
            if before.get(token.digest) != token:
                self.log.info("there is a token {name} ({role})", name=token.name, role=token.role)
        if not tokens:
            self.log.warn("there are no tokens any more: nobody may call until there is one, or a restart")
        self.is_required = True
        for changed in self.on_change:
            changed()

    def _read_file_stamp(self) -> _FileStamp:
        """Another one for another file; None for one that is not there."""
        try:
            found = (self._state_dir / TOKEN_FILE_NAME).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_dev, found.st_ino, found.st_size


def _index_by_digest(tokens: list[Token]) -> dict[bytes, Token]:
    return {token.digest: token for token in tokens}
