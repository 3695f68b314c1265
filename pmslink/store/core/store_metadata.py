"""Metadata of a store: reserved numbers, the receipt of the last commit, and the last shutdown."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from pmslink.store.core.prepared_statements import PreparedStatement
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


def read_receipt(connection: Connection) -> int:
    """Return the number of the last commit that changed the store; 0 for a new store."""
    return read_value(connection, "receipt") or 0


_UPDATE_RECEIPT = PreparedStatement(  # a part of each commit
    update(STORE_METADATA).where(STORE_METADATA.c.name == "receipt").values(value=bindparam("number"))
)


def write_receipt(connection: Connection, number: int) -> None:
    """Store the number of the commit in progress: once it is found there, the commit is stored."""
    if not _UPDATE_RECEIPT.execute(connection, number=str(number)).rowcount:
        write_value(connection, "receipt", number)


def mark_running(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: store that the service runs. Without `mark_stopped` its shutdown was unclean."""
    write_value(transaction.connection, "running", 1)
    return arguments


def mark_stopped(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: store that the service stops cleanly."""
    write_value(transaction.connection, "running", 0)
    return arguments


def store_high_water_marks(transaction: Transaction, marks: Sequence[int]) -> Sequence[None]:
    """Operation: store the high-water mark (`high_water_mark.py`)."""
    write_value(transaction.connection, "high_water", max(marks))
    return [None] * len(marks)


def is_older_copy(connection: Connection, mark: int | None) -> bool:
    """Check whether the store is an older copy: somebody said so, or it lacks the mark of the file.

    `mark` is that of the file; None without one. A new store is no copy.
    """
    if read_value(connection, "restored"):
        return True
    is_new = read_value(connection, "sequence") is None
    return mark is not None and not is_new and mark > (read_value(connection, "high_water") or 0)


def barrier(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: write nothing. Its result shows that all earlier writes are committed."""
    return arguments
