"""What a store knows of itself: how far its sequence has come, and whether it was left in good order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from pmslink.store.core.schema import STORE_METADATA
from pmslink.store.core.transaction import Transaction

SEQUENCE_RESERVE_NUMBERS = 100_000
"""Numbers that are given out before the next so many are reserved: after a crash none comes twice."""


def read_value(connection: Connection, name: str) -> int | None:
    """A fact, or None while it is not known."""
    value = connection.execute(select(STORE_METADATA.c.value).where(STORE_METADATA.c.name == name)).scalar()
    return None if value is None else int(value)


def write_value(connection: Connection, name: str, value: int) -> None:
    """Note a fact."""
    connection.execute(delete(STORE_METADATA).where(STORE_METADATA.c.name == name))
    connection.execute(STORE_METADATA.insert(), {"name": name, "value": str(value)})


def reserve_numbers(transaction: Transaction, reserved_until: int) -> int:
    """Reserve more of the sequence before what is reserved runs out; gives up to where it is."""
    number = transaction.next_seq()
    if number + SEQUENCE_RESERVE_NUMBERS // 2 < reserved_until:
        return reserved_until
    write_value(transaction.connection, "sequence", number + SEQUENCE_RESERVE_NUMBERS)
    return number + SEQUENCE_RESERVE_NUMBERS


def mark_running(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation: the service runs now; an end without `end` was an unclean one."""
    write_value(transaction.connection, "running", 1)
    return arguments


def mark_stopped(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation: the service stops in good order."""
    write_value(transaction.connection, "running", 0)
    return arguments


def barrier(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation that tells its caller when what was handed over before it is safe."""
    return arguments


def check_writable(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """An operation: see whether the disk takes anything."""
    write_value(transaction.connection, "tested", transaction.next_seq())
    return arguments
