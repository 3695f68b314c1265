"""Frames on a TCP stream: STX, a record, ETX; or, for some PMSs, one line per record.

`LineReceiver` finds the end of each frame. `FrameReceiver` finds its beginning, and skips and counts all
other bytes. A frame begins at the last STX before its end that a known record id and a bar follow: so an STX
inside a name loses no record, and a record inside another one, which is then torn, is found. Where no known
id follows any STX, the last one begins the frame. ACK, LRC and CR LF, which some systems send between frames,
are noise.
"""

from __future__ import annotations

import re
from typing import Literal

from twisted.protocols.basic import LineReceiver

from pmslink.fias.catalog import RECORDS

STX, ETX = b"\x02", b"\x03"

_RECORD_START = re.compile(rb"\x02(?:%b)\|" % b"|".join(record_id.encode() for record_id in RECORDS))
_RECORD_START_LENGTH = len(b"\x02LS|")

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
        self._in_overlong = False  # the end of an overlong record or line has not arrived yet

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
        begin = self._find_begin(line)
        self._in_overlong = False
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
        if self._in_overlong:
            self._in_overlong = False
            self.skipped("overlong", len(line) + len(self.delimiter))
        elif text := line.strip(b"\r\x02\x03"):  # some PMSs also send STX and ETX
            self._unframed_bytes = 0
            self.frameReceived(text)

    def _find_begin(self, line: bytes) -> int:
        """Return where the last frame begins; -1 for none."""
        if line.rfind(STX) == 0 and _RECORD_START.match(line):  # nearly always
            return 0
        begin = max((match.start() for match in _RECORD_START.finditer(line)), default=-1)
        return begin if begin >= 0 or self._in_overlong else line.rfind(STX)

    def lineLengthExceeded(self, rest: bytes) -> None:
        """Skip an overlong frame, or noise without a delimiter."""
        # `rest` is the whole buffer: the overlong line and all bytes after it.
        line, end, following = rest.partition(self.delimiter)
        size = len(line) + len(end)
        self._pushback = following
        if self._is_crlf:
            self._in_overlong = not end
            self.skipped("overlong", size)
            return
        begin = self._find_begin(line)
        if not end:  # the record id after the last STX may be incomplete
            begin = max(begin, line.rfind(STX, 1 - _RECORD_START_LENGTH))
        if begin >= 0 and len(line) - begin <= self.MAX_LENGTH:  # only what precedes the frame is too long
            size = begin
            self._pushback = rest[begin:]
        has_record = _RECORD_START.search(line, 0, size) is not None
        self._in_overlong = (has_record or self._in_overlong) and not end
        self.skipped("overlong" if STX in line[:size] else "noise", size)
