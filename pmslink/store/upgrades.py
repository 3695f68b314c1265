"""How a store made by an older version of the program becomes one of this.

An upgrade is written in SQL, and never changes: the tables that it makes are those of its own version,
which may not be those of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

Upgrade = Callable[[Connection], None]

_TO_2 = (
    "CREATE TABLE syncs (id BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL,"
    " in_sync BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (id))",
    "CREATE INDEX syncs_of_link ON syncs (link, id)",
    "CREATE TABLE runs (id BIGINT NOT NULL, began BIGINT NOT NULL, seen BIGINT NOT NULL,"
    " checksum BIGINT NOT NULL, PRIMARY KEY (id))",
)


def _add_syncs_and_runs(connection: Connection) -> None:
    """Both are empty at first: of what was before, nobody knows when the service ran."""
    for statement in _TO_2:
        connection.exec_driver_sql(statement)


UPGRADES: Mapping[int, Upgrade] = {2: _add_syncs_and_runs}
"""By the version that it leads to: what makes a store of the version before into one of this."""
