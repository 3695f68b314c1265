"""The upgrade of a store: a store of an older version becomes one of this version, or stays as it was.

Up to version 4, the keys of the tables are not the row ids of SQLite, and that cannot be changed in place. So
the rows are copied into the tables of a new database, which replaces the old one when it is complete. After a
kill, the old store is still there, and the next start begins again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from attrs import define, field
from sqlalchemy import Connection, Integer, MetaData, Table, literal_column, select, table, text

from pmslink.store.core import schema_version, version_5_tables
from pmslink.store.core.database import REBUILT_SCHEMA, Database
from pmslink.store.core.row_checksum import STARTUP_CHECK_ROWS, verify_checksums

REBUILT_VERSION = 5
"""The version to which a store of an older version is rebuilt; later migrations change it in place."""
_COPY_BATCH_ROWS = 50_000
"""Rows that one statement copies; it takes about a second."""
_REPORT_INTERVAL_S = 5.0
_EXPECTED_STEPS_PER_S = 700_000
"""Rows that are copied, or sorted into an index, in a second: for the estimate before the upgrade."""

Report = Callable[[str], None]


def rebuild_older_store(database: Database, report: Report) -> None:
    """Rebuild a store of a version before REBUILT_VERSION; do nothing to any other.

    `report` gets what is about to be done, and then the progress every few seconds. Raises StoreError without
    enough space on the disk, and StoreTooNewError for a store of a newer version.
    """
    with database.reader() as connection, connection.begin():
        version = schema_version.supported_version(connection)
    if version is not None and version < REBUILT_VERSION:
        database.rebuild(partial(_rebuild, report=report))


def _rebuild(connection: Connection, report: Report) -> None:
    """Copy all rows of the main database into new tables of the attached one."""
    version = schema_version.stored_version(connection)
    counts = dict(_count_rows(connection))
    schema_version.create_or_migrate(connection, REBUILT_VERSION - 1)
    progress = _Progress(sum(map(_steps, counts, counts.values())), report)
    progress.begin(version, counts)
    for name, columns in version_5_tables.TABLES.items():
        connection.exec_driver_sql(f"CREATE TABLE {REBUILT_SCHEMA}.{name} ({columns})")
        for copied in _copy_rows(connection, name):
            progress.advance(copied)
        for statement in version_5_tables.INDEXES.get(name, ()):
            connection.exec_driver_sql(statement)
            progress.advance(counts.get(name, 0))
    rebuilt = connection.execution_options(schema_translate_map={None: REBUILT_SCHEMA})
    schema_version.store_version(rebuilt, REBUILT_VERSION)
    verify_checksums(connection, STARTUP_CHECK_ROWS, tables=_checksummed_tables(connection))
    progress.end()


def _checksummed_tables(connection: Connection) -> list[Table]:
    """Return the rebuilt tables as they are; those of `schema.py` may have more columns."""
    metadata = MetaData(schema=REBUILT_SCHEMA)
    tables = [Table(name, metadata, autoload_with=connection) for name in version_5_tables.TABLES]
    return [table for table in tables if "checksum" in table.c]


def _count_rows(connection: Connection) -> Iterator[tuple[str, int]]:
    """Yield each table of version 4 that exists, with its number of rows; deleted rows count as well."""
    existing = (
        connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    )
    for name in version_5_tables.TABLES:
        if name in existing:
            first, last = _row_id_range(connection, name)
            yield name, last - first + 1


def _row_id_range(connection: Connection, name: str) -> tuple[int, int]:
    """Return the first and the last row id of a table; 0 and -1 if it is empty."""
    first, last = (
        connection.execute(
            select(literal_column("rowid", Integer))
            .select_from(table(name, schema="main"))
            .order_by(text(order))
            .limit(1)
        ).scalar()
        for order in ("rowid", "rowid DESC")
    )
    return (0, -1) if first is None or last is None else (first, last)


def _steps(name: str, rows: int) -> int:
    return rows * (1 + len(version_5_tables.INDEXES.get(name, ())))


def _copy_rows(connection: Connection, name: str) -> Iterator[int]:
    """Copy the rows of a table in the order in which they were inserted; yield the number of each batch."""
    first, last = _row_id_range(connection, name)
    for begin in range(first, last + 1, _COPY_BATCH_ROWS):
        end = min(begin + _COPY_BATCH_ROWS, last + 1)
        batch = f"SELECT * FROM main.{name} WHERE rowid >= ? AND rowid < ?"  # noqa: S608 (a table of ours)
        connection.exec_driver_sql(f"INSERT INTO {REBUILT_SCHEMA}.{name} {batch}", (begin, end))
        yield end - begin


@define
class _Progress:
    """Reports how far an upgrade is, and how long it will still take."""

    _total: int
    _report: Report
    _done: int = 0
    _began: float = field(factory=time.monotonic)
    _reported: float = field(factory=time.monotonic)

    def begin(self, version: int, counts: dict[str, int]) -> None:
        """Report what is about to be upgraded."""
        self._report(
            f"upgrading the store from version {version} to {REBUILT_VERSION}: "
            f"{counts['postings']:,} postings, {counts['records']:,} records, "
            f"{counts['transitions']:,} transitions; this takes about "
            f"{1 + self._total // _EXPECTED_STEPS_PER_S} s, and the links are down meanwhile"
        )

    def advance(self, steps: int) -> None:
        """Count steps that are done, and report the progress from time to time."""
        self._done += steps
        now = time.monotonic()
        if now - self._reported >= _REPORT_INTERVAL_S:
            self._reported = now
            remaining = (self._total - self._done) * (now - self._began) / self._done
            self._report(
                f"upgrading the store: {100 * self._done // self._total} % done, about {remaining:.0f} s left"
            )

    def end(self) -> None:
        """Report that all rows are copied."""
        self._report(
            f"upgraded the store to version {REBUILT_VERSION} in {time.monotonic() - self._began:.0f} s"
        )
