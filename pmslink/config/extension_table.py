"""Load extension tables: files that list the extensions of each room of a hotel.

A table is a CSV file in UTF-8. A row has a room and its extensions, separated by commas or semicolons. A room
may have several rows, an extension belongs to one room. A first row whose first cell is "room", blank lines
and lines that begin with "#" are skipped. All cells are text: leading zeros count.
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
"""Maximum size of a table."""

_CELL_PATTERN = re.compile('[^,;"\x00-\x1f\x7f-\x9f]{1,40}')
_Row = tuple[int, Sequence[str]]
"""A line number and the cells of the line."""


class ExtensionTableError(PmslinkError):
    """Report an extension table that cannot be read; `problem` says why, and in which line.

    The text never quotes the file, because the setting may name any file of the machine.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.problem = problem


def load_extension_mapping(settings: LinkSettings) -> ExtensionMapping:
    """Return the mapping from rooms to extensions that the settings define.

    This reads the table: call it once for each change of the settings. Raises ExtensionTableError.
    """
    table: Mapping[str, Sequence[str]] = {}
    if settings.extensions == "table":
        table = load_extension_table(settings.extension_table or "")
    return ExtensionMapping(settings.extensions, settings.extension_prefix or "", table)


def load_extension_table(path: str) -> Mapping[str, Sequence[str]]:
    """Return the extensions of each room, in the order of the file. Raises ExtensionTableError."""
    try:
        return _parse_table(_read_bytes(path))
    except ValueError as error:
        raise ExtensionTableError(path, str(error)) from None


@lru_cache(maxsize=1)  # settings are validated, and applied immediately afterwards
def _parse_table(content: bytes) -> Mapping[str, Sequence[str]]:
    extensions_by_room: dict[str, list[str]] = {}
    line_by_extension: dict[str, int] = {}
    for line, (room, *extensions) in _skip_header(_split_rows(content)):
        if not extensions:
            raise ValueError(f"line {line} has a room without an extension")
        for extension in extensions:
            if other_line := line_by_extension.get(extension):
                raise ValueError(f"line {line} has an extension that line {other_line} has already")
            line_by_extension[extension] = line
        extensions_by_room.setdefault(room, []).extend(extensions)
    return {room: tuple(extensions) for room, extensions in extensions_by_room.items()}


def _read_bytes(path: str) -> bytes:
    if not os.path.isfile(path):  # reading a pipe or a device might never end
        raise ValueError("no such file")
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_TABLE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(content) > MAX_TABLE_BYTES:
        raise ValueError("the file is larger than 1 MiB")
    return content


def _split_rows(content: bytes) -> Iterator[_Row]:
    delimiter = ""
    for number, raw in enumerate(re.split(b"\r\n|\r|\n", content), 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise ValueError(f"line {number} is not encoded in UTF-8") from None
        if not line or line.startswith("#"):
            continue
        delimiter = delimiter or (re.findall("[,;]", line) or [""])[0]
        yield number, _parse_cells(line, delimiter or ",", number)


def _parse_cells(line: str, delimiter: str, line_number: int) -> Sequence[str]:
    try:
        (row,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error:
        raise ValueError(f"line {line_number} has a quotation mark that is unclosed or misplaced") from None
    cells = [cell.strip() for cell in row]
    if not all(cells):
        raise ValueError(f"line {line_number} has an empty cell")
    if not all(map(_CELL_PATTERN.fullmatch, cells)):
        raise ValueError(
            f"line {line_number} has an invalid cell: must be text of 1 to 40 characters without comma,"
            f' semicolon and quotation mark; cells are separated by "{delimiter}"'
        )
    return cells


def _skip_header(rows: Iterator[_Row]) -> Iterator[_Row]:
    for at, (number, cells) in enumerate(rows):
        if at or cells[0].casefold() != "room":
            yield number, cells
