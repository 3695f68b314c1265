"""The transaction of an operation, its arguments and results, and the entries that it publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar, Protocol, TypeVar

from attrs import define, field
from sqlalchemy import Connection

from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import HotelState

Argument = TypeVar("Argument")
Result = TypeVar("Result")


@define(eq=False)
class Entry:
    """An entry of the log. Its `seq` is assigned when it is written; it is published after the commit."""

    publish_when_failing: ClassVar[bool] = False
    """Whether subscribers get the entry even while the database fails and it cannot be stored."""

    seq: int = field(default=0, init=False)
    published: bool = field(default=False, init=False)


class HotelUnitOfWork(Protocol):
    """The hotels that one transaction reads and changes. All of it runs in the writer's thread."""

    def policy_of(self, link: str) -> HotelPolicy:
        """Return the policy of a link's hotel, or the default one for a link that does not run."""

    def wall_clock(self) -> datetime:
        """Return the current time in UTC."""

    def is_clock_settled(self) -> bool:
        """Return whether the current time is certain; false shortly after a start or a jump of the clock."""

    def hotel(self, connection: Connection, link: str) -> HotelState:
        """Return the state of a link's hotel; changes to it are stored with the transaction."""

    def is_resyncing(self, connection: Connection, link: str) -> bool:
        """Return whether a resync of the hotel runs, without reading its rooms."""

    def add_event_row(self, link: str, row: tuple[object, ...]) -> None:
        """Insert a row into the table of hotel events when the transaction ends."""

    def remove(self, link: str) -> None:
        """Delete the hotel of a removed link. Later in the transaction its hotel is empty."""

    def flush(self, transaction: Transaction) -> None:
        """Write all changed hotels and all event rows, before the commit."""

    def committed(self) -> None:
        """Replace the committed hotels by the changed ones, after the commit."""


class UnitOfWorkFactory(Protocol):
    """Begins one unit of work for each transaction."""

    def begin(self) -> HotelUnitOfWork:
        """Return a unit of work without any changes."""


@define(eq=False)
class Transaction:
    """The context of an operation, in the writer's thread: connection, sequence and hotels."""

    connection: Connection
    _sequence: Iterator[int]
    hotels: HotelUnitOfWork
    to_publish: list[Entry] = field(factory=list)
    """Entries for the subscribers, in order; the journal publishes them after the commit."""

    def next_seq(self) -> int:
        """Return the next number of the store's sequence."""
        return next(self._sequence)


Operation = Callable[[Transaction, Sequence[Argument]], Sequence[Result | Exception]]
"""Writes a list of arguments in one transaction, and returns one result, or one error, for each."""
