"""Say what a peer has sent, if none of it was a record: other framing, TLS, HTTP, or another service.

The description is for logs and the API. It shows records with guest data masked, the first line of services
that introduce themselves, and only a few bytes of anything else.
"""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

from pmslink.fias.catalog import RECORDS
from pmslink.fias.charset import decode
from pmslink.fias.framing import Framing
from pmslink.fias.record import Record
from pmslink.fias.record_redaction import mask_record

InputKind = Literal["crlf", "stx_etx", "tls", "http", "service", "other"]

MAX_SAMPLE_BYTES = 256
"""Bytes from the beginning of a connection that are examined."""
MAX_SHOWN_CHARS = 60
_MAX_SHOWN_BYTES = 8
_MAX_HEX_BYTES = 64

_IGNORED_BYTES = b"\x00\x05\x06\x15\x16\r\n \t"
"""Bytes that terminals and serial converters send before any record: ENQ, ACK, NAK, SYN, line ends."""
_TLS_PATTERN = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_HTTP_PATTERN = re.compile(rb"HTTP/\d|(GET|POST|HEAD|OPTIONS|PUT) |<(!doctype )?html|<head", re.IGNORECASE)
# SSH; SMTP and FTP; POP; Redis; IMAP; VNC; telnet
_SERVICE_PATTERN = re.compile(rb"SSH-|[1-5]\d\d[ -]|\+OK|-ERR|\* OK|RFB \d|login:|\xff[\xfb-\xfe]")
_RECORD_IDS = b"|".join(record_id.encode() for record_id in RECORDS)
_RECORD_PATTERN = re.compile(rb"(\x02?)(?:%b)\|[^\x02\x03\r\n]*" % _RECORD_IDS)


@frozen
class UnreadableInput:
    """What came on one connection without any record."""

    kind: InputKind
    size: int
    """All bytes that have arrived."""
    sample: bytes
    """The first of them."""
    shown: str
    """What they are, without guest data."""

    @property
    def variant(self) -> str:
        """The key of its texts (see `reason_texts`)."""
        return f"unreadable_{self.kind}"

    @property
    def params(self) -> dict[str, str | float]:
        """The parameters of its texts."""
        return {"variant": self.variant, "bytes": self.size, "seen": self.shown}

    @property
    def hex(self) -> str:
        """The first bytes in hexadecimal. They may contain guest data."""
        return self.sample[:_MAX_HEX_BYTES].hex()

    @property
    def suggestion(self) -> tuple[str, str | bool] | None:
        """The setting that would help, and its value."""
        return _SUGGESTIONS.get(self.kind)


_SUGGESTIONS: dict[InputKind, tuple[str, str | bool]] = {
    "crlf": ("framing", "crlf"),
    "stx_etx": ("framing", "stx-etx"),
    "tls": ("tls", True),
}


def describe_input(sample: bytes, size: int, framing: Framing, charset: str) -> UnreadableInput | None:
    """Describe the beginning of what a peer has sent, on a connection without any record.

    None if it is nothing that says something about the peer, such as line ends.
    """
    data = sample if _TLS_PATTERN.match(sample) else sample.lstrip(_IGNORED_BYTES)
    if not data:
        return None
    kind, shown = _classify(data, framing, charset)
    return UnreadableInput(kind, size, sample, shown)


def _classify(data: bytes, framing: Framing, charset: str) -> tuple[InputKind, str]:
    if _TLS_PATTERN.match(data):
        return "tls", data[:_MAX_SHOWN_BYTES].hex(" ")
    if _HTTP_PATTERN.match(data):
        return "http", _first_line(data)
    if record := _RECORD_PATTERN.search(data):
        shown = _shorten(mask_record(Record(decode(record.group().lstrip(b"\x02"), charset))).text)
        if framing == "crlf":
            return ("stx_etx" if record.group(1) else "other"), shown
        return ("crlf" if b"\n" in data else "other"), shown
    if _SERVICE_PATTERN.match(data):
        return "service", _first_line(data)
    return "other", data[:_MAX_SHOWN_BYTES].hex(" ")


def _first_line(data: bytes) -> str:
    return _shorten(re.split(rb"[\r\n]", data, maxsplit=1)[0].decode("ascii", "replace"))


def _shorten(text: str) -> str:
    printable = "".join(char if char.isprintable() else "·" for char in text)
    return printable if len(printable) <= MAX_SHOWN_CHARS else f"{printable[:MAX_SHOWN_CHARS]}…"
