"""Removal of comments and indentation from scripts and style sheets: a fifth of what a browser would load.

Only comments that have their lines for themselves are removed, so no string and no address is mistaken for
one. ESLint forbids text over several lines, whose lines could look like comments.
"""

from __future__ import annotations

import re

_BLOCK_COMMENT = re.compile(rb"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_LINE_COMMENT = re.compile(rb"^[ \t]*//[^\n]*\n", re.MULTILINE)
_WHITE_SPACE_AT_BREAK = re.compile(rb"\s*([{};])\s*|(:|,) ")
_INDENTATION = re.compile(rb"^[ \t\n]+", re.MULTILINE)


def remove_script_comments(script: bytes) -> bytes:
    """Return a script without its comments, blank lines and indentation; lines stay lines."""
    return _INDENTATION.sub(b"", _LINE_COMMENT.sub(b"", _BLOCK_COMMENT.sub(b"", script)))


def remove_style_comments(style: bytes) -> bytes:
    """Return a style sheet without its comments, and without white space at punctuation.

    No text in it may have such punctuation.
    """
    return _WHITE_SPACE_AT_BREAK.sub(rb"\1\2", _BLOCK_COMMENT.sub(b"", style)).strip() + b"\n"
