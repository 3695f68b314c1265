"""Metadata of a store: the reserved numbers of its sequence, and whether its last shutdown was clean."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from pmslink.store.core.schema import STORE_METADATA
from pmslink.store.core.transaction import Transaction

SEQUENCE_RESERVE_NUMBERS = 100_000
"""Size of a block of reserved numbers; reservation prevents that a number is used twice after a crash."""


def read_value(connection: Connection, name: str) -> int | None:
    """Return a value, or None if it is not stored."""
    value = connection.execute(select(STORE_METADATA.c.value).where(STORE_METADATA.c.name == name)).scalar()
    return None if value is None else int(value)


def write_value(connection: Connection, name: str, value: int) -> None:
    """Store a value."""
    connection.execute(delete(STORE_METADATA).where(STORE_METADATA.c.name == name))
    connection.execute(STORE_METADATA.insert(), {"name": name, "value": str(value)})


def reserve_numbers(transaction: Transaction, reserved_until: int) -> int:
    """Reserve more numbers before the reserved ones run out; return the end of the reservation."""
    number = transaction.next_seq()
    if number + SEQUENCE_RESERVE_NUMBERS // 2 < reserved_until:
        return reserved_until
    write_value(transaction.connection, "sequence", number + SEQUENCE_RESERVE_NUMBERS)
    return number + SEQUENCE_RESERVE_NUMBERS


def mark_running(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: store that the service runs. Without `mark_stopped` its shutdown was unclean."""
    write_value(transaction.connection, "running", 1)
    return arguments


def mark_stopped(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: store that the service stops cleanly."""
    write_value(transaction.connection, "running", 0)
    return arguments


def barrier(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: write nothing. Its result shows that all earlier writes are committed."""
    return arguments


def check_writable(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: write a value, to check whether the database can be written."""
    write_value(transaction.connection, "tested", transaction.next_seq())
    return arguments
