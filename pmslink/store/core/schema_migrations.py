"""Migrations: each turns a store of one schema version into one of the next.

A migration is written in SQL and never changes. It creates the tables of its own version, which may differ
from those of `schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

Migration = Callable[[Connection], None]

_VERSION_2_STATEMENTS = (
    "CREATE TABLE syncs (id BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL,"
    " in_sync BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (id))",
    "CREATE INDEX syncs_of_link ON syncs (link, id)",
    "CREATE TABLE runs (id BIGINT NOT NULL, began BIGINT NOT NULL, seen BIGINT NOT NULL,"
    " checksum BIGINT NOT NULL, PRIMARY KEY (id))",
)

_VERSION_3_STATEMENTS = (
    "CREATE TABLE rooms (link VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL,"
    " changed BIGINT NOT NULL, named BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (link, room))",
    "CREATE INDEX rooms_by_age ON rooms (named, changed)",
    "CREATE TABLE houses (link VARCHAR NOT NULL, body TEXT NOT NULL, next_at BIGINT,"
    " checksum BIGINT NOT NULL, PRIMARY KEY (link))",
    "CREATE TABLE events (seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL,"
    " type VARCHAR NOT NULL, room VARCHAR, text TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq))",
    "CREATE INDEX events_of_link ON events (link, seq)",
    "CREATE INDEX postings_by_room ON postings (link, room) WHERE number IS NULL",
    "CREATE TABLE cursors (link VARCHAR NOT NULL, seq BIGINT NOT NULL, checksum BIGINT NOT NULL,"
    " PRIMARY KEY (link))",
)


def _add_syncs_and_runs(connection: Connection) -> None:
    # Both stay empty, because earlier runs of the service are not known.
    for statement in _VERSION_2_STATEMENTS:
        connection.exec_driver_sql(statement)


def _add_hotel_tables(connection: Connection) -> None:
    # The rooms are not known until the next resync, so mark the shutdown as unclean.
    for statement in _VERSION_3_STATEMENTS:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("UPDATE facts SET value = '1' WHERE name = 'running'")


MIGRATIONS: Mapping[int, Migration] = {2: _add_syncs_and_runs, 3: _add_hotel_tables}
"""Migrations by the version that they lead to."""
