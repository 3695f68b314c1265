"""What ``pmslink store`` does to a state directory: look it through, or put a damaged store aside."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from pmslink.cli.state_dir_option import state_dir_of, state_dir_options
from pmslink.store.core import schema, state_directory
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.row_checksum import verify_checksums
from pmslink.store.core.store_errors import StoreError
from pmslink.store.store_service import read_startup_snapshot, translate_errors

TRIAL_READ_ENTRIES = 1000
"""So much of what was told last is read for a try."""


def add_commands(commands: Any) -> None:
    """The commands below ``pmslink store``; `run` of each returns the lines to print. Raises PmslinkError."""
    place = state_dir_options()
    for name, act, summary in (
        ("check", check, "look the whole store through, also while a service uses it"),
        ("move-aside", move_aside, "rename it, so that the next start makes a new one"),
    ):
        command = commands.add_parser(name, parents=[place], help=summary)
        command.set_defaults(run=lambda arguments, act=act: act(state_dir_of(arguments)))


def check(state_dir: Path) -> list[str]:
    """What a store holds, in a line. Raises StoreError for one that a service could not use.

    A service may be using it meanwhile.
    """
    database = SqliteDatabase(state_dir)
    database.check_integrity()
    with translate_errors(database), database.reader() as connection, connection.begin():
        version = schema.supported_version(connection)
        if version is None:
            raise StoreError(f"{database.path}: it is sound, but holds nothing yet")
        if version == schema.SCHEMA_VERSION:
            verify_checksums(connection)
            read_startup_snapshot(connection, datetime.now(UTC), TRIAL_READ_ENTRIES)
        links, records = _count_rows(connection, schema.LINKS), _count_rows(connection, schema.RECORDS)
        return [
            f"{database.path} is sound: version {version}, links {links}, records {records}, "
            f"postings {_count_postings_by_state(connection)}"
        ]


def _count_rows(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _count_postings_by_state(connection: Connection) -> str:
    """How many, and of these in each state."""
    state = schema.POSTINGS.c.state
    asked = select(state, func.count()).group_by(state).order_by(state)
    found = [(name, count) for name, count in connection.execute(asked)]
    states = ", ".join(f"{name} {count}" for name, count in found)
    return f"{sum(count for _, count in found)} ({states})" if found else "0"


def move_aside(state_dir: Path) -> list[str]:
    """Rename a store and give the new names. Raises StoreError, also while a service uses it."""
    return [str(path) for path in state_directory.move_aside(state_dir, datetime.now(UTC))]
