"""The head of a receiver's response: bounded, and without the interim responses (1xx) that precede it.

Twisted's client has no limit for heads, and logs a line for each interim response.
"""

from __future__ import annotations

import re

from pmslink.errors import PmslinkError

MAX_HEAD_BYTES = 16 * 1024
"""Maximum bytes of status line and headers, with those of the interim responses before them."""
MAX_INTERIM_RESPONSES = 10
"""Maximum number of interim responses (1xx) before the response."""

_STATUS_LINE = re.compile(rb"HTTP/[0-9]\.[0-9] ([1-9][0-9][0-9])(?: [^\n]*|\r?)\n")
_END_OF_HEAD = re.compile(rb"\n\r?\n")


class ResponseError(PmslinkError):
    """A response exceeds a limit, or is not HTTP. The text has the receiver as its subject."""


class ResponseHead:
    """Collects the head of one response."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched_bytes = 0
        self._received_bytes = 0
        self._interim_count = 0

    @property
    def incomplete(self) -> bytes:
        """The part of the head that was received so far."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> bytes:
        """Add a part of the response. Return the head and what follows it, or nothing while it is incomplete.

        Raises ResponseError.
        """
        self._buffer += data
        while end := _END_OF_HEAD.search(self._buffer, self._searched_bytes):
            self._count_bytes(end.end())
            if not self._is_interim():
                return bytes(self._buffer)
            self._interim_count += 1
            if self._interim_count > MAX_INTERIM_RESPONSES:
                raise ResponseError(f"it sent more than {MAX_INTERIM_RESPONSES} interim responses (1xx)")
            self._received_bytes += end.end()
            del self._buffer[: end.end()]
            self._searched_bytes = 0
        if b"\n" in self._buffer:
            self._is_interim()  # a server that is none of HTTP may send a line, and wait
        self._count_bytes(len(self._buffer))
        self._searched_bytes = max(0, len(self._buffer) - len(b"\n\r"))
        return b""

    def _count_bytes(self, size: int) -> None:
        if self._received_bytes + size > MAX_HEAD_BYTES:
            raise ResponseError(f"the head of its response is longer than {MAX_HEAD_BYTES // 1024} KiB")

    def _is_interim(self) -> bool:
        status_line = _STATUS_LINE.match(self._buffer)
        if status_line is None:
            raise ResponseError("it did not send a valid HTTP response")
        return status_line[1].startswith(b"1")
