"""The move window: what the records of the last two seconds said about the room of each guest.

A PMS tells one move or swap by several records, in any order. So a single record is judged together with the
other records of the same window. Times are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Literal

from attrs import asdict, define, field, frozen

MOVE_WINDOW_MS = 2_000
"""Records about one guest within this time belong together, in whatever order they come."""

StatementKind = Literal["here", "gone", "left"]
"""`here`: the guest is in the room; `gone`: the guest has left it; `left`: a move has ended that stay."""


def is_in_window(since: int, now_ms: int) -> bool:
    """Check whether a moment is in the move window. One in the future means a clock that was set back."""
    return since <= now_ms < since + MOVE_WINDOW_MS


@frozen
class Arrival:
    """How a guest came into a room. `order` grows with each arrival.

    Guests who come together are one `party`; 0 for a guest who joins those who were there before.
    `awaits_first`: the guest is a sharer (GS Y), and the first guest of the party has not been reported yet.
    """

    order: int
    party: int
    awaits_first: bool = False


@frozen
class Statement:
    """What one record said about a guest and a room. `share` is its GS.

    `sets_class`: the record has a class of service (CS). `resync`: a resync repeated it.
    """

    at: int
    room: str
    kind: StatementKind
    share: str | None = None
    sets_class: bool = False
    resync: bool = False
    arrival: Arrival | None = None
    """How the guest came into the room; None for one who was there already."""


@define(eq=False)
class MoveWindow:
    """The statements of the window, by reservation number. Guests without a number have none."""

    _statements: dict[str, tuple[Statement, ...]] = field(factory=dict)  # the guest of the oldest one first
    _arrivals: int = 0

    @classmethod
    def parse(cls, stored: Mapping[str, Sequence[Mapping[str, Any]]]) -> MoveWindow:
        """Parse a window from what `serialize` returned."""
        statements = {
            number: tuple(_parse_statement(values) for values in of_guest)
            for number, of_guest in stored.items()
        }
        orders = (one.arrival.order for of_guest in statements.values() for one in of_guest if one.arrival)
        return cls(statements, max(orders, default=0))

    def serialize(self, numbers: Container[str]) -> dict[str, list[dict[str, Any]]]:
        """Serialize the statements about these guests, and about those who have just come, for the store.

        The arrivals that a resync reports are left out: they may be thousands.
        """
        return {
            number: [asdict(one) for one in of_guest]
            for number, of_guest in self._statements.items()
            if number in numbers or any(one.arrival and not one.resync for one in of_guest)
        }

    def copy(self) -> MoveWindow:
        """Copy the window."""
        return MoveWindow(self._statements.copy(), self._arrivals)

    def add(self, number: str, statement: Statement) -> None:
        """Add a statement about a guest, and forget what is older than the window."""
        if not number:
            return
        recent = self._recent(number, statement.at)
        self._statements.pop(number, None)
        self._statements[number] = (*recent, statement)
        while not is_in_window(
            self._statements[(oldest := next(iter(self._statements)))][-1].at, statement.at
        ):
            del self._statements[oldest]

    def new_arrival(self, party: int | None, awaits_first: bool = False) -> Arrival:
        """Make the next arrival; without a `party`, it begins one."""
        self._arrivals += 1
        return Arrival(self._arrivals, self._arrivals if party is None else party, awaits_first)

    def find(self, number: str, room: str, kind: StatementKind, now_ms: int) -> Statement | None:
        """Find the last statement of a kind about a guest and a room in the window."""
        recent = self._recent(number, now_ms)
        return next((one for one in reversed(recent) if (one.room, one.kind) == (room, kind)), None)

    def is_gone(self, number: str, room: str, now_ms: int) -> bool:
        """Check whether the guest was said to have left a room, and not to be there since."""
        about_room = [one.kind for one in self._recent(number, now_ms) if one.room == room]
        return "gone" in about_room and about_room[-1] != "here"

    def arrival(self, number: str, room: str, now_ms: int) -> Arrival | None:
        """Return how a guest came into a room in the window; None for one who was there before."""
        recent = self._recent(number, now_ms)
        return next((one.arrival for one in reversed(recent) if one.room == room and one.arrival), None)

    def is_newcomer(self, number: str, room: str, former: Iterable[str], now_ms: int) -> bool:
        """Check whether a guest came after the `former` guests of a room, and with none of them."""
        arrival = self.arrival(number, room, now_ms)
        if arrival is None or not arrival.party:
            return False
        others = (self.arrival(other, room, now_ms) for other in former)
        return not any(
            other is not None and (other.party == arrival.party or other.order > arrival.order)
            for other in others
        )

    def _recent(self, number: str, now_ms: int) -> tuple[Statement, ...]:
        statements = self._statements.get(number, ())
        return tuple(one for one in statements if is_in_window(one.at, now_ms))


def _parse_statement(values: Mapping[str, Any]) -> Statement:
    arrival = values["arrival"]
    return Statement(**{**values, "arrival": None if arrival is None else Arrival(**arrival)})
