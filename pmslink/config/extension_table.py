"""Tables of extensions: files that say which extensions each room of a hotel has.

Each is a CSV file in UTF-8. A row has a room and its extensions, apart by commas or by semicolons; a room
may have several rows, an extension belongs to one room. A first row whose first cell is "room", blank
lines and lines that begin with "#" are skipped. All of it is text: leading zeros count.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pmslink.config.link_settings import LinkSettings
from pmslink.errors import PmslinkError
from pmslink.hotel.extensions import ExtensionMapping

MAX_TABLE_BYTES = 1 << 20
"""Bytes that a table may have."""

_CELL_PATTERN = re.compile('[^,;"\x00-\x1f\x7f-\x9f]{1,40}')
_Row = tuple[int, Sequence[str]]
"""The number of a line, and its cells."""


class ExtensionTableError(PmslinkError):
    """A table of extensions that cannot be read; ``problem`` tells why, and in which line.

    What stands in the line is not told: any file may have been named.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.problem = problem


def load_extension_mapping(settings: LinkSettings) -> ExtensionMapping:
    """How the extensions of a hotel's rooms are found; reads the table, so keep it as long as the settings.

    Raises ExtensionTableError.
    """
    table: Mapping[str, Sequence[str]] = {}
    if settings.extensions == "table":
        table = load_extension_table(settings.extension_table or "")
    return ExtensionMapping(settings.extensions, settings.extension_prefix or "", table)


def load_extension_table(path: str) -> Mapping[str, Sequence[str]]:
    """The extensions of each room, in the order of the file. Raises ExtensionTableError."""
    try:
        return _parse_table(_read_bytes(path))
    except ValueError as problem:
        raise ExtensionTableError(path, str(problem)) from None


@lru_cache(maxsize=1)  # who judges settings asks, and at once after that who follows them
def _parse_table(content: bytes) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for line, (room, *extensions) in _skip_header(_split_rows(content)):
        if not extensions:
            raise ValueError(f"line {line} has a room without an extension")
        for extension in extensions:
            if extension in lines:
                raise ValueError(f"line {line} has an extension that is in line {lines[extension]} already")
            lines[extension] = line
        found.setdefault(room, []).extend(extensions)
    return {room: tuple(extensions) for room, extensions in found.items()}


def _read_bytes(path: str) -> bytes:
    if not os.path.isfile(path):  # a pipe or a device would never end
        raise ValueError("there is no such file")
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_TABLE_BYTES + 1)
    except OSError as problem:
        raise ValueError(f"it cannot be read: {problem.strerror}") from None
    if len(content) > MAX_TABLE_BYTES:
        raise ValueError("it has more than 1 MiB")
    return content


def _split_rows(content: bytes) -> Iterator[_Row]:
    delimiter = ""
    for number, raw in enumerate(re.split(b"\r\n|\r|\n", content), 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise ValueError(f"line {number} is not written in UTF-8") from None
        if not line or line.startswith("#"):
            continue
        delimiter = delimiter or (re.findall("[,;]", line) or [""])[0]
        yield number, _parse_cells(line, delimiter or ",", number)


def _parse_cells(line: str, delimiter: str, line_number: int) -> Sequence[str]:
    try:
        (row,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error:
        raise ValueError(
            f"line {line_number} has a quotation mark that is not closed or out of place"
        ) from None
    cells = [cell.strip() for cell in row]
    if not all(cells):
        raise ValueError(f"line {line_number} has an empty cell")
    if not all(map(_CELL_PATTERN.fullmatch, cells)):
        raise ValueError(
            f"line {line_number} has a cell that is neither a room nor an extension: "
            "text of 1 to 40 characters"
            f' without comma, semicolon and quotation mark; cells are apart by "{delimiter}"'
        )
    return cells


def _skip_header(rows: Iterator[_Row]) -> Iterator[_Row]:
    for at, (number, cells) in enumerate(rows):
        if at or cells[0].casefold() != "room":
            yield number, cells
