"""Statements that are built with SQLAlchemy Core and executed on the driver's connection."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, bindparam, create_engine, select, update

from pmslink.store.core.prepared_statements import PreparedStatement, upsert_many
from pmslink.store.core.row_checksum import checksum
from pmslink.store.core.schema import CURSORS

ROOMS = Table("rooms", MetaData(), Column("name", String), Column("floor", BigInteger))
IN_ROOM = ROOMS.c.name == bindparam("name")


@pytest.fixture
def connection() -> Any:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        ROOMS.metadata.create_all(connection)
        CURSORS.create(connection)
        connection.execute(ROOMS.insert(), [{"name": f"{n}", "floor": n // 100} for n in (101, 102, 201)])
        yield connection


def test_a_prepared_statement_takes_its_parameters_by_name(connection: Any) -> None:
    query = PreparedStatement(select(ROOMS.c.floor).where(IN_ROOM))
    assert query.execute(connection, name="201").fetchall() == [(2,)]


def test_constants_are_part_of_the_text(connection: Any) -> None:
    query = PreparedStatement(
        select(ROOMS.c.name)
        .where(ROOMS.c.floor == 1, ROOMS.c.name.in_(("101", "it's")), ROOMS.c.name != "it's")
        .order_by(ROOMS.c.name)
    )
    assert "floor = 1" in query.text
    assert "IN ('101', 'it''s')" in query.text
    assert query.execute(connection).fetchall() == [("101",)]


def test_the_number_of_rows_may_be_limited_by_a_constant_or_a_parameter(connection: Any) -> None:
    ordered = select(ROOMS.c.name).order_by(ROOMS.c.name)
    assert PreparedStatement(ordered.limit(1)).execute(connection).fetchall() == [("101",)]
    limited = PreparedStatement(ordered.limit(bindparam("limit")))
    assert limited.execute(connection, limit=2).fetchall() == [("101",), ("102",)]


def test_a_statement_is_executed_for_many_values(connection: Any) -> None:
    move = PreparedStatement(update(ROOMS).where(IN_ROOM).values(floor=bindparam("to")))
    move.execute_many(connection, [{"name": "101", "to": 7}, {"name": "201", "to": 8}])
    floors = PreparedStatement(select(ROOMS.c.floor).order_by(ROOMS.c.name))
    assert floors.execute(connection).fetchall() == [(7,), (1,), (8,)]


def test_a_parameter_for_a_list_is_rejected() -> None:
    names = ROOMS.c.name.in_(bindparam("names", expanding=True))
    with pytest.raises(TypeError, match="names"):
        PreparedStatement(select(ROOMS).where(names))


def test_errors_are_those_of_the_driver(connection: Any) -> None:
    query = PreparedStatement(select(Table("no_such_table", MetaData(), Column("name", String))))
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        query.execute(connection)


def test_an_upsert_replaces_the_values_of_rows_with_the_same_key(connection: Any) -> None:
    upsert_many(connection, CURSORS, [("grand", 1), ("plaza", 2)])
    upsert_many(connection, CURSORS, [("plaza", 3), ("ritz", 4)])
    upsert_many(connection, CURSORS, [])
    rows = connection.execute(select(CURSORS)).all()
    assert [row[:2] for row in rows] == [("grand", 1), ("plaza", 3), ("ritz", 4)]
    assert [row.checksum for row in rows] == [checksum(tuple(row[:-1])) for row in rows]
