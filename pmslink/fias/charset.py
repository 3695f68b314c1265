"""The character set of a link: check it, encode records, and decode frames."""

from __future__ import annotations

import codecs
from functools import cache

from pmslink.errors import FieldError
from pmslink.fias.record import BAR, Record

# Name prefixes of the codecs that switch between alphabets with plain ASCII bytes.
_ASCII_SWITCHING_CODEC_PREFIXES = ("iso2022", "utf-7", "hz")


def is_usable_charset(name: str) -> bool:
    """Check that Python knows this charset and that it encodes printable ASCII as ASCII."""
    printable_ascii = "".join(map(chr, range(0x20, 0x7F)))
    try:
        return printable_ascii.encode(name) == printable_ascii.encode("ascii")
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return False


@cache
def _is_ascii_compatible(charset: str) -> bool:
    """Check that this charset always decodes ASCII bytes as ASCII characters."""
    return not codecs.lookup(charset).name.startswith(_ASCII_SWITCHING_CODEC_PREFIXES)


def decode(frame: bytes, charset: str) -> str:
    """Decode a frame. Bytes that the charset does not define become U+FFFD, so this raises no error.

    Most frames are plain ASCII, and Python decodes ASCII ten times as fast as a code page.
    """
    if frame.isascii() and _is_ascii_compatible(charset):
        return frame.decode("ascii")
    return frame.decode(charset, "replace")


def encode(record: Record, charset: str) -> bytes:
    """Encode a record's text.

    Raises FieldError, which names the field, for a character that the charset does not have.
    """
    try:
        return record.text.encode(charset)
    except UnicodeEncodeError as problem:
        before = record.text[: problem.start]
        code = before[before.rfind(BAR) + 1 :][:2] or record.id
        character = record.text[problem.start]
        raise FieldError(code, f"{character!r} does not exist in the link's charset {charset}") from None
