"""Recognize a record whose bytes are in another character set than the link's."""

from __future__ import annotations

from functools import cache

UTF_8 = "utf-8"
FALLBACK_CHARSET = "cp1252"
"""The charset to suggest for text that is not UTF-8: the one of most PMSs."""


def find_better_charset(frame: bytes, charset: str) -> str | None:
    """Return the charset that would read a frame better than the link's; None if there is none.

    It is UTF-8 if a single-byte charset reads several characters where UTF-8 reads one: text of another
    charset is hardly ever valid UTF-8. It is the usual charset of PMSs if the frame is not valid UTF-8.
    """
    if frame.isascii():
        return None
    is_utf_8 = _can_decode(frame, UTF_8)
    if _normalize(charset) == UTF_8:
        return None if is_utf_8 else FALLBACK_CHARSET
    if is_utf_8 and (_is_single_byte(charset) or not _can_decode(frame, charset)):
        return UTF_8
    return None


def _can_decode(frame: bytes, charset: str) -> bool:
    try:
        frame.decode(charset)
    except UnicodeDecodeError:
        return False
    return True


def _normalize(charset: str) -> str:
    return charset.lower().replace("_", "-").replace("utf8", "utf-8").removesuffix("-sig")


@cache
def _is_single_byte(charset: str) -> bool:
    """Check whether each byte is one character."""
    return len(bytes(range(0x80, 0x100)).decode(charset, "replace")) == 0x80
