"""Statements that are built with SQLAlchemy Core, and executed on the driver's own connection.

SQLAlchemy takes 20 to 70 microseconds of CPU for each execution, SQLite one to five. So the statements of the
hot paths (the outbox, the stays of guests, all inserts) are compiled once, at import, and executed without
SQLAlchemy. `docs/decisions/0014-prepared-statements.md` has the figures. All other statements use Core as
usual, on the same connection and in the same transaction.

The tables remain the only description of the schema. Values are passed and returned as the driver has them:
a statement with a column that needs a conversion (Boolean, DateTime) does not belong here. Errors are the
driver's own, not wrapped in `sqlalchemy.exc.DBAPIError`; `Database.is_outage` knows both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Delete, Insert, Select, Table, Update, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.visitors import replacement_traverse

from pmslink.store.core.row_checksum import checksum

DriverError = sqlite3.Error
"""The base class of the errors of statements that SQLAlchemy does not execute."""

_NAMED = sqlite.dialect(paramstyle="named")
_POSITIONAL = sqlite.dialect(paramstyle="qmark")


class PreparedStatement:
    """A statement of Core as SQL text. Its `bindparam`s are the keywords of `execute`.

    It cannot have a parameter for a list (`IN`), whose length would change the text.
    """

    def __init__(self, statement: Select[Any] | Insert | Update | Delete) -> None:
        # constants become part of the text: only so does SQLite use the partial indexes that mention them
        with_constants: Any = replacement_traverse(statement, {}, _constant_as_text)
        compiled = with_constants.compile(dialect=_NAMED)
        self.text = str(compiled)
        # SQLAlchemy adds "OFFSET 0" to a LIMIT, as a parameter
        self._added = {name: value for name, value in compiled.params.items() if value is not None}

    def execute(self, connection: Connection, **values: object) -> sqlite3.Cursor:
        """Execute the statement, and return the driver's cursor. Raises sqlite3.Error."""
        return driver_connection(connection).execute(self.text, self._added | values)

    def execute_many(self, connection: Connection, values: Iterable[Mapping[str, object]]) -> None:
        """Execute the statement for each of these values. Raises sqlite3.Error."""
        driver_connection(connection).executemany(self.text, values)


def _constant_as_text(element: Any, **_options: Any) -> Any:
    """Return a parameter that has a value as SQL text; None, for any other element, keeps it as it is."""
    if not isinstance(element, BindParameter):
        return None
    if element.required:
        if element.expanding:
            raise TypeError(f"{element.key}: execute the statement for each value of a list")
        return None
    if element.expanding:
        return literal_column(
            f"({', '.join(_value_as_text(element, value) for value in element.value or ())})"
        )
    return literal_column(_value_as_text(element, element.value), element.type)


def _value_as_text(element: BindParameter[Any], value: object) -> str:
    process = element.type.literal_processor(_NAMED)
    return str(value) if process is None else process(value)


def driver_connection(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection under a connection of SQLAlchemy."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def insert_many(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows with a value for every column but the checksum, in the order of the columns."""
    rows_with_checksum = [(*row, checksum(tuple(row))) for row in rows]
    driver_connection(connection).executemany(_insert_text(table), rows_with_checksum)


def upsert_many(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows as `insert_many` does, or replace the values of those that have the same primary key."""
    rows_with_checksum = [(*row, checksum(tuple(row))) for row in rows]
    driver_connection(connection).executemany(_upsert_text(table), rows_with_checksum)


@cache
def _upsert_text(table: Table) -> str:
    key = [column.name for column in table.primary_key]
    statement = sqlite.insert(table)
    replaced = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=replaced)
    return str(statement.compile(dialect=_POSITIONAL))


@cache
def _insert_text(table: Table) -> str:
    return str(table.insert().compile(dialect=_POSITIONAL))
