"""Format tables, times and untrusted text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime


def format_table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, with columns of equal width and two blanks between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def format_local_time(timestamp: str, precision: str = "seconds") -> str:
    """Return an ISO 8601 timestamp in the local time of the terminal, with its offset."""
    return datetime.fromisoformat(timestamp).astimezone().isoformat(" ", precision)


def escape_unprintable(text: str) -> str:
    """Escape unprintable characters, so that text from a PMS cannot control the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
