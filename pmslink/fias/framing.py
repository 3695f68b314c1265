"""Frames on a TCP stream: STX, a record, ETX; or, for some PMSs, one line per record.

`LineReceiver` finds the end of each frame. `FrameReceiver` finds its beginning, and skips and counts all
other bytes. An STX always begins a frame, also inside another one, which is then torn. ACK, LRC and CR LF,
which some systems send between frames, are noise.
"""

from __future__ import annotations

from typing import Literal

from twisted.protocols.basic import LineReceiver

STX, ETX = b"\x02", b"\x03"

FRAME_LIMIT_BYTES = 16 * 1024
"""Bytes of the longest frame that is accepted; FIAS itself allows 2 000 characters."""
UNFRAMED_LIMIT_BYTES = 1024 * 1024
"""A stream with this many bytes and no frame is not FIAS."""

Framing = Literal["stx-etx", "crlf"]
SkipReason = Literal["noise", "torn", "overlong"]


def framed(payload: bytes, framing: Framing) -> bytes:
    """Frame an encoded record."""
    return payload + b"\r\n" if framing == "crlf" else STX + payload + ETX


class FrameReceiver(LineReceiver):
    """Split a stream into frames. Subclasses override `frameReceived`, `skipped` and `nothingFramed`."""

    MAX_LENGTH = FRAME_LIMIT_BYTES + len(STX)

    def __init__(self, framing: Framing = "stx-etx") -> None:
        self._is_crlf = framing == "crlf"
        self.delimiter = b"\n" if self._is_crlf else ETX
        self._unframed_bytes = 0  # bytes since the last frame
        self._pushback = b""  # the bytes after an overlong frame
        self._in_overlong_line = False  # skip to the end of the line, because lines have no STX

    def frameReceived(self, frame: bytes) -> None:
        """Handle a frame's payload, in the link's charset. Must return None (see lineReceived)."""

    def skipped(self, reason: SkipReason, size: int) -> None:
        """Handle skipped bytes: noise between frames, a frame torn by an STX, or an overlong frame."""

    def nothingFramed(self) -> None:
        """Handle the arrival of UNFRAMED_LIMIT_BYTES bytes without a frame."""

    def dataReceived(self, data: bytes) -> None:
        """Split received bytes into frames."""
        self._unframed_bytes += len(data)
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        while self._pushback:
            data, self._pushback = self._pushback, b""
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._unframed_bytes > UNFRAMED_LIMIT_BYTES:
            self._unframed_bytes = 0
            self.nothingFramed()

    def lineReceived(self, line: bytes) -> None:
        """Find the frame in the bytes before a delimiter."""
        # LineReceiver stops reading if this returns a true value, so it never returns one.
        if self._is_crlf:
            self._receive_text_line(line)
            return
        begin = line.rfind(STX)
        if begin == 0:
            self._unframed_bytes = 0
            self.frameReceived(line[1:])
        elif begin < 0:
            self.skipped("noise", len(line) + len(ETX))
        else:
            torn = line.find(STX)
            if torn:
                self.skipped("noise", torn)
            if torn < begin:
                self.skipped("torn", begin - torn)
            self._unframed_bytes = 0
            self.frameReceived(line[begin + 1 :])

    def _receive_text_line(self, line: bytes) -> None:
        if self._in_overlong_line:
            self._in_overlong_line = False
            self.skipped("overlong", len(line) + len(self.delimiter))
        elif text := line.strip(b"\r\x02\x03"):  # some PMSs also send STX and ETX
            self._unframed_bytes = 0
            self.frameReceived(text)

    def lineLengthExceeded(self, rest: bytes) -> None:
        """Skip an overlong frame, or noise without a delimiter."""
        # `rest` is the whole buffer: the overlong line and all bytes after it.
        line, end, following = rest.partition(self.delimiter)
        size = len(line) + len(end)
        self._pushback = following
        if self._is_crlf:
            self._in_overlong_line = not end
            self.skipped("overlong", size)
            return
        begin = line.rfind(STX)
        if begin < 0:  # or the rest of an overlong frame
            self.skipped("noise", size)
        elif len(line) - begin > self.MAX_LENGTH:
            self.skipped("overlong", size)
        else:  # only the noise before the frame is too long
            self.skipped("noise", begin)
            self._pushback = rest[begin:]
