"""A checksum in every row: the database itself does not detect a flipped bit inside a text or a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from zlib import crc32

from sqlalchemy import Connection, Table, select

from pmslink.store.core.schema import CHECKSUMMED_TABLES

STARTUP_CHECK_ROWS = 100_000
"""Number of newest rows in each table that each start checks; that takes about a second."""


PROGRESS_ROWS = 10_000
"""Rows between two reports of the progress."""


class ChecksumError(ValueError):
    """A row differs from the row that was written."""


def checksum(row: tuple[object, ...]) -> int:
    """Return the checksum of a row's values, in the order of the columns."""
    return crc32(repr(row).encode())


def verify_checksums(
    connection: Connection,
    newest_rows: int | None = None,
    on_progress: Callable[[int], None] = lambda verified: None,
    tables: Iterable[Table] = CHECKSUMMED_TABLES,
) -> None:
    """Raise ChecksumError unless all rows, or the newest ones of each table, match their checksums.

    `on_progress` is called with the number of rows that were verified, now and then.
    """
    verified = 0
    for table in tables:
        newest_first = [key.desc() for key in table.primary_key]
        for row in connection.execute(select(table).order_by(*newest_first).limit(newest_rows)):
            *values, stored_checksum = row
            if checksum(tuple(values)) != stored_checksum:
                raise ChecksumError(f"a row of {table.name} does not match its checksum")
            verified += 1
            if verified % PROGRESS_ROWS == 0:
                on_progress(verified)
