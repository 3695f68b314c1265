"""How a store made by an older version of the program becomes one of this.

An upgrade is written in SQL, and never changes: the tables that it makes are those of its own version,
which may not be those of today.
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
    """Both are empty at first: of what was before, nobody knows when the service ran."""
    for statement in _VERSION_2_STATEMENTS:
        connection.exec_driver_sql(statement)


def _add_hotel_tables(connection: Connection) -> None:
    """Of rooms nothing is known until the PMS tells all of them again: as after an unclean stop."""
    for statement in _VERSION_3_STATEMENTS:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("UPDATE facts SET value = '1' WHERE name = 'running'")


MIGRATIONS: Mapping[int, Migration] = {2: _add_syncs_and_runs, 3: _add_hotel_tables}
"""By the version that it leads to: what makes a store of the version before into one of this."""
