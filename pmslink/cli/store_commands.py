"""`pmslink store`: check the store of a state directory, declare it restored, or move a damaged one aside."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Table, func, select

from pmslink.cli.check_progress import CheckProgress
from pmslink.cli.state_dir_option import add_state_dir_options, state_dir_of
from pmslink.store.core import schema, schema_version, state_directory, store_metadata
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.row_checksum import verify_checksums
from pmslink.store.core.store_errors import StoreError
from pmslink.store.store_service import read_startup_snapshot, translate_errors

TRIAL_READ_ENTRIES = 1000
"""Number of stored events that a check reads; a starting service reads some as well."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the commands below `pmslink store`; `run` of each returns the lines to print."""
    commands = command.add_subparsers(metavar="COMMAND", required=True)
    for name, action, summary in (
        ("check", check, "check the whole store; a running service may use it meanwhile"),
        ("restored", declare_restored, "say that the store is an older copy, before the service starts"),
        ("move-aside", move_aside, "rename the store, so that the next start creates a new one"),
    ):
        subcommand = commands.add_parser(name, help=summary)
        add_state_dir_options(subcommand)
        subcommand.set_defaults(run=lambda arguments, action=action: action(state_dir_of(arguments)))


def check(state_dir: Path) -> list[str]:
    """Return one line with the numbers of links, records and postings in the store.

    A running service may use the store meanwhile. Raises StoreError if a service could not start with it.
    """
    database = SqliteDatabase(state_dir)
    progress = CheckProgress()
    database.check_integrity(lambda: progress.report(f"checking the structure of {database.path}"))
    with translate_errors(database), database.reader() as connection, connection.begin():
        version = schema_version.supported_version(connection)
        if version is None:
            raise StoreError(f"{database.path}: the store is sound, but empty")
        if version == schema.SCHEMA_VERSION:
            total = sum(_count_rows(connection, table) for table in schema.CHECKSUMMED_TABLES)
            verify_checksums(
                connection, on_progress=lambda done: progress.report("verifying checksums", done, total)
            )
            read_startup_snapshot(connection, datetime.now(UTC), TRIAL_READ_ENTRIES)
        links, records = _count_rows(connection, schema.LINKS), _count_rows(connection, schema.RECORDS)
        return [
            f"{database.path} is sound: version {version}, links {links}, records {records}, "
            f"postings {_count_postings_by_state(connection)}"
        ]


def _count_rows(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _count_postings_by_state(connection: Connection) -> str:
    """Return the total, and the number in each state in parentheses."""
    state = schema.POSTINGS.c.state
    query = select(state, func.count()).group_by(state).order_by(state)
    counts = [(name, count) for name, count in connection.execute(query)]
    states = ", ".join(f"{name} {count}" for name, count in counts)
    return f"{sum(count for _, count in counts)} ({states})" if counts else "0"


def declare_restored(state_dir: Path) -> list[str]:
    """Make the next start treat the store as an older copy. Raises StoreError, also if it is in use."""
    database = SqliteDatabase(state_dir)
    if not database.path.exists():
        raise StoreError(f"{database.path}: there is no store")
    lock = state_directory.DirectoryLock(state_dir)
    try:
        with translate_errors(database), database.writer() as connection, connection.begin():
            if schema_version.supported_version(connection) is None:
                raise StoreError(f"{database.path}: the store is empty, so it is no copy")
            store_metadata.write_value(connection, "restored", 1)
    finally:
        lock.release()
    return [
        f"{database.path}: at the next start, all rows of the outbox that are not final become unknown, "
        "posting numbers are skipped, and each link requests a resync"
    ]


def move_aside(state_dir: Path) -> list[str]:
    """Rename the files of a store and return their new paths. Raises StoreError, also if it is in use."""
    return [str(path) for path in state_directory.move_aside(state_dir, datetime.now(UTC))]
