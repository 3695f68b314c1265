"""What a store knows of itself: how far its sequence has come, and whether it was left in good order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from pmslink.store.core.schema import FACTS
from pmslink.store.tables.log_entries import Transaction

RESERVE = 100_000
"""Numbers that are given out before the next so many are reserved: after a crash none comes twice."""


def read(connection: Connection, name: str) -> int | None:
    """A fact, or None while it is not known."""
    value = connection.execute(select(FACTS.c.value).where(FACTS.c.name == name)).scalar()
    return None if value is None else int(value)


def write(connection: Connection, name: str, value: int) -> None:
    """Note a fact."""
    connection.execute(delete(FACTS).where(FACTS.c.name == name))
    connection.execute(FACTS.insert(), {"name": name, "value": str(value)})


def keep_reserve(transaction: Transaction, reserved: int) -> int:
    """Reserve more of the sequence before what is reserved runs out; gives up to where it is."""
    number = transaction.number()
    if number + RESERVE // 2 < reserved:
        return reserved
    write(transaction.connection, "sequence", number + RESERVE)
    return number + RESERVE


def begin(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation: the service runs now; an end without `end` was an unclean one."""
    write(transaction.connection, "running", 1)
    return arguments


def end(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation: the service stops in good order."""
    write(transaction.connection, "running", 0)
    return arguments


def nothing(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation that tells its caller when what was handed over before it is safe."""
    return arguments


def test_write(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation: see whether the disk takes anything."""
    write(transaction.connection, "tested", transaction.number())
    return arguments
