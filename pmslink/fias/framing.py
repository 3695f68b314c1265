"""Frames on a TCP stream: STX, a record, ETX. Or a line each, where a PMS speaks that dialect.

`LineReceiver` finds the ends of frames; here their beginnings are found and all else is skipped and
counted. An ETX closes a frame, an STX begins one, also in the middle of another: whatever stood there
is torn. ACK, LRC and CR LF, which some systems put between frames, are noise like any other.
"""

from __future__ import annotations

from typing import Literal

from twisted.protocols.basic import LineReceiver

STX, ETX = b"\x02", b"\x03"

FRAME_LIMIT_BYTES = 16 * 1024
"""Longest record that is read, in bytes; FIAS itself ends at 2 000 characters."""
UNFRAMED_LIMIT_BYTES = 1024 * 1024
"""So many bytes without one frame are not FIAS at all."""

Framing = Literal["stx-etx", "crlf"]
SkipReason = Literal["noise", "torn", "overlong"]


def framed(payload: bytes, framing: Framing) -> bytes:
    """The bytes that carry an encoded record."""
    return payload + b"\r\n" if framing == "crlf" else STX + payload + ETX


class FrameReceiver(LineReceiver):
    """Cuts a stream into frames; a subclass says what becomes of them."""

    MAX_LENGTH = FRAME_LIMIT_BYTES + len(STX)

    def __init__(self, framing: Framing = "stx-etx") -> None:
        self._is_crlf = framing == "crlf"
        self.delimiter = b"\n" if self._is_crlf else ETX
        self._unframed_bytes = 0  # bytes since the last frame
        self._pushback = b""  # what stands behind an overlong frame
        self._in_overlong_line = False  # its end is still to come (lines have no STX to tell by)

    def frameReceived(self, frame: bytes) -> None:
        """One whole record, still in the link's charset. Must not return anything (see lineReceived)."""

    def skipped(self, what: SkipReason, size: int) -> None:
        """So many bytes were no frame: noise between frames, a frame torn by an STX, or one too long."""

    def nothingFramed(self) -> None:
        """UNFRAMED_LIMIT_BYTES bytes came without one frame."""

    def dataReceived(self, data: bytes) -> None:
        self._unframed_bytes += len(data)
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        while self._pushback:
            data, self._pushback = self._pushback, b""
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._unframed_bytes > UNFRAMED_LIMIT_BYTES:
            self._unframed_bytes = 0
            self.nothingFramed()

    def lineReceived(self, line: bytes) -> None:
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
        elif text := line.strip(b"\r\x02\x03"):  # some send their STX and ETX as well
            self._unframed_bytes = 0
            self.frameReceived(text)

    def lineLengthExceeded(self, rest: bytes) -> None:
        # `rest` is all that is buffered: the line that is too long and whatever stands behind it.
        line, end, behind = rest.partition(self.delimiter)
        size = len(line) + len(end)
        self._pushback = behind
        if self._is_crlf:
            self._in_overlong_line = not end
            self.skipped("overlong", size)
            return
        begin = line.rfind(STX)
        if begin < 0:  # the rest of an overlong frame, too
            self.skipped("noise", size)
        elif len(line) - begin > self.MAX_LENGTH:
            self.skipped("overlong", size)
        else:  # only what stands before it is too long, not the frame
            self.skipped("noise", begin)
            self._pushback = rest[begin:]
