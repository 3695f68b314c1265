"""The high-water mark: a number beside the store that shows whether the store is an older copy.

The mark is a number of the store's sequence. The service commits it to the store each minute, and then
writes it into a file beside the store. So the store never has a lower mark than the file, unless an older
copy of the store was put in its place. The file is no part of a backup of the store.
"""

from __future__ import annotations

import os
from pathlib import Path

HIGH_WATER_FILE_NAME = "high-water-mark"
_MAX_DIGITS = 15
"""Digits of a mark: the sequence counts from milliseconds since 1970, and stays below 2**53 (JSON)."""


class HighWaterFile:
    """The file of the mark in a state directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / HIGH_WATER_FILE_NAME

    def read(self) -> int | None:
        """Return the mark; None if the file is missing, or is not readable or not valid."""
        try:
            text = self._path.read_bytes()[: _MAX_DIGITS + 1].strip()
        except OSError:
            return None
        return int(text) if text.isdigit() and len(text) <= _MAX_DIGITS else None

    def write(self, mark: int) -> None:
        """Replace the mark; after a power cut the file has the old or the new one. Raises OSError."""
        unfinished = self._path.with_name(f"{HIGH_WATER_FILE_NAME}.new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(b"%d\n" % mark)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
