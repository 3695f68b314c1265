"""A checksum in every row: a bit that flips inside a text or a number, no database notices by itself."""

from __future__ import annotations

from zlib import crc32

from sqlalchemy import Connection, select

from pmslink.store.core.schema import CHECKSUMMED_TABLES

STARTUP_CHECK_ROWS = 100_000
"""The newest rows of each table that are checked at each start; that takes about a second."""


class ChecksumError(ValueError):
    """A row is not as it was written."""


def checksum(row: tuple[object, ...]) -> int:
    """Of all its values, in the order of the columns."""
    return crc32(repr(row).encode())


def verify_checksums(connection: Connection, newest_rows: int | None = None) -> None:
    """Raise Altered unless all rows, or the newest, are as they were written."""
    for table in CHECKSUMMED_TABLES:
        newest_first = [key.desc() for key in table.primary_key]
        for row in connection.execute(select(table).order_by(*newest_first).limit(newest_rows)):
            *values, told = row
            if checksum(tuple(values)) != told:
                raise ChecksumError(f"a row of {table.name} is not as it was written")
