"""The tokens of a running service, which follow their file."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.web.auth.token_file import FILE, Token, TokenError, Unreadable, digest, read_text, read_tokens

LOOK = 1.0
"""Seconds between two looks at the file."""

_Stamp = tuple[int, ...] | None


class LiveTokens:
    """Reads the file again when it has changed. One that has become wrong changes nothing.

    What has once been `needed` stays so: a file that is gone, or empty, for a moment or by accident must
    not open to everybody what was shut.
    """

    log = Logger()

    def __init__(self, state_dir: Path, clock: IReactorTime) -> None:
        """Raises TokenError for a file that is wrong from the beginning."""
        self._state_dir = state_dir
        self._seen = self._stamp()
        self._complaint = ""
        self._tokens = _by_digest(read_tokens(state_dir, read_text(state_dir)))
        self.needed = bool(self._tokens)
        """Whether who calls has to show one."""
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock
        self.changed: list[Callable[[], None]] = []
        """Called when there are other tokens than before."""

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: Token) -> bool:
        """Whether this is still one of them, with the same name and role."""
        return self._tokens.get(token.digest) == token

    def find(self, token: str) -> Token | None:
        """The one that a caller holds.

        All are compared, each in constant time: how long it takes tells nothing of what is kept.
        """
        shown, found = digest(token), None
        for kept in self._tokens.values():
            if hmac.compare_digest(kept.digest, shown):
                found = kept
        return found

    def start(self) -> None:
        """Follow the file from now on."""
        self._looks.start(LOOK).addErrback(
            lambda failure: self.log.failure("the tokens are not read again any more", failure)
        )

    def stop(self) -> None:
        if self._looks.running:
            self._looks.stop()

    def _look(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        try:
            tokens = _by_digest(read_tokens(self._state_dir, read_text(self._state_dir)))
        except Unreadable as problem:  # it may be readable again without having changed: look again
            if str(problem) != self._complaint:
                self._complain(problem)
        except TokenError as problem:
            self._seen = stamp
            self._complain(problem)
        else:
            self._seen, self._complaint = stamp, ""
            self._take(tokens)

    def _complain(self, problem: TokenError) -> None:
        self._complaint = str(problem)
        self.log.error("{problem}; the tokens stay as they were", problem=self._complaint)

    def _take(self, tokens: dict[bytes, Token]) -> None:
        if tokens == self._tokens:
            return
        before, self._tokens = self._tokens, tokens
        for token in before.values():
            if token not in self:
                self.log.info("the token {name} ({role}) is gone", name=token.name, role=token.role)
        for token in tokens.values():
            if before.get(token.digest) != token:
                self.log.info("there is a token {name} ({role})", name=token.name, role=token.role)
        if not tokens:
            self.log.warn("there are no tokens any more: nobody may call until there is one, or a restart")
        self.needed = True
        for changed in self.changed:
            changed()

    def _stamp(self) -> _Stamp:
        """Another one for another file; None for one that is not there."""
        try:
            found = (self._state_dir / FILE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_dev, found.st_ino, found.st_size


def _by_digest(tokens: list[Token]) -> dict[bytes, Token]:
    return {token.digest: token for token in tokens}
