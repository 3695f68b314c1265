"""The tokens of a running service, which follow their file."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.web.tokens import FILE, Token, TokenError, digest, read_text, read_tokens

LOOK = 1.0
"""Seconds between two looks at the file."""

_Stamp = tuple[int, int, int] | None


class LiveTokens:
    """Reads the file again when it has changed. One that has become wrong changes nothing."""

    log = Logger()

    def __init__(self, state_dir: Path, clock: IReactorTime) -> None:
        """Raises TokenError for a file that is wrong from the beginning."""
        self._state_dir = state_dir
        self._seen = self._stamp()
        self._tokens = read_tokens(state_dir, read_text(state_dir))
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock
        self.changed: list[Callable[[], None]] = []
        """Called when there are other tokens than before."""

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: Token) -> bool:
        """Whether this is still one of them, with the same name and role."""
        return self._kept(token.digest) == token

    def find(self, token: str) -> Token | None:
        """The one that a caller holds."""
        return self._kept(digest(token))

    def _kept(self, hash: bytes) -> Token | None:
        """All are compared, each in constant time: how long it takes tells nothing of what is kept."""
        found = None
        for token in self._tokens:
            if hmac.compare_digest(token.digest, hash):
                found = token
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
        self._seen = stamp
        try:
            tokens = read_tokens(self._state_dir, read_text(self._state_dir))
        except TokenError as problem:
            self.log.error("{problem}; the tokens stay as they were", problem=str(problem))
            return
        if tokens != self._tokens:
            self._tokens = tokens
            self.log.info("there are {count} tokens now", count=len(tokens))
            for changed in self.changed:
                changed()

    def _stamp(self) -> _Stamp:
        """Another one for another file; None for one that is not there."""
        try:
            found = (self._state_dir / FILE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
