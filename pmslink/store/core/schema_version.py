"""The version of a store: create the tables of this version, or migrate those of an older one to it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, inspect, select, update
from sqlalchemy.schema import CreateIndex, CreateTable

from pmslink.store.core.schema import METADATA, SCHEMA_VERSION, STORE_METADATA
from pmslink.store.core.schema_migrations import MIGRATIONS, Migration
from pmslink.store.core.store_errors import StoreTooNewError


def create_or_migrate(
    connection: Connection, version: int = SCHEMA_VERSION, migrations: Mapping[int, Migration] = MIGRATIONS
) -> None:
    """Create the tables of a new store, or migrate those of an older version.

    Raises StoreTooNewError for a store of a newer version, and does not change it. `store_upgrade.py` takes
    stores from before version 5 to that version.
    """
    current = supported_version(connection, version)
    if current is None:
        for table in METADATA.sorted_tables:
            connection.execute(CreateTable(table))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index))  # their order decides between equal plans
        connection.execute(STORE_METADATA.insert(), {"name": "version", "value": str(version)})
        return
    for next_version in range(current + 1, version + 1):
        migrations[next_version](connection)
        store_version(connection, next_version)


def supported_version(connection: Connection, version: int = SCHEMA_VERSION) -> int | None:
    """Return the version of a store, or None if it has no tables yet. Raises StoreTooNewError."""
    if not inspect(connection).has_table(STORE_METADATA.name):
        return None
    current = stored_version(connection)
    if current > version:
        raise StoreTooNewError(
            f"it was written by a newer pmslink (store version {current}, this one supports {version}): "
            "install that version again, or use another state directory"
        )
    return current


def stored_version(connection: Connection) -> int:
    """Return the version of a store that has tables."""
    return int(
        connection.execute(
            select(STORE_METADATA.c.value).where(STORE_METADATA.c.name == "version")
        ).scalar_one()
    )


def store_version(connection: Connection, version: int) -> None:
    """Store the version of a store that has tables."""
    connection.execute(
        update(STORE_METADATA).where(STORE_METADATA.c.name == "version").values(value=str(version))
    )
